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
# # 5 · Backpropagation by hand
#
# You write the backward pass of the network with BatchNorm yourself, one step at a time, with nothing but
# multiplications and sums. Then you write its two longest parts in one expression each. In the end, the engine writes
# all of it as a program, and you train with a program that never calls `backward()`.
#
# You need [lesson 4](4_batchnorm.ipynb), the chain rule, and about 20 minutes.

# %%
import matplotlib.pyplot as plt
from lesson import CHARACTERS, check, contexts, read_names, split

import minigrad
import minigrad.nn.functional as F
from minigrad import viz

# %% [markdown]
# ## Why by hand?
#
# `loss.backward()` works, and it raises no error when a network learns badly. A layer may be saturated, a gradient may
# be cut off where the loss should have been, a mean may have been taken over the wrong dimension. Gradients come out
# all the same. If you have written a backward pass once, you see what such a mistake does.
#
# There is little to learn. A forward pass is a list of small steps. The backward pass goes through the same list from
# its end, and each step answers one question:
#
# > The gradient of my result is `g`. What is the gradient of what I was computed from?
#
# ## The network, in small steps
#
# Three characters go in, and the network guesses the fourth. Here is a minibatch of 32 examples and the parameters.
# None of them is all zeros or all ones, because those would hide mistakes: a product with 1 looks right without the
# factor.

# %%
train_names, *_ = split(read_names())
X, Y = contexts(train_names)

n, block, embedding, hidden, vocabulary = 32, 3, 10, 64, len(CHARACTERS)
minigrad.manual_seed(5)
C = minigrad.randn(vocabulary, embedding)
W1 = minigrad.randn(block * embedding, hidden) * (5 / 3) / (block * embedding) ** 0.5
W2 = minigrad.randn(hidden, vocabulary) * 0.1
b2 = minigrad.randn(vocabulary) * 0.1
bngain = minigrad.randn(1, hidden) * 0.1 + 1
bnbias = minigrad.randn(1, hidden) * 0.1
parameters = [C, W1, W2, b2, bngain, bnbias]
for p in parameters:
    p.requires_grad = True

batch = minigrad.randint(0, len(X), (n,))
Xb, Yb = X[batch], Y[batch]

# %% [markdown]
# The forward pass is cut into steps so small that each has an easy derivative. Read it once, and say the shape of each
# line to yourself. The names are those of the lecture series that this course follows, so `bnvar_inv` is one over the
# standard deviation in BatchNorm.

# %%
# embedding, and hidden layer
emb = C[Xb]
embcat = emb.view(n, -1)
hprebn = embcat @ W1
# BatchNorm
bnmean = hprebn.mean(0, keepdim=True)
bndiff = hprebn - bnmean
bnvar = (bndiff**2).sum(0, keepdim=True) / (n - 1)
bnvar_inv = (bnvar + 1e-5) ** -0.5
bnraw = bndiff * bnvar_inv
hpreact = bngain * bnraw + bnbias
# tanh, and output layer
h = hpreact.tanh()
logits = h @ W2 + b2
# cross-entropy
logit_maxes = logits.max(1, keepdim=True).values
norm_logits = logits - logit_maxes
counts = norm_logits.exp()
counts_sum = counts.sum(1, keepdim=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[range(n), Yb].mean()
loss

# %% [markdown]
# `backward()` runs this once, and `retain_grad()` keeps the gradients of the steps between. They are what your answers
# are compared with. They are also where each exercise starts: in exercise 5.2, the gradient that arrives is
# `probs.grad`, whatever you wrote in 5.1. So a mistake stays where it was made.

# %%
steps = [emb, embcat, hprebn, bnmean, bndiff, bnvar, bnvar_inv, bnraw, hpreact, h, logits]
steps += [logit_maxes, norm_logits, counts, counts_sum, counts_sum_inv, probs, logprobs]
for step in steps:
    step.retain_grad()
loss.backward(retain_graph=True)

# %% [markdown]
# ## The last step comes first
#
# The loss picks one number from each row of `logprobs`: the log probability of the right character. Then it takes
# minus the mean. `logprobs` has 32 × 27 numbers, and the loss has read 32 of them.
#
# ### Exercise 5.1: back through an index and a mean
#
# Write `dlogprobs`, the gradient of the loss with respect to `logprobs`.
#
# <details><summary>Hint 1</summary>
#
# The gradient has the shape of `logprobs`. How much does the loss change if a number grows that it has not read?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The loss is `-(a + b + c + ...) / n`. Its derivative with respect to `a` is `-1 / n`.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# Start with `minigrad.zeros_like(logprobs)`. Write into the same places that the forward pass read:
# `[range(n), Yb]`.
#
# </details>

# %% tags=["exercise"]
dlogprobs = None  # your answer

# %% tags=["check"]
check("dlogprobs", dlogprobs, logprobs)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dlogprobs = minigrad.zeros_like(logprobs)
# dlogprobs[range(n), Yb] = -1 / n
# ```
#
# Reading and writing are each other's way back: what the forward pass reads from a place, the backward pass writes to
# that place. Nobody read the other places, so their gradient is zero.
#
# </details>

# %% [markdown]
# ## Element by element
#
# `logprobs = probs.log()` works on each number alone. The gradient of `probs` is the gradient that arrives, times the
# derivative of the logarithm, `1 / probs`.

# %%
dprobs = logprobs.grad / probs
check("dprobs", dprobs, probs)

# %% [markdown]
# If the network gave the right character a small probability, its `dprobs` is large: that example pulls hard. All
# functions that work element by element go back in this way: `exp`, `tanh`, powers, and a product with a constant.
#
# ## What broadcasting repeated is summed
#
# Now `probs = counts * counts_sum_inv`. The shapes are 32 × 27 and 32 × 1. Broadcasting used each number in
# `counts_sum_inv` 27 times, once for each column. Here is the same in small: two rows of three numbers, each row scaled
# by its own number.

# %%
table = minigrad.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
scale = minigrad.tensor([[10.0], [0.1]], requires_grad=True)
with minigrad.detect_anomaly(check_nan=False):  # notes these lines for the page below
    scaled = table * scale
    total = scaled.sum()
total.backward(retain_graph=True)
viz.draw(total, names={"table": table, "scale": scale, "scaled": scaled, "total": total})

# %% [markdown]
# The page below goes through both passes of this small graph. Press the right arrow key until you see how `dscale`
# gets its shape. (The page needs a notebook that runs; a preview may leave it out.)

# %%
viz.page(total, names={"table": table, "scale": scale, "scaled": scaled, "total": total})

# %% [markdown]
# If a number was used three times, a small change of it acts in three places. The effects add up, and so do the
# gradients: 6 is 1 + 2 + 3. What happens if you forget the sum? The check tells you. (All of `dscaled` is 1, because
# the total is a plain sum.)

# %%
dscaled = minigrad.ones(2, 3)
check("dscale", dscaled * table, scale)
check("dscale", (dscaled * table).sum(1, keepdim=True), scale)

# %% [markdown]
# ### Exercise 5.2: a factor that was broadcast
#
# Write `dcounts_sum_inv`. The gradient that arrives is `probs.grad`.
#
# <details><summary>Hint 1</summary>
#
# In `y = a * b`, the gradient of `b` is `g * a`. Do that first, and look at its shape.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The result is 32 × 27, and `counts_sum_inv` is 32 × 1. Sum over the dimension in which it was repeated, and keep it.
#
# </details>

# %% tags=["exercise"]
dcounts_sum_inv = None  # your answer

# %% tags=["check"]
check("dcounts_sum_inv", dcounts_sum_inv, counts_sum_inv)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dcounts_sum_inv = (probs.grad * counts).sum(1, keepdim=True)
# ```
#
# Sums and repetitions are each other's way back. Broadcasting repeats forward, so the gradient is summed. The step
# `counts.sum(1)` sums forward, so its gradient is repeated: you need that in the next exercise.
#
# </details>

# %% [markdown]
# ## A variable that is used twice
#
# `counts` is used in two lines: in `counts_sum`, and again in `probs`. This is broadcasting's rule once more. Each use
# sends a gradient back, and `dcounts` is their sum. First comes the step between the two, an easy one: a power.

# %%
dcounts_sum = counts_sum_inv.grad * -(counts_sum**-2)
check("dcounts_sum", dcounts_sum, counts_sum)

# %% [markdown]
# ### Exercise 5.3: two uses
#
# Write `dcounts`, with `probs.grad` from one use and `counts_sum.grad` from the other.
#
# <details><summary>Hint 1</summary>
#
# Pretend that `counts` stood in `probs = counts * counts_sum_inv` alone. What is its gradient?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Pretend that it stood in `counts_sum = counts.sum(1, keepdim=True)` alone. Each number of a row has the same effect on
# the row's sum, and so the same gradient. Add both.
#
# </details>

# %% tags=["exercise"]
dcounts = None  # your answer

# %% tags=["check"]
check("dcounts", dcounts, counts)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dcounts = probs.grad * counts_sum_inv + counts_sum.grad
# ```
#
# `counts_sum.grad` is 32 × 1. The addition broadcasts it over the row, which is exactly the repetition that a sum needs
# on its way back. Engines add into `.grad` instead of setting it for this reason: a variable may be used again.
#
# </details>

# %% [markdown]
# ## The maximum
#
# Before `exp`, each row's largest logit is subtracted, so that no `exp` overflows. `max` reads one number of each row.
# So it goes back like an index: the gradient goes to the place of the maximum, and nothing goes anywhere else.
#
# ### Exercise 5.4: back through max
#
# Here is a small example. Write `dreadings` from `largest.grad`.
#
# <details><summary>Hint 1</summary>
#
# `largest` is 2 × 1, and `readings` is 2 × 3. Which of the three numbers in a row gets the gradient?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `readings.max(1).indices` says where the maxima are. `F.one_hot(indices, 3)` has a 1 at each of these places and a 0
# at all others.
#
# </details>

# %%
readings = minigrad.tensor([[1.0, 5.0, 2.0], [4.0, 0.0, 3.0]], requires_grad=True)
largest = readings.max(1, keepdim=True).values
largest.retain_grad()
(largest * minigrad.tensor([[10.0], [-2.0]])).sum().backward()
largest.grad

# %% tags=["exercise"]
dreadings = None  # your answer

# %% tags=["check"]
check("dreadings", dreadings, readings)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dreadings = largest.grad * F.one_hot(readings.max(1).indices, 3)
# ```
#
# The product puts each row's gradient where the maximum was.
#
# </details>

# %% [markdown]
# In the network, `logits` is used twice: in `norm_logits`, and in `logit_maxes`.

# %%
dlogits = norm_logits.grad + logit_maxes.grad * F.one_hot(logits.max(1).indices, vocabulary)
check("dlogits", dlogits, logits)

# %% [markdown]
# Look at what `logit_maxes` was sent:

# %%
print("the largest number in logit_maxes.grad:", logit_maxes.grad.abs().max().item())
print("the largest number in logits.grad:     ", logits.grad.abs().max().item())

# %% [markdown]
# It is zero, up to rounding. This must be so: a number that is subtracted from all logits of a row changes no
# probability, so it cannot change the loss. A gradient that you can predict without computing it is the best check
# there is.
#
# ## Softmax and cross-entropy in one expression
#
# You took eight steps from the loss back to the logits. On paper most of them cancel. For one example with logits
# $x_j$, probabilities $p_j$ and the right character $t$, the loss is
#
# $$L = -\log p_t = -x_t + \log \sum_k e^{x_k}.$$
#
# ### Exercise 5.5: the gradient of the cross-entropy
#
# Find $\partial L / \partial x_j$ on paper. Then write `dlogits_at_once` from `logits`, `Yb` and `n`, in one or two
# lines.
#
# <details><summary>Hint 1</summary>
#
# The second part: the derivative of $\log \sum_k e^{x_k}$ with respect to $x_j$ is $e^{x_j} / \sum_k e^{x_k}$. You know
# this number by another name.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The first part is $-1$ where $j = t$, and 0 elsewhere. And the loss of the minibatch is a mean over `n` examples.
#
# </details>

# %% tags=["exercise"]
dlogits_at_once = None  # your answer

# %% tags=["check"]
check("dlogits", dlogits_at_once, logits)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dlogits_at_once = (F.softmax(logits, 1) - F.one_hot(Yb, vocabulary)) / n
# ```
#
# The probabilities, minus 1 at the right character, divided by `n`. That is all. `F.cross_entropy` is one operation of
# the engine, and this line is its rule.
#
# </details>

# %% [markdown]
# What does this gradient do? Below are the first twelve examples. On the left are the probabilities. On the right is
# the gradient of the logits, times `n`. Blue numbers are negative: a step against the gradient raises that logit. There
# is one in each row, the right character. Red numbers are pushed down, each by as much as the network believed in it.
# Every row sums to zero: pull and push are equal.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 3.6), sharey=True, layout="constrained")
maps = [(left, "probabilities", probs, "Blues", 0), (right, "n · dlogits", logits.grad * n, "RdBu_r", -1)]
for axes, title, values, colours, lowest in maps:
    image = axes.imshow(values[:12].detach().numpy(), cmap=colours, vmin=lowest, vmax=1, aspect="auto")
    axes.set(title=title, xlabel="character")
    axes.set_xticks(range(vocabulary), CHARACTERS)
    figure.colorbar(image, ax=axes)
labels = ["".join(CHARACTERS[i] for i in [*row, y]) for row, y in zip(Xb[:12], Yb[:12], strict=True)]
left.set_yticks(range(12), [f"{label[:3]} → {label[3]}" for label in labels])
plt.show()

# %% [markdown]
# ## A matrix product: the shapes say it
#
# The output layer is `logits = h @ W2 + b2`. You need not remember the rule. `dh` is 32 × 64. It is a product of `g`,
# which is 32 × 27, with `W2`, which is 64 × 27, and only one way of multiplying them has that shape.
#
# ### Exercise 5.6: the output layer
#
# Write `dh`, `dW2` and `db2`. The gradient that arrives is `g`.
#
# <details><summary>Hint 1</summary>
#
# `W2.T` is 27 × 64. What times `W2.T` is 32 × 64?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# For `dW2`, 64 × 27, one of `h` and `g` is to be transposed. For `db2`: which dimension did broadcasting add to `b2`?
#
# </details>

# %%
g = logits.grad

# %% tags=["exercise"]
dh = None  # your answer
dW2 = None  # your answer
db2 = None  # your answer

# %% tags=["check"]
check("dh", dh, h)
check("dW2", dW2, W2)
check("db2", db2, b2)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dh = g @ W2.T
# dW2 = h.T @ g
# db2 = g.sum(0)
# ```
#
# `h.T @ g` also sums over the 32 examples: each of them used the same `W2`, so their gradients add up.
#
# </details>

# %% [markdown]
# Then `tanh`, element by element. Its derivative is written with its result: `1 - h**2`. Where a neuron is saturated,
# `h` is close to 1 or -1, and the factor is close to 0: nothing gets through. That is a saturated neuron of lesson 4.

# %%
dhpreact = h.grad * (1 - h**2)
check("dhpreact", dhpreact, hpreact)

# %% [markdown]
# ## BatchNorm in one expression
#
# BatchNorm has six steps, and its input is used in several of them. Step by step it goes as before. In one expression
# it shows what BatchNorm does to a gradient. Take one column of the minibatch, $n$ numbers $x_i$:
#
# $$
# \mu = \frac1n \sum_i x_i, \qquad
# v = \frac1{n-1} \sum_i (x_i - \mu)^2, \qquad
# \hat x_i = \frac{x_i - \mu}{\sqrt{v + \varepsilon}}, \qquad
# y_i = \gamma \hat x_i + \beta .
# $$
#
# The gradient of $\hat x_i$ is $\gamma g_i$. There are three ways back from $\hat x$ to $x$:
#
# 1. directly, through the numerator: $\gamma g_i / \sqrt{v + \varepsilon}$,
# 2. through the mean $\mu$, which is subtracted everywhere and to which each $x_i$ gave $1/n$,
# 3. through the variance $v$.
#
# ### Exercise 5.7: the gradient of BatchNorm's input
#
# Write `dhprebn` in one expression, from `g`, `bngain`, `bnraw` (the $\hat x$), `bnvar_inv` and `n`. The gradient that
# arrives is called `g` again.
#
# <details><summary>Hint 1</summary>
#
# The first way alone is `bnvar_inv * bngain * g`. Each of the others takes something away from `g`. The second takes
# away the mean of `g` over the minibatch.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The third. With $d\hat x_i = \gamma g_i$, the gradient of $v$ is
# $dv = -\tfrac12 (v + \varepsilon)^{-3/2} \sum_j \gamma g_j (x_j - \mu)$, and $x_i$ gets
# $dv \cdot 2 (x_i - \mu) / (n - 1)$. Write $x_i - \mu$ as $\hat x_i \sqrt{v + \varepsilon}$. All roots but one cancel.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `bngain * bnvar_inv * (g - (mean of g) - bnraw * (sum of g * bnraw) / (n - 1))`, where mean and sum are over
# dimension 0.
#
# </details>

# %%
g = hpreact.grad

# %% tags=["exercise"]
dhprebn = None  # your answer

# %% tags=["check"]
check("dhprebn", dhprebn, hprebn)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dhprebn = bngain * bnvar_inv * (g - g.mean(0) - bnraw * (g * bnraw).sum(0) / (n - 1))
# ```
#
# PyTorch's BatchNorm divides by `n` when it normalises. Its formula has `n` in place of `n - 1`, and the last term is a
# mean, too.
#
# </details>

# %% [markdown]
# Read it as a filter. BatchNorm's result does not change when a constant is added to a column, or when a column is
# stretched. So no gradient may point in these two directions. The term with the mean takes the first out of `g`, and
# the term with `bnraw` the second. What is left is orthogonal to both:

# %%
for name, gradient in ("g", g), ("dhprebn", hprebn.grad):
    column = gradient[:, 0]
    along_mean, along_bnraw = column.sum().item(), (column * bnraw[:, 0]).sum().item()
    print(f"{name:>7}: a column's sum is {along_mean:8.1e}, its product with bnraw {along_bnraw:8.1e}")

# %% [markdown]
# This is why the hidden layer here has no bias `b1`. BatchNorm subtracts whatever the bias adds, and so its gradient
# would be zero.
#
# ## The embedding
#
# What is left is a matrix product, a `view`, which on its way back is a `view` into the old shape, and an index:
# `emb = C[Xb]`. The minibatch looks up 96 rows in a table of 27, so many rows were read several times.
#
# ### Exercise 5.8: back into the table
#
# Write `dC`, from `emb.grad`, which is 32 × 3 × 10.
#
# <details><summary>Hint 1</summary>
#
# A row that was read five times gets the sum of five gradients. What if you write `dC[Xb] = emb.grad`?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A lookup is a product: `C[Xb]` equals `F.one_hot(Xb, 27).float() @ C`. The rule for products says the rest. Flatten
# the first two dimensions before: `.view(-1, 27)`, `.view(-1, 10)`.
#
# </details>

# %% tags=["exercise"]
dC = None  # your answer

# %% tags=["check"]
check("dC", dC, C)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dC = F.one_hot(Xb, vocabulary).float().view(-1, vocabulary).T @ emb.grad.view(-1, embedding)
# ```
#
# `dC[Xb] = emb.grad` would keep one of the gradients of a row and lose all others. `dC.index_put_((Xb,), emb.grad,
# accumulate=True)` adds them, without the large matrix of zeros and ones.
#
# </details>

# %% [markdown]
# ## All rules on one page
#
# | forward | what goes back, if `g` arrives |
# | --- | --- |
# | `y = f(x)`, element by element | `g * f'(x)` |
# | `y = a * b` | `g * b` to `a`, `g * a` to `b` |
# | `x` is used several times | the sum over all uses |
# | `x` is repeated by broadcasting | the sum over the copies |
# | `y = x.sum(...)` | `g`, repeated |
# | `y = x[i]`, `y = x.max(...)` | `g` at the place that was read, added up; 0 elsewhere |
# | `y = a @ b` | `g @ b.T` to `a`, `a.T @ g` to `b` |
#
# The engine has the same rules in a table, `minigrad/core/ops.py`. A rule there is an expression, and it works on names
# as well as on numbers. So the engine can write the backward pass down. This is `derive`:

# %%
program = minigrad.derive(loss, names=locals())
print(program.source[program.source.index("def step") :])

# %% [markdown]
# Read the second half from its first line to its last, beside your answers. (`put` is exercise 5.8: it adds rows into a
# table of zeros. It is defined above `step`.) This is a program that imports numpy and nothing else, and
# `program(...)` runs it. Its gradients are the engine's, to the last bit:

# %%
weights = {"C": C, "W1": W1, "W2": W2, "b2": b2, "bngain": bngain, "bnbias": bnbias}
_, *gradients = program(**weights, Xb=Xb, Yb=Yb)
for name, gradient in zip(program.gradients, gradients, strict=True):
    minigrad.cmp(name, gradient, weights[name.removeprefix("d")])

# %% [markdown]
# So you can train without `backward()`, and without an engine:

# %%
arrays = {name: weight.detach().numpy().copy() for name, weight in weights.items()}
losses = []
for step in range(1000):
    batch = minigrad.randint(0, len(X), (n,))
    loss_now, *gradients = program(**arrays, Xb=X[batch].numpy(), Yb=Y[batch].numpy())
    losses.append(loss_now)
    for name, gradient in zip(program.gradients, gradients, strict=True):
        arrays[name.removeprefix("d")] -= (0.1 if step < 700 else 0.01) * gradient
viz.loss_curve(losses, smooth=50)

# %% [markdown]
# ## And who checks the engine?
#
# A gradient is a slope, and slopes can be measured: move one number a little, and see how the loss moves. `gradcheck`
# does this for every number, and compares. It is slow, and it knows no rules. So it is the judge of last resort, for
# the engine's rules and for yours.

# %%
exact_logits = logits.detach().double().requires_grad_()
minigrad.gradcheck(lambda logits: F.cross_entropy(logits, Yb), exact_logits)

# %% [markdown]
# ## What comes next
#
# [Lesson 6](6_wavenet.ipynb) gives the network more characters to look at. A single hidden layer then has to swallow
# them all at once. A tree of layers merges them two by two, and is built from parts like those of `torch.nn`.
#
# If you want all gradients of the lecture's 26 variables as an exercise in a file of your own, with hints, run
# `python examples/backprop_ninja.py --help`.
