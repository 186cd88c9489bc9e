"""The other contenders: jax, autograd, mygrad and micrograd, and the function that minigrad derives."""

import random
from typing import Any

import numpy

from .data import EPS, LEARNING_RATE, MOMENTUM, Net, points
from .same_words import Step, library, model

Moments = list[tuple[Any, Any]]  # the mean and the variance of each BatchNorm


def forward(np: Any, parameters: list[Any], X: Any, Y: Any) -> tuple[Any, Moments]:
    """The loss of the names net, and the moments of its BatchNorms, in any library with numpy's words."""
    C, *hidden, W, b = parameters
    n, moments = len(Y), []
    h = np.reshape(C[X], (n, -1))
    for weight, gain, shift in zip(hidden[::3], hidden[1::3], hidden[2::3], strict=True):
        x = h @ weight
        mean = np.mean(x, 0)
        centred = x - mean
        var = np.mean(centred * centred, 0)
        moments.append((mean, var))
        h = np.tanh(gain * (centred / np.sqrt(var + EPS)) + shift)
    logits = h @ W + b
    shifted = logits - np.max(logits, 1, keepdims=True)
    scores = shifted - np.log(np.sum(np.exp(shifted), 1, keepdims=True))
    return -np.mean(scores[numpy.arange(n), Y]), moments


def moved(running: Moments, moments: Moments, n: int) -> Moments:
    """The running statistics after a batch."""
    return [
        ((1 - MOMENTUM) * mean + MOMENTUM * now, (1 - MOMENTUM) * var + MOMENTUM * (n / (n - 1)) * spread)
        for (mean, var), (now, spread) in zip(running, moments, strict=True)
    ]


def with_jax(net: Net, *, statistics: bool = True) -> Step:
    """The step, jitted as one."""
    import jax

    start = net.start()
    n, X, Y = net.batch, jax.numpy.asarray(start.X), jax.numpy.asarray(start.Y)

    def loss_of(parameters: Any, X: Any, Y: Any) -> Any:
        return forward(jax.numpy, parameters, X, Y)

    @jax.jit
    def jitted(parameters: Any, running: Any, X: Any, Y: Any) -> Any:
        (loss, moments), gradients = jax.value_and_grad(loss_of, has_aux=True)(parameters, X, Y)
        parameters = [p - LEARNING_RATE * g for p, g in zip(parameters, gradients, strict=True)]
        return loss, parameters, moved(running, moments, n) if statistics else running

    parameters = [jax.numpy.asarray(p) for p in start.parameters]
    running = [(jax.numpy.zeros(n), jax.numpy.ones(n)) for n in net.hidden]

    def step() -> Any:
        nonlocal parameters, running
        loss, parameters, running = jitted(parameters, running, X, Y)
        return loss.block_until_ready()

    return step


def with_autograd(net: Net) -> Step:
    """The step, with autograd's gradients."""
    import autograd.numpy
    from autograd import value_and_grad
    from autograd.tracer import getval

    start = net.start()
    parameters, running = start.parameters, [(numpy.zeros(n), numpy.ones(n)) for n in net.hidden]

    def loss_of(parameters: Any) -> Any:
        nonlocal running
        loss, moments = forward(autograd.numpy, parameters, start.X, start.Y)
        running = moved(running, [(getval(mean), getval(var)) for mean, var in moments], net.batch)
        return loss

    both = value_and_grad(loss_of)

    def step() -> Any:
        loss, gradients = both(parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= LEARNING_RATE * gradient
        return loss

    return step


def with_mygrad(net: Net) -> Step:
    """The step, with mygrad's own BatchNorm and cross-entropy."""
    import mygrad
    from mygrad.nnet import batchnorm, softmax_crossentropy

    start = net.start()
    parameters = [mygrad.tensor(p) for p in start.parameters]
    C, W1, gain, shift, W2, b2 = parameters
    running = [(numpy.zeros(n), numpy.ones(n)) for n in net.hidden]

    def step() -> Any:
        nonlocal running
        x = mygrad.reshape(C[start.X], (net.batch, -1)) @ W1
        h = mygrad.tanh(batchnorm(x, gamma=gain, beta=shift, eps=EPS))
        running = moved(running, [(x.data.mean(0), x.data.var(0))], net.batch)
        loss = softmax_crossentropy(h @ W2 + b2, start.Y)
        loss.backward()
        for p in parameters:
            p.data -= LEARNING_RATE * p.grad
        return loss

    return step


def derived(net: Net) -> Step:
    """The step by the function that `minigrad.derive` writes."""
    import minigrad

    lib = library("minigrad")
    whole, X, Y = model(lib, net)
    loss = lib.F.cross_entropy(whole(X), Y)
    function = minigrad.derive(loss, names={"net": whole, "X": X, "Y": Y})
    arrays = {name[1:]: p.array for name, p in zip(function.gradients, whole.parameters(), strict=True)}

    def step() -> Any:
        loss, *gradients = function(X=X.array, Y=Y.array, **arrays)
        for array, gradient in zip(arrays.values(), gradients, strict=True):
            gradient *= LEARNING_RATE
            array -= gradient
        return loss

    return step


def planned(net: Net) -> Step:
    """The step by the program that `minigrad.compile` writes, called with arrays, without Tensors around it."""
    import minigrad

    lib = library("minigrad")
    whole, X, Y = model(lib, net)
    compiled = minigrad.compile(lambda X, Y: lib.F.cross_entropy(whole(X), Y))
    compiled(X, Y)
    ((entry,),) = compiled._entries.values()
    given, memory = entry.given([X, Y]), entry.program.memory()
    arrays = [p.array for p in whole.parameters()]
    one = numpy.ones((), numpy.float32)

    def step() -> Any:
        (loss,), saved = memory.forward(*given)
        for array, gradient in zip(arrays, memory.backward(one, saved), strict=True):
            gradient *= LEARNING_RATE
            array -= gradient
        return loss

    return step


def demo(Value: Any, MLP: Any) -> Step:
    """micrograd's demo: a step of the 2-16-16-1 network on 50 points, with the hinge loss and L2."""
    X, y = points()
    random.seed(1337)
    net = MLP(2, [16, 16, 1])
    parameters = net.parameters()

    def step() -> Any:
        scores = [net([Value(number) for number in point]) for point in X]
        losses = [(1 + -side * score).relu() for side, score in zip(y, scores, strict=True)]
        total = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)
        net.zero_grad()
        total.backward()
        for p in parameters:
            p.data -= LEARNING_RATE * p.grad
        return total.data

    return step
