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
# # 4 · Activations, gradients, BatchNorm
#
# A network can be right in every line and still hardly learn, because its numbers are too large or too small. You learn
# to look at them: at the first loss, at the outputs of the layers, at their gradients, and at the size of the updates.
# Then you build BatchNorm, a layer that keeps the numbers in a good range by itself.
#
# You need [lesson 3](3_mlp.ipynb), and about 20 minutes.

# %%
import math

import matplotlib.pyplot as plt
from lesson import check_value, contexts, read_names, split

import minigrad
import minigrad.nn.functional as F
from minigrad import nn, viz

train, dev, test = split(read_names()[::4])
X, Y = contexts(train)
X_dev, Y_dev = contexts(dev)
len(X), len(X_dev)

# %% [markdown]
# ## The first loss
#
# Here is the network of lesson 3, but without the two factors that came without a reason. What is its loss before any
# training?

# %%
dims, hidden = 10, 200


def new_parameters(scale_1=1.0, scale_2=1.0):
    g = minigrad.Generator().manual_seed(11)
    C = minigrad.randn((27, dims), generator=g)
    W1 = minigrad.randn((3 * dims, hidden), generator=g) * scale_1
    b1 = minigrad.zeros(hidden)
    W2 = minigrad.randn((hidden, 27), generator=g) * scale_2
    b2 = minigrad.zeros(27)
    return [p.requires_grad_() for p in (C, W1, b1, W2, b2)]


def forward(parameters, X):
    C, W1, b1, W2, b2 = parameters
    h = (C[X].flatten(1) @ W1 + b1).tanh()
    return h @ W2 + b2


first_loss = F.cross_entropy(forward(new_parameters(), X), Y)
print(f"at the start {first_loss.item():.2f}, without knowledge {math.log(27):.2f}")

# %% [markdown]
# The loss is far above 3.30. The network is not just ignorant, it is *sure of itself and wrong*: its logits are large
# random numbers. Training would spend the first thousand steps on making them smaller, which we can have for free.
#
# ### Exercise 4.1: a modest start
#
# Which `scale_2` brings the first loss to within 0.05 of `math.log(27)`? The factor should not be 0: then all columns
# of `W2` would be equal, and no gradient would get through `W2` to the hidden layer.
#
# <details><summary>Hint 1</summary>
#
# If all logits are close to 0, all probabilities are close to 1/27.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Try 0.1, 0.01, ... in `F.cross_entropy(forward(new_parameters(scale_2=0.1), X), Y)`.
#
# </details>

# %% tags=["exercise"]
scale_2 = None  # your answer


# %%
def is_modest(scale):
    """Whether a network starts with the loss of one without knowledge. None without a scale."""
    if scale is None:
        return None
    loss = F.cross_entropy(forward(new_parameters(scale_2=scale), X), Y).item()
    return scale != 0 and abs(loss - math.log(27)) < 0.05


# %% tags=["check"]
check_value("is_modest(scale_2)", is_modest(scale_2), True)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# scale_2 = 0.01
# ```
#
# Whenever you build a network, compute the loss that it should start with, and compare.
#
# </details>

# %% [markdown]
# ## Saturated neurons
#
# The logits are fine now. What about the hidden layer? `tanh` squashes its input, and what is far from 0 ends close to
# 1 or -1. Let us look at the outputs of all 200 neurons for 500 contexts:

# %%
C, W1, b1, W2, b2 = new_parameters(scale_2=0.01)
before_tanh = C[X[:500]].flatten(1) @ W1 + b1
h = before_tanh.tanh()

figure = plt.figure(figsize=(9, 3), layout="constrained")
left, right = figure.subplots(1, 2)
left.hist(before_tanh.detach().flatten().numpy(), bins=50)
left.set_title("before tanh")
right.hist(h.detach().flatten().numpy(), bins=50)
right.set_title("after tanh")
right.set_xticks([-1, -0.5, 0, 0.5, 1])
plt.show()

# %% [markdown]
# Nearly everything sits at the ends. You know from lesson 1 what that means for the way back: `tanh` multiplies the
# gradient by `1 - h**2`, which is almost 0 there. A neuron that is at an end for *every* context does not learn at all.
#
# ### Exercise 4.2: how many are saturated?
#
# Which share of all numbers in `h` is beyond 0.97 or below -0.97?
#
# <details><summary>Hint 1</summary>
#
# `h.abs() > 0.97` is a Tensor of truth values.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# With `.float()` they become zeros and ones. The mean of these is the share.
#
# </details>

# %% tags=["exercise"]
saturated = None  # your answer

# %%
passing = 1 - h**2  # the factor that a gradient is multiplied with on its way through tanh
reference = (passing < 1 - 0.97**2).sum() / h.numel()

# %% tags=["check"]
check_value("saturated", saturated, reference, tolerance=1e-4)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# saturated = (h.abs() > 0.97).float().mean()
# ```
#
# More than half of them. Where `h` is 0.97, a gradient keeps 6% of its size.
#
# </details>

# %% [markdown]
# ## How large should weights be?
#
# A neuron adds up `n` products. If inputs and weights are independent with a standard deviation of 1, the variances add
# up: the sum has the variance `n`, and the standard deviation `sqrt(n)`. Look:

# %%
g = minigrad.Generator().manual_seed(1)
x = minigrad.randn((1000, 100), generator=g)
w = minigrad.randn((100, 200), generator=g)
print(f"in: std {x.std().item():.2f}, out: std {(x @ w).std().item():.2f}")

# %% [markdown]
# ### Exercise 4.3: keep the size
#
# By which number must `w` be multiplied so that `x @ w` has a standard deviation of about 1 again?
#
# <details><summary>Hint 1</summary>
#
# The number of inputs, the *fan-in*, is 100, and the standard deviation has become about 10.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# It is one over the square root of the fan-in.
#
# </details>

# %% tags=["exercise"]
factor = None  # your answer

# %%
wanted = 1 / (x @ w).std().item()

# %% tags=["check"]
check_value("factor", factor, wanted, tolerance=1e-3)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# factor = 1 / 100**0.5
# ```
#
# `nn.Linear` and `nn.init` have this factor built in (Glorot and Bengio 2010; He and others 2015).
#
# </details>

# %% [markdown]
# `tanh` squashes, so each layer also shrinks its numbers a little. A **gain** makes up for it: the factor becomes `gain
# / sqrt(fan_in)`, and for tanh the customary gain is 5/3. Follow the numbers through five layers:


# %%
def through_layers(gain, depth=5):
    g = minigrad.Generator().manual_seed(2)
    x = minigrad.randn((500, 100), generator=g)
    outputs = {}
    for i in range(depth):
        x = (x @ (minigrad.randn((100, 100), generator=g) * gain / 100**0.5)).tanh()
        outputs[f"{i + 1} Tanh"] = x
    return outputs


figure = plt.figure(figsize=(11, 3.6), layout="constrained")
for axes, gain in zip(figure.subplots(1, 3), (0.5, 5 / 3, 5), strict=True):
    style = {"bins": 60, "density": True, "histtype": "step"}
    for (name, output), grey in zip(through_layers(gain).items(), ["0.8", "0.65", "0.5", "0.3", "0"], strict=True):
        axes.hist(output.flatten().numpy(), color=grey, label=name, **style)
    axes.set(xlim=(-1, 1), ylim=(0, 4), title=f"gain {gain:.2f}, last std {output.std().item():.2f}")
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# With a gain of 0.5 the numbers die out, with 5 they saturate, and with 5/3 they stay as they are. So the first factor
# of lesson 3 is explained, too: `(5 / 3) / n**0.5`.
#
# ## BatchNorm
#
# For deep networks such factors are hard to balance. In 2015, Ioffe and Szegedy had a bold idea. We want the inputs of
# `tanh` to have a mean of 0 and a standard deviation of 1, so let us simply *make* them so: subtract the mean over the
# batch, and divide by the standard deviation over the batch, for each neuron by itself. All of this has a derivative,
# so gradients pass through it.
#
# ### Exercise 4.4: normalise a batch
#
# Normalise each column of `batch`, of shape (32, 200). Use the variance with `1/n` (not `1/(n-1)`), and add `eps` to it
# before you take the root, so that a constant column does not divide by 0.
#
# <details><summary>Hint 1</summary>
#
# The mean over the examples is a mean over dim 0. Keep the dim.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The variance is the mean of the squared differences: `((batch - mean) ** 2).mean(0, keepdim=True)`.
#
# </details>

# %%
batch, eps = before_tanh[:32].detach(), 1e-5

# %% tags=["exercise"]
normalised = None  # your answer

# %%
layer = nn.BatchNorm1d(hidden)
from_layer = layer(batch)

# %% tags=["check"]
check_value("normalised", normalised, from_layer, tolerance=1e-5)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# difference = batch - batch.mean(0, keepdim=True)
# normalised = difference / ((difference**2).mean(0, keepdim=True) + eps) ** 0.5
# ```
#
# The layer then multiplies by a `weight` and adds a `bias`, for each neuron. They start at 1 and 0, and are trained. So
# the network may choose another range if it is better.
#
# </details>

# %% [markdown]
# There is a price: the examples of a batch are now **coupled**. The result for one of them depends on all the others.
# The page shows it for a batch of four examples and two neurons. Go to the backward pass, and point at a cell of the
# gradient of `x`: it comes from all rows of its column.


# %%
def tiny_batch_norm():
    g = minigrad.Generator().manual_seed(3)
    x = minigrad.randn((4, 2), generator=g, requires_grad=True)
    gain, shift = minigrad.ones(2, requires_grad=True), minigrad.zeros(2, requires_grad=True)
    with minigrad.detect_anomaly(check_nan=False):  # remembers the lines, for the page
        difference = x - x.mean(0, keepdim=True)
        variance = (difference**2).mean(0, keepdim=True)
        normal = difference * (variance + 1e-5) ** -0.5
        loss = (normal * gain + shift).tanh().square().sum()
    return viz.page(loss, names=locals())


tiny_batch_norm()

# %% [markdown]
# ### Exercise 4.5: a useless bias
#
# The layer before BatchNorm has a bias `b`, and all of its elements are the same for every example. What is the
# gradient of the loss with respect to `b`, of shape (200,)?
#
# <details><summary>Hint 1</summary>
#
# What does subtracting the mean over the batch do to a number that is added to every example?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# If `b` has no effect on the loss, its slope is known.
#
# </details>

# %% tags=["exercise"]
db = None  # your answer: a Tensor of shape (200,)

# %%
b = minigrad.zeros(hidden, requires_grad=True)
loss = F.cross_entropy(layer(batch + b).tanh() @ W2 + b2, Y[:32])
(found,) = minigrad.grad(loss, b)

# %% tags=["check"]
check_value("db", db, found, tolerance=1e-6)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# db = minigrad.zeros(hidden)
# ```
#
# So a layer before BatchNorm is made without one: `nn.Linear(30, 200, bias=False)`.
#
# </details>

# %% [markdown]
# ## Running statistics
#
# When the model is used, there may be a single example, and no batch to take a mean of. So the layer remembers: in each
# training step it moves its `running_mean` by a tenth (the `momentum`) of the way to the mean of the batch. In `eval`
# mode it uses what it has remembered, and an example's result no longer depends on its neighbours.
#
# ### Exercise 4.6: one step of the running mean
#
# A new layer starts with a running mean of 0. What is it after it has seen `batch` once?
#
# <details><summary>Hint 1</summary>
#
# Nine tenths of the old value, and one tenth of the new one.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The old value is 0. The new one is the mean over dim 0.
#
# </details>

# %% tags=["exercise"]
running_mean = None  # your answer

# %%
fresh = nn.BatchNorm1d(hidden)
result = fresh(batch)

# %% tags=["check"]
check_value("running_mean", running_mean, fresh.running_mean, tolerance=1e-5)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# running_mean = 0.9 * minigrad.zeros(hidden) + 0.1 * batch.mean(0)
# ```
#
# `running_var` does the same. It starts at 1, and takes the variance with `1/(n-1)`, as in PyTorch.
#
# </details>

# %% [markdown]
# ## Look at a deep network
#
# Four hidden layers, once with weights that are far too small, and once the same with BatchNorm. `viz.activations`
# shows the outputs of all `Tanh` layers:


# %%
def deep_network(batch_norm):
    minigrad.manual_seed(12)
    layers, fan_in = [nn.Embedding(27, dims), nn.Flatten()], 3 * dims
    for _ in range(4):
        linear = nn.Linear(fan_in, 100, bias=not batch_norm)
        linear.weight.data *= 0.2  # a bad start
        layers += [linear, nn.BatchNorm1d(100), nn.Tanh()] if batch_norm else [linear, nn.Tanh()]
        fan_in = 100
    output = nn.Linear(fan_in, 27)
    output.weight.data *= 0.1
    return nn.Sequential(*layers, output)


plain, normed = deep_network(batch_norm=False), deep_network(batch_norm=True)
viz.activations(plain, X[:500])

# %% [markdown]
# The numbers shrink from layer to layer. What is left in the last layers are the biases: the peaks stand for neurons
# that give nearly the same number for every input. Now with BatchNorm:

# %%
viz.activations(normed, X[:500])

# %% [markdown]
# The same bad weights do no harm: the layers look alike, and few numbers are saturated. The gradients, on their way
# back through the four layers, are alike in size, too:

# %%
viz.gradients(normed, X[:500], Y[:500], F.cross_entropy)


# %% [markdown]
# Now train both. Beside the loss, look at the **update ratio**: how large is the step of each weight matrix compared to
# the matrix itself? About a thousandth (-3 in the picture, as a power of ten) is a healthy value. Much less is slow,
# and much more is wild.


# %%
def train_for(model, steps, rate=0.1):
    g = minigrad.Generator().manual_seed(13)
    optimizer = minigrad.optim.SGD(model.parameters(), lr=rate)
    losses, ratios = [], []
    for _ in range(steps):
        chosen = minigrad.randint(0, len(X), (64,), generator=g)
        loss = F.cross_entropy(model(X[chosen]), Y[chosen])
        optimizer.zero_grad()
        loss.backward()
        ratios.append(viz.update_to_data(model, rate))
        optimizer.step()
        losses.append(loss.item())
    return losses, ratios


losses_plain, _ = train_for(plain, 500)
losses_normed, ratios = train_for(normed, 500)
viz.update_ratios(ratios, [name for name, p in normed.named_parameters() if p.ndim == 2])

# %% [markdown]
# Here the hidden layers take steps of more than the goal. With BatchNorm the result does not depend on the size of
# their weights, which are small, but their gradients do not know that. As the weights grow, the ratios fall. And the
# losses:

# %%
viz.loss_curve({"plain": losses_plain, "with BatchNorm": losses_normed}, smooth=50)

# %% [markdown]
# For the last word we ask the dev names, in `eval` mode:

# %%
for name, model in (("plain", plain), ("with BatchNorm", normed)):
    model.eval()
    with minigrad.no_grad():
        print(f"{name:15s} dev loss {F.cross_entropy(model(X_dev), Y_dev).item():.3f}")

# %% [markdown]
# ## What comes next
#
# You have used `backward()` since lesson 1. In [lesson 5](5_backprop.ipynb) you do without it: you write the backward
# pass of this very network by hand, through the cross entropy and through BatchNorm, and check every gradient on the
# way.
