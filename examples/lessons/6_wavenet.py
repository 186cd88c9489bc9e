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
# # 6 · A tree of layers
#
# You give the network a longer context, and let it merge the characters two by two, as WaveNet does. On the way you
# learn how `nn` puts networks together from modules, how shapes with three dimensions go through them, and how
# gradients tell which characters a neuron can see.
#
# You need [lesson 4](4_batchnorm.ipynb) with its BatchNorm, and about 20 minutes.

# %%
import matplotlib.pyplot as plt
from lesson import CHARACTERS, check_gradient, check_value, contexts, read_names, split

import minigrad
import minigrad.nn.functional as F
from minigrad import nn, viz

# %% [markdown]
# ## Eight characters
#
# Three characters are little to go by. After `lin` may come `a`, `d`, `e`, or the end, and which it is depends on what
# stood before. So the context now has eight characters.

# %%
train_names, dev_names, _ = split(read_names())
X, Y = contexts(train_names, block_size=8)
X_dev, Y_dev = contexts(dev_names, block_size=8)
for x, y in zip(X[:9], Y[:9], strict=True):
    print("".join(CHARACTERS[i] for i in x), "→", CHARACTERS[y])

# %% [markdown]
# ## A network from parts
#
# In `nn`, a network is put together from modules. A module has parameters, and it can be called. A container is a
# module made of modules: `nn.Sequential` calls them one after the other, and its parameters are all of theirs. Here is
# the network of lesson 4 in these words, for eight characters:

# %%
vocabulary = len(CHARACTERS)


def flat_network(embedding=16, hidden=143):
    return nn.Sequential(
        nn.Embedding(vocabulary, embedding),
        nn.Flatten(),
        nn.Linear(8 * embedding, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.Tanh(),
        nn.Linear(hidden, vocabulary),
    )


minigrad.manual_seed(6)
flat = flat_network()
flat

# %% [markdown]
# ### Exercise 6.1: count the parameters
#
# How many numbers does training change in `flat`? Work it out from the sizes, on paper. Then write it as a sum.
#
# <details><summary>Hint 1</summary>
#
# A `Linear` from 10 to 20 has a weight matrix with 10 · 20 numbers, and 20 more if it has a bias. `Flatten` and `Tanh`
# have none.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# BatchNorm has a gain and a shift for each column. Its running mean and variance are not trained.
#
# </details>

# %% tags=["exercise"]
count = None  # your answer

# %% tags=["check"]
check_value("count", count, sum(p.numel() for p in flat.parameters()))

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# count = 27 * 16 + (8 * 16) * 143 + 2 * 143 + 143 * 27 + 27
# ```
#
# The hidden layer has 18,304 of them, four fifths. It grows with the length of the context.
#
# </details>

# %% [markdown]
# ## The idea: merge neighbours
#
# The hidden layer takes all eight characters in one go. After it, the information about 8 · 16 numbers is in 143, and a
# single `tanh` was all that the network could do with it.
#
# A tree takes its time. The first level merges neighbours: two characters become one vector. The second level merges
# two of those, and the third the last two. All nodes of a level have the same weights: what to make of two neighbours
# does not depend on where they stand.

# %%
figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
box = {"boxstyle": "round", "facecolor": "#d6e7fb", "edgecolor": "#0b62a4"}
for number in range(4):
    size = 2**number  # how many characters are in a node of this level
    for start in range(0, 8, size):
        middle, parent = start + size / 2, start // (2 * size) * 2 * size + size
        axes.text(middle, number, "isabella"[start : start + size], ha="center", va="center", bbox=box)
        if number < 3:
            axes.plot([middle, parent], [number, number + 1], color="#777777", zorder=0)
axes.set_yticks(range(4), ["embedding", "level 1", "level 2", "level 3"])
axes.tick_params(length=0)
axes.set_xticks([])
axes.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# ## Shapes with three dimensions
#
# The embedding of a minibatch has the shape (32, 8, 24): examples, positions, and numbers at each position, which are
# called channels. A `Linear` works on the last dimension alone. It does the same for each example and each position, as
# if these were rows of one large table.
#
# So a level of the tree is two steps: put neighbours side by side, then use a `Linear`.
#
# ### Exercise 6.2: predict the shapes
#
# `x` has the shape (32, 8, 24). The first step makes pairs: each two neighbouring positions become one, with both
# their channels. The second is `nn.Linear(48, 64)`. Then come pairs again. Write the three shapes, as tuples.
#
# <details><summary>Hint 1</summary>
#
# No number is lost or added when pairs are made. Half as many positions, twice as many channels.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `Linear` changes the last dimension and no other.
#
# </details>

# %% tags=["exercise"]
pairs = None  # your answer, such as (32, 8, 24)
after_linear = None  # your answer
pairs_again = None  # your answer

# %% tags=["check"]
check_value("pairs", pairs, (32, 4, 48))
check_value("after_linear", after_linear, (32, 4, 64))
check_value("pairs_again", pairs_again, (32, 2, 128))

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# pairs = (32, 4, 48)
# after_linear = (32, 4, 64)
# pairs_again = (32, 2, 128)
# ```
#
# After the third level, the shape is (32, 1, 64): one position is left, and it has seen all characters.
#
# </details>

# %% [markdown]
# ### Exercise 6.3: flatten neighbours
#
# Write a function that puts `n` neighbouring positions side by side: from (B, T, C) to (B, T / n, n · C). The channels
# of the earlier position come first. One call is enough, and no number is copied.
#
# <details><summary>Hint 1</summary>
#
# Tensors lie in memory row by row. So in each example, the channels of position 1 come right after those of position 0.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The numbers are in the right order already. `x.view(...)` reads them with another shape.
#
# </details>

# %%
numbers = minigrad.arange(2 * 4 * 3).view(2, 4, 3)  # 2 examples, 4 positions, 3 channels
side_by_side = minigrad.cat([numbers[:, 0::2], numbers[:, 1::2]], dim=2)  # the long way, with a copy
side_by_side


# %% tags=["exercise"]
def flatten_neighbours(x, n):
    return None  # your answer


# %% tags=["check"]
check_value("flatten_neighbours", flatten_neighbours(numbers, 2), side_by_side)
check_gradient("its gradient", lambda x: flatten_neighbours(x, 2), numbers.double())

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def flatten_neighbours(x, n):
#     B, T, C = x.shape
#     return x.view(B, T // n, n * C)
# ```
#
# A view costs nothing, and neither does its gradient: it is a view back into the old shape.
#
# </details>

# %% [markdown]
# As a module it goes into a container with the others. It has no parameters, so `forward` is all there is to write.


# %%
class FlattenConsecutive(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        return x.unflatten(1, (-1, self.n)).flatten(2)


# %% [markdown]
# ## BatchNorm with three dimensions
#
# In lesson 4 BatchNorm had a table, one row for each example. It took the mean and the variance of each column. Now its
# input is (examples, positions, channels).
#
# ### Exercise 6.4: over which dimensions?
#
# All positions share the layer's weights, and they are to share its statistics, too. Write the `mean` and the variance
# `var` of each channel of `x`, so that `(x - mean) / var.sqrt()` has the mean 0 and the variance 1 in each channel.
#
# <details><summary>Hint 1</summary>
#
# There are 24 channels, so there are 24 means. Over which dimensions do you have to take them?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `x.mean(...)` and `x.var(...)` take a tuple of dimensions.
#
# </details>

# %%
minigrad.manual_seed(6)
x = minigrad.randn(32, 4, 24) * 3 + 1

# %% tags=["exercise"]
mean = None  # your answer
var = None  # your answer

# %% tags=["check"]
check_value("mean", mean, x.view(-1, 24).mean(0))
check_value("var", var, x.view(-1, 24).var(0))

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# mean = x.mean((0, 1))
# var = x.var((0, 1))
# ```
#
# With `x.mean(0)` there would be 4 · 24 means, one for each position, and each from 32 numbers instead of 128. The code
# would run: broadcasting fits the shapes, and nothing tells you. Only the network learns from noisier statistics.
#
# </details>

# %% [markdown]
# The check shows a short way to write it: examples and positions together are the rows of one table. (PyTorch's
# `BatchNorm1d` also takes three dimensions, but it expects the channels in the middle.) So a module of our own
# flattens, calls `BatchNorm1d`, and gives the shape back:


# %%
class BatchNorm(nn.BatchNorm1d):
    def forward(self, x):
        return super().forward(x.flatten(0, -2)).view(x.shape)


class Level(nn.Sequential):
    def __init__(self, channels, hidden):
        linear = nn.Linear(2 * channels, hidden, bias=False)
        super().__init__(FlattenConsecutive(2), linear, BatchNorm(hidden), nn.Tanh())


def tree_network(embedding=24, hidden=64):
    return nn.Sequential(
        nn.Embedding(vocabulary, embedding),
        Level(embedding, hidden),
        Level(hidden, hidden),
        Level(hidden, hidden),
        nn.Flatten(),
        nn.Linear(hidden, vocabulary),
    )


minigrad.manual_seed(6)
tree = tree_network()
for name, network in ("flat", flat), ("tree", tree):
    print(name, "has", sum(p.numel() for p in network.parameters()), "parameters")

# %% [markdown]
# The two networks are about equally large, so it is fair to compare them. To see the shapes, call the layers one by one
# as the container does:

# %%
x = X[:32]
for layer in tree:
    x = layer(x)
    print(f"{type(layer).__name__:12}", tuple(x.shape))

# %% [markdown]
# The graph behind these numbers has dozens of operations. With `depth=1`, each module is one box. The second and the
# third level are alike, so they are drawn once, in a frame that says `× 2`:

# %%
viz.draw(tree(X[:32]), depth=1)

# %% [markdown]
# ## Which characters does a neuron see?
#
# Ask the gradient. If the gradient of a neuron with respect to a character's embedding is zero, then the character has
# no effect on it. `sees` computes the result of one position at one level, goes back to the embedding, and returns the
# positions from 0 to 7 where something arrives.


# %%
def influence(network, level, position):
    """How strongly the characters of each example act on one position at a level, in example 0."""
    embedded = network[0](X[100:104]).detach().requires_grad_()
    result = network[1 : 1 + level](embedded)
    result[0, position].sum().backward()
    return embedded.grad.abs().sum(2)


def sees(network, level, position):
    return tuple(i for i, size in enumerate(influence(network, level, position)[0]) if size > 0)


tree.eval()
sees(tree, level=1, position=0)

# %% [markdown]
# ### Exercise 6.5: the receptive field
#
# Position 0 at level 1 sees the characters 0 and 1. What does position 1 at level 2 see? Predict it from the picture of
# the tree.
#
# <details><summary>Hint 1</summary>
#
# It merges the positions 2 and 3 of level 1.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Position 2 of level 1 sees the characters 4 and 5.
#
# </details>

# %% tags=["exercise"]
characters = None  # your answer, such as (0, 1)

# %% tags=["check"]
check_value("characters", characters, sees(tree, level=2, position=1))

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# characters = (4, 5, 6, 7)
# ```
#
# Each level doubles what a neuron sees. Three levels see 8 characters, and ten levels see 1024.
#
# </details>

# %% [markdown]
# Here are all levels, drawn from gradients alone. Each row is a position of the level, each column a character, and
# white is exactly zero. You see the tree.

# %%
figure = plt.figure(figsize=(6, 4.6), layout="constrained")
plots = figure.subplots(3, 1, sharex=True, height_ratios=[4, 2, 1])
for number, axes in enumerate(plots, start=1):
    rows = minigrad.stack([influence(tree, number, position)[0] for position in range(8 // 2**number)])
    axes.imshow(rows.masked_fill(rows == 0, float("nan")).numpy(), cmap="Blues", vmin=0, aspect="auto")
    axes.set(ylabel=f"level {number}", yticks=range(len(rows)), xticks=range(8))
plots[-1].set_xticks(range(8), [CHARACTERS[i] for i in X[100]])
plt.show()

# %% [markdown]
# ### Exercise 6.6: does another example matter?
#
# The examples of a minibatch have nothing to do with each other. Do the characters of example 1 act on the result of
# example 0? Answer with `True` or `False`, for a network in training mode and in evaluation mode.
#
# <details><summary>Hint 1</summary>
#
# All modules but one treat each example alone.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# In training mode, BatchNorm takes its mean over the whole minibatch. In evaluation mode it has the running mean.
#
# </details>

# %%
acts = {}
for mode in True, False:
    tree.train(mode)
    acts[mode] = bool(influence(tree, level=1, position=0)[1].max() > 0)

# %% tags=["exercise"]
acts_in_training = None  # your answer
acts_in_evaluation = None  # your answer

# %% tags=["check"]
check_value("acts_in_training", acts_in_training, acts[True])
check_value("acts_in_evaluation", acts_in_evaluation, acts[False])

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# acts_in_training = True
# acts_in_evaluation = False
# ```
#
# BatchNorm is the one module that couples examples. It is the source of many mistakes, and a reason why the
# transformer of the next lesson has another normalization.
#
# </details>

# %% [markdown]
# ## Training both
#
# `minigrad.compile` does what you saw at the end of lesson 5: it writes the step as a numpy program, and runs that. The
# numbers are the same as without it.


# %%
def train(network, steps=700, batch_size=64):
    minigrad.manual_seed(6)
    network.train()
    optimizer = minigrad.optim.SGD(network.parameters(), lr=0.2)
    schedule = minigrad.optim.lr_scheduler.LinearLR(optimizer, 1, 0.05, steps)
    loss_of = minigrad.compile(lambda x, y: F.cross_entropy(network(x), y))
    losses = []
    for _ in range(steps):
        batch = minigrad.randint(0, len(X), (batch_size,))
        loss = loss_of(X[batch], Y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    network.eval()
    return losses


@minigrad.no_grad()
def dev_loss(network):
    return F.cross_entropy(network(X_dev), Y_dev).item()


losses = {"flat": train(flat), "tree": train(tree)}
for name, network in ("flat", flat), ("tree", tree):
    print(f"{name}: {dev_loss(network):.4f} on names that it has not seen")
viz.loss_curve(losses, smooth=50)

# %% [markdown]
# The tree learns faster, with slightly fewer parameters. Three things help it:
#
# - Its first level has few weights, and sees four pairs in each example. So each weight learns from four times as much.
# - Because the weights are shared, a longer context costs little, and the embedding can be larger: 24 numbers for each
#   character in place of 16.
# - There are three `tanh` in a row. What the second level makes of its input are combinations of combinations.
#
# A short run with one seed shows little. With `steps=10_000` the difference shrinks: 2.098 for the flat network, and
# 2.086 for the tree. Each step of the tree also takes longer. Try it, with other seeds and other sizes, before you
# believe that one is better.
#
# What would a context of sixteen characters cost?

# %%
print("flat:", 16 * 16 * 143 - 8 * 16 * 143, "more parameters")
print("tree:", sum(p.numel() for p in Level(64, 64).parameters()), "more parameters")

# %% [markdown]
# Names from the tree:


# %%
@minigrad.no_grad()
def sample(network):
    context, name = [0] * 8, ""
    while True:
        probabilities = F.softmax(network(minigrad.tensor([context])), dim=1)
        index = minigrad.multinomial(probabilities, 1).item()
        if index == 0:
            return name
        context, name = [*context[1:], index], name + CHARACTERS[index]


minigrad.manual_seed(7)
print(*[sample(tree) for _ in range(10)], sep="\n")

# %% [markdown]
# WaveNet (van den Oord and others, 2016) is built on this tree, for sound: thousands of samples in place of eight
# characters. It evaluates the tree at every position of a recording at once, and shares the nodes that neighbouring
# trees have in common. A level of it is called a dilated causal convolution.
#
# ## What comes next
#
# In a tree it is fixed who meets whom: the first two characters always meet first. In [lesson 7](7_attention.ipynb)
# the characters themselves decide which others they want to hear from. That is attention, and a GPT is made of it.
