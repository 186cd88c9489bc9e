"""Arguments that make no sense, for all that is public: an exception that says why, or PyTorch's result.

What is public is found by looking, so that a new function is covered from its first day. Two things are required. Any
call at all ends in a result or in an exception with a message, soon, and never in one that speaks of minigrad's inside;
the message begins with the name of what refuses.
And of a call that both libraries take, one argument is exchanged: then either both refuse, with related exceptions, or
minigrad's result has the shape and dtype of PyTorch's, or minigrad alone refuses. Nothing here draws a picture.
"""

import copy
import datetime
import inspect
import itertools
import random
import re
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


class Unprintable:
    """Something that cannot be quoted."""

    def __repr__(self) -> str:
        raise RuntimeError("this has no repr")


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


def in_itself() -> list[Any]:
    """A list that contains itself."""
    inner: list[Any] = [1]
    inner.append(inner)
    return inner


# What is made anew for each call: it is used up, or a message that quotes it fails.
MAKERS: dict[str, Callable[[], Any]] = {
    "a generator": lambda: (i for i in range(2)),
    "an iterator": lambda: iter([1, 2]),
    "a map": lambda: map(int, "12"),
    "a deep list": lambda: nested(3000),
    "a list in itself": in_itself,
    "a dict in itself": lambda: (lambda inner: inner.update(a=inner) or inner)({}),
    "unprintable": Unprintable,
    "an array of objects": lambda: np.array([None, 1], object),
    "an array of records": lambda: np.zeros(2, [("a", int), ("b", float)]),
    "an array of dates": lambda: np.array(["2020-01-01"], "M8[D]"),
    "a masked array": lambda: np.ma.array([1, 2], mask=[0, 1]),
    "an array of flags": lambda: np.array([True, False]),
    "a flag in an array": lambda: np.array(True),
    "an array of complex numbers": lambda: np.array([1j]),
    "an array of uint64": lambda: np.array([2**63], np.uint64),
    "an empty array": lambda: np.array([]),
    "a wide float": lambda: np.longdouble(1),
    "a wide integer": lambda: np.uint64(2**63),
    "a date": lambda: datetime.date(2020, 1, 1),
    "numpy's date": lambda: np.datetime64("2020-01-01"),
    "a time": lambda: np.timedelta64(1, "s"),
    "a huge integer": lambda: 10**400,
    "a negative huge integer": lambda: -(10**400),
    "an integer that is too long to print": lambda: 10**5000,
    "a list of a huge integer": lambda: [10**400],
    "a size and a huge one": lambda: (2, 10**400),
    "an integer beyond int64": lambda: 2**63,
    "a long range": lambda: range(10**18),
    "a long text": lambda: "a" * 10_000,
    "bytes": lambda: bytearray(b"a"),
    "memory": lambda: memoryview(b"ab"),
    "an exception": lambda: ValueError("x"),
    "lists of two lengths": lambda: [[1, 2], [3]],
    "a group of no Tensors": lambda: {"params": [1]},
}
# To numpy before 2.3 its truth values are indices, and so they are to PyTorch's containers.
TRUTHS = [np.bool_(True)] if np.lib.NumpyVersion(np.__version__) >= "2.3.0" else []
NUMPYS = [np.float32(1.5), np.int64(1), *TRUTHS, np.array([1.0, 2.0]), np.array(["a"]), np.array(None)]
BAD = [
    None, "x", "", b"x", [], {}, (), THING, len, int, 1j, 10**30, -(10**30), 2**62, float("nan"), float("inf"),
    -1, 7, -7, True, False, 1.5, -0.5, (1.5,), [None], ("a", "b"), {"a": 1}, {1, 2}, [1, [2]], slice(0, 2), ...,
    range(2), (-1, -1), (0, 0), (9, 9), [2**62, 2], Made("torch.float32"), Made("torch.Generator()"), Made("nn.Tanh()"),
    tensor((0,)), tensor(()), tensor((2, 2, 2), "int64"), tensor((4,), "bool"), tensor((1, 5), "float16"),
    [tensor((2,)), tensor((3,), "int64")], *NUMPYS, *map(Made, MAKERS),
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
NOT_CALLED |= {"recorder", "wrap", "partners", "explain", "update", "base_of_view", "check_probability"}

FILES = {"load", "save"}  # whose format is not PyTorch's


def targets() -> Iterator[Target]:
    """All that is public and can be called."""
    for prefix, module, theirs in MODULES:
        for name in dir(module):
            function = getattr(module, name)
            home = getattr(function, "__module__", "")
            there = home.startswith("minigrad") if module in (minigrad, nn) else prefix in home
            if name[0] != "_" and name not in NOT_CALLED and callable(function) and there:
                yield Target(f"{prefix}.{name}", function, getattr(theirs, name, None) if name not in FILES else None)
    met = set()
    for kind, their_kind, owners in OWNERS:
        own = [base for base in kind.__mro__ if base.__module__.startswith("minigrad")]
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
        if value in MAKERS:
            return MAKERS[value]()
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


def described(result: Any, depth: int = 0) -> Any:
    """The kind of thing that a result is; of tensors, the shape and dtype."""
    if isinstance(result, minigrad.Tensor | torch.Tensor):
        return tuple(result.shape), str(result.dtype)
    if isinstance(result, tuple | list) and depth < 9:
        return [described(part, depth + 1) for part in result]
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
    if isinstance(value, Made):
        return value in MAKERS and "integer" in value
    return any(map(is_huge, value)) if isinstance(value, list) else isinstance(value, int) and abs(value) >= 2**62


def exchanges(target: Target, calls: list[Call]) -> list[tuple[Call, int, Any]]:
    """All calls in which one argument is exchanged for one that makes no sense, with its place and value."""
    first = bool(target.owners)
    return [
        (call.exchanged(place, value), place, value)
        for call in calls
        for place in range(first, len(call.args) + len(call.kwargs))
        for value in BAD
    ]


# Any call at all

# Methods of Tensor that do not look at all of their arguments yet, and what calls them.


def is_left_out(target: Target, values: list[Any]) -> bool:
    """Whether nothing is required: of powers of bools, which are bools in PyTorch, and of ranges that it never ends."""
    name = target.name.split(".")[-1].strip("_")
    endless = name in ("as_tensor", "asarray", "tensor") and "a long range" in map(str, values)
    # The first raises an IndexError or a RuntimeError, by the dim; the others raise what PyTorch's raise, too.
    if name in ("index_select", "ConcatDataset", "IterableDataset", "default_convert"):
        return True
    return endless or (name.endswith("pow") and any(isinstance(value, bool) for value in values))


# Errors that come from within, where an argument was taken that should have been refused at the door.
FROM_WITHIN = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, NameError, RecursionError, SystemError,
    DeprecationWarning, RuntimeWarning,
)  # fmt: skip
FROM_WITHOUT = (IndexError, OverflowError)

# What a refusal begins with: the function's name, in Python's words too, as in `sum() takes 3 arguments`.
NAMED = re.compile(r"[\w.<>]+(: |\(\) )|which Python raises")


def require_an_answer(target: Target, call: Call) -> Any:
    """Require a result, or an exception that says something, of a call; returns it."""
    result = outcome(target, call, minigrad)
    if isinstance(result, Exception):
        assert str(result).strip(), f"{target.name}{call}: {result!r} says nothing"
        within = isinstance(result, FROM_WITHIN) and not isinstance(result, FROM_WITHOUT)
        assert not within or is_documented(target, result), f"{target.name}{call}: {result!r}"
        named = NAMED.match(str(result.args[0])) or "Size" in target.name  # which is a tuple, and refuses as one
        assert named, f"{target.name}{call}: the refusal names no function: {result!r}"
    else:
        assert result is not NotImplemented, f"{target.name}{call} is NotImplemented"
        described(result)
    return result


def is_documented(target: Target, error: Exception) -> bool:
    """Whether the docstrings promise this error: of a Value, of a name that is taken, of a GPU."""
    no_gpu = isinstance(error, AssertionError) and "minigrad.cuda." in target.name
    return no_gpu or (isinstance(error, ZeroDivisionError) and "Value" in target.name) or "already" in str(error)


@st.composite
def any_calls(draw: st.DrawFn, target: Target) -> Call:
    """Calls with too few, enough or too many arguments, likely and bad, by place and by name."""
    args: list[Any] = [draw(st.sampled_from(target.owners))] if target.owners else []
    kwargs = {}
    parameters = target.parameters()
    given_ = draw(st.integers(max(len(parameters) - 2, 0), len(parameters) + 1))
    for parameter in [*parameters, inspect.Parameter("unknown", inspect.Parameter.POSITIONAL_ONLY)][:given_]:
        value = draw(st.sampled_from(likely(parameter)) | st.sampled_from(BAD))
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
    "asarray": "the bytes of an object are no numbers",
    "clamp": "one bound may be a Tensor and the other a number",
    "clamp_": "one bound may be a Tensor and the other a number",
    "clip": "one bound may be a Tensor and the other a number",
    "clip_": "one bound may be a Tensor and the other a number",
    "default_convert": "what holds no numbers stays as it is",
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
        or (target.name.split(".")[-1] in ("max", "min") and isinstance(value, Made))  # beside keepdim=False
        or (value is None and parameter.default is None)  # which is the same as not to give it
        or isinstance(made(value, minigrad), np.ndarray | np.generic)
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


# Flags

FLAGS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda library, flag: library.ones(2, 3).sum(0, flag),
    "mean": lambda library, flag: library.ones(2, 3).mean(0, keepdim=flag),
    "var": lambda library, flag: library.ones(2, 3).var(0, flag),
    "var, keepdim": lambda library, flag: library.ones(2, 3).var(0, keepdim=flag),
    "std": lambda library, flag: library.ones(2, 3).std(0, keepdim=flag),
    "all": lambda library, flag: library.ones(2, 3).all(0, flag),
    "any": lambda library, flag: library.ones(2, 3).any(0, keepdim=flag),
    "max": lambda library, flag: library.ones(2, 3).max(0, flag),
    "min": lambda library, flag: library.ones(2, 3).min(0, keepdim=flag),
    "argmax": lambda library, flag: library.ones(2, 3).argmax(0, flag),
    "argmin": lambda library, flag: library.ones(2, 3).argmin(0, keepdim=flag),
    "logsumexp": lambda library, flag: library.ones(2, 3).logsumexp(0, flag),
    "allclose": lambda library, flag: library.allclose(library.ones(2), library.ones(2), equal_nan=flag),
    "multinomial": lambda library, flag: library.multinomial(library.ones(3), 2, flag),
    "tensor": lambda library, flag: library.tensor([1.0], requires_grad=flag),
    "rand": lambda library, flag: library.rand(2, requires_grad=flag),
    "requires_grad_": lambda library, flag: library.ones(2).requires_grad_(flag),
    "requires_grad": lambda library, flag: setattr(library.ones(2), "requires_grad", flag),
    "to": lambda library, flag: library.ones(2).to(library.float64, copy=flag),
    "dropout": lambda library, flag: library.nn.functional.dropout(library.ones(2), 0.5, flag),
    "batch_norm": lambda library, flag: library.nn.functional.batch_norm(
        library.ones(2, 3), library.ones(3), library.ones(3), training=flag
    ),
    "Parameter": lambda library, flag: library.nn.Parameter(library.ones(2), flag),
    "train": lambda library, flag: library.nn.Tanh().train(flag),
    "Module.requires_grad_": lambda library, flag: library.nn.Linear(1, 1).requires_grad_(flag),
    "set_grad_enabled": lambda library, flag: library.set_grad_enabled(flag).__exit__(None, None, None),
}
# PyTorch takes these by their truth, or as small integers; minigrad refuses anything but a bool.
STRICT_FLAGS: dict[str, Callable[[Any, Any], Any]] = {
    "backward": lambda library, flag: library.ones(1, requires_grad=True).sum().backward(create_graph=flag),
    "backward, retain_graph": lambda library, flag: (
        library.ones(1, requires_grad=True).sum().backward(retain_graph=flag)
    ),
    "Linear": lambda library, flag: library.nn.Linear(2, 2, bias=flag),
    "BatchNorm1d": lambda library, flag: library.nn.BatchNorm1d(2, affine=flag),
    "LayerNorm": lambda library, flag: library.nn.LayerNorm(2, bias=flag),
    "load_state_dict": lambda library, flag: library.nn.Tanh().load_state_dict({}, flag),
    "register_buffer": lambda library, flag: library.nn.Tanh().register_buffer("a", library.ones(1), flag),
    "zero_grad": lambda library, flag: library.nn.Linear(1, 1).zero_grad(flag),
    "SGD": lambda library, flag: library.optim.SGD([library.ones(1)], 0.1, 0.9, nesterov=flag),
    "SGD.zero_grad": lambda library, flag: library.optim.SGD([library.ones(1)]).zero_grad(flag),
}
NO_FLAGS = [1, 0, "x", 1.5, [], np.bool_(True), np.array(True), np.array([True, False]), Made("torch.ones(1) > 0")]


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True:UserWarning")
@pytest.mark.parametrize("act", [*FLAGS.values(), *STRICT_FLAGS.values()], ids=[*FLAGS, *STRICT_FLAGS])
def test_a_flag_is_a_bool_and_nothing_else(act: Callable[[Any, Any], Any]) -> None:
    compared = act in FLAGS.values()
    for library in (torch, minigrad) if compared else (minigrad,):
        act(library, True)
        for value in NO_FLAGS:
            with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
                act(library, made(value, library))
            assert library is torch or re.match(r"\w+: .*(must be True or False)", str(caught.value))


# What took for ever, or was refused without a word

TOO_MUCH: dict[str, Callable[[], Any]] = {
    "tensor_split": lambda: minigrad.ones(3).tensor_split(2**31),
    "Neuron": lambda: nn.scalar.Neuron(2**63),
    "Layer": lambda: nn.scalar.Layer(2**63, 2),
    "Layer of many": lambda: nn.scalar.Layer(2, 2**40),
    "MLP": lambda: nn.scalar.MLP(2, [2**40, 1]),
    "add": lambda: minigrad.ones(1).expand(10**8, 10**8) + 1,
    "mul": lambda: minigrad.ones(1, requires_grad=True).expand(10**8, 10**8) * 2,
    "exp": lambda: minigrad.ones(1).expand(10**8, 10**8).exp(),
    "clone": lambda: minigrad.ones(1).expand(10**8, 10**8).clone(),
    "reshape": lambda: minigrad.ones(2).expand(10**8, 10**8, 2).reshape(-1),
    "double": lambda: minigrad.ones(1).expand(10**8, 10**8).double(),
    "eq": lambda: minigrad.ones(1).expand(10**8, 10**8) == 1,
    "where": lambda: minigrad.where(minigrad.ones(1).expand(10**8, 10**8) > 0, 1, 2),
    "repeat": lambda: minigrad.ones(2).repeat(10**8, 10**8),
    "one_hot": lambda: nn.functional.one_hot(minigrad.tensor([1]), 10**8),
    "randperm": lambda: minigrad.randperm(2**46),
    "Tensor": lambda: minigrad.Tensor(10**8, 10**8),
    "eq, huge": lambda: minigrad.ones(1) == 10**400,
    "lt, huge": lambda: minigrad.ones(1) < 10**400,
    "add, huge": lambda: minigrad.ones(1) + 10**400,
    "set, huge": lambda: minigrad.ones(1).__setitem__(0, 10**400),
    "fill_, huge": lambda: minigrad.ones(1).fill_(10**400),
    "clamp, huge": lambda: minigrad.tensor([1]).clamp(10**400),
    "Value, huge": lambda: minigrad.Value(1.0) * 10**400,
    "SGD": lambda: nn.optim.SGD(5),  # type: ignore[arg-type]
    "SGD, a group": lambda: nn.optim.SGD([{"params": 5}]),
    "apply": lambda: nn.Tanh().apply(5),  # type: ignore[arg-type]
    "ModuleList": lambda: nn.ModuleList(5),  # type: ignore[arg-type]
    "random_split": lambda: minigrad.utils.data.random_split([1, 2], 5),  # type: ignore[arg-type]
    "an item of a Sequential": lambda: nn.Sequential(nn.Tanh())["0"],  # type: ignore[index]
}


@pytest.mark.parametrize("act", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_cannot_be_is_refused_soon_and_by_name(act: Callable[[], Any]) -> None:
    with pytest.raises((TypeError, ValueError, RuntimeError, OverflowError)) as caught:
        act()
    assert NAMED.match(str(caught.value)), repr(caught.value)


# Settings of all that is printed


@pytest.fixture
def default_printing() -> Iterator[None]:
    """Print as by default again, after a test."""
    yield
    minigrad.set_printoptions(profile="default")


@pytest.mark.usefixtures("default_printing")
@pytest.mark.parametrize("name", inspect.signature(minigrad.set_printoptions).parameters)
def test_print_options_are_refused_where_no_tensor_would_print(name: str) -> None:
    target = Target("set_printoptions", minigrad.set_printoptions, None)
    samples = [minigrad.tensor([[1.5, 2e-9], [1e9, 4.0]]), minigrad.arange(2000).reshape(2, 1000), minigrad.tensor(1.0)]
    for bad in [*BAD, 0, 1, 2.0, 10**6, "short", "default"]:
        before = [*map(repr, samples)]
        refusal = outcome(target, Call((), {name: bad}), minigrad)
        if refusal is not None:
            assert isinstance(refusal, TypeError | ValueError)
            assert str(refusal).startswith("set_printoptions: ")
            assert [*map(repr, samples)] == before
        assert all(map(repr, samples))
        minigrad.set_printoptions(profile="default")


# Messages that quote

QUOTING: dict[str, Callable[[Any], Any]] = {
    "reshape": lambda x: minigrad.ones(2).reshape(x),
    "permute": lambda x: minigrad.ones(2).permute(x),
    "sum": lambda x: minigrad.ones(2).sum(x),
    "sum, keepdim": lambda x: minigrad.ones(2).sum(0, x),
    "split": lambda x: minigrad.ones(2).split(x),
    "zeros": minigrad.zeros,
    "linspace": lambda x: minigrad.linspace(0, x, 2),
    "tril": lambda x: minigrad.ones(2, 2).tril(x),
    "index": lambda x: minigrad.ones(2)[x],
    "manual_seed": minigrad.Generator().manual_seed,
    "mse_loss": lambda x: nn.functional.mse_loss(minigrad.ones(2), minigrad.ones(2), reduction=x),
    "Adam": lambda x: nn.optim.Adam([minigrad.ones(2)], betas=x),
    "train": nn.Tanh().train,
}


@pytest.mark.parametrize("value", MAKERS)
@pytest.mark.parametrize("act", QUOTING.values(), ids=QUOTING)
def test_a_message_may_quote_anything(act: Callable[[Any], Any], value: str) -> None:
    result = outcome(Target("", act, None), Call((Made(value),), {}), minigrad)
    if isinstance(result, Exception):
        assert not isinstance(result, RecursionError)
        assert NAMED.match(str(result))
        assert len(str(result)) < 500
