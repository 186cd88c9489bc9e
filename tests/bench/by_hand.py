"""numpy by hand: the course's network and its backward pass, as a good numpy programmer writes them."""

from typing import NamedTuple

import numpy as np

from .data import EPS, LEARNING_RATE, MOMENTUM, SPELLED_MOMENTUM, Net, Start


class Normal(NamedTuple):
    """What the backward pass of BatchNorm needs, and the moments of the batch."""

    normal: np.ndarray
    rstd: np.ndarray
    mean: np.ndarray
    var: np.ndarray


def normalise(x: np.ndarray, correction: int, eps: float) -> Normal:
    """A batch made standard, by a variance divided by n - `correction`; `x` is overwritten."""
    mean = x.mean(0)
    x -= mean
    var = (x * x).sum(0) / (len(x) - correction)
    rstd = 1 / np.sqrt(var + eps)
    x *= rstd
    return Normal(x, rstd, mean, var)


class Hand:
    """The network; `spelled` means the lecture's BatchNorm, with Bessel's correction and no eps."""

    def __init__(self, net: Net, *, spelled: bool = False, statistics: bool = True) -> None:
        self.start: Start = net.start()
        self.correction, self.eps = (1, 0.0) if spelled else (0, EPS)
        self.momentum = SPELLED_MOMENTUM if spelled else MOMENTUM
        normed = [layer for layer in self.start.layers if layer.gain is not None] if statistics else []
        self.running = [(np.zeros_like(layer.gain), np.ones_like(layer.gain)) for layer in normed]

    def gradients(self) -> tuple[float, list[np.ndarray]]:
        """The loss, and the gradient of every parameter in the order of `Start.parameters`."""
        X, Y, table, layers = self.start
        n, last = len(X), len(layers) - 1
        inputs, norms = [table[X].reshape(n, -1)], []
        for i, (weight, bias, gain, shift) in enumerate(layers):
            x = inputs[-1] @ weight
            if gain is None:
                x += bias
            else:
                norms.append(normalise(x, self.correction, self.eps))
                x = norms[-1].normal * gain
                x += shift
            inputs.append(np.tanh(x, out=x) if i < last else x)
        probs = inputs.pop()
        probs -= probs.max(1, keepdims=True)
        chosen = probs[np.arange(n), Y]
        np.exp(probs, out=probs)
        total = probs.sum(1, keepdims=True)
        loss = (np.log(total).sum() - chosen.sum()) / n
        probs /= total
        self.update_statistics(norms)

        g = probs  # the gradient of the logits is softmax - 1 at the right places, over n
        g[np.arange(n), Y] -= 1
        g /= n
        gradients: list[np.ndarray] = []
        for i in range(last, -1, -1):
            weight, bias, gain, _ = layers[i]
            if i < last:
                y = inputs.pop()
                g *= 1 - y * y
            g_bias = g.sum(0)
            if gain is None:
                parts = [g_bias]
            else:
                normal, rstd, *_ = norms.pop()
                g_gain = (g * normal).sum(0)
                parts = [g_gain, g_bias]
                g -= g_bias / n + normal * (g_gain / (n - self.correction))
                g *= gain * rstd
            gradients = [inputs[-1].T @ g, *parts, *gradients]
            g = g @ weight.T
        places = np.eye(len(table), dtype=np.float32)[X.ravel()]  # quicker here than np.add.at
        g_table = places.T @ g.reshape(X.size, -1)
        return loss, [g_table, *gradients]

    def update_statistics(self, norms: list[Normal]) -> None:
        """Move the running mean and deviation, or variance, towards those of the batch."""
        for (mean, spread), norm in zip(self.running, norms, strict=False):
            n = len(norm.normal)
            mean += self.momentum * (norm.mean - mean)
            now = np.sqrt(norm.var) if self.correction else norm.var * (n / (n - 1))
            spread += self.momentum * (now - spread)

    def step(self) -> float:
        """A step of gradient descent; returns the loss before it."""
        loss, gradients = self.gradients()
        for parameter, gradient in zip(self.start.parameters, gradients, strict=True):
            gradient *= LEARNING_RATE
            parameter -= gradient
        return loss


def add_at(table: np.ndarray, places: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The gradient of `table` where `table[places]` gets the gradient `g`."""
    whole = np.zeros_like(table)
    np.add.at(whole, places, g)
    return whole
