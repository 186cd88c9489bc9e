"""minigrad and PyTorch: one text for both, since they share their words."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .data import LEARNING_RATE, MOMENTUM, SPELLED_MOMENTUM, Gpt, Net, indexed

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
    return _descent(lib, *model(lib, net), compiled)


def gpt(lib: Library, sizes: Gpt, compiled: bool = False) -> Step:
    """A step of gradient descent of a small GPT."""
    return _descent(lib, *transformer(lib, sizes), compiled)


def _descent(lib: Library, whole: Any, X: Any, Y: Any, compiled: bool) -> Step:
    optimizer = lib.optim.SGD(whole.parameters(), lr=LEARNING_RATE)
    cross_entropy = lib.F.cross_entropy

    def loss_of(X: Any, Y: Any) -> Any:
        return cross_entropy(whole(X), Y)

    run = lib.torch.compile(loss_of) if compiled else loss_of

    def step() -> Any:
        loss = run(X, Y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def transformer(lib: Library, sizes: Gpt) -> tuple[Any, Any, Any]:
    """A GPT as the lecture builds it, and its batch."""
    torch, nn, F = lib.torch, lib.nn, lib.F
    width, heads, context = sizes.width, sizes.heads, sizes.context

    class Attention(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.register_buffer("mask", torch.tril(torch.ones(context, context)) == 0)

        def forward(self, x: Any) -> Any:
            parts = [part.view(*x.shape[:2], heads, -1).transpose(1, 2) for part in self.qkv(x).split(width, dim=2)]
            q, k, v = parts
            scores = (q @ k.transpose(-2, -1)) * (width // heads) ** -0.5
            weights = F.softmax(scores.masked_fill(self.mask, float("-inf")), dim=-1)
            return self.projection((weights @ v).transpose(1, 2).reshape(x.shape))

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.before, self.attention, self.between = nn.LayerNorm(width), Attention(), nn.LayerNorm(width)
            self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.before(x))
            return x + self.network(self.between(x))

    class Transformer(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens = nn.Embedding(sizes.vocabulary, width)
            self.positions = nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(sizes.blocks)))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, sizes.vocabulary)

        def forward(self, X: Any) -> Any:
            x = self.tokens(X) + self.positions(torch.arange(context))
            return self.head(self.norm(self.blocks(x))).flatten(0, 1)

    whole, random = Transformer(), np.random.default_rng(2147483647)
    with torch.no_grad():
        for parameter in whole.parameters():
            parameter.copy_(torch.tensor(random.standard_normal(tuple(parameter.shape), np.float32) / 20))
    X, Y = (random.integers(0, sizes.vocabulary, (sizes.batch, context)) for _ in range(2))
    return whole, torch.tensor(X), torch.tensor(Y.ravel())


def wavenet(lib: Library, contexts: int, compiled: bool = False) -> Step:
    """The lecture's WaveNet-like net over so many contexts at once, without gradients; returns the loss."""
    torch, nn = lib.torch, lib.nn
    random = np.random.default_rng(2147483647)

    class Joined(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            n, length, channels = x.shape
            x = x.view(n, length // 2, 2 * channels)
            return x.squeeze(1) if length == 2 else x

    class Normed(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(channels)

        def forward(self, x: Any) -> Any:
            return self.norm(x.flatten(0, -2)).view(x.shape)

    parts, channels = [nn.Embedding(27, 24)], 24
    for _ in range(3):
        parts += [Joined(), nn.Linear(2 * channels, 128, bias=False), Normed(128), nn.Tanh()]
        channels = 128
    whole = nn.Sequential(*parts, nn.Linear(128, 27)).eval()
    with torch.no_grad():
        for parameter in whole.parameters():
            if parameter.ndim > 1:
                values = random.standard_normal(tuple(parameter.shape), np.float32) / parameter.shape[1] ** 0.5
                parameter.copy_(torch.tensor(values))
    X = torch.tensor(random.integers(0, 27, (contexts, 8)))
    Y = torch.tensor(random.integers(0, 27, contexts))

    def loss_of(X: Any, Y: Any) -> Any:
        return lib.F.cross_entropy(whole(X), Y)

    run = torch.compile(loss_of) if compiled else loss_of

    def step() -> Any:
        with torch.no_grad():
            return run(X, Y)

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
