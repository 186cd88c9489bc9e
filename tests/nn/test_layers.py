"""Modules, layers and initial values against torch.nn: names, order, shapes, state, text and numbers."""

import copy
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import assert_close, assert_same, normal, ours, random, theirs

Make = Callable[[Any], Any]  # makes a Module, of `nn` or of `torch.nn`
SEEDS = [0, 1, 42, 2147483647]


@pytest.fixture(autouse=True)
def the_same_initial_values() -> None:
    """Seed both libraries, so that a test gets the same models whichever others ran before it."""
    minigrad.manual_seed(0)
    torch.manual_seed(0)


LAYERS: list[Make] = [
    lambda layers: layers.Linear(3, 4),
    lambda layers: layers.Linear(3, 4, bias=False),
    lambda layers: layers.Linear(200, 27),
    lambda layers: layers.Embedding(5, 2),
    lambda layers: layers.Embedding(27, 10),
    lambda layers: layers.BatchNorm1d(3),
    lambda layers: layers.BatchNorm1d(3, eps=1e-3, momentum=0.5),
    lambda layers: layers.BatchNorm1d(3, momentum=None),
    lambda layers: layers.BatchNorm1d(3, affine=False),
    lambda layers: layers.BatchNorm1d(3, bias=False),
    lambda layers: layers.BatchNorm1d(3, track_running_stats=False),
    lambda layers: layers.LayerNorm(3),
    lambda layers: layers.LayerNorm((2, 3), eps=1e-3),
    lambda layers: layers.LayerNorm(3, bias=False),
    lambda layers: layers.LayerNorm(3, elementwise_affine=False),
    lambda layers: layers.Dropout(),
    lambda layers: layers.Dropout(0.2),
    lambda layers: layers.CrossEntropyLoss(),
    lambda layers: layers.ModuleList(),
    lambda layers: layers.ModuleList([layers.Tanh(), layers.Linear(2, 2), layers.Linear(2, 2), layers.ReLU()]),
    lambda layers: layers.ModuleList(layers.Sequential(layers.Linear(2, 2), layers.Tanh()) for _ in range(3)),
    lambda layers: layers.Sequential(OrderedDict(hidden=layers.Linear(2, 3), bend=layers.Tanh())),
    lambda layers: layers.Sequential(layers.Linear(2, 3), layers.Tanh(), layers.Linear(3, 1))[1:],
    lambda layers: layers.Sequential(layers.Linear(2, 3)).append(layers.Tanh()).extend([layers.Flatten()]),
    lambda layers: layers.Flatten(),
    lambda layers: layers.Flatten(0, 1),
    lambda layers: layers.Tanh(),
    lambda layers: layers.ReLU(),
    lambda layers: layers.Sequential(),
    lambda layers: layers.Sequential(layers.Linear(2, 3), layers.BatchNorm1d(3), layers.Tanh(), layers.Linear(3, 1)),
    lambda layers: layers.Sequential(layers.Sequential(layers.Linear(1, 2), layers.ReLU()), layers.Flatten()),
]

every_layer = pytest.mark.parametrize("make", LAYERS, ids=lambda make: repr(make(nn)).replace("\n", ""))


def autoencoder(layers: Any) -> Any:
    """A Module with Modules in Modules, Parameters of its own, and some that it uses twice."""

    class Autoencoder(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = layers.Sequential(layers.Linear(3, 3, bias=False), layers.BatchNorm1d(3), layers.Tanh())
            self.scale = layers.Parameter(layers.Embedding(1, 3).weight)
            self.decoder = layers.Linear(3, 3)
            self.decoder.weight = self.encoder[0].weight
            self.critic = self.encoder

        def forward(self, x: Any) -> Any:
            return self.decoder(self.encoder(x) * self.scale)

    return Autoencoder()


def recurrent(layers: Any) -> Any:
    """A Sequential that applies one Linear twice."""
    step = layers.Linear(3, 3)
    return layers.Sequential(step, layers.Tanh(), step)


def transformer(layers: Any) -> Any:
    """A Module as the course's last part has them: blocks in lists, buffers, weights drawn anew by `apply`."""
    functional, init = (torch.nn.functional, torch.nn.init) if layers is torch.nn else (nn.functional, nn.init)

    class Head(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.key = layers.Linear(6, 3, bias=False)
            self.query = layers.Linear(6, 3, bias=False)
            self.value = layers.Linear(6, 3, bias=False)
            self.register_buffer("tril", layers.LayerNorm((4, 4)).weight.detach().tril())
            self.register_buffer("scale", self.tril[0, :1] * 3**-0.5, persistent=False)
            self.dropout = layers.Dropout(0.25)

        def forward(self, x: Any) -> Any:
            scores = self.query(x) @ self.key(x).transpose(-2, -1) * self.scale
            scores = scores.masked_fill(self.tril == 0, float("-inf"))
            return self.dropout(functional.softmax(scores, dim=-1)) @ self.value(x)

    class Block(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.heads = layers.ModuleList([Head() for _ in range(2)])
            self.feed = layers.Sequential(layers.Linear(6, 8), layers.ReLU(), layers.Linear(8, 6), layers.Dropout(0.1))
            self.ln1, self.ln2 = layers.LayerNorm(6), layers.LayerNorm(6)

        def forward(self, x: Any) -> Any:
            normal = self.ln1(x)
            first, second = [head(normal) for head in self.heads]
            x = x + first.repeat(1, 1, 2) + second.repeat(1, 1, 2)
            return x + self.feed(self.ln2(x))

    class Transformer(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens = layers.Embedding(9, 6)
            self.blocks = layers.Sequential(*[Block() for _ in range(2)])
            self.norm = layers.LayerNorm(6)
            self.head = layers.Linear(6, 9)
            self.apply(self.draw)

        def draw(self, module: Any) -> None:
            if isinstance(module, layers.Linear):
                init.normal_(module.weight, mean=0.0, std=0.2)
                if module.bias is not None:
                    init.zeros_(module.bias)

        def forward(self, x: Any) -> Any:
            return self.head(self.norm(self.blocks(self.tokens(x))))

    return Transformer()


MODELS: list[Make] = [autoencoder, recurrent, transformer]

every_model = pytest.mark.parametrize("make", [*LAYERS, *MODELS])


def arrays(state: Any) -> dict[str, np.ndarray]:
    """A state dict of either library as numpy arrays, in its order."""
    return {name: np.array(tensor.detach().numpy()) for name, tensor in state.items()}


def to_pytorch(state: dict[str, minigrad.Tensor]) -> dict[str, torch.Tensor]:
    """Our state dict as PyTorch's."""
    return {name: theirs(array) for name, array in arrays(state).items()}


def assert_same_state(mine: Any, reference: Any) -> None:
    """Require the same names in the same order, the same shapes and dtypes, and the same numbers to the bit."""
    mine, reference = arrays(mine.state_dict()), arrays(reference.state_dict())
    assert list(mine) == list(reference)
    for name, array in mine.items():
        assert (array.shape, array.dtype) == (reference[name].shape, reference[name].dtype), name
        np.testing.assert_array_equal(array, reference[name], err_msg=name)


def twins(make: Make) -> tuple[Any, Any]:
    """The same Module twice: ours, with the numbers of PyTorch's."""
    mine, reference = make(nn), make(torch.nn)
    mine.load_state_dict(reference.state_dict())
    return mine, reference


# What they are made of


@every_layer
def test_the_text_is_pytorchs(make: Make) -> None:
    assert repr(make(nn)) == repr(make(torch.nn))


@every_model
def test_names_order_shapes_and_dtypes_are_pytorchs(make: Make) -> None:
    mine, reference = make(nn), make(torch.nn)

    def described(named: Any) -> list[tuple[str, tuple[int, ...], str, bool]]:
        return [(name, tuple(x.shape), str(x.dtype).removeprefix("torch."), x.requires_grad) for name, x in named]

    assert described(mine.named_parameters()) == described(reference.named_parameters())
    assert described(mine.state_dict().items()) == described(reference.state_dict().items())
    assert [tuple(x.shape) for x in mine.parameters()] == [tuple(x.shape) for x in reference.parameters()]
    assert [name for name, _ in mine.named_modules()] == [name for name, _ in reference.named_modules()]
    assert [type(x).__name__ for x in mine.modules()] == [type(x).__name__ for x in reference.modules()]


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors is a no-op:UserWarning")
@pytest.mark.parametrize("sizes", [(0, 2), (2, 0), (0, 0)], ids=str)
def test_a_linear_of_no_inputs_or_no_outputs(sizes: tuple[int, int]) -> None:
    mine, reference = twins(lambda layers: layers.Linear(*sizes))
    assert_same_state(mine, reference)
    assert_same(
        mine(ours(normal(3, sizes[0], dtype=np.float32))).detach(), torch.zeros(3, sizes[1]) + reference.bias.detach()
    )


def test_a_parameter_that_is_used_twice_is_one_parameter() -> None:
    model = autoencoder(nn)
    assert [name for name, _ in model.named_parameters()].count("encoder.0.weight") == 1
    assert len({*model.parameters()}) == len([*model.parameters()]) == 5
    model(minigrad.ones(4, 3)).sum().backward()
    assert model.decoder.weight.grad is model.encoder[0].weight.grad


def test_a_parameter() -> None:
    data = minigrad.ones(2, 3)
    parameter = nn.Parameter(data)
    assert isinstance(parameter, minigrad.Tensor)
    assert parameter.requires_grad
    assert parameter.is_leaf
    assert not data.requires_grad
    assert np.shares_memory(parameter.array, data.array)
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert repr(parameter) == repr(torch.nn.Parameter(torch.ones(2, 3)))


SIZES: dict[str, Callable[[Any, Any], Any]] = {
    "Linear: in_features": lambda library, size: library.nn.Linear(size, 2),
    "Linear: out_features": lambda library, size: library.nn.Linear(2, size),
    "Embedding: num_embeddings": lambda library, size: library.nn.Embedding(size, 2),
    "Embedding: embedding_dim": lambda library, size: library.nn.Embedding(2, size),
    "BatchNorm1d: num_features": lambda library, size: library.nn.BatchNorm1d(size),
}


@pytest.mark.parametrize(("name", "make"), SIZES.items(), ids=SIZES)
def test_a_size_that_cannot_be_is_refused_by_its_name(name: str, make: Callable[[Any, Any], Any]) -> None:
    refused = {2.0: (TypeError, "must be an integer, got 2.0"), -1: (RuntimeError, "must not be negative, got -1")}
    for size, (error, message) in refused.items():
        with pytest.raises(error):
            make(torch, size)
        with pytest.raises(error, match=f"^{name} {message}$"):
            make(minigrad, size)


def test_a_parameter_of_integers_is_refused() -> None:
    with pytest.raises(RuntimeError, match="floating"):
        nn.Parameter(minigrad.tensor([1, 2]))


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Sketch"):
        type("Sketch", (nn.Module,), {})()(1)


def test_a_sequential_is_a_sequence() -> None:
    parts = [nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)]
    model = nn.Sequential(*parts)
    assert len(model) == 3
    assert [*model] == parts
    assert model[0] is parts[0]
    assert model[-1] is parts[2]
    assert isinstance(model[:2], nn.Sequential)
    assert [*model[1:]] == parts[1:]
    with pytest.raises(IndexError):
        model[3]


@pytest.mark.parametrize(
    "make", [lambda layers: layers.Sequential([layers.Tanh()]), lambda layers: layers.ModuleList([3])]
)
def test_what_is_no_module_is_refused(make: Make) -> None:
    for layers in (torch.nn, nn):
        with pytest.raises(TypeError, match="Module"):
            make(layers)


def test_a_sequential_of_a_list_says_what_it_lacks() -> None:
    with pytest.raises(TypeError, match=r"\*modules"):
        nn.Sequential([nn.Tanh()])


def test_a_module_list_is_a_list() -> None:
    parts = [nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)]
    modules = nn.ModuleList(parts[:1])
    assert modules.append(parts[1]) is modules
    assert modules.extend(parts[2:]) is modules
    assert len(modules) == 3
    assert [*modules] == parts
    assert modules[-1] is parts[2]
    assert isinstance(modules[1:], nn.ModuleList)
    assert [name for name, _ in modules[1:].named_children()] == ["0", "1"]
    assert not isinstance(modules, nn.Sequential)
    with pytest.raises(NotImplementedError, match="ModuleList"):
        modules(minigrad.ones(2))


ASSIGNMENTS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a Tensor as Parameter": lambda layers, library, x: setattr(x, "scale", library.ones(3)),
    "a number as Parameter": lambda layers, library, x: setattr(x, "scale", 3),
    "a Module as Parameter": lambda layers, library, x: setattr(x, "scale", layers.Tanh()),
    "nothing as Parameter": lambda layers, library, x: setattr(x, "scale", None),
    "another Parameter": lambda layers, library, x: setattr(x, "scale", layers.Parameter(library.ones(2))),
    "a Tensor as Module": lambda layers, library, x: setattr(x, "decoder", library.ones(3)),
    "nothing as Module": lambda layers, library, x: setattr(x, "decoder", None),
    "another Module": lambda layers, library, x: setattr(x, "decoder", layers.Tanh()),
    "a function as Module": lambda layers, library, x: setattr(x, "decoder", library.tanh),
    "a Parameter as buffer": lambda layers, library, x: x.register_buffer("scale", library.ones(3)),
    "a buffer twice": lambda layers, library, x: [x.register_buffer("mask", library.ones(3)) for _ in range(2)],
    "a Tensor where a Parameter was": lambda layers, library, x: [
        setattr(x, "scale", None),
        setattr(x, "scale", library.ones(3)),
    ],
    "a Tensor where a bias may be": lambda layers, library, x: setattr(x.encoder[0], "bias", library.ones(3)),
    "a Parameter where a bias may be": lambda layers, library, x: setattr(
        x.encoder[0], "bias", layers.Parameter(library.ones(3))
    ),
    "a Parameter as Module": lambda layers, library, x: setattr(x, "decoder", x.scale),
    "a Module where a number was": lambda layers, library, x: [
        setattr(x, "first", 5),
        setattr(x, "second", layers.Linear(1, 1)),
        setattr(x, "first", layers.Linear(1, 1)),
    ],
    "a Module where a Module was": lambda layers, library, x: [
        setattr(x, "decoder", None),
        setattr(x, "decoder", library.ones(3)),
    ],
    "a number as buffer": lambda layers, library, x: setattr(x.encoder[1], "running_mean", 5),
    "an array as buffer": lambda layers, library, x: setattr(x.encoder[1], "running_mean", np.ones(3)),
    "another buffer": lambda layers, library, x: setattr(x.encoder[1], "running_mean", library.ones(4)),
    "nothing as buffer": lambda layers, library, x: setattr(x.encoder[1], "running_mean", None),
    "a number where a buffer was": lambda layers, library, x: [
        setattr(x.encoder[1], "running_mean", None),
        setattr(x.encoder[1], "running_mean", 5),
    ],
    "a Parameter in place of a buffer": lambda layers, library, x: setattr(
        x.encoder[1], "running_mean", layers.Parameter(library.ones(3))
    ),
    "a Module in place of a buffer": lambda layers, library, x: setattr(
        x.encoder[1], "running_mean", layers.Linear(1, 1)
    ),
    "a transient buffer that becomes a Parameter, and a buffer again": lambda layers, library, x: [
        x.register_buffer("mask", library.ones(3), persistent=False),
        setattr(x, "mask", layers.Parameter(library.ones(3))),
        delattr(x, "mask"),
        x.register_buffer("mask", library.ones(3)),
    ],
    "a Parameter that is deleted": lambda layers, library, x: [
        delattr(x, "scale"),
        setattr(x, "scale", library.ones(3)),
    ],
    "a buffer that is deleted": lambda layers, library, x: [
        delattr(x.encoder[1], "running_mean"),
        setattr(x.encoder[1], "running_mean", 5),
    ],
    "a Module that is deleted": lambda layers, library, x: [
        delattr(x, "encoder"),
        setattr(x, "encoder", layers.Tanh()),
    ],
    "nothing that is deleted": lambda layers, library, x: delattr(x, "none"),
    "a buffer without a name": lambda layers, library, x: x.register_buffer("", library.ones(3)),
    "a buffer with a dot": lambda layers, library, x: x.register_buffer("a.b", library.ones(3)),
    "a number that is registered as buffer": lambda layers, library, x: x.register_buffer("mask", 5),
    "a buffer named by a number": lambda layers, library, x: x.register_buffer(5, library.ones(3)),
    "a buffer in place of a number": lambda layers, library, x: [
        setattr(x, "mask", 5),
        x.register_buffer("mask", library.ones(3)),
    ],
    "a Parameter that is registered as buffer": lambda layers, library, x: x.register_buffer(
        "mask", layers.Parameter(library.ones(3))
    ),
    "a Parameter that is registered": lambda layers, library, x: x.register_parameter(
        "w", layers.Parameter(library.ones(3))
    ),
    "a Tensor that is registered as Parameter": lambda layers, library, x: x.register_parameter("w", library.ones(3)),
    "a Parameter over a method": lambda layers, library, x: x.register_parameter("forward", None),
    "a Module that is added": lambda layers, library, x: x.add_module("more", layers.Linear(1, 1)),
    "a number that is added": lambda layers, library, x: x.add_module("more", 5),
    "a Sequential with a Module over a method": lambda layers, library, x: layers.Sequential(
        OrderedDict(forward=layers.Tanh())
    ),
    "a Sequential with a number": lambda layers, library, x: layers.Sequential(OrderedDict(first=5)),
    "a buffer that was None": lambda layers, library, x: [
        x.register_buffer("mask", None),
        setattr(x, "mask", library.ones(1)),
    ],
}


@pytest.mark.parametrize("act", ASSIGNMENTS.values(), ids=ASSIGNMENTS)
def test_attributes_are_set_or_refused_as_in_pytorch(act: Callable[[Any, Any, Any], Any]) -> None:
    outcomes: list[Any] = []
    for layers, library in ((torch.nn, torch), (nn, minigrad)):
        model = autoencoder(layers)
        try:
            act(layers, library, model)
        except (TypeError, KeyError, AttributeError) as error:
            outcomes.append(type(error))
        else:
            walks = (model.named_parameters(), model.named_buffers(), model.named_modules())
            named = [[name for name, _ in pairs] for pairs in walks]
            outcomes.append([*named, list(model.state_dict())])
    assert outcomes[0] == outcomes[1]


BEFORE_INIT: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a number": lambda layers, library, x: setattr(x, "a", 5),
    "a Tensor": lambda layers, library, x: setattr(x, "a", library.ones(1)),
    "a list of Modules": lambda layers, library, x: setattr(x, "a", [layers.Tanh()]),
    "the mode": lambda layers, library, x: setattr(x, "training", False),
    "a Parameter": lambda layers, library, x: setattr(x, "a", layers.Parameter(library.ones(1))),
    "a Module": lambda layers, library, x: setattr(x, "a", layers.Tanh()),
    "a buffer": lambda layers, library, x: x.register_buffer("a", library.ones(1)),
    "a buffer that is None": lambda layers, library, x: x.register_buffer("a", None),
    "a call": lambda layers, library, x: x(1),
    "the mode, read": lambda layers, library, x: x.training,
    "parameters": lambda layers, library, x: [*x.parameters()],
    "buffers": lambda layers, library, x: [*x.buffers()],
    "children": lambda layers, library, x: [*x.children()],
    "modules": lambda layers, library, x: [*x.modules()],
    "state_dict": lambda layers, library, x: x.state_dict(),
    "load_state_dict": lambda layers, library, x: x.load_state_dict({}),
    "apply": lambda layers, library, x: x.apply(type),
    "train": lambda layers, library, x: x.train(),
    "to": lambda layers, library, x: x.to("cpu"),
    "zero_grad": lambda layers, library, x: x.zero_grad(),
    "requires_grad_": lambda layers, library, x: x.requires_grad_(),
    "repr": lambda layers, library, x: repr(x),
    "a copy": lambda layers, library, x: copy.deepcopy(x) and None,
}


@pytest.mark.parametrize("act", BEFORE_INIT.values(), ids=BEFORE_INIT)
def test_a_module_whose_init_was_not_called_refuses_what_pytorchs_refuses(act: Callable[[Any, Any, Any], Any]) -> None:
    outcomes: list[Any] = []
    for layers, library in ((torch.nn, torch), (nn, minigrad)):

        class Forgetful(layers.Module):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                pass

            def forward(self, x: Any) -> Any:
                return x

        try:
            outcomes.append(act(layers, library, Forgetful()))
        except (AttributeError, RuntimeError) as error:  # PyTorch raises the one, minigrad the other
            outcomes.append("refused")
            message = str(error)
    assert outcomes[0] == outcomes[1]
    assert outcomes[1] != "refused" or "__init__" in message or "training" in message


def family(layers: Any) -> Any:
    """A Module whose children refer to it and to each other, and one of them has two names."""

    class Family(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = layers.Linear(1, 1)
            self.norm = layers.BatchNorm1d(1)
            self.first.parent = self
            self.first.sibling = self.norm
            self.norm.sibling = self.first
            self.again = self.first

        def forward(self, x: Any) -> Any:
            return self.norm(self.first(x))

    return Family()


def test_walks_over_a_cyclic_module_are_pytorchs() -> None:
    def walks(model: Any) -> list[Any]:
        named = (model.named_modules(), model.named_children(), model.named_parameters(), model.named_buffers())
        return [
            [name for pairs in named for name, _ in pairs],
            [type(x).__name__ for x in model.modules()],
            len([*model.parameters()]),
            [name for name, _ in model.first.named_modules()],
            [name for name, _ in model.norm.named_parameters()],
            model.requires_grad_(False) is model,
            model.zero_grad(),
        ]

    assert walks(family(nn)) == walks(family(torch.nn))


def test_a_cyclic_module_does_what_any_module_does() -> None:
    model, visited = family(nn), []
    owners = dict.fromkeys(name.rpartition(".")[0] for name in model.state_dict())
    assert [*owners] == ["first", "first.sibling", "norm", "norm.sibling", "again", "again.sibling"]
    assert model.load_state_dict(model.state_dict()) == ([], [])
    assert model.train(False) is model
    assert not any(module.training for module in (model, model.first, model.norm))
    assert model.eval().train().norm.training
    assert model.apply(visited.append) is model
    assert visited[-1] is model
    assert {*visited} == {model, model.first, model.norm}
    assert model.to(minigrad.float64).norm.running_mean.dtype == minigrad.float64
    assert model(minigrad.ones(2, 1).double()).shape == (2, 1)
    twin = copy.deepcopy(model)
    assert twin.first.parent is twin is not model
    assert repr(twin) == repr(model)


def test_the_text_of_a_cyclic_module_ends() -> None:
    model: Any = nn.Sequential(nn.Linear(1, 2, bias=False))
    model[0].parent = model
    twin = pickle.loads(pickle.dumps(model))
    assert twin[0].parent is twin
    assert repr(twin) == repr(model)
    assert repr(model) == (
        "Sequential(\n  (0): Linear(\n    in_features=1, out_features=2, bias=False\n    (parent): ...\n  )\n)"
    )


def test_many_modules_that_all_know_each_other_are_walked_soon() -> None:
    modules = [nn.Tanh() for _ in range(30)]
    for module in modules:
        for i, other in enumerate(modules):
            setattr(module, f"friend{i}", other)
    assert len([*modules[0].modules()]) == 30
    assert [*modules[0].parameters()] == []
    assert not modules[0].eval().training


def test_the_text_of_a_layer_with_a_child_is_pytorchs() -> None:
    def parent(layers: Any) -> Any:
        model = layers.Linear(2, 3)
        model.inner = layers.Dropout(0.2)
        return model

    assert repr(parent(nn)) == repr(parent(torch.nn))


@every_model
def test_walks_over_a_module_are_pytorchs(make: Make) -> None:
    def walks(model: Any) -> list[Any]:
        visited: list[str] = []
        assert model.apply(lambda module: visited.append(type(module).__name__)) is model
        return [
            visited,
            [name for name, _ in model.named_children()],
            [type(child).__name__ for child in model.children()],
            [(name, tuple(buffer.shape)) for name, buffer in model.named_buffers()],
            [tuple(buffer.shape) for buffer in model.buffers()],
        ]

    assert walks(make(nn)) == walks(make(torch.nn))


def test_a_module_moves_to_where_it_is() -> None:
    model = transformer(nn)
    before = [parameter.array for parameter in model.parameters()]
    assert model.to("cpu") is model
    assert model.to(device="cpu") is model
    assert all(parameter.array is array for parameter, array in zip(model.parameters(), before, strict=True))
    with pytest.raises(RuntimeError, match="cuda"):
        model.to("cuda")


def test_a_module_changes_its_dtype() -> None:
    for layers, library in ((torch.nn, torch), (nn, minigrad)):
        model = layers.Sequential(layers.Linear(3, 3), layers.BatchNorm1d(3)).to(library.float64)
        dtypes = [str(x.dtype).removeprefix("torch.") for x in model.state_dict().values()]
        assert dtypes == ["float64"] * 6 + ["int64"]
        model(library.ones(4, 3, dtype=library.float64)).sum().backward()
        assert model[0].weight.grad.dtype == library.float64


def test_a_module_is_frozen_and_thawed() -> None:
    model = autoencoder(nn)
    assert model.requires_grad_(False) is model
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not model(minigrad.ones(4, 3)).requires_grad
    assert all(parameter.requires_grad for parameter in model.requires_grad_().parameters())


def test_zero_grad_fills_with_zeros_if_asked_to() -> None:
    model = autoencoder(nn)
    model(minigrad.ones(4, 3)).sum().backward()
    model.zero_grad(set_to_none=False)
    assert all((parameter.grad.array == 0).all() for parameter in model.parameters())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ignore_index": 1},
        {"reduction": "none"},
        {"label_smoothing": 0.3},
        {"reduction": "sum", "label_smoothing": 0.3, "ignore_index": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 0.5]], ids=["even", "weighted"])
def test_cross_entropy_loss(weight: list[float] | None, settings: dict[str, Any]) -> None:
    logits, target = normal(5, 3, dtype=np.float32), np.array([0, 1, 2, 1, 0])
    results = []
    for layers, library in ((nn, minigrad), (torch.nn, torch)):
        loss = layers.CrossEntropyLoss(weight and library.tensor(weight), **settings)
        assert [*loss.state_dict()] == ["weight"] * (weight is not None)
        results.append(loss(library.tensor(logits), library.tensor(target)))
    assert_same(*results)


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_a_dropout_of_no_probability_is_refused(p: float) -> None:
    for layers in (torch.nn, nn):
        with pytest.raises(ValueError, match=str(p)):
            layers.Dropout(p)


def test_layer_norm_refuses_other_sizes() -> None:
    for layers, library in ((torch.nn, torch), (nn, minigrad)):
        with pytest.raises(RuntimeError, match="shape"):
            layers.LayerNorm(3)(library.ones(2, 4))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_is_equal_and_apart(copied: Callable[[Any], Any]) -> None:
    model = nn.MLP(5, hidden=4).eval()
    twin = copied(model)
    assert repr(twin) == repr(model)
    assert_same_state(twin, model)
    assert not any(module.training for module in twin.modules())
    for mine, other in zip(twin.state_dict().values(), model.state_dict().values(), strict=True):
        assert not np.shares_memory(mine.array, other.array)


# What they compute

FORWARD: dict[str, tuple[Make, np.ndarray]] = {
    "Linear": (lambda layers: layers.Linear(3, 4), normal(5, 3)),
    "Linear, 1-D": (lambda layers: layers.Linear(3, 4), normal(3)),
    "Linear, 3-D": (lambda layers: layers.Linear(3, 4), normal(2, 5, 3)),
    "Linear without bias": (lambda layers: layers.Linear(3, 4, bias=False), normal(5, 3)),
    "Embedding": (lambda layers: layers.Embedding(5, 2), random.integers(0, 5, (4, 3))),
    "BatchNorm1d": (lambda layers: layers.BatchNorm1d(3), normal(8, 3)),
    "BatchNorm1d, 3-D": (lambda layers: layers.BatchNorm1d(3), normal(8, 3, 5)),
    "BatchNorm1d with eps": (lambda layers: layers.BatchNorm1d(3, eps=0.1), normal(8, 3)),
    "BatchNorm1d with momentum": (lambda layers: layers.BatchNorm1d(3, momentum=0.5), normal(8, 3)),
    "BatchNorm1d, cumulative": (lambda layers: layers.BatchNorm1d(3, momentum=None), normal(8, 3)),
    "BatchNorm1d without affine": (
        lambda layers: layers.BatchNorm1d(3, affine=False),
        normal(8, 3),
    ),
    "BatchNorm1d without bias": (lambda layers: layers.BatchNorm1d(3, bias=False), normal(8, 3)),
    "BatchNorm1d without statistics": (
        lambda layers: layers.BatchNorm1d(3, track_running_stats=False),
        normal(8, 3),
    ),
    "LayerNorm": (lambda layers: layers.LayerNorm(3), normal(8, 3)),
    "LayerNorm of two dims": (lambda layers: layers.LayerNorm([4, 3], eps=0.1), normal(2, 4, 3)),
    "LayerNorm without bias": (lambda layers: layers.LayerNorm(3, bias=False), normal(8, 3)),
    "LayerNorm without affine": (
        lambda layers: layers.LayerNorm(3, elementwise_affine=False),
        normal(8, 3),
    ),
    "Dropout": (lambda layers: layers.Dropout(0.3), normal(8, 3)),
    "a transformer": (transformer, random.integers(0, 9, (2, 4))),
    "Flatten": (lambda layers: layers.Flatten(), normal(2, 3, 4)),
    "Flatten(0, 1)": (lambda layers: layers.Flatten(0, 1), normal(2, 3, 4)),
    "Tanh": (lambda layers: layers.Tanh(), normal(5, 3)),
    "ReLU": (lambda layers: layers.ReLU(), normal(5, 3)),
    "Sequential": (
        lambda layers: layers.Sequential(
            layers.Linear(3, 4, False), layers.BatchNorm1d(4), layers.Tanh(), layers.Flatten(0)
        ),
        normal(5, 3),
    ),
    "shared Parameters": (autoencoder, normal(5, 3)),
    "a shared layer": (recurrent, normal(5, 3)),
}


@pytest.fixture
def double_precision() -> Iterator[None]:
    """Make float64 the default dtype of both libraries during a test."""
    torch.set_default_dtype(torch.float64)
    minigrad.set_default_dtype(minigrad.float64)
    yield
    minigrad.set_default_dtype(minigrad.float32)
    torch.set_default_dtype(torch.float32)


def assert_alike(mine: minigrad.Tensor | None, reference: torch.Tensor | None) -> None:
    """Require the same numbers, or none in both, after a chain of operations that may cancel a few digits."""
    if mine is None or reference is None:
        assert mine is reference
    else:
        assert mine.shape == tuple(reference.shape)
        np.testing.assert_allclose(mine.array, reference.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(("make", "input"), FORWARD.values(), ids=FORWARD)
def test_results_and_gradients_are_pytorchs(make: Make, input: np.ndarray) -> None:
    mine, reference = twins(make)
    minigrad.manual_seed(3)
    torch.manual_seed(3)
    for training in (True, True, True, False):
        mine.train(training)
        reference.train(training)
        my_input, reference_input = (as_tensor(input, input.dtype.kind == "f") for as_tensor in (ours, theirs))
        my_result, reference_result = mine(my_input), reference(reference_input)
        assert_alike(my_result, reference_result)
        upstream = normal(*my_result.shape)
        my_result.backward(ours(upstream))
        reference_result.backward(theirs(upstream))
        assert_alike(my_input.grad, reference_input.grad)
        for parameter, reference_parameter in zip(mine.parameters(), reference.parameters(), strict=True):
            assert_alike(parameter.grad, reference_parameter.grad)
        for tensor, reference_tensor in zip(mine.state_dict().values(), reference.state_dict().values(), strict=True):
            assert_alike(tensor, reference_tensor)
        input = 2 * input + 1 if input.dtype.kind == "f" else input


@pytest.mark.parametrize("shape", [(3,), (5, 2), (5, 3, 2, 2), (1, 3), (1, 3, 1)], ids=str)
def test_batch_norm_refuses_other_shapes_and_a_batch_of_one(shape: tuple[int, ...]) -> None:
    for layers, library in ((torch.nn, torch), (nn, minigrad)):
        with pytest.raises((ValueError, RuntimeError)):
            layers.BatchNorm1d(3)(library.ones(*shape))


def test_batch_norm_evaluates_a_batch_of_one() -> None:
    mine, reference = twins(lambda layers: layers.BatchNorm1d(3).eval())
    assert_same(mine(ours(np.ones((1, 3), np.float32))), reference(torch.ones(1, 3)))


def test_train_and_eval_reach_every_module() -> None:
    model = autoencoder(nn)
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.train() is model
    assert all(module.training for module in model.modules())
    assert not any(module.training for module in model.train(False).modules())
    assert nn.BatchNorm1d(3).training, "the mode of one Module is not that of its class"


def test_zero_grad_leaves_no_gradients() -> None:
    model = autoencoder(nn)
    model(minigrad.ones(4, 3)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())


# State


@every_model
def test_a_state_dict_moves_both_ways_unchanged(make: Make) -> None:
    mine, reference = twins(make)
    assert_same_state(mine, reference)
    mine = make(nn)
    reference.load_state_dict(to_pytorch(mine.state_dict()))
    assert_same_state(mine, reference)


def test_a_state_dict_shares_memory_and_needs_no_gradient() -> None:
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    assert not state["weight"].requires_grad
    state["weight"].array[...] = 7
    assert (layer.weight.array == 7).all()


@pytest.mark.parametrize("values", [lambda x: x, lambda x: x.array, lambda x: x.tolist(), lambda x: theirs(x.array)])
def test_a_state_dict_is_loaded_from_whatever_holds_numbers(values: Callable[[Any], Any]) -> None:
    source, target = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    source(minigrad.randn(8, 3))
    target.load_state_dict({name: values(tensor) for name, tensor in source.state_dict().items()})
    assert_same_state(target, source)


def test_what_was_loaded_is_a_copy() -> None:
    source, target = nn.Linear(2, 2), nn.Linear(2, 2)
    target.load_state_dict(source.state_dict())
    assert not np.shares_memory(source.weight.array, target.weight.array)


FAULTS: dict[str, tuple[dict[str, np.ndarray], list[str]]] = {
    "missing": ({"weight": np.ones((2, 3))}, ["bias"]),
    "unknown": ({"weight": np.ones((2, 3)), "bias": np.ones(2), "scale": np.ones(1)}, ["scale"]),
    "of another shape": ({"weight": np.ones((3, 2)), "bias": np.ones(2)}, ["weight", "(3, 2)", "(2, 3)"]),
    "of a shape that would broadcast": ({"weight": np.ones((1, 3)), "bias": np.ones(2)}, ["weight", "(1, 3)"]),
    "a single number": ({"weight": np.ones((2, 3)), "bias": np.ones(())}, ["bias", "()", "(2,)"]),
    "wrong in every way": ({"weight": np.ones(6), "shift": np.ones(2)}, ["weight", "bias", "shift"]),
    "empty": ({}, ["weight", "bias"]),
}


@pytest.mark.parametrize(("state", "named"), FAULTS.values(), ids=FAULTS)
def test_a_state_dict_is_refused_with_every_fault_named_and_nothing_copied(
    state: dict[str, np.ndarray], named: list[str]
) -> None:
    with pytest.raises(RuntimeError):
        torch.nn.Linear(3, 2).load_state_dict({name: theirs(array) for name, array in state.items()})
    layer = nn.Linear(3, 2)
    before = arrays(layer.state_dict())
    with pytest.raises(RuntimeError, match="load_state_dict: Linear") as caught:
        layer.load_state_dict(state)
    assert all(name in str(caught.value) for name in named)
    for name, array in arrays(layer.state_dict()).items():
        np.testing.assert_array_equal(array, before[name])


def test_a_state_dict_that_need_not_match() -> None:
    """What fits is copied and the rest is reported, as in PyTorch; a shape has to match in any case."""
    for layers, library in ((torch.nn, torch), (nn, minigrad)):
        layer = layers.Linear(3, 2)
        keys = layer.load_state_dict({"weight": library.ones(2, 3), "scale": library.ones(1)}, strict=False)
        missing, unexpected = keys
        assert (missing, unexpected) == (keys.missing_keys, keys.unexpected_keys) == (["bias"], ["scale"])
        assert repr(keys) == "_IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['scale'])"
        assert layer.weight.tolist() == [[1, 1, 1], [1, 1, 1]]
        with pytest.raises(RuntimeError, match="weight"):
            layer.load_state_dict({"weight": library.ones(3, 3)}, strict=False)
        assert repr(layer.load_state_dict(layer.state_dict())) == "<All keys matched successfully>"


def test_a_state_dict_of_parameters_is_loaded() -> None:
    source, target = nn.Linear(2, 2), nn.Linear(2, 2)
    target.load_state_dict(dict(source.named_parameters()))
    assert_same_state(target, source)


def test_a_state_that_is_loaded_before_the_backward_pass_is_noticed() -> None:
    layer = nn.Linear(2, 2)
    loss = layer(minigrad.ones(1, 2, requires_grad=True)).sum()
    layer.load_state_dict(nn.Linear(2, 2).state_dict())
    with pytest.raises(RuntimeError, match=r"changed.* by load_state_dict"):
        loss.backward()


def test_what_is_drawn_anew_before_the_backward_pass_is_noticed() -> None:
    layer = nn.Linear(2, 2)
    loss = layer(minigrad.ones(1, 2, requires_grad=True)).sum()
    layer.reset_parameters()
    with pytest.raises(RuntimeError, match=r"changed.* by uniform_"):
        loss.backward()


# Initial values. Uniform numbers agree to the bit but for the rounding of their bounds, normal ones within the last
# bits of a logarithm and a cosine, which in blocks of 16 PyTorch computes with less exact instructions.

UNIFORM_UNITS, NORMAL_UNITS = 1, 4


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("make", "units"),
    [
        (lambda layers: layers.Linear(3, 4), UNIFORM_UNITS),
        (lambda layers: layers.Linear(30, 200), UNIFORM_UNITS),
        (lambda layers: layers.Linear(200, 27, bias=False), UNIFORM_UNITS),
        (lambda layers: layers.Embedding(3, 4), NORMAL_UNITS),
        (lambda layers: layers.Embedding(27, 10), NORMAL_UNITS),
        (lambda layers: layers.Sequential(layers.Linear(5, 5), layers.Embedding(9, 9)), NORMAL_UNITS),
        (lambda layers: layers.LayerNorm(5), UNIFORM_UNITS),
        (lambda layers: layers.Sequential(layers.BatchNorm1d(5), layers.Linear(5, 2), layers.Tanh()), UNIFORM_UNITS),
        (autoencoder, NORMAL_UNITS),
        (transformer, NORMAL_UNITS),
    ],
    ids=lambda x: repr(x(nn)).replace("\n", "") if callable(x) else None,
)
def test_the_same_seed_gives_pytorchs_initial_values(make: Make, units: int, seed: int) -> None:
    minigrad.manual_seed(seed)
    torch.manual_seed(seed)
    mine, reference = arrays(make(nn).state_dict()), arrays(make(torch.nn).state_dict())
    for name, array in mine.items():
        np.testing.assert_array_max_ulp(array, reference[name], units)


def test_reset_parameters_draws_anew() -> None:
    for layer in (nn.Linear(3, 4), nn.Embedding(3, 4)):
        parameter, before = layer.weight, layer.weight.array.copy()
        layer.reset_parameters()
        assert layer.weight is parameter
        assert (parameter.array != before).all()


INITS = {
    "uniform_": ("uniform_", {}),
    "uniform_ between bounds": ("uniform_", {"a": -2.0, "b": 3.0}),
    "normal_": ("normal_", {}),
    "normal_ elsewhere": ("normal_", {"mean": 1.0, "std": 0.02}),
    "constant_": ("constant_", {"val": 0.5}),
    "zeros_": ("zeros_", {}),
    "ones_": ("ones_", {}),
    "kaiming_uniform_": ("kaiming_uniform_", {}),
    "kaiming_uniform_ as Linear": ("kaiming_uniform_", {"a": math.sqrt(5)}),
    "kaiming_uniform_ out": ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
    "kaiming_normal_": ("kaiming_normal_", {"nonlinearity": "tanh"}),
    "kaiming_normal_ out": ("kaiming_normal_", {"a": 0.2, "mode": "fan_out"}),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 5), (20, 30), (4, 3, 2), (2, 0)], ids=str)
@pytest.mark.parametrize(("name", "settings"), INITS.values(), ids=INITS)
def test_init_fills_in_place_with_pytorchs_numbers(
    name: str, settings: dict[str, Any], shape: tuple[int, ...], dtype: Any
) -> None:
    mine, reference = minigrad.zeros(shape, dtype=dtype, requires_grad=True), theirs(np.zeros(shape, dtype))
    array = mine.array
    generators = minigrad.Generator().manual_seed(42), torch.Generator().manual_seed(42)
    mine_settings, reference_settings = (
        settings if name in ("constant_", "zeros_", "ones_") else settings | {"generator": generator}
        for generator in generators
    )
    assert getattr(nn.init, name)(mine, **mine_settings) is mine
    if reference.numel():
        getattr(torch.nn.init, name)(reference, **reference_settings)
    assert mine.array is array
    assert mine.is_leaf
    assert_close(array, reference.numpy())


@pytest.mark.parametrize("name", ["uniform_", "normal_", "kaiming_uniform_", "kaiming_normal_"])
def test_init_draws_from_the_default_generator(name: str) -> None:
    minigrad.manual_seed(7)
    torch.manual_seed(7)
    mine, reference = minigrad.zeros(4, 5), torch.zeros(4, 5)
    for _ in range(2):
        getattr(nn.init, name)(mine)
        getattr(torch.nn.init, name)(reference)
        assert_close(mine.array, reference.numpy())


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 300), ("fan_out", 400)])
@pytest.mark.parametrize(("nonlinearity", "gain"), [("relu", math.sqrt(2)), ("tanh", 5 / 3), ("linear", 1.0)])
def test_the_spread_of_kaimings_numbers(mode: str, fan: int, nonlinearity: str, gain: float) -> None:
    """120,000 numbers, whose standard deviation is known to about 1 / sqrt(240,000), a five-hundredth."""
    uniform = nn.init.kaiming_uniform_(minigrad.zeros(400, 300), mode=mode, nonlinearity=nonlinearity).array
    bound = gain * math.sqrt(3 / fan)
    assert 0.99 * bound < np.abs(uniform).max() <= bound * (1 + 1e-6)
    normals = nn.init.kaiming_normal_(minigrad.zeros(400, 300), mode=mode, nonlinearity=nonlinearity).array
    for numbers in (uniform, normals):
        assert numbers.std() == pytest.approx(gain / math.sqrt(fan), rel=0.01)
        assert abs(numbers.mean()) < 0.01 * numbers.std()


@pytest.mark.parametrize(
    "arguments",
    [
        *((name,) for name in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")),
        *((f"conv{kind}{dims}d",) for kind in ("", "_transpose") for dims in (1, 2, 3)),
        ("leaky_relu", 0.3),
        ("leaky_relu", 0),
    ],
    ids=str,
)
def test_calculate_gain(arguments: tuple[Any, ...]) -> None:
    assert nn.init.calculate_gain(*arguments) == pytest.approx(torch.nn.init.calculate_gain(*arguments), rel=1e-15)


@pytest.mark.parametrize(
    ("message", "act"),
    [
        ("'swish'", lambda init, library: init.calculate_gain("swish")),
        ("True", lambda init, library: init.calculate_gain("leaky_relu", True)),
        ("'steep'", lambda init, library: init.calculate_gain("leaky_relu", "steep")),
        ("'fan_both'", lambda init, library: init.kaiming_uniform_(library.zeros(2, 2), mode="fan_both")),
        ("'swish'", lambda init, library: init.kaiming_normal_(library.zeros(2, 2), nonlinearity="swish")),
        (r"\(2,\)", lambda init, library: init.kaiming_uniform_(library.zeros(2))),
        (r"\(\)", lambda init, library: init.kaiming_normal_(library.zeros(()))),
    ],
)
def test_init_refuses(message: str, act: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(ValueError, match=r"(?i)unsupported|not supported|fewer than 2 dim|not a valid"):
        act(torch.nn.init, torch)
    with pytest.raises(ValueError, match=message):
        act(nn.init, minigrad)


def test_a_sequential_that_iterates_in_another_order_computes_in_that_order() -> None:
    for layers in nn, torch.nn:

        class Backwards(layers.Sequential):  # type: ignore[name-defined, misc]
            def __iter__(self) -> Iterator[Any]:
                return reversed([*super().__iter__()])

        model = Backwards(layers.Linear(2, 3), layers.Linear(4, 2))
        library = minigrad if layers is nn else torch
        assert model(library.ones(5, 4)).shape == (5, 3)
