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
# # 3 · An MLP: three characters, and an embedding
#
# The model now looks at three characters instead of one. You learn what an embedding is, how a hidden layer uses it,
# how to train with minibatches, how to find a learning rate, and why the names are split into three parts.
#
# You need [lesson 2](2_bigrams.ipynb), and about 20 minutes.

# %%
import matplotlib.pyplot as plt
from lesson import CHARACTERS, check_value, contexts, read_names, split

import minigrad
import minigrad.nn.functional as F
from minigrad import nn, viz

# %% [markdown]
# ## Examples: three characters, and the next
#
# After `.em`, the next character is `m`. A window of three characters slides over a name; before the first letter it is
# filled with dots:

# %%
block_size = 3
context = [0] * block_size
for character in "emma.":
    print("".join(CHARACTERS[i] for i in context), "->", character)
    context = [*context[1:], CHARACTERS.index(character)]

# %% [markdown]
# `contexts` in [lesson.py](lesson.py) does this for a list of names, and returns two Tensors of indices.
#
# ### Exercise 3.1: the examples of a name
#
# Write down the inputs that the name `ava` gives: a list of rows of three indices. The dot is 0, a is 1, v is 22.
#
# <details><summary>Hint 1</summary>
#
# The name has three letters, and an end that is to be predicted, too. So there are four rows.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The first row is `[0, 0, 0]`, and the second `[0, 0, 1]`.
#
# </details>

# %% tags=["exercise"]
rows = None  # your answer

# %% tags=["check"]
check_value("rows", rows, contexts(["ava"])[0])

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# rows = [[0, 0, 0], [0, 0, 1], [0, 1, 22], [1, 22, 1]]
# ```
#
# Their targets are `[1, 22, 1, 0]`.
#
# </details>

# %% [markdown]
# ## Three parts
#
# A model can learn its examples by heart. So its loss on them says little about new names. We keep two parts away from
# the training. **Train** (80%) is for the gradients. **Dev** (10%) is for decisions, such as the size of the layers.
# **Test** (10%) is used once, at the very end: whoever decides by a part has, in a way, trained on it.

# %%
train, dev, test = split(read_names())
X, Y = contexts(train)
X_dev, Y_dev = contexts(dev)
print(len(train), "names to train on give", len(X), "examples")
X[:3], Y[:3]

# %% [markdown]
# ## The network
#
# A one-hot vector says that a and e are as different as a and q. But a and e play similar roles in names. Let every
# character have a short vector of its own, an **embedding**, and let the training decide which characters shall be near
# each other. All vectors together are a table `C` with 27 rows. `C[X]` looks up the rows for all contexts at once.
#
# The three vectors of a context are put side by side, and go through a hidden layer with `tanh`, and then through an
# output layer to 27 logits:


# %%
def new_parameters(dims, hidden, seed=3):
    g = minigrad.Generator().manual_seed(seed)
    n = block_size * dims
    C = minigrad.randn((27, dims), generator=g)
    W1 = minigrad.randn((n, hidden), generator=g) * (5 / 3) / n**0.5  # why this factor: lesson 4
    b1 = minigrad.zeros(hidden)
    W2 = minigrad.randn((hidden, 27), generator=g) * 0.01
    b2 = minigrad.zeros(27)
    parameters = [C, W1, b1, W2, b2]
    for p in parameters:
        p.requires_grad = True
    return parameters


parameters = new_parameters(dims=2, hidden=100)
C, W1, b1, W2, b2 = parameters
print(sum(p.numel() for p in parameters), "parameters")

# %% [markdown]
# ### Exercise 3.2: shapes
#
# Before you run a network, know its shapes. Take 32 contexts `X[:32]`. What are the shapes of these results, as tuples?
#
# - `emb = C[X[:32]]`
# - `h = tanh(emb, side by side, @ W1 + b1)`
# - `logits = h @ W2 + b2`
#
# <details><summary>Hint 1</summary>
#
# `X[:32]` has the shape (32, 3). Each index in it is replaced by a row of `C`, which has 2 numbers.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# In a product the inner dims go away: (32, 6) @ (6, 100).
#
# </details>

# %% tags=["exercise"]
shape_of_emb = None  # your answers, such as (32, 27)
shape_of_h = None
shape_of_logits = None

# %%
emb = C[X[:32]]
side_by_side = minigrad.cat([emb[:, 0], emb[:, 1], emb[:, 2]], dim=1)
h = (side_by_side @ W1 + b1).tanh()
logits = h @ W2 + b2

# %% tags=["check"]
check_value("shape_of_emb", shape_of_emb, tuple(emb.shape))
check_value("shape_of_h", shape_of_h, tuple(h.shape))
check_value("shape_of_logits", shape_of_logits, tuple(logits.shape))

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# shape_of_emb = (32, 3, 2)
# shape_of_h = (32, 100)
# shape_of_logits = (32, 27)
# ```
#
# The number of examples stays in front all the way. All examples are computed side by side and do not meet before the
# mean in the loss.
#
# </details>

# %% [markdown]
# ### Exercise 3.3: side by side, without copying
#
# `cat` copies numbers, and its code knows that there are three characters. Get the same from `emb` with one method, for
# any `block_size`.
#
# <details><summary>Hint 1</summary>
#
# In memory the numbers of `emb` already stand in the right order. Only the shape is to change.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `view` looks at the same numbers in another shape. With -1 it works out that size by itself.
#
# </details>

# %% tags=["exercise"]
my_side_by_side = None  # your answer

# %% tags=["check"]
check_value("my_side_by_side", my_side_by_side, side_by_side)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# my_side_by_side = emb.view(len(emb), -1)
# ```
#
# `emb.flatten(1)` does the same. A view costs nothing, however large the Tensor is.
#
# </details>


# %% [markdown]
# Now all of it in one function. `minigrad.nn` has the same layers ready-made, and a network of these can be drawn layer
# by layer:


# %%
def forward(parameters, X):
    C, W1, b1, W2, b2 = parameters
    h = (C[X].flatten(1) @ W1 + b1).tanh()
    return h @ W2 + b2


model = nn.MLP(27, block_size=3, embedding=2, hidden=100, batch_norm=False)
viz.draw(model(X[:32]), depth=1, rankdir="TB")

# %% [markdown]
# How does a gradient get from the loss to the table `C`? Step through a tiny version, with four characters, three
# hidden neurons and two contexts. Watch two things. The bias `b1` was repeated for each context, so its gradient is a
# sum over them. And a row of `C` that was looked up several times gets the sum of all that comes back.


# %%
g = minigrad.Generator().manual_seed(8)


def tiny_network():
    C, W1, b1, W2, b2 = (minigrad.randn(shape, generator=g) for shape in ((4, 2), (6, 3), (3,), (3, 4), (4,)))
    for p in (C, W1, b1, W2, b2):
        p.requires_grad = True
    inputs, targets = minigrad.tensor([[0, 0, 1], [0, 1, 2]]), minigrad.tensor([2, 3])
    with minigrad.detect_anomaly(check_nan=False):  # remembers the lines, for the page
        emb = C[inputs]
        h = (emb.flatten(1) @ W1 + b1).tanh()
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, targets)
    return viz.page(loss, names=locals())


tiny_network()

# %% [markdown]
# ### Exercise 3.4: softmax of large logits
#
# Why `cross_entropy`, and not the formulas of lesson 2? One reason: `exp` overflows. Look what the plain formula makes
# of a logit of 100. Write a softmax that gives the right probabilities.

# %%
large = minigrad.tensor([-5.0, 0.0, 100.0])
large.exp() / large.exp().sum()

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Add the same number to all logits. What happens to the probabilities?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Nothing happens, because `exp(a + b)` is `exp(a) * exp(b)`, and the common factor cancels. So choose the number such
# that nothing overflows: the largest logit becomes 0.
#
# </details>


# %% tags=["exercise"]
def safe_softmax(logits):
    return None  # your answer


# %% tags=["check"]
check_value("safe_softmax(large)", safe_softmax(large), F.softmax(large, dim=0))
check_value("safe_softmax(large / 50)", safe_softmax(large / 50), F.softmax(large / 50, dim=0))

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def safe_softmax(logits):
#     exp = (logits - logits.max()).exp()
#     return exp / exp.sum()
# ```
#
# `cross_entropy` does this in one operation, which also needs less memory, and has the short gradient that you found.
#
# </details>

# %% [markdown]
# ## Minibatches
#
# A step on all 180,000 examples takes a while, and its gradient is more exact than it needs to be. A **minibatch** is a
# random handful of examples. Its gradient is an estimate. Many cheap steps in roughly the right direction are better
# than few expensive ones:


# %%
def gradient_of_W2(chosen):
    loss = F.cross_entropy(forward(parameters, X[chosen]), Y[chosen])
    return minigrad.grad(loss, parameters[3])[0].flatten()


everything = gradient_of_W2(minigrad.arange(0, len(X), 8))  # every eighth example is exact enough
for size in (1, 8, 64, 512):
    estimates = [gradient_of_W2(minigrad.randint(0, len(X), (size,), generator=g)) for _ in range(20)]
    similarity = sum(F.cosine_similarity(each, everything, dim=0).item() for each in estimates) / 20
    print(f"{size:4d} examples: the cosine of the angle to the full gradient is {similarity:.2f}")

# %% [markdown]
# ## A learning rate
#
# How long should a step be? If it is too short, training takes forever. If it is too long, the loss jumps around, or
# grows. A quick way to find out: let the rate grow from tiny to huge during a few hundred steps, and watch the loss.


# %%
def train_for(parameters, rates, X=X, Y=Y, batch=64):
    """Take one step for each rate, and return the losses."""
    losses = []
    for rate in rates:
        chosen = minigrad.randint(0, len(X), (batch,), generator=g)
        loss = F.cross_entropy(forward(parameters, X[chosen]), Y[chosen])
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data -= rate * p.grad
        losses.append(loss.item())
    return losses


exponents = minigrad.linspace(-3, 1, 600)
losses = train_for(new_parameters(dims=2, hidden=100), (10**exponents).tolist())
plt.figure(figsize=(7, 3.5))
plt.plot(10**exponents, losses, linewidth=0.8)
plt.xscale("log")
plt.ylim(2, 5)
plt.xlabel("learning rate")
plt.ylabel("loss of a minibatch")
plt.show()

# %% [markdown]
# ### Exercise 3.5: choose a learning rate
#
# Read it off the picture: as large as possible, but left of the place where the loss becomes wild.
#
# <details><summary>Hint 1</summary>
#
# Left of 0.01 nearly nothing happens in so few steps. Where is the lowest stretch of the curve?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The curve is lowest between 0.1 and 1. Stay some distance away from the cliff.
#
# </details>

# %% tags=["exercise"]
rate = None  # your answer


# %%
def is_good(rate):
    """Whether a model that trains with this rate learns well in 800 steps. None without a rate."""
    if rate is None:
        return None
    losses = train_for(new_parameters(dims=2, hidden=100), [rate] * 800)
    return sum(losses[-300:]) / 300 < 2.6


# %% tags=["check"]
check_value("is_good(rate)", is_good(rate), True)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# rate = 0.3
# ```
#
# Anything from about 0.1 to 1 works here. The best rate depends on the network and on the batch, so you search anew
# when these change.
#
# </details>

# %% [markdown]
# ## Train
#
# Now with ten numbers for each character and 200 hidden neurons. After most of the steps the rate falls to a tenth.
# Then the steps are short enough to settle where the long ones jumped around.


# %%
@minigrad.no_grad()
def mean_loss(parameters, X, Y):
    return F.cross_entropy(forward(parameters, X), Y).item()


parameters = new_parameters(dims=10, hidden=200)
losses = train_for(parameters, [0.3] * 2500 + [0.03] * 500)
loss_train, loss_dev = mean_loss(parameters, X[:9000], Y[:9000]), mean_loss(parameters, X_dev, Y_dev)
print(f"train {loss_train:.3f}, dev {loss_dev:.3f}")
viz.loss_curve(losses)

# %% [markdown]
# The bigram model had 2.45. The two losses are close to each other, so the model has learned rules and not the
# examples. A larger network, or longer training, would still make both better.
#
# ### Exercise 3.6: what went wrong here?
#
# Somebody trains the same network on 300 names only. Look at the two losses. Does the model underfit (it is too weak
# for its examples) or overfit (it knows them by heart)?

# %%
X_few, Y_few = contexts(train[:300])
memorised = new_parameters(dims=10, hidden=200)
train_for(memorised, [0.3] * 1000, X_few, Y_few)
loss_few, loss_dev = mean_loss(memorised, X_few, Y_few), mean_loss(memorised, X_dev, Y_dev)
print(f"train {loss_few:.3f}, dev {loss_dev:.3f}")

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Compare the two losses with each other, and with 3.30, the loss without any knowledge.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A model that is too weak is equally bad on both parts.
#
# </details>

# %% tags=["exercise"]
diagnosis = None  # your answer: "underfits" or "overfits"

# %% tags=["check"]
check_value("diagnosis", diagnosis, "overfits" if loss_dev > 1.2 * loss_few else "underfits")

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# diagnosis = "overfits"
# ```
#
# It is sure of itself on its own names, and on others it is often sure and wrong: hardly better than no knowledge.
# More data is the best remedy. Fewer parameters or fewer steps help, too.
#
# </details>

# %% [markdown]
# ## What the embedding has learned
#
# With two numbers for each character, the table can be drawn. Here all characters start close together, so what keeps
# them apart at the end is the work of the training:

# %%
drawn = new_parameters(dims=2, hidden=100)
drawn[0].data *= 0.1
train_for(drawn, [0.3] * 2500)
figure = plt.figure(figsize=(6, 6), layout="constrained")
viz.embedding(drawn[0], CHARACTERS, axes=figure.subplots())
plt.show()

# %% [markdown]
# Nobody told the network what a vowel is. It has found out that a, e, i, o, u and y can often stand for each other, and
# that the dot is like no letter. The larger network also invents better names than counting did:


# %%
def sample(parameters):
    context, name = [0] * block_size, ""
    while True:
        probs = F.softmax(forward(parameters, minigrad.tensor([context])), dim=1)
        i = minigrad.multinomial(probs, num_samples=1, generator=g).item()
        if i == 0:
            return name
        context = [*context[1:], i]
        name += CHARACTERS[i]


print(", ".join(sample(parameters) for _ in range(12)))

# %% [markdown]
# ## What comes next
#
# Two factors in `new_parameters` came without a reason: the `5 / 3` and the `0.01`. In [lesson 4](4_batchnorm.ipynb)
# you leave them out, see what breaks, and find a layer that makes the network much less sensitive to how it begins.
