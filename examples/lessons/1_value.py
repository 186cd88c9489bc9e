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
# # 1 · Value: gradients by hand and by engine
#
# You learn what a derivative tells you, how the chain rule carries it back through a computation, and why that is
# enough to train a network. First you do it by hand. Then you write an engine of thirty lines that does it for you. At
# the end a small network learns to tell a disc from a ring around it.
#
# You need Python and school mathematics, and about 20 minutes.

# %%
import math
import random

import matplotlib.pyplot as plt
from lesson import check, check_value

import minigrad
from minigrad import Value, viz
from minigrad.nn.scalar import MLP

# %% [markdown]
# ## A derivative is a slope
#
# Here is a function. How much does `f(x)` change when `x` grows a little?


# %%
def f(x):
    return x**3 - 2 * x + 1


xs = [i / 50 - 2 for i in range(201)]
plt.figure(figsize=(6, 3.5))
plt.plot(xs, [f(x) for x in xs], label="f(x)")
for x, slope, place in ((-1.0, 1.0, (-20, 16)), (0.0, -2.0, (-60, -22)), (1.5, 4.75, (-70, 10))):
    plt.plot([x - 0.4, x + 0.4], [f(x) - 0.4 * slope, f(x) + 0.4 * slope], "C1", linewidth=3)
    plt.annotate(f"slope {slope}", (x, f(x)), place, textcoords="offset points")
plt.ylim(-4, 6)
plt.legend(frameon=False)
plt.show()

# %% [markdown]
# The answer depends on where you stand. At `x = 1.5` the function climbs: a small step to the right raises it by about
# 4.75 times that step. At `x = 0` it falls. This factor is the **derivative**, the slope of the orange lines. You can
# measure it without any formula. Take a small step and look:

# %%
x, step = 1.5, 1e-6
(f(x + step) - f(x)) / step

# %% [markdown]
# ### Exercise 1.1: measure a slope
#
# Measure the slope of `f` at `x = -1` in the same way. Then compare it with the picture.
#
# <details><summary>Hint 1</summary>
#
# Two values of `f` are enough: one at the point, and one a small step to its right.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Divide the difference of the two values by the step. A step of `1e-6` is small enough.
#
# </details>

# %% tags=["exercise"]
slope_at_minus_1 = None  # your answer

# %%
minus_1 = Value(-1.0)
f(minus_1).backward()  # an engine that finds slopes; below you learn how it works

# %% tags=["check"]
check_value("slope_at_minus_1", slope_at_minus_1, minus_1.grad, tolerance=1e-3)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# slope_at_minus_1 = (f(-1 + 1e-6) - f(-1)) / 1e-6
# ```
#
# The exact derivative is `3 * x**2 - 2`, which is 1 there. A measured slope is only close to it: the step is small, but
# it is not 0.
#
# </details>

# %% [markdown]
# ## Many inputs, many slopes
#
# A parcel costs `price * pieces + postage`. Each of the three inputs has a slope of its own. Change one input, and
# leave the others alone:

# %%
price, pieces, postage = 3.0, 4.0, 5.0


def cost(price, pieces, postage):
    return price * pieces + postage


before = cost(price, pieces, postage)
print("price:  ", (cost(price + step, pieces, postage) - before) / step)
print("pieces: ", (cost(price, pieces + step, postage) - before) / step)
print("postage:", (cost(price, pieces, postage + step) - before) / step)

# %% [markdown]
# Apart from a tiny error, the slopes are 4, 3 and 1. They make sense. If the price of a piece rises by a cent, you pay
# that cent 4 times. One more piece costs another 3. Postage is paid once. In general:
#
# - In a **product**, the slope of one factor is the other factor.
# - In a **sum**, the slope of each part is 1.
#
# All the slopes together are the **gradient**. Measuring is fine for three inputs. A network has thousands, and would
# have to run once more for each of them. So we look for a way to get all slopes from one run.
#
# ## The chain rule
#
# Now you have a budget of 15, and the loss is the square of the amount above it. We give every intermediate result a
# name:
#
# ```text
# goods = price * pieces       3 * 4  = 12
# cost  = goods + postage      12 + 5 = 17
# above = cost - 15            17 - 15 = 2
# loss  = above * above        2 * 2  = 4
# ```
#
# Begin at the end, and go back one line at a time. If `above` grows a little, `loss` grows by `2 * above = 4` times as
# much. If `cost` grows a little, `above` grows by the same, so `loss` grows by 4 times as much, too. If `goods` grows,
# `cost` grows by the same: 4 again. And if `price` grows a little, `goods` grows by 4 times that, and `loss` by 4 times
# *that*: 16. Along a path, **slopes multiply**. That is the chain rule, and it needs only two things in each line: the
# slope of the end with respect to the result (we know it already, because we come from the end), and the local slope of
# the line.
#
# A `Value` is a number that remembers how it was computed. So the computation can be drawn. Each arrow below says what
# goes back along it, where `g` is what has arrived at the operation's result:

# %%
price, pieces, postage = Value(3.0, label="price"), Value(4.0, label="pieces"), Value(5.0, label="postage")
goods = price * pieces
cost = goods + postage
above = cost - 15
loss = above * above
picture = viz.draw(loss, names=locals())  # of the time before the backward pass
loss.backward()  # the checks below compare your answers with the engine's
picture

# %% [markdown]
# ### Exercise 1.2: all gradients by hand
#
# Write down the slope of `loss` with respect to each of these. The text above has worked out some of them. `dprice` is
# short for "the slope of the loss with respect to price".
#
# <details><summary>Hint 1</summary>
#
# The slope that has arrived at `goods` is 4. `pieces` is the other factor of the product.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Multiply what has arrived by the local slope. For `pieces` the local slope is the price.
#
# </details>

# %% tags=["exercise"]
dcost = None  # your answers
dgoods = None
dpostage = None
dprice = None
dpieces = None

# %% tags=["check"]
check("dcost", dcost, cost)
check("dgoods", dgoods, goods)
check("dpostage", dpostage, postage)
check("dprice", dprice, price)
check("dpieces", dpieces, pieces)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dcost = 4.0
# dgoods = dcost * 1
# dpostage = dcost * 1
# dprice = dgoods * 4.0
# dpieces = dgoods * 3.0
# ```
#
# A sum hands on what arrives. A product hands on what arrives, times the other factor.
#
# </details>

# %% [markdown]
# ## Where paths meet, slopes add up
#
# What if a number is used twice? Here `b` goes two ways to the end:

# %%
a, b = Value(2.0, label="a"), Value(3.0, label="b")
p = a + b
q = a * b
end = p * q
picture = viz.draw(end, names=locals())
end.backward()
picture

# %% [markdown]
# If `b` grows by a small step, `p` grows by that step and `q` by 2 steps, both at once. The end feels both changes: the
# first times `q = 6`, the second times `p = 5`. To first order the two effects simply **add up**. So a gradient is a
# sum over all paths, and an engine must write `+=`, not `=`, wherever it brings a gradient to a number.
#
# ### Exercise 1.3: two paths
#
# What is the slope of `end` with respect to `b`?
#
# <details><summary>Hint 1</summary>
#
# Find what arrives at `p` and what arrives at `q` first.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Along the path through `p` the slopes are 6 and 1. What are they along the path through `q`?
#
# </details>

# %% tags=["exercise"]
db = None  # your answer

# %% tags=["check"]
check("db", db, b)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# db = 6.0 * 1 + 5.0 * 2
# ```
#
# Through `p`: 6 times 1. Through `q`: 5 times the other factor, `a = 2`.
#
# </details>

# %% [markdown]
# You can watch it happen. In the page below, press the right arrow key (or the play button) to step forward through the
# computation, and then back through the gradients. Watch the two steps in which a part is added to `b`. Tick "Predict
# first" to be asked before each step. (If the page is not there, run the cell.)

# %%
with minigrad.detect_anomaly(check_nan=False):  # remembers the lines, for the page
    p = a + b
    q = a * b
    end = p * q
viz.page(end, names=locals())

# %% [markdown]
# ## An engine in thirty lines
#
# The page shows the whole recipe. Visit the results in reverse order. At each one, multiply what has arrived by the
# local slopes, and add it to the operands. A class for that fits on a screen. Each `Number` remembers its operands,
# each with its local slope:


# %%
class Number:
    def __init__(self, data, operands=()):
        self.data = data
        self.operands = operands  # pairs of a Number and the local slope
        self.grad = 0.0

    def __add__(self, other):
        return Number(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Number(self.data * other.data, [(self, other.data), (other, self.data)])


def in_order(end):
    """`end`, and all that it was computed from: operands come before what was computed from them."""
    found = []

    def visit(number):
        if number not in found:
            for operand, _ in number.operands:
                visit(operand)
            found.append(number)

    visit(end)
    return found


# %% [markdown]
# The order matters. A number may pass its gradient on only when all parts of it have arrived, that is, after everything
# that was computed *from* it. `in_order` lists operands first. So its reverse is what we need.
#
# ### Exercise 1.4: the backward pass
#
# Write `backward`. It sets `end.grad` to 1, because the slope of the end with respect to itself is 1. Then it goes
# through the numbers in reverse order, and brings each gradient to the operands.
#
# <details><summary>Hint 1</summary>
#
# Two loops: over `reversed(in_order(end))`, and within it over `number.operands`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# In the inner loop stands one line, the chain rule with `+=`: what has arrived at `number`, times the local slope.
#
# </details>


# %% tags=["exercise"]
def backward(end):
    return None  # your answer; it need not return anything in the end


# %%
def found_by(backward):
    """The gradients of a and b as your backward finds them, or None if it does nothing."""
    a, b = Number(2.0), Number(3.0)
    end = (a + b) * (a * b)
    backward(end)
    return (a.grad, b.grad) if end.grad else None


# %% tags=["check"]
check_value("the gradients of a and b", found_by(backward), (a.grad, b.grad))

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# def backward(end):
#     end.grad = 1.0
#     for number in reversed(in_order(end)):
#         for operand, slope in number.operands:
#             operand.grad += number.grad * slope
# ```
#
# That is backpropagation. minigrad's own loop, in `minigrad/core/graph.py`, does the same. Its numbers can be whole
# arrays, and its table of local slopes has 58 rows where ours has two.
#
# </details>

# %% [markdown]
# ## A neuron
#
# A neuron weighs its inputs, and squashes the sum with `tanh` into the range from -1 to 1. (Most neurons also add a
# number of their own, the bias. This one goes without, so that the picture stays small.)

# %%
x1, x2 = Value(2.0, label="x1"), Value(-1.0, label="x2")
w1, w2 = Value(0.5, label="w1"), Value(1.5, label="w2")
out = (w1 * x1 + w2 * x2).tanh()
out.backward()
viz.draw(out, names=locals())

# %% [markdown]
# The slope of `tanh` is `1 - tanh(x)**2`, which is computed from the result alone. Look at the gradients in the
# picture: they say how to change each weight so that `out` grows. The weight of a negative input must fall.
#
# ### Exercise 1.5: the slope of a weight
#
# Compute `dw2` from `out.data` and `x2.data`.
#
# <details><summary>Hint 1</summary>
#
# There are three steps back from `out` to `w2`: the `tanh`, the sum, the product.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The sum has the slope 1. The product `w2 * x2` has the slope `x2`.
#
# </details>

# %% tags=["exercise"]
dw2 = None  # your answer

# %% tags=["check"]
check("dw2", dw2, w2)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dw2 = (1 - out.data**2) * x2.data
# ```
#
# If `out` is near 1 or -1, the first factor is near 0, and the weight hardly learns. Lesson 4 comes back to this.
#
# </details>

# %% [markdown]
# ## A network learns
#
# Several neurons side by side are a layer, and layers in a row are a network: a multilayer perceptron, an MLP. This one
# has 2 inputs, 8 neurons with `relu` (which keeps positive numbers, and turns negative ones into 0), and 1 output. It
# is to give 1 for points in a disc, and -1 for points in the ring around it:

# %%
random.seed(5)
points, targets = [], []
for i in range(40):
    angle = random.uniform(0, 2 * math.pi)
    radius = random.uniform(0, 0.8) if i % 2 else random.uniform(1.2, 2)
    points.append([radius * math.cos(angle), radius * math.sin(angle)])
    targets.append(1.0 if i % 2 else -1.0)

model = MLP(2, [8, 1])


def loss_of(model):
    """The mean squared error."""
    errors = [(model(point) - target) ** 2 for point, target in zip(points, targets, strict=True)]
    return sum(errors) / len(errors)


print(len(model.parameters()), "parameters, and a loss of", round(loss_of(model).data, 3), "before training")

# %% [markdown]
# Training repeats three lines. Compute the loss and its gradient. Take a small step *against* the gradient, because the
# gradient points to where the loss grows. And before that, set the old gradients to 0, because `backward` adds:

# %%
losses = []
for _ in range(60):
    loss = loss_of(model)
    model.zero_grad()
    loss.backward()
    for parameter in model.parameters():
        parameter.data -= 0.2 * parameter.grad
    losses.append(loss.data)
viz.loss_curve(losses)

# %% [markdown]
# The loss falls. What has the network learned? The picture shows its output all over the plane:

# %%
grid = [i / 8 - 2 for i in range(33)]
picture = [[model([x, y]).data for x in grid] for y in grid]
plt.figure(figsize=(5.5, 4))
plt.contourf(grid, grid, picture, levels=[-99, -1, -0.5, 0, 0.5, 1, 99], cmap="RdBu", vmin=-2, vmax=2)
plt.contour(grid, grid, picture, levels=[0], colors="black")
for target, colour in ((1.0, "navy"), (-1.0, "darkred")):
    chosen = [point for point, each in zip(points, targets, strict=True) if each == target]
    plt.scatter(*zip(*chosen, strict=True), color=colour, edgecolor="white", label=f"target {target:.0f}")
plt.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plt.show()

# %% [markdown]
# ### Exercise 1.6: the forgotten line
#
# Somebody forgets `model.zero_grad()`, and calls `loss.backward()` for the same loss, with the same parameters, a
# second time. By which factor does each gradient differ from the right one then? Predict it before you look.
#
# <details><summary>Hint 1</summary>
#
# Does `backward` replace a gradient, or does it add to it?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Both calls find the same gradient.
#
# </details>

# %% tags=["exercise"]
factor = None  # your answer

# %%
model.zero_grad()
loss_of(model).backward()
weight = model.parameters()[-1]
once = weight.grad
loss_of(model).backward()
twice = weight.grad

# %% tags=["check"]
check_value("factor", factor, twice / once)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# factor = 2
# ```
#
# In a training loop it is worse: every step would go along the sum of all gradients so far. PyTorch adds in the same
# way, and needs `zero_grad` for the same reason.
#
# </details>

# %% [markdown]
# ## What comes next
#
# You have all of it: slopes, the chain rule, a sum over paths, the reverse order, and a step against the gradient. What
# follows is the same with larger numbers. In [lesson 2](2_bigrams.ipynb) a model learns to invent names, one letter
# after the other. You first build it by counting, and then find the same model by training.
