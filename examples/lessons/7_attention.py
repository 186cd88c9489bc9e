# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7 · Attention
#
# You build the heart of a GPT: positions that ask each other questions. You start with a plain mean, put queries, keys
# and values in its place, show with gradients that no position sees the future, and train a small GPT on names.
#
# You need [lesson 6](6_wavenet.ipynb), its modules and its shapes with three dimensions, and about 20 minutes.

# %%
import matplotlib.pyplot as plt
from IPython.display import SVG
from lesson import CHARACTERS, check_gradient, check_value, read_names, split

import minigrad
import minigrad.nn.functional as F
from minigrad import nn, viz

# %% [markdown]
# ## All positions at once
#
# So far, a network made one guess from one context, and a name of five letters was six examples. A GPT reads the whole
# name and guesses at all positions at once: after `.` the first letter, after `.e` the second, and so on. So one name
# gives six guesses in a single pass.
#
# For this, each position needs to know what stands before it. It must not know what stands after it: that is what it
# has to guess.
#
# ## The mean of the past, three ways
#
# What is the simplest thing that a position can do with its past? It can take the mean. The shape of `x` is (B, T, C):
# examples, positions (T as in time) and channels. Here is the mean with loops, which is easy to read and slow:

# %%
minigrad.manual_seed(7)
B, T, C = 2, 5, 3
x = minigrad.randn(B, T, C)

mean_of_past = minigrad.zeros(B, T, C)
for b in range(B):
    for t in range(T):
        mean_of_past[b, t] = x[b, : t + 1].mean(0)

# %% [markdown]
# ### Exercise 7.1: the mean as a matrix product
#
# The row `t` of a product `weights @ x` is a sum of the rows of `x`, each times a weight. Write the means as such a
# product. `weights` has the shape (T, T), and the function is to take an `x` of any shape (B, T, C).
#
# <details><summary>Hint 1</summary>
#
# With T = 3, the weights are `[[1, 0, 0], [1/2, 1/2, 0], [1/3, 1/3, 1/3]]`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `minigrad.tril(minigrad.ones(T, T))` has ones up to the diagonal, and zeros above it. Divide each row by its sum.
#
# </details>


# %% tags=["exercise"]
def mean_by_matrix(x):
    return None  # your answer


# %% tags=["check"]
check_value("mean_by_matrix", mean_by_matrix(x), mean_of_past)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def mean_by_matrix(x):
#     B, T, C = x.shape
#     weights = minigrad.tril(minigrad.ones(T, T))
#     weights = weights / weights.sum(1, keepdim=True)
#     return weights @ x
# ```
#
# (T, T) times (B, T, C): the product treats each example alone, with the same weights.
#
# </details>

# %% [markdown]
# ### Exercise 7.2: the mean by a softmax
#
# Write the same once more, with weights from a softmax. The scores are zero everywhere. Where a position must not look,
# they are `-inf`, because `exp(-inf)` is 0.
#
# <details><summary>Hint 1</summary>
#
# `scores.masked_fill(mask, float("-inf"))` puts `-inf` where the mask is true.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The mask is true above the diagonal: `minigrad.tril(minigrad.ones(T, T)) == 0`. Each row of weights is to sum to 1, so
# the softmax is over the last dimension.
#
# </details>


# %% tags=["exercise"]
def mean_by_softmax(x):
    return None  # your answer


# %% tags=["check"]
check_value("mean_by_softmax", mean_by_softmax(x), mean_of_past)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def mean_by_softmax(x):
#     B, T, C = x.shape
#     scores = minigrad.zeros(T, T)
#     scores = scores.masked_fill(minigrad.tril(minigrad.ones(T, T)) == 0, float("-inf"))
#     return F.softmax(scores, dim=-1) @ x
# ```
#
# This looks like a detour, and it is the way to attention. Equal scores give equal weights. Other scores give other
# weights, which are still positive, still sum to 1, and still leave the future out.
#
# </details>

# %% [markdown]
# ## Queries, keys and values
#
# All positions of the past count the same in a mean. A vowel may want to know which consonant came last, and not care
# for the rest. So let each position compute three vectors from its own channels:
#
# - a **query**: what I am looking for,
# - a **key**: what I have to offer,
# - a **value**: what I tell whoever looks at me.
#
# The score of position `t` for position `s` is the product of the query of `t` with the key of `s`. Where they fit, it
# is large, and a large part of the value of `s` goes to `t`. The three matrices are trained like all others.
#
# One detail matters: how large are the scores? The sum of `size` products of independent numbers, each with the
# standard deviation 1, has the standard deviation √size. You saw it in lesson 4. Then a softmax takes the largest score
# and nothing else, and its gradient vanishes, as that of a saturated `tanh` does. So the scores are divided by √size.
# Measure it:

# %%
print("size   std of q · k   largest of 8 weights   the same, scaled")
for size in 4, 16, 64, 256:
    q, k = minigrad.randn(1000, 1, size), minigrad.randn(1000, 8, size)
    scores = (q @ k.mT).squeeze(1)
    plain, scaled = F.softmax(scores, dim=1), F.softmax(scores / size**0.5, dim=1)
    largest = [weights.max(1).values.mean().item() for weights in (plain, scaled)]
    print(f"{size:4} {scores.std().item():14.1f} {largest[0]:22.2f} {largest[1]:18.2f}")

# %% [markdown]
# ### Exercise 7.3: attention
#
# Write `attention`. The shapes of `q`, `k` and `v` are (..., T, size). Each position looks at itself and its past.
#
# <details><summary>Hint 1</summary>
#
# All scores at once are one product: (..., T, size) times (..., size, T). `k.transpose(-2, -1)` exchanges the last two
# dimensions.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Divide by the root of `size`. The rest is `mean_by_softmax`, with these scores in place of zeros, and `v` in place of
# `x`.
#
# </details>

# %%
minigrad.manual_seed(7)
q, k, v = minigrad.randn(3, 2, 4, 3).double()  # three times 2 examples, 4 positions, 3 channels


# %% tags=["exercise"]
def attention(q, k, v):
    return None  # your answer


# %% tags=["check"]
check_value("attention", attention(q, k, v), F.scaled_dot_product_attention(q, k, v, is_causal=True))
check_gradient("its gradient", attention, (q, k, v))

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def attention(q, k, v):
#     T, size = q.shape[-2:]
#     scores = q @ k.transpose(-2, -1) / size**0.5
#     scores = scores.masked_fill(minigrad.tril(minigrad.ones(T, T)) == 0, float("-inf"))
#     return F.softmax(scores, dim=-1) @ v
# ```
#
# `F.scaled_dot_product_attention` is the same function, from PyTorch's list of names.
#
# </details>

# %% [markdown]
# Go through both passes of a small one, with three positions. Its weights are printed first: the row of a position
# sums to 1, and above the diagonal stands 0. Look at the step of the softmax on the way back: the gradient of a masked
# score is 0. What is forbidden forward gets no gradient backward.

# %%
minigrad.manual_seed(3)
q, k, v = (minigrad.randn(3, 2).requires_grad_() for _ in range(3))
future = minigrad.tril(minigrad.ones(3, 3)) == 0
with minigrad.detect_anomaly(check_nan=False):  # notes these lines for the page
    scores = (q @ k.mT / 2**0.5).masked_fill(future, float("-inf"))
    weights = F.softmax(scores, dim=-1)
    result = weights @ v
print(weights)
viz.page(result, names=locals())

# %% [markdown]
# ## A test by gradient
#
# A mistake in the mask is hard to see. The code runs, and the loss is even better, because the network copies the
# answers from the future. An autograd engine finds it. The result at position `t` must not depend on the input at a
# later position `s`, so this gradient must be exactly zero. `influence` computes it for all pairs of positions. One
# random input is enough: it would be a strange accident if a real dependence had a gradient of exactly zero just there.


# %%
def influence(function, x):
    """How strongly the input at position s acts on the result at position t, as a matrix [t, s]."""
    x = x.detach().requires_grad_()
    gradients = [minigrad.grad(result.sum(), x, retain_graph=True)[0] for result in function(x)]
    return minigrad.stack(gradients).abs().sum(2)


# %% [markdown]
# ### Exercise 7.4: who looks into the future?
#
# Here are three attempts at attention. One of them is right. Two have a mistake that is often made. Find out, with
# `influence`, which of them are causal: their results depend on the present and the past alone. The answer is three
# truth values.
#
# <details><summary>Hint 1</summary>
#
# Print `influence(attempts[0], x)`, and look at the numbers above the diagonal.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `matrix.triu(1)` keeps what is above the diagonal, and sets the rest to zero.
#
# </details>

# %%
minigrad.manual_seed(7)
T, C = 6, 4
x = minigrad.randn(T, C)
query, key, value = (nn.Linear(C, C, bias=False) for _ in range(3))


def attempt(diagonal, dim):
    def function(x):
        scores = query(x) @ key(x).mT / C**0.5
        scores = scores.masked_fill(minigrad.tril(minigrad.ones(T, T), diagonal) == 0, float("-inf"))
        return F.softmax(scores, dim) @ value(x)

    return function


attempts = [attempt(diagonal=1, dim=-1), attempt(diagonal=0, dim=-1), attempt(diagonal=0, dim=-2)]


def same_past(function, t=3):
    """Whether the results before position t stay the same if the input from t on is replaced."""
    changed = minigrad.cat([x[:t], minigrad.randn(T - t, C)])
    return minigrad.equal(function(x)[:t], function(changed)[:t])


# %% tags=["exercise"]
causal = None  # your answer, such as (True, True, True)

# %% tags=["check"]
check_value("causal", causal, tuple(same_past(function) for function in attempts))

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# causal = tuple(bool(influence(function, x).triu(1).max() == 0) for function in attempts)
# ```
#
# The first has its mask one place too far to the right. The third has the right mask, and its weights are zero above
# the diagonal, and still it leaks: its softmax is over the wrong dimension. A weight is divided by a sum over the
# queries of later positions, and so it depends on them. The weights alone do not show it. The gradient does.
#
# </details>

# %% [markdown]
# Here are the three matrices. White is exactly zero. The future of the third attempt is faint, but it is there.

# %%
figure, plots = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
for axes, function, title in zip(plots, attempts, ("first", "second", "third"), strict=True):
    matrix = influence(function, x)
    axes.imshow(matrix.masked_fill(matrix == 0, float("nan")).numpy(), cmap="Blues", vmin=0)
    axes.set(title=f"{title} attempt", xlabel="input at", xticks=range(T), yticks=range(T))
plots[0].set_ylabel("result at")
plt.show()

# %% [markdown]
# ## Several heads
#
# One softmax gives each position one question. A position may have several: which letter came last, and how long is the
# name so far? So the channels are divided among several heads. Each does attention on its own, and their results are
# put side by side.
#
# ### Exercise 7.5: split into heads
#
# Bring `x` from (B, T, C) to (B, heads, T, C / heads). The first head gets the first C / heads channels. Then one call
# of `attention` serves all heads, because it leaves all but the last two dimensions alone.
#
# <details><summary>Hint 1</summary>
#
# Two steps: divide the last dimension in two, then exchange two dimensions.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `x.view(B, T, heads, C // heads)`. A `view` straight to (B, heads, T, C / heads) has the right shape and the wrong
# numbers.
#
# </details>

# %%
numbers = minigrad.arange(2 * 3 * 4).view(2, 3, 4)
two_heads = minigrad.stack([numbers[:, :, :2], numbers[:, :, 2:]], dim=1)


# %% tags=["exercise"]
def split_heads(x, heads):
    return None  # your answer


# %% tags=["check"]
check_value("split_heads", split_heads(numbers, 2), two_heads)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def split_heads(x, heads):
#     B, T, C = x.shape
#     return x.view(B, T, heads, C // heads).transpose(1, 2)
# ```
#
# The way back is `transpose(1, 2)` and then a `reshape` to (B, T, C).
#
# </details>


# %%
class MultiHeadAttention(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(channels, 3 * channels, bias=False)  # all three at once
        self.projection = nn.Linear(channels, channels)

    def parts(self, x):
        """Queries, keys and values, each (B, heads, T, channels / heads)."""
        parts = self.query_key_value(x).chunk(3, dim=2)
        return [part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in parts]

    def forward(self, x):
        results = F.scaled_dot_product_attention(*self.parts(x), is_causal=True)
        return self.projection(results.transpose(1, 2).flatten(2))


# %% [markdown]
# ## A block: talk, then think
#
# After the positions have talked to each other, each thinks for itself: a small MLP, the same for all positions. The
# two together are a block, and a GPT is a stack of blocks. Two things make it possible to train a deep stack.
#
# **Residual connections.** A block does not replace its input, it adds to it: `x = x + f(x)`. An addition passes its
# gradient on to both sides, unchanged. So there is a straight way from the loss to the first layer. Compare 20 layers:

# %%
minigrad.manual_seed(7)
layers = [nn.Sequential(nn.Linear(32, 32), nn.Tanh()) for _ in range(20)]
for title, is_residual in ("with", True), ("without", False):
    first = x = minigrad.randn(8, 32).requires_grad_()
    for layer in layers:
        x = x + layer(x) if is_residual else layer(x)
    x.square().mean().backward()
    norm = first.grad.norm().item()
    print(f"{title:>7} residual connections, the gradient of the input has the norm {norm:.1e}")

# %% [markdown]
# **LayerNorm.** It normalizes like BatchNorm, but over the channels of one position. There is no minibatch in it, so
# there are no examples that act on each other, no running mean, and no difference between training and evaluation. And
# it does not break causality: no position is in another's mean.
#
# ### Exercise 7.6: LayerNorm
#
# Write it without gain and shift, for any number of dimensions: each vector of channels gets the mean 0 and a
# variance of 1. Here, the variance has 1/n in it, not 1/(n - 1), and `eps` is added to it.
#
# <details><summary>Hint 1</summary>
#
# In BatchNorm you took the mean over all dimensions but the last. Now it is the last alone, and it has to be kept.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `x.mean(-1, keepdim=True)`, and `x.var(-1, keepdim=True, correction=0)`.
#
# </details>

# %%
minigrad.manual_seed(7)
batch = minigrad.randn(2, 3, 8, dtype=minigrad.float64) * 3 + 1


# %% tags=["exercise"]
def layer_norm(x, eps=1e-5):
    return None  # your answer


# %% tags=["check"]
check_value("layer_norm", layer_norm(batch), F.layer_norm(batch, (8,)))
check_gradient("its gradient", layer_norm, batch)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def layer_norm(x, eps=1e-5):
#     mean = x.mean(-1, keepdim=True)
#     var = x.var(-1, keepdim=True, correction=0)
#     return (x - mean) / (var + eps).sqrt()
# ```
#
# In a GPT it stands before attention and before the MLP, on the side branch. The straight way stays free.
#
# </details>


# %%
class Block(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = MultiHeadAttention(channels, heads)
        self.norm2 = nn.LayerNorm(channels)
        wide = 4 * channels
        self.mlp = nn.Sequential(nn.Linear(channels, wide), nn.ReLU(), nn.Linear(wide, channels))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


block = Block(32, heads=4)
x = minigrad.randn(1, 8, 32).requires_grad_()
picture = viz.draw(block(x), names={"x": x}, depth=1, rankdir="TB")
SVG(picture.pipe("svg"))

# %% [markdown]
# At each `+`, the gradient `g` goes unchanged along both arrows: through the branch, and past it.

# %% [markdown]
# ## A small GPT
#
# The names are at most 15 letters long, so 16 positions hold each of them with its end. Attention does not know the
# order of the positions: a sum is the same in any order. So each position has an embedding of its own, which is added
# to that of the character.
#
# After the end of a name there is nothing to guess. The target there is -1, which `cross_entropy` ignores.

# %%
positions, vocabulary = 16, len(CHARACTERS)


def encoded(names):
    """Inputs and targets, each (n, 16): for ava, `.ava...` goes in, and `ava.` is to come out, then -1."""
    rows = [[CHARACTERS.index(c) for c in name] for name in names]
    inputs = [[0, *row] + [0] * (positions - 1 - len(row)) for row in rows]
    targets = [[*row, 0] + [-1] * (positions - 1 - len(row)) for row in rows]
    return minigrad.tensor(inputs), minigrad.tensor(targets)


class GPT(nn.Module):
    def __init__(self, channels=32, heads=4, blocks=1):
        super().__init__()
        self.character = nn.Embedding(vocabulary, channels)
        self.position = nn.Embedding(positions, channels)
        self.blocks = nn.Sequential(*[Block(channels, heads) for _ in range(blocks)])
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, vocabulary)

    def embedded(self, indices):
        return self.character(indices) + self.position(minigrad.arange(indices.shape[1]))

    def forward(self, indices):
        return self.head(self.norm(self.blocks(self.embedded(indices))))


def loss_of(model, x, y):
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten(), ignore_index=-1)


train_names, dev_names, _ = split(read_names())
X, Y = encoded(train_names)
X_dev, Y_dev = encoded(dev_names)

minigrad.manual_seed(7)
model = GPT()
sum(p.numel() for p in model.parameters())

# %%
steps = 300
optimizer = minigrad.optim.AdamW(model.parameters(), lr=1e-2)
schedule = minigrad.optim.lr_scheduler.LinearLR(optimizer, 1, 0.05, steps)
step_loss = minigrad.compile(lambda x, y: loss_of(model, x, y))
losses = []
for _ in range(steps):
    batch = minigrad.randint(0, len(X), (64,))
    loss = step_loss(X[batch], Y[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    losses.append(loss.item())

with minigrad.no_grad():
    print(f"{loss_of(model, X_dev, Y_dev).item():.4f} on names that it has not seen")
viz.loss_curve(losses, smooth=20)

# %% [markdown]
# Compare that with the tree of lesson 6: the loss is the mean over the same characters of the same names. This is one
# block, it has fewer parameters, and it took fewer steps. But each step saw 64 whole names, which is about 450 guesses
# in place of 64.
#
# Is the trained network causal, as a whole? Ask the gradient, from the logits back to the embeddings. On the right are
# the weights of the four heads for the same name: where each position looks.

# %%
name = ".isabella"
indices = minigrad.tensor([[CHARACTERS.index(c) for c in name]])
with minigrad.no_grad():
    block = model.blocks[0]
    q, k, _ = block.attention.parts(block.norm1(model.embedded(indices)))
    scores = q @ k.mT / q.shape[-1] ** 0.5
    scores = scores.masked_fill(minigrad.ones_like(scores).tril() == 0, float("-inf"))
    heads = F.softmax(scores, dim=-1)[0]


def logits_of(x):
    return model.head(model.norm(model.blocks(x[None])))[0]


matrix = influence(logits_of, model.embedded(indices)[0])
print("the largest influence of the future:", matrix.triu(1).max().item())

figure, plots = plt.subplots(1, 5, figsize=(12, 3), layout="constrained")
titles = ["influence", *(f"head {i}" for i in range(1, 5))]
for axes, values, title in zip(plots, [matrix, *heads], titles, strict=True):
    axes.imshow(values.masked_fill(values == 0, float("nan")).numpy(), cmap="Blues", vmin=0)
    axes.set_title(title)
    axes.set_xticks(range(len(name)), name)
    axes.set_yticks(range(len(name)), name)
plt.show()

# %% [markdown]
# White is exactly zero: all of the future, in all five pictures.
#
# Names from the GPT. To write one, it guesses the next character, puts it at the end, and reads the whole again:


# %%
@minigrad.no_grad()
def sample(model):
    indices = [0]
    while len(indices) < positions:
        probabilities = F.softmax(model(minigrad.tensor([indices]))[0, -1], dim=0)
        index = minigrad.multinomial(probabilities, 1).item()
        if index == 0:
            break
        indices.append(index)
    return "".join(CHARACTERS[i] for i in indices[1:])


minigrad.manual_seed(7)
print(*[sample(model) for _ in range(10)], sep="\n")

# %% [markdown]
# ## What comes next
#
# GPT-2 is this program with 12 blocks in place of one, 768 channels in place of 32, GELU in place of ReLU, pieces of
# words in place of characters, and millions of web pages in place of names. You know what every part of it does,
# forward and backward.
#
# What is left is the engine itself. Its core is short enough to read in an evening, and
# [Reading the source](../../docs/source.md) says in which order. For longer training with checkpoints and pictures, see
# `examples/train_names.py`.
