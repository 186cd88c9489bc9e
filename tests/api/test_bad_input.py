"""Arguments that make no sense, for all that is public: an exception that says why, or PyTorch's result.

What is public is found by looking, so that a new function is covered from its first day. Two things are required. Any
call at all ends in a result or in an exception with a message, soon, and never in one that speaks of minigrad's inside.
And of a call that both libraries take, one argument is exchanged: then either both refuse, with related exceptions, or
minigrad's result has the shape and dtype of PyTorch's, or minigrad alone refuses. Nothing here draws a picture.
"""

import copy
import inspect
import itertools
import random
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
import nn
from tests.support.comparison import REFUSALS


class Made(str):
    """An argument that each library makes for itself, of this expression."""

    def __repr__(self) -> str:
        return str(self)


class Target(NamedTuple):
    """Something public: its name, what is called in minigrad and in PyTorch (if it is there), and whose it is."""

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any] | None
    owners: tuple[Made, ...] = ()

    def parameters(self) -> list[inspect.Parameter]:
        """What it takes, but for `self`."""
        return [*inspect.signature(self.ours).parameters.values()][bool(self.owners) :]


class Call(NamedTuple):
    """The arguments of a call, first of them what the method belongs to."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def exchanged(self, place: int, value: Any) -> "Call":
        """The call with another argument at one place."""
        if place < len(self.args):
            return Call((*self.args[:place], value, *self.args[place + 1 :]), self.kwargs)
        return Call(self.args, self.kwargs | {[*self.kwargs][place - len(self.args)]: value})


# Arguments


def tensor(shape: tuple[int, ...], dtype: str = "float32", requires_grad: bool = False) -> Made:
    """A tensor of small numbers."""
    numbers = f"torch.arange({int(np.prod(shape))}).reshape({shape}).to(torch.{dtype})"
    return Made(numbers + ".requires_grad_()" * requires_grad)


TENSORS = [
    *(tensor(shape) for shape in [(), (0,), (2,), (3,), (2, 3), (3, 2), (2, 2), (0, 3), (2, 3, 4)]),
    *(tensor(shape, "float32", True) for shape in [(), (3,), (2, 3)]),
    *(tensor(shape, "int64") for shape in [(), (2,), (3,), (2, 3)]),
    *(tensor(shape, dtype) for dtype in ("bool", "float64", "uint8") for shape in [(), (2,), (2, 3)]),
]
LIKELY: dict[str, list[Any]] = {
    "input self tensor other target exponent data gradient source grad_outputs x": TENSORS,
    "weight bias min max value": [None, 1, 0.5, *TENSORS],
    "running_mean running_var": [None, tensor((3,)), tensor((2,))],
    "condition mask": [tensor(shape, "bool") for shape in [(), (2,), (3,), (2, 3)]],
    "index repeats": [2, 1, tensor((2,), "int64"), tensor((3,), "int64")],
    "tensors operands params inputs outputs": [[a] * n for a in TENSORS for n in (1, 2)],
    "equation": ["ij->i", "ij,jk", "i,i->i", "...i->...", "ii"],
    "dim axis dim0 dim1 start_dim end_dim": [0, 1, -1, -2, 2],
    "dims shape size sizes normalized_shape": [2, 3, (2, 3), (3,), (), (6,), (-1,), (0, 1)],
    "split_size_or_sections indices_or_sections lengths nouts": [1, 2, (1, 1), [1, 2], (2, 1)],
    "keepdim unbiased replacement training density affine nesterov strict persistent": [True, False],
    "requires_grad retain_graph create_graph set_to_none equal_nan allow_unused": [True, False],
    "p eps momentum lr alpha a b mean std val fill_value rtol atol label_smoothing base weight_decay": [
        0.5,
        0.0,
        1,
        2.0,
    ],
    "n m steps low high num_samples in_features out_features num_features num_embeddings embedding_dim": [1, 2, 3],
    "start end step num_classes correction diagonal bins ignore_index nin nout vocab_size seed": [0, 1, 2, 3, -1],
    "dtype d kind": [Made("torch.float32"), Made("torch.float64"), Made("torch.int64"), Made("torch.bool")],
    "generator": [None, Made("torch.Generator()")],
    "reduction": ["mean", "sum", "none"],
    "key i": [0, -1, slice(0, 1), ..., None, tensor((2,), "int64"), (0, 1), [0, 1]],
    "state_dict": [{}, {"weight": tensor((3, 2)), "bias": tensor((3,))}],
    "dataset": [[1, 2, 3]],
}
THING = types.SimpleNamespace()
NUMPYS = [np.float32(1.5), np.int64(1), np.bool_(True), np.array([1.0, 2.0]), np.array(["a"]), np.array(None)]
BAD = [
    None, "x", "", b"x", [], {}, (), THING, len, int, 1j, 10**30, -(10**30), 2**62, float("nan"), float("inf"),
    -1, 7, -7, True, False, 1.5, -0.5, (1.5,), [None], ("a", "b"), {"a": 1}, {1, 2}, [1, [2]], slice(0, 2), ...,
    range(2), (-1, -1), (0, 0), (9, 9), [2**62, 2], Made("torch.float32"), Made("torch.Generator()"), Made("nn.Tanh()"),
    tensor((0,)), tensor(()), tensor((2, 2, 2), "int64"), tensor((4,), "bool"), tensor((1, 5), "float16"),
    [tensor((2,)), tensor((3,), "int64")], *NUMPYS,
]  # fmt: skip


def likely(parameter: inspect.Parameter) -> list[Any]:
    """Arguments that a parameter of such a name may be for."""
    known = (values for names, values in LIKELY.items() if parameter.name in names.split())
    return next(known, [*TENSORS, 0, 1, 2, 0.5])


# What is called

MODULES = [
    ("minigrad", minigrad, torch),
    ("nn", nn, torch.nn),
    ("nn.functional", nn.functional, torch.nn.functional),
    ("nn.init", nn.init, torch.nn.init),
    ("nn.optim", nn.optim, torch.optim),
    ("nn.scalar", nn.scalar, None),
    ("minigrad.gradients", minigrad.autograd, torch.autograd),
    ("minigrad.cuda", minigrad.cuda, torch.cuda),
    ("minigrad.utils.data", minigrad.utils.data, torch.utils.data),
]
LAYERS = [
    "Linear(2, 3)", "Embedding(3, 2)", "BatchNorm1d(3)", "LayerNorm(3)", "Dropout()", "Flatten()", "Tanh()", "ReLU()",
    "CrossEntropyLoss()", "Sequential(nn.Linear(2, 3), nn.Tanh())", "ModuleList([nn.Tanh(), nn.ReLU()])",
]  # fmt: skip
OWNERS = [
    (minigrad.Tensor, torch.Tensor, TENSORS),
    (minigrad.Generator, torch.Generator, ["torch.Generator()"]),
    (minigrad.Size, torch.Size, ["torch.Size([2, 3])"]),
    (minigrad.Value, None, ["torch.Value(2.0)"]),
    (nn.scalar.Neuron, None, ["nn.scalar.Neuron(2)"]),
    (nn.scalar.MLP, None, ["nn.scalar.MLP(2, [3, 1])"]),
    (nn.optim.SGD, torch.optim.SGD, ["torch.optim.SGD([torch.ones(2)])"]),
    *((getattr(nn, text.split("(")[0]), getattr(torch.nn, text.split("(")[0]), [f"nn.{text}"]) for text in LAYERS),
]
OPERATORS = {f"__{way}{name}__" for way in ("", "r", "i") for name in ("add", "sub", "mul", "truediv", "pow")}
PROTOCOLS = {"__len__", "__iter__", "__bool__", "__float__", "__int__", "__index__", "__call__", "__getitem__"}
PROTOCOLS |= {"__setitem__", "__contains__", "__abs__", "__neg__", "__eq__", "__lt__", "__matmul__", "__format__"}

# Settings for all that follows, and what is for the engine alone.
NOT_CALLED = {"set_default_dtype", "set_grad_enabled", "set_detect_anomaly", "set_printoptions"}
NOT_CALLED |= {"recorder", "wrap", "partners", "explain", "update"}

FILES = {"load", "save"}  # whose format is not PyTorch's


def targets() -> Iterator[Target]:
    """All that is public and can be called."""
    for prefix, module, theirs in MODULES:
        for name in dir(module):
            function = getattr(module, name)
            home = getattr(function, "__module__", "")
            there = home.startswith(("minigrad", "nn")) if module in (minigrad, nn) else home == prefix
            if name[0] != "_" and name not in NOT_CALLED and callable(function) and there:
                yield Target(f"{prefix}.{name}", function, getattr(theirs, name, None) if name not in FILES else None)
    met = set()
    for kind, their_kind, owners in OWNERS:
        own = [base for base in kind.__mro__ if base.__module__.startswith(("minigrad", "nn"))]
        for name in sorted({name for base in own for name in vars(base)} - NOT_CALLED):
            function = getattr(kind, name)
            if (name[0] != "_" or name in PROTOCOLS | OPERATORS) and callable(function) and function not in met:
                met.add(function)
                theirs = getattr(their_kind, name, None)
                yield Target(f"{kind.__name__}.{name}", function, theirs, tuple(map(Made, owners)))


TARGETS = [*targets()]
NAMES = [target.name for target in TARGETS]


# Calls


def made(value: Any, library: Any) -> Any:
    """An argument as a library takes it."""
    if isinstance(value, Made):
        return eval(value, {"torch": library, "nn": library.nn})
    if isinstance(value, tuple | list):
        return type(value)(made(part, library) for part in value)
    if isinstance(value, dict):
        return {name: made(part, library) for name, part in value.items()}
    return copy.copy(value)


def outcome(target: Target, call: Call, library: Any) -> Any:
    """What a call returns, or the exception that it raises."""
    function: Any = target.theirs if library is torch else target.ours
    args, kwargs = made(call.args, library), made(call.kwargs, library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if library is torch else "error")
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.")
        warnings.filterwarnings("ignore", "Data type alias")  # numpy's, of a name for a dtype that it then refuses
        try:
            result = function(*args, **kwargs)
            if result is NotImplemented and ".__" in target.name:
                return TypeError("which Python raises where an operator gives this up")
            return [*result] if isinstance(result, Iterator) else result
        except Exception as error:
            return error


def described(result: Any) -> Any:
    """The kind of thing that a result is; of tensors, the shape and dtype."""
    if isinstance(result, minigrad.Tensor | torch.Tensor):
        return tuple(result.shape), str(result.dtype)
    if isinstance(result, tuple | list):
        return [described(part) for part in result]
    return type(result).__name__ if isinstance(result, int | float | str | None) else "thing"


def likely_call(target: Target, chosen: random.Random) -> Call:
    """A call with arguments that look right."""
    args: list[Any] = [chosen.choice(target.owners)] if target.owners else []
    kwargs = {}
    for parameter in target.parameters():
        if parameter.kind is parameter.VAR_POSITIONAL:
            args += [chosen.choice(likely(parameter)) for _ in range(chosen.randrange(1, 3))]
        elif parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.default is parameter.empty or chosen.random() < 0.3:
                kwargs[parameter.name] = chosen.choice(likely(parameter))
        elif parameter.kind is not parameter.VAR_KEYWORD:
            if parameter.default is not parameter.empty and chosen.random() < 0.5:
                break
            args.append(chosen.choice(likely(parameter)))
    return Call(tuple(args), kwargs)


def good_calls(target: Target, wanted: int = 8, tries: int = 60) -> list[Call]:
    """Calls that both libraries take, and answer alike."""
    chosen = random.Random(target.name)
    calls = (likely_call(target, chosen) for _ in range(tries))
    return [*itertools.islice((call for call in calls if are_alike(target, call)), wanted)]


def are_alike(target: Target, call: Call) -> bool:
    """Whether both libraries take a call, and answer alike."""
    ours, theirs = outcome(target, call, minigrad), outcome(target, call, torch)
    return not isinstance(theirs, Exception) and described(ours) == described(theirs)


def is_huge(value: Any) -> bool:
    """Whether it is or holds a number beyond any size."""
    return any(map(is_huge, value)) if isinstance(value, list) else isinstance(value, int) and abs(value) >= 2**62


def asks_too_much(target: Target, value: Any) -> bool:
    """Whether Python would make so many neurons, one after the other."""
    return target.name.startswith("nn.scalar") and is_huge(value)


def exchanges(target: Target, calls: list[Call]) -> list[tuple[Call, int, Any]]:
    """All calls in which one argument is exchanged for one that makes no sense, with its place and value."""
    first = bool(target.owners)
    return [
        (call.exchanged(place, value), place, value)
        for call in calls
        for place in range(first, len(call.args) + len(call.kwargs))
        for value in BAD
        if not asks_too_much(target, value)
    ]


# Any call at all

# Methods of Tensor that do not look at all of their arguments yet, and what calls them.


def is_left_out(target: Target, values: list[Any]) -> bool:
    """Whether nothing is required: of powers of bools, which are bools in PyTorch."""
    name = target.name.split(".")[-1].strip("_")
    return name.endswith("pow") and any(isinstance(value, bool) for value in values)


# Errors that come from within, where an argument was taken that should have been refused at the door.
FROM_WITHIN = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, NameError, RecursionError, SystemError,
    DeprecationWarning, RuntimeWarning,
)  # fmt: skip
FROM_WITHOUT = (IndexError, OverflowError)


def require_an_answer(target: Target, call: Call) -> Any:
    """Require a result, or an exception that says something, of a call; returns it."""
    result = outcome(target, call, minigrad)
    if isinstance(result, Exception):
        assert str(result).strip(), f"{target.name}{call}: {result!r} says nothing"
        within = isinstance(result, FROM_WITHIN) and not isinstance(result, FROM_WITHOUT)
        assert not within or is_documented(target, result), f"{target.name}{call}: {result!r}"
    else:
        assert result is not NotImplemented, f"{target.name}{call} is NotImplemented"
        described(result)
    return result


def is_documented(target: Target, error: Exception) -> bool:
    """Whether the docstrings promise this error: of a Value as of Python's floats, and of a name that is taken."""
    return (isinstance(error, ZeroDivisionError) and "Value" in target.name) or "already" in str(error)


@st.composite
def any_calls(draw: st.DrawFn, target: Target) -> Call:
    """Calls with too few, enough or too many arguments, likely and bad, by place and by name."""
    args: list[Any] = [draw(st.sampled_from(target.owners))] if target.owners else []
    kwargs = {}
    parameters = target.parameters()
    given_ = draw(st.integers(max(len(parameters) - 2, 0), len(parameters) + 1))
    values = [value for value in BAD if not asks_too_much(target, value)]
    for parameter in [*parameters, inspect.Parameter("unknown", inspect.Parameter.POSITIONAL_ONLY)][:given_]:
        value = draw(st.sampled_from(likely(parameter)) | st.sampled_from(values))
        if parameter.kind is parameter.KEYWORD_ONLY:
            kwargs[parameter.name] = value
        else:
            args.append(value)
    return Call(tuple(args), kwargs)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be written where nobody minds."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_any_call_ends_in_a_result_or_in_an_exception_that_says_why(target: Target) -> None:
    @settings(max_examples=12, deadline=5000)
    @given(call=any_calls(target))
    def check(call: Call) -> None:
        if not is_left_out(target, [*call.args[bool(target.owners) :], *call.kwargs.values()]):
            require_an_answer(target, call)

    check()


# A good call, but for one argument

COMPARED = [target for target in TARGETS if target.theirs is not None]

# Where minigrad means to take more than PyTorch.
TAKES_MORE = {
    "Size": "it is a tuple of whatever it is given",
    "Tensor": "what it is given becomes float32, whatever it was",
    "full": "a size alone is a shape of one dim",
    "randint": "a size alone is a shape of one dim",
    "reshape": "the sizes may be listed one by one in the function too",
    "permute": "the dims may be listed one by one in the function too",
    "clamp": "one bound may be a Tensor and the other a number",
    "logsumexp": "no dims are all dims, as in the other reductions",
    "fill_": "numbers are converted as by numpy",
    "masked_fill": "numbers are converted as by numpy",
    "constant_": "numbers are converted as by numpy",
    "__setitem__": "numbers are converted as by numpy",
}


def are_related(ours: Exception, theirs: Exception) -> bool:
    """Whether both say that a place is out of range, or neither; of a wrong type they may say different things."""
    return TypeError in (type(ours), type(theirs)) or isinstance(ours, LookupError) == isinstance(theirs, LookupError)


def takes_more(target: Target, call: Call, place: int, value: Any) -> bool:
    """Whether minigrad may take this where PyTorch refuses it."""
    named = [*inspect.signature(target.ours).parameters.values()]
    names = [*call.kwargs]
    by_name = names[place - len(call.args)] if place >= len(call.args) else ""
    parameter = next((p for i, p in enumerate(named) if p.name == by_name or (not by_name and i == place)), named[-1])
    return (
        target.name.split(".")[-1] in TAKES_MORE
        or target.name == "Size.__add__"  # of tuples
        or "bool" in str(parameter.annotation)  # a flag is taken by its truth
        or (target.name.split(".")[-1] in ("max", "min") and isinstance(value, Made))  # beside keepdim=False
        or (value is None and parameter.default is None)  # which is the same as not to give it
        or isinstance(value, np.ndarray | np.generic)
        or is_huge(value)  # a size that nothing has: pieces of it are the whole
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("target", COMPARED, ids=[target.name for target in COMPARED])
def test_of_a_good_call_with_one_bad_argument_minigrad_takes_no_more_than_pytorch(target: Target) -> None:
    candidates = exchanges(target, good_calls(target))
    if not candidates:
        return

    @settings(max_examples=25, deadline=5000)
    @given(exchange=st.sampled_from(candidates))
    def check(exchange: tuple[Call, int, Any]) -> None:
        call, place, value = exchange
        if is_left_out(target, [value]):
            return
        ours, theirs = require_an_answer(target, call), outcome(target, call, torch)
        if takes_more(target, call, place, value):
            return
        if not isinstance(theirs, Exception):
            same = isinstance(ours, Exception) or described(ours) == described(theirs)
            assert same, f"{target.name}{call}: PyTorch gives {described(theirs)}, not {described(ours)}"
        elif isinstance(theirs, REFUSALS) and not isinstance(theirs, NotImplementedError):  # which is want of a kernel
            assert isinstance(ours, Exception), f"{target.name}{call}: PyTorch raises {theirs!r}"
            assert are_related(ours, theirs), f"{target.name}{call}: PyTorch raises {theirs!r}, not {ours!r}"

    check()
