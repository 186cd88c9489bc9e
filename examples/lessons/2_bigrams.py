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
# # 2 · Bigrams: a model of names, by counting and by training
#
# You build a model that invents names, one letter after the other. It knows only how often each letter follows another.
# You learn what a language model is, how to measure how good it is, and how to sample from it. Then you train a network
# of one layer to do the same, and see why it ends where counting begins.
#
# You need [lesson 1](1_value.ipynb), and about 20 minutes.

# %%
import math
from collections import Counter
from itertools import pairwise

import matplotlib.pyplot as plt
from lesson import CHARACTERS, check, check_value, read_names

import minigrad
import minigrad.nn.functional as F
from minigrad import viz

names = read_names()[::8]  # every eighth of 32,257, so that everything below takes a second
len(names), names[:8]

# %% [markdown]
# ## Count pairs
#
# A name is a row of letters with an end. We write a dot before the first letter and after the last one, and cut the
# name into pairs of neighbours, the **bigrams**:

# %%
list(pairwise(".emma."))

# %% [markdown]
# `.e` says that a name may begin with e, and `a.` says that it may end with a. So one name is five examples of the form
# "after this character comes that one". Which pairs are the most frequent?

# %%
counts = Counter(pair for name in names for pair in pairwise(f".{name}."))
counts.most_common(6)

# %% [markdown]
# A network computes with numbers. So each character gets an index, 0 for the dot and 1 to 26 for the letters, and the
# counts become a matrix `N`: row `i` says what followed character `i`.

# %%
N = minigrad.zeros(27, 27)
for (first, second), count in counts.items():
    N[CHARACTERS.index(first), CHARACTERS.index(second)] = count
figure = plt.figure(figsize=(7, 7))
axes = figure.subplots()
viz.bigrams(N, CHARACTERS, axes=axes)  # without axes it is larger, and has the counts in it
axes.set(xlabel="the character after it", ylabel="a character")
plt.show()

# %% [markdown]
# Take a minute for the picture. Which letters do names begin with (the first row)? What comes after q? Which letters
# are seldom last (the first column)?
#
# ## From counts to probabilities
#
# Divide each row by its sum, and it becomes a distribution: how likely is each character to come next? To be careful we
# first add 1 to each count. Otherwise a pair that we have not seen would be *impossible*, and a name with that pair
# would break the model.
#
# ### Exercise 2.1: normalise the rows
#
# Make a matrix of probabilities from `N + 1`, so that each row sums to 1. Use no loop.
#
# <details><summary>Hint 1</summary>
#
# `(N + 1).sum(1)` has the sum of each row. What is its shape, and what does dividing a (27, 27) matrix by it do?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Broadcasting lines shapes up from the right. The sums, of shape (27,), would be taken as one *row*, and divide each
# column by the wrong number, without an error. They must be a column, of shape (27, 1).
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `sum(1, keepdim=True)` keeps the dim that it sums over, with size 1.
#
# </details>

# %% tags=["exercise"]
my_P = None  # your answer

# %%
P = minigrad.stack([row / row.sum() for row in N + 1])  # the same with a loop; the lesson goes on with this one

# %% tags=["check"]
check_value("my_P", my_P, P)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# my_P = (N + 1) / (N + 1).sum(1, keepdim=True)
# ```
#
# If you forget `keepdim=True`, the result has the right shape and wrong numbers. It is one of the most frequent
# mistakes in this kind of code. Always check that `P[0].sum()` is 1.
#
# </details>

# %% [markdown]
# ## Sample names
#
# Now the model can write. Begin at the dot. Draw the next character from the row of the last one, until the dot comes
# again:


# %%
def sample(P, generator):
    name, i = "", 0
    while True:
        i = minigrad.multinomial(P[i], num_samples=1, generator=generator).item()
        if i == 0:
            return name
        name += CHARACTERS[i]


g = minigrad.Generator().manual_seed(7)
print("bigrams:", ", ".join(sample(P, g) for _ in range(10)))
print("uniform:", ", ".join(sample(minigrad.full((27, 27), 1 / 27), g) for _ in range(4)))

# %% [markdown]
# These are not yet good names, but far better than letters at random. How much better? That needs a number.
#
# ## A number for "how good"
#
# A good model gives the real names a high probability. The probability of a whole name is the product of the
# probabilities of its pairs. Such products are tiny, so we take logarithms, which turn products into sums. With the
# opposite sign, and divided by the number of pairs, this is the **mean negative log-likelihood**, the loss of every
# language model. It is 0 for a model that is always sure and always right, and grows without bound for a model that is
# sure and wrong.

# %%
for first, second in pairwise(".emma."):
    p = P[CHARACTERS.index(first), CHARACTERS.index(second)].item()
    print(f"{first}{second}   probability {p:.3f}   -log {-math.log(p):.3f}")

# %% [markdown]
# ### Exercise 2.2: the loss of a model that knows nothing
#
# A model without any knowledge gives each of the 27 characters the same probability. What is its loss?
#
# <details><summary>Hint 1</summary>
#
# It is the same for each pair, so the mean is that number, too.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The probability is `1 / 27`. Python's `math.log` is the natural logarithm.
#
# </details>

# %% tags=["exercise"]
loss_without_knowledge = None  # your answer

# %%
uniform = minigrad.zeros(1, 27)  # logits that are all equal
expected = F.cross_entropy(uniform, minigrad.tensor([5]))

# %% tags=["check"]
check_value("loss_without_knowledge", loss_without_knowledge, expected)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# loss_without_knowledge = math.log(27)
# ```
#
# About 3.296. Remember this number: a network whose first loss is far higher has a bad start (lesson 4).
#
# </details>

# %% [markdown]
# ### Exercise 2.3: the loss of the bigram model
#
# `xs` has the first character of each pair, and `ys` the second. Compute the mean negative log-likelihood of all pairs
# under `P`, without a loop.
#
# <details><summary>Hint 1</summary>
#
# `P[xs, ys]` picks one probability for each pair.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Then `.log()`, a minus, and `.mean()`.
#
# </details>

# %%
pairs = [pair for name in names for pair in pairwise(f".{name}.")]
xs = minigrad.tensor([CHARACTERS.index(first) for first, _ in pairs])
ys = minigrad.tensor([CHARACTERS.index(second) for _, second in pairs])
xs[:8], ys[:8], len(xs)

# %% tags=["exercise"]
bigram_loss = None  # your answer

# %%
by_counts = -(N * P.log()).sum() / N.sum()  # each pair as often as it was counted

# %% tags=["check"]
check_value("bigram_loss", bigram_loss, by_counts, tolerance=1e-5)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# bigram_loss = -P[xs, ys].log().mean()
# ```
#
# Knowing one character of the past brings the loss from 3.30 to about 2.45.
#
# </details>

# %% [markdown]
# ## The same by a network
#
# Counting works as long as there are few contexts. With ten characters of the past there would be 27 to the tenth power
# rows, nearly all of them empty. A network can do better, because it can *generalise*. So we now find the same model by
# training, where we know what must come out.
#
# A character goes in as a **one-hot** vector: 27 numbers, of which one is 1 and all others are 0. One layer multiplies
# it with a matrix `W`. The 27 results can be any numbers, and are called **logits**. To become probabilities, they are
# exponentiated, which makes them positive, and divided by their sum. Both together are the **softmax**.

# %%
generator = minigrad.Generator().manual_seed(1)
W = minigrad.randn((27, 27), generator=generator, requires_grad=True)
xenc = F.one_hot(xs, num_classes=27).float()
logits = xenc @ W
probs = F.softmax(logits, dim=1)
loss = -probs[minigrad.arange(len(xs)), ys].log().mean()
logits.retain_grad()
loss.backward()
print(f"{tuple(xenc.shape)} @ {tuple(W.shape)} -> {tuple(logits.shape)}, loss {loss.item():.3f}")

# %% [markdown]
# ### Exercise 2.4: what a one-hot vector does to a matrix
#
# The product `xenc @ W` multiplies mostly by 0. Find the same `logits` without any product.
#
# <details><summary>Hint 1</summary>
#
# Write down `[0, 1, 0] @ W` for a matrix with three rows. What is left?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Each one-hot vector picks one row of `W`. An index does that, too.
#
# </details>

# %% tags=["exercise"]
my_logits = None  # your answer

# %% tags=["check"]
check_value("my_logits", my_logits, logits)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# my_logits = W[xs]
# ```
#
# So row `i` of `W` is the model's opinion on what follows character `i`, just as row `i` of `N` was. `W` plays the role
# of the logarithm of the counts.
#
# </details>

# %% [markdown]
# ## The gradient, and what it says
#
# Before you work out the gradient for 27 characters, look at it for four: `.`, `a`, `b`, `c`, and three pairs. The page
# steps through the forward and the backward pass. Point at a cell of a gradient to see where it came from.

# %%
w = minigrad.randn((4, 4), generator=generator, requires_grad=True)
x = F.one_hot(minigrad.tensor([0, 1, 2]), num_classes=4).float()
t = minigrad.tensor([1, 2, 0])
with minigrad.detect_anomaly(check_nan=False):  # remembers the lines, for the page
    scores = x @ w
    result = F.cross_entropy(scores, t)  # softmax, -log and mean in one
viz.page(result, names={"w": w, "x": x, "t": t, "scores": scores, "result": result})

# %% [markdown]
# ### Exercise 2.5: the gradient of the logits
#
# For one example with the target `t`, softmax and negative log-likelihood together are `loss = log(sum(exp(logits))) -
# logits[t]`. What is the gradient of the mean loss with respect to all `logits`, of shape (n, 27)? Use `probs`, `ys`
# and `len(xs)`.
#
# <details><summary>Hint 1</summary>
#
# The derivative of `log(sum(exp(logits)))` with respect to one logit is `exp(logit) / sum(exp(logits))`. You have a
# name for that.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The other term, `-logits[t]`, has the derivative -1 at the target, and 0 elsewhere: a one-hot vector.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# The loss is a mean, so each example has only a share of `1 / n`.
#
# </details>

# %% tags=["exercise"]
dlogits = None  # your answer

# %% tags=["check"]
check("dlogits", dlogits, logits)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dlogits = (probs - F.one_hot(ys, num_classes=27)) / len(xs)
# ```
#
# "What the model thinks, minus what is true." A step against it pulls up the logit of the right character, by as much
# as the model lacks confidence, and pushes down each other one, by as much as the model believes in it.
#
# </details>

# %% [markdown]
# ### Exercise 2.6: the gradient of the matrix
#
# `logits = xenc @ W`. Use `dlogits` from the last exercise, or `logits.grad`, and write down the gradient of `W`.
#
# <details><summary>Hint 1</summary>
#
# The gradient has the shape of `W`, (27, 27). Which product of a (n, 27) and a (n, 27) matrix has that shape?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Transpose the factor that stands on the other side: `xenc.T`.
#
# </details>

# %% tags=["exercise"]
dW = None  # your answer

# %% tags=["check"]
check("dW", dW, W)

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# ```python
# dW = xenc.T @ logits.grad
# ```
#
# Row `i` collects the examples that begin with character `i`. Put the last solution in, and element `(i, j)` is how
# often the model expects `j` after `i`, minus how often it has been *counted*, all divided by `n`. It is zero exactly
# when the expected counts are the counts. So counting solves what the training looks for.
#
# </details>

# %% [markdown]
# ## Train it

# %%
losses = []
for _ in range(100):
    loss = F.cross_entropy(W[xs], ys)  # what you have found in the exercises, in one line
    W.grad = None
    loss.backward()
    W.data -= 50 * W.grad
    losses.append(loss.item())

counted = -(N * (N / N.sum(1, keepdim=True)).log())[N > 0].sum() / N.sum()  # without the added 1
figure = plt.figure(figsize=(7, 3.5), layout="constrained")
axes = figure.subplots()
viz.loss_curve(losses, axes=axes)
axes.axhline(counted.item(), color="black", linestyle="--")
axes.annotate(f"counting: {counted.item():.3f}", (1, counted.item()), (0, 5), textcoords="offset points")
plt.show()

# %% [markdown]
# The loss comes down to what counting reaches, and cannot go below it. The probabilities become the same, too. Here
# they are for what follows the letter j:

# %%
learned = F.softmax(W, dim=1)
j = CHARACTERS.index("j")
plt.figure(figsize=(7, 2.5))
plt.bar([i - 0.2 for i in range(27)], (N / N.sum(1, keepdim=True))[j].tolist(), 0.4, label="counted")
plt.bar([i + 0.2 for i in range(27)], learned[j].tolist(), 0.4, label="learned")
plt.xticks(range(27), CHARACTERS)
plt.title("after j")
plt.legend(frameon=False)
plt.show()

# %% [markdown]
# ## What comes next
#
# The network has learned nothing that counting did not know, but the *method* goes further. In [lesson 3](3_mlp.ipynb)
# the model looks at three characters instead of one. Counting would need 19,683 rows for that. A network with a few
# thousand parameters does it better.
