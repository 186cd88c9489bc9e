"""The source is executed, so no text of a user's object gets into it: numbers, indices, parameters and names alike."""

import enum
import math
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad
from minigrad import Value, derive, tensor
from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.derive import copying

EXECUTED: list[str] = []
SPY = f"__import__('sys').modules[{__name__!r}].EXECUTED.append('here')"


def spying(kind: Any, **more: Any) -> Any:
    """A subclass whose objects say, as their text, what must not be executed."""
    texts = dict.fromkeys(("__repr__", "__str__"), lambda self: SPY)
    return type(f"Spying{kind.__name__}", (kind,), {**texts, "__format__": lambda self, spec: SPY, **more})


Int, Float, Text, Tuple, Number = map(spying, (int, float, str, tuple, np.float64))
Array = spying(np.ndarray, tolist=lambda self: SPY)
Index = spying(object, __index__=lambda self: 1)


class Two(enum.IntEnum):
    TWO = 2


class Half(float, enum.Enum):
    HALF = 0.5


def assert_derived(loss: Any, x: Any, name: str = "x") -> str:
    """Require that nothing but the source was executed, and that it gives the engine's numbers; the source."""
    EXECUTED.clear()
    derived = derive(loss, names={name: x})
    (parameter,) = [each for each in derived.parameters if each not in derived.constants]
    value, gradient = derived(**{parameter: x.array})
    assert not EXECUTED, derived.source
    x.grad = None
    loss.backward()
    for result, expected in ((value, loss.array), (gradient, x.grad.array)):
        np.testing.assert_array_equal(result, expected, err_msg=derived.source)
        assert result.dtype == expected.dtype, derived.source
    return derived.source


def leaf(dtype: Any) -> Any:
    return minigrad.Tensor.wrap(np.array([0.5, 1.25, 3.0], dtype)).requires_grad_()


NUMBERS: list[Any] = [
    *(Int(3), Float(0.3), Number(0.3), Two.TWO, Half.HALF, True, 2**70, -0.0, math.nan, math.inf, -math.inf),
    *(1 / 3, 5e-324, np.float64(1 / 3), np.float32(1 / 3), np.float16(0.1), np.int8(-3), np.uint64(2**64 - 1)),
    *(np.bool_(True), np.float32("nan"), np.float64("-inf"), np.float16(-0.0)),
]
WITH_A_NUMBER: dict[str, Callable[[Any, Any], Any]] = {
    "mul": lambda x, k: x * k,
    "rsub": lambda x, k: +k - x if not isinstance(k, bool | np.bool_) else x,
    "pow": lambda x, k: x**k,
    "clamp": lambda x, k: x.clamp(k) + x.clamp(max=k),
    "where": lambda x, k: minigrad.where(x > 1, x, k) * x,
    "assign": lambda x, k: _assigned(x.clone(), k) * x,
}


def _assigned(x: Any, k: Any) -> Any:
    x[Int(0) : np.int8(2)] = k
    return x


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", NUMBERS, ids=range(len(NUMBERS)))
@pytest.mark.parametrize("function", WITH_A_NUMBER.values(), ids=WITH_A_NUMBER)
def test_numbers_of_every_class(function: Callable[[Any, Any], Any], k: Any, dtype: str) -> None:
    x = leaf(dtype)
    assert_derived(function(x, k).sum(), x)


INDICES: list[Any] = [
    *(
        slice(tensor(0), tensor(2)),
        slice(Int(0), Int(3), Two.TWO),
        slice(Index(), None),
        slice(np.uint8(1), np.int64(3)),
    ),
    *(Index(), Int(1), Two.TWO, tensor(1), np.int8(-1), np.bool_(True), True, None, ..., range(2), [Int(0), Int(0)]),
    *((None, Index(), ...), np.array([2, 0]).view(Array), np.array([0, 2], np.uint8), np.array([True, False, True])),
]


@pytest.mark.parametrize("key", INDICES, ids=range(len(INDICES)))
def test_indices_of_every_class(key: Any) -> None:
    x = leaf("float32")
    assert_derived((x[key] * x[key]).sum(), x)
    assert_derived((ops.put(x[1:3], (slice(Index(), Int(3)),), (Int(4),)) ** 2).sum(), x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.sum(Int(0)) * x.cumsum(Int(0)).max(np.int8(0)).values,
        lambda x: ops.sum(x, (Int(0),), Int(0)) * ops.permute(ops.reshape(x, (Int(3), Index())), (Int(1), Int(0))),
        lambda x: ops.expand(ops.reshape(x, (Index(), Int(3))), (Int(2), Int(3))).softmax(Int(1)),
        lambda x: ops.cat(x, x, Int(0), (0, 3, 6)) * minigrad.stack([x, x], Int(0)).view(np.int64(6)),
        lambda x: minigrad.einsum(Text("i,j->ij"), x, x).logsumexp(Int(1)) / x.var(Int(0)),
        lambda x: ops.cast(ops.cast(x, np.dtype(np.float64)), np.dtype(np.float32)) * x,
    ],
    ids=range(6),
)
def test_dims_and_shapes_of_every_class(function: Callable[[Any], Any]) -> None:
    x = leaf("float32")
    assert_derived(function(x).sum(), x)


# Rows that are made by hand


def _with(x: Any, what: Any) -> Any:
    """x, times a number that depends on the parameter, or on its dtype."""
    if isinstance(what, np.ndarray):
        return x * np.broadcast_to(np.nan_to_num(what, posinf=3), (3,) if what.ndim else ())
    if isinstance(what, np.floating):
        return x * what
    return x * float(what) if isinstance(what, float) else x


PARAMETERS: list[Any] = [
    *NUMBERS,
    *(np.longdouble(1) / 3, Text("a"), np.str_("it's"), "\\\n'\"", Tuple((1, Text("b"), (Int(3),))), None, ...),
    *(slice(None), slice(1, Int(2)), (slice(Int(0), None, Index()),), (1, (np.float32(0.1), slice(3))), Index()),
    *(10**5000, -(10**5000), np.float64, np.dtype("float32"), np.array([0, 1, 2], np.int8), np.array([0.0, 1, 2])),
    *(np.array([math.nan, math.inf, 3]).view(Array), np.array(0.1, np.float32), np.arange(3)),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("of_a_vjp", [False, True])
@pytest.mark.parametrize("what", PARAMETERS, ids=range(len(PARAMETERS)))
def test_parameters_of_every_class(what: Any, of_a_vjp: bool) -> None:
    if isinstance(what, int) and abs(what) > 10**300:
        operation = Primitive("parity", _parity, x=lambda g, times: g)
    else:
        operation = Primitive("with", _with, x=None)
        # The vjp makes its parameters itself, or gets those of the operation.
        operation.__init__("with", _with, x=lambda g: linear(g, what) if of_a_vjp else g)  # type: ignore[misc]
        linear = Primitive("with", _with, x=lambda g, what: linear(g, what))
    x = leaf("float32")
    assert_derived(operation(x, what).sum(), x)


def _parity(x: Any, times: int) -> Any:
    return x * (times % 2)


def _fused(x: Any) -> Any:
    return np.tanh(x), np.exp(x)


NAMES = ["class", "__debug__", "None", "import os", "", "_", "np", "step", "x", "loss", "λ", "ﬁ", "x\ny", "print"]


@pytest.mark.parametrize("name", [*NAMES, Text("y"), Text("np.exp"), SPY], ids=range(len(NAMES) + 3))
def test_rows_of_any_name(name: str) -> None:
    x = leaf("float32")
    assert_derived(Primitive(name, _times_one, x=lambda g: g * Int(1))(x).sum(), x)
    assert_derived(Primitive(name, np.tanh, x=lambda g, y: g * (1 - y * y))(x).sum(), x)
    fused = Primitive(name, _fused, residuals=(name,), x=lambda g, y: g * (1 - y * y))
    assert_derived((fused(x)[0] * x).sum(), x)
    joined = Primitive(name, ops.cat.forward, params=(name, SPY), joint_vjp=lambda g: (g, g), xs=None, y=None)
    assert_derived((joined(x, 0, (0, 3)) * x).sum(), x)


def _times_one(x: Any) -> Any:
    return 1 * x


LIST, TEXT, INT = spying(list, __repr__=lambda self: "[1, 2]" if EXECUTED else SPY)([1, 2]), Text("a"), Int(3)
NOT_FINITE, EMPTY, SMALL = np.array([math.nan, -math.inf]), np.zeros((0, 3), np.float32), np.float32(0.1)
ODD_MODULE = types.ModuleType(SPY)


def test_constants_with_a_text_of_their_own_are_refused() -> None:
    for constant in (LIST, TEXT, INT, ODD_MODULE, {1: (LIST,)}, np.zeros(2).view(Array), Number(2)):
        with pytest.raises(copying._NotCopyable):
            copying.Helpers(set(), {}, False)._define(constant, "constant")


def test_constants_that_are_written() -> None:
    for constant in (NOT_FINITE, EMPTY, SMALL, np.float64("inf"), np.arange(3), np.arange(3, dtype=np.int8), -0.0):
        helpers = copying.Helpers(set(), {}, False)
        name, namespace = helpers._define(constant, "constant"), {"np": np, "math": math}
        exec("\n".join(helpers.sources), namespace)
        written: Any = namespace[name]
        np.testing.assert_array_equal(written, constant)
        assert type(written) is type(constant)
        assert np.asarray(written).tobytes() == np.asarray(constant).tobytes()


def test_a_callable_that_says_it_is_another() -> None:
    called = spying(object, __call__=lambda self, x: 1 * x, __name__=SPY, __qualname__=SPY, __module__="numpy")()
    called.__self__ = np.add
    module = sys.modules[SPY] = ODD_MODULE
    module.called = called  # type: ignore[attr-defined]
    try:
        for home, name in (("numpy", SPY), (SPY, "called"), (Text("math"), Text("tanh"))):
            called.__module__, called.__name__, called.__qualname__ = home, name, name
            primitive, x = Primitive("called", called, x=lambda g: g), leaf("float32")
            with pytest.raises(ValueError, match="cannot contain the function"):
                derive(primitive(x).sum(), names={"x": x})
    finally:
        del sys.modules[SPY]
    assert not EXECUTED


# Names of variables, and Values

LOOK_ALIKES = ["\uff3f\uff3fdebug\uff3f\uff3f", "__builtins__", "\u202ex", "\u017ftep"]


@pytest.mark.parametrize("name", [*NAMES, Text("y"), *LOOK_ALIKES, SPY], ids=range(20))
def test_a_leaf_of_any_name(name: str) -> None:
    x = leaf("float32")
    x.name = name
    fused = Primitive("fused", _fused, residuals=("e",), x=lambda g, y: g * (1 - y * y))
    assert_derived((fused(x)[0] * x).sum(), x, name)


@pytest.mark.parametrize(
    "k", [Int(2), Float(0.5), Number(0.5), Two.TWO, Half.HALF, True, np.float32(0.1)], ids=range(7)
)
def test_numbers_beside_values(k: Any) -> None:
    a = Value(2.0, label=Text("a"))
    b = (a * k + k) ** k
    EXECUTED.clear()
    derived = derive(b)
    b.backward()
    assert derived(a=2.0) == (b.data, a.grad)
    assert not EXECUTED


def test_the_print_options_do_not_matter() -> None:
    x = leaf("float32")
    loss = (x * 0.123456789 * np.float32(0.3) + minigrad.ones(3) * 0.1234567891).mean()
    source = derive(loss, names={"x": x}).source
    with np.printoptions(legacy="1.13"):
        assert derive(loss, names={"x": x}).source == source
        assert_derived(loss, x)
