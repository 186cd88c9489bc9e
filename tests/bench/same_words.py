"""minigrad and PyTorch: one text for both, since they share their words."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from .data import LEARNING_RATE, MOMENTUM, SPELLED_MOMENTUM, Net, indexed

EXAMPLES = Path(__file__).parents[2] / "examples"
Step = Callable[[], Any]


class Library(NamedTuple):
    """A library by PyTorch's names."""

    torch: Any
    nn: Any
    F: Any
    optim: Any


def library(name: str) -> Library:
    """minigrad, or torch."""
    prefix = "" if name == "minigrad" else "torch."
    parts = (f"{prefix}nn", f"{prefix}nn.functional", f"{prefix}nn.optim" if not prefix else "torch.optim")
    return Library(import_module(name), *map(import_module, parts))


def model(lib: Library, net: Net) -> tuple[Any, Any, Any]:
    """The network as modules, and its batch."""
    torch, nn = lib.torch, lib.nn
    start = net.start()
    parts = [nn.Embedding(net.vocabulary, net.embedding), nn.Flatten()]
    for i, layer in enumerate(start.layers):
        parts.append(nn.Linear(*layer.weight.shape, bias=layer.bias is not None))
        if layer.gain is not None:
            parts.append(nn.BatchNorm1d(len(layer.gain), momentum=MOMENTUM))
        if i < len(net.hidden):
            parts.append(nn.Tanh())
    whole = nn.Sequential(*parts)
    with torch.no_grad():
        for parameter, value in zip(whole.parameters(), start.parameters, strict=True):
            turned = value.T if value.ndim == 2 and value is not start.table else value
            parameter.copy_(torch.tensor(turned.copy()))
    return whole, torch.tensor(start.X), torch.tensor(start.Y)


def modules(lib: Library, net: Net, compiled: bool = False) -> Step:
    """A step of gradient descent through nn and optim."""
    whole, X, Y = model(lib, net)
    optimizer = lib.optim.SGD(whole.parameters(), lr=LEARNING_RATE)
    run = lib.torch.compile(whole) if compiled else whole
    cross_entropy = lib.F.cross_entropy

    def step() -> Any:
        loss = cross_entropy(run(X), Y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def bare(lib: Library, net: Net) -> tuple[list[Any], Step]:
    """The parameters of a net with one hidden layer as bare tensors, and a step as the lecture spells it out."""
    torch, F = lib.torch, lib.F
    start = net.start()
    Xb, Yb = torch.tensor(start.X), torch.tensor(start.Y)
    parameters = [torch.tensor(value).requires_grad_() for value in start.parameters]
    C, W1, bngain, bnbias, W2, b2 = parameters
    bnmean_running, bnstd_running = torch.zeros(1, W1.shape[1]), torch.ones(1, W1.shape[1])

    def step() -> Any:
        nonlocal bnmean_running, bnstd_running
        emb = C[Xb]
        embcat = emb.view(emb.shape[0], -1)
        hpreact = embcat @ W1
        bnmeani = hpreact.mean(0, keepdim=True)
        bnstdi = hpreact.std(0, keepdim=True)
        hpreact = bngain * (hpreact - bnmeani) / bnstdi + bnbias
        with torch.no_grad():
            bnmean_running = (1 - SPELLED_MOMENTUM) * bnmean_running + SPELLED_MOMENTUM * bnmeani
            bnstd_running = (1 - SPELLED_MOMENTUM) * bnstd_running + SPELLED_MOMENTUM * bnstdi
        h = torch.tanh(hpreact)
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, Yb)
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data += -LEARNING_RATE * p.grad
        return loss

    return parameters, step


def chunked(lib: Library, net: Net) -> Step:
    """The lecture's forward pass in small steps, and back, where every variable retains its gradient."""
    sys.path.append(str(EXAMPLES))
    ninja = import_module("backprop_ninja")
    torch, start = lib.torch, net.start()
    hidden, output = start.layers
    values = {"C": start.table, "W1": hidden.weight, "b1": hidden.shift, "W2": output.weight, "b2": output.bias}
    values |= {"bngain": hidden.gain[None], "bnbias": hidden.shift[None]}
    leaves = {name: torch.tensor(value).requires_grad_() for name, value in values.items()}
    Xb, Yb = torch.tensor(start.X), torch.tensor(start.Y)

    def step() -> Any:
        variables = ninja.forward(**leaves, Xb=Xb, Yb=Yb)
        for p in leaves.values():
            p.grad = None
        for name in ninja.ORDER:
            variables[name].retain_grad()
        variables["loss"].backward()
        for p in leaves.values():
            p.data += -LEARNING_RATE * p.grad
        return variables["loss"]

    return step


def indexing(lib: Library) -> Step:
    """Back through `C[ix]`; returns the gradient of the table."""
    table, places, g = map(lib.torch.tensor, indexed())
    C = table.requires_grad_()
    found = C[places]

    def step() -> Any:
        C.grad = None
        found.backward(g, retain_graph=True)
        return C.grad

    return step


def chain(lib: Library, length: int) -> Step:
    """A chain of so many operations on single numbers, forward and backward; returns the last number."""
    start = lib.torch.tensor(1.0, requires_grad=True)

    def step() -> Any:
        start.grad = None
        x = start
        for _ in range(length // 2):
            x = x * 0.9999 + 0.0001
        x.backward()
        return x

    return step
