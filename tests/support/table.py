"""The table of operations: how each primitive of `minigrad.core.ops` is called, and with which operands it is tried.

One entry drives many tests: value, gradient, second and third gradient, all beside PyTorch (core/test_table);
gradcheck and gradgradcheck (debug/test_gradcheck); the printed formulas (derive/test_symbols); derived source
(derive/test_derive); and Values (core/test_value). A primitive of one operand is one line:

    "sin": unary(lambda library, x: library.sin(x)),

Special numbers, further spellings, and what is refused have tests of their own.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from minigrad.core import ops
from minigrad.core.primitive import Primitive
from tests.support.comparison import FUNCTIONAL, Function, normal, random

Shape = tuple[int, ...]
Domain = Callable[..., np.ndarray]  # of a shape: an array of random numbers


class Operation(NamedTuple):
    """A primitive as a function of a library and of its operands, and what these are.

    `domains` has a domain for each operand. `shapes` has a shape for each operand, several times: value and gradient
    are tried with all of them, everything else with the first `few`. `order` is the highest derivative that is compared
    with PyTorch's; an operation of order 0 has no gradient. `third` is called in PyTorch where its own third derivative
    is wrong. `names` are the operands' names where the primitive has others or none. `residuals` gives the saved values
    that a formula names, from the operands by their names.
    """

    call: Function
    domains: tuple[Domain, ...]
    shapes: tuple[tuple[Shape, ...], ...]
    few: int = 1
    order: int = 3
    third: Function | None = None
    names: tuple[str, ...] | None = None
    residuals: Function = lambda **operands: {}

    def arrays(self, shapes: tuple[Shape, ...] | None = None, dtype: Any = np.float64) -> list[np.ndarray]:
        """Random operands of some shapes, or of the first ones; `dtype` is that of the floating ones."""
        drawn = [domain(*shape) for domain, shape in zip(self.domains, shapes or self.shapes[0], strict=True)]
        return [np.asarray(x, dtype if np.asarray(x).dtype.kind == "f" else None) for x in drawn]


# Domains


def positive(*shape: int) -> np.ndarray:
    """Numbers of which there are a logarithm, a root and a reciprocal."""
    return random.uniform(0.5, 2, shape)


def nonzero(*shape: int) -> np.ndarray:
    """Numbers of both signs, of which there is a reciprocal."""
    return positive(*shape) * random.choice([-1, 1], shape)


def integral(*shape: int) -> np.ndarray:
    """Few different numbers of both signs, so that zeros and equals occur."""
    return random.integers(-2, 3, shape).astype(float)


def truths(*shape: int) -> np.ndarray:
    """Truth values."""
    return random.random(shape) < 0.5


def places(*shape: int) -> np.ndarray:
    """Indices of three rows."""
    return random.integers(0, 3, shape)


# Shapes

SHAPES = [(2, 3), (), (1,), (4,), (1, 4), (4, 1), (0,), (2, 0), (2, 3, 4)]

SHAPE_PAIRS = [
    ((2, 3), (3,)),
    ((2, 3), (2, 1)),
    ((4,), (4,)),
    ((), ()),
    ((), (3,)),
    ((2, 3), ()),
    ((1,), (4,)),
    ((3, 4), (4,)),
    ((3, 1), (1, 4)),
    ((1, 4), (3, 4)),
    ((4, 1), (4,)),
    ((1, 1), (3,)),
    ((2, 3, 4), (3, 1)),
    ((5, 1, 4), (1, 3, 1)),
    ((0,), (0,)),
    ((0,), (1,)),
    ((2, 0), (2, 1)),
    ((2, 0), ()),
]

MATMUL_SHAPES = [
    ((2, 3), (3, 4)),
    ((3, 3), (3, 3)),
    ((2, 3), (4, 3, 2)),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((1, 3), (3, 1)),
    ((1, 1), (1, 1)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((0,), (0,)),
]


def unary(call: Function, domain: Domain = normal, *, shapes: Any = SHAPES, few: int = 3, **remarks: Any) -> Operation:
    """An operation of one operand; of its elements, unless `shapes` says otherwise."""
    return Operation(call, (domain,), tuple((shape,) for shape in shapes), min(few, len(shapes)), **remarks)


def binary(call: Function, a: Domain = normal, b: Domain = normal, **remarks: Any) -> Operation:
    """An operation of the elements of two operands, which broadcast."""
    return Operation(call, (a, b), tuple(SHAPE_PAIRS), few=3, **remarks)


def by(mine: Function, theirs: Function) -> Function:
    """A call that is spelled in two ways: of primitives that PyTorch has under no name, or under another one."""
    return lambda library, *operands: (theirs if library is torch else mine)(*operands)


def _put(x: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    return torch.zeros(4, *x.shape[1:], dtype=x.dtype).index_put((key,), x, accumulate=True)


def _assign(x: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    changed = x * 1
    changed[1:, 0] = value
    return changed


def _ties(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    equal = (x == y).to(x.dtype)
    return equal / equal.sum(0, keepdim=True)


def _normalised(library: Any, x: Any, weight: Any, bias: Any) -> Any:
    """batch_norm in its steps: in PyTorch's own third derivative the statistics of the batch are constants."""
    centred = x - x.mean(0, keepdim=True)
    return weight * centred / ((centred * centred).mean(0, keepdim=True) + 1e-5).sqrt() + bias


def _softmax(x: np.ndarray) -> np.ndarray:
    counts = np.exp(x)
    return counts / counts.sum(1, keepdims=True)


ROW = [(2, 3), (3, 4), (1, 4), (4, 1), (2, 0), (2, 3, 4)]  # with a dim 1, which is reduced
FILLED = [(2, 3), (3, 4), (1, 4), (4, 1), (2, 3, 4)]  # and in which there is a greatest number
SQUARES = [(2, 3), (3, 3), (1, 4), (4, 1)]  # with two dims; in a square, rows and columns are told apart
SOLID = [(2, 3, 4), (3, 3, 3), (1, 3, 1), (2, 0, 3)]

TABLE: dict[str, Operation] = {
    "add": binary(lambda library, a, b: a + b),
    "sub": binary(lambda library, a, b: a - b),
    "mul": binary(lambda library, a, b: a * b),
    "div": binary(lambda library, a, b: a / b, b=nonzero),
    "neg": unary(lambda library, x: -x),
    "pow": binary(lambda library, a, b: a**b, a=positive),
    "matmul": Operation(lambda library, a, b: a @ b, (normal, normal), tuple(MATMUL_SHAPES), few=3),
    "einsum": Operation(
        by(lambda a, b: ops.einsum(a, b, ("ij", "kj", "ik")), lambda a, b: torch.einsum("ij,kj->ik", a, b)),
        (normal, normal),
        (((2, 3), (4, 3)), ((3, 3), (3, 3)), ((0, 3), (2, 3))),
        few=2,
    ),
    "exp": unary(lambda library, x: library.exp(x)),
    "sin": unary(lambda library, x: library.sin(x)),
    "cos": unary(lambda library, x: library.cos(x)),
    "log": unary(lambda library, x: library.log(x), positive),
    "log2": unary(lambda library, x: library.log2(x), positive),
    "log10": unary(lambda library, x: library.log10(x), positive),
    "log1p": unary(lambda library, x: library.log1p(x), positive),
    "expm1": unary(lambda library, x: library.expm1(x)),
    "atan": unary(lambda library, x: library.atan(x)),
    "atan2": binary(lambda library, a, b: library.atan2(a, b), a=nonzero, b=nonzero),
    "erf": unary(by(ops.erf, torch.erf)),
    "sqrt": unary(lambda library, x: library.sqrt(x), positive),
    "tanh": unary(lambda library, x: library.tanh(x)),
    "sigmoid": unary(lambda library, x: library.sigmoid(x)),
    "relu": unary(lambda library, x: library.relu(x)),
    "abs": unary(lambda library, x: library.abs(x)),
    "clamp": unary(lambda library, x: library.clamp(x, -0.5, 0.5)),
    "is_nonzero": unary(by(ops.is_nonzero, lambda x: x.sign() ** 2), nonzero, order=1),
    "sign": unary(by(ops.sign, torch.sign), nonzero, order=1),
    "floor": unary(lambda library, x: library.floor(x), order=1),
    "trunc": unary(lambda library, x: library.trunc(x), order=1),
    "round": unary(lambda library, x: library.round(x), order=1),
    "floor_divide": binary(
        by(ops.floor_divide, lambda a, b: torch.div(a, b, rounding_mode="floor")), b=nonzero, order=1
    ),
    "fmod": binary(lambda library, a, b: library.fmod(a, b), b=nonzero),
    "sum": unary(lambda library, x: x.sum((0, 2), keepdim=True), shapes=SOLID, few=2),
    "mean": unary(lambda library, x: x.mean(1), shapes=ROW),
    "var": unary(
        lambda library, x: x.var(1, keepdim=True),
        shapes=[(2, 3), (3, 3), (3, 4), (2, 3, 4)],
        residuals=lambda x: {"centred": x - x.mean(1, keepdims=True)},
    ),
    "softmax": unary(lambda library, x: x.softmax(1), shapes=ROW),
    "log_softmax": unary(lambda library, x: library.log_softmax(x, 1), shapes=ROW),
    "logsumexp": unary(lambda library, x: x.logsumexp((0, 2)), shapes=SOLID, few=2),
    "cumsum": unary(lambda library, x: x.cumsum(1), shapes=ROW),
    "max": unary(
        lambda library, x: x.max(1).values,
        shapes=FILLED,
        residuals=lambda x: {"indices": x.argmax(1, keepdims=True)},
    ),
    "min": unary(
        lambda library, x: x.min(0, keepdim=True).values,
        shapes=FILLED,
        residuals=lambda x: {"indices": x.argmin(0, keepdims=True)},
    ),
    "amax": unary(lambda library, x: x.max(), shapes=[*FILLED, (4,), ()]),
    "amin": unary(lambda library, x: x.min(), shapes=[*FILLED, (4,), ()]),
    "ties": Operation(
        by(lambda x, y: ops.ties(x, y, (0,)), _ties), (integral, integral), (((64, 3), (1, 3)), ((64,), (1,))), order=0
    ),
    "reshape": unary(lambda library, x: x.reshape(-1, 2), shapes=[(4, 3), (2,), (3, 2, 4)]),
    "permute": unary(lambda library, x: x.permute(2, 0, 1), shapes=[(2, 3, 4), (3, 3, 3), (2, 0, 1)], few=2),
    "expand": unary(lambda library, x: x.expand(4, 3, 2), shapes=[(3, 1), (1, 1), (3, 2), (1,), ()]),
    "cast": unary(lambda library, x: x.to(library.float64, copy=True)),
    "index": Operation(
        lambda library, x, batch: x[batch],
        (normal, places),
        (((3, 2), (4,)), ((3,), (2, 2)), ((4, 3, 2), (5,)), ((3, 0), (2,)), ((3, 2), (0,)), ((3,), ())),
        few=3,
        names=("x", "batch"),
    ),
    "put": Operation(
        by(lambda x, key: ops.put(x, (key.array,), (4, *x.shape[1:])), _put),
        (normal, places),
        (((5, 2), (5,)), ((100, 3), (100,)), ((6,), (6,)), ((0, 2), (0,))),
        names=("x", "key"),
    ),
    "assign": Operation(
        by(lambda x, value: ops.assign(x, value, (slice(1, None), 0)), _assign),
        (normal, normal),
        (((3, 2), (2,)), ((3, 2), ()), ((4, 2, 3), (1, 3)), ((4, 2, 3), (3, 3))),
        few=2,
    ),
    "one_hot": unary(
        by(lambda i: ops.one_hot(i, (4, 3), 1, np.int64), lambda i: torch.nn.functional.one_hot(i[:, 0], 3)),
        places,
        shapes=[(4, 1)],
        order=0,
    ),
    "where": Operation(
        lambda library, condition, a, b: library.where(condition, a, b),
        (truths, normal, normal),
        (
            ((2, 3), (2, 3), (3,)),
            ((2, 1), (3,), (2, 3)),
            ((2, 3), (2, 3), (2, 3)),
            ((), (2, 3), (3,)),
            ((4,), (), ()),
            ((0, 3), (3,), ()),
        ),
        few=2,
    ),
    "cat": Operation(
        lambda library, *parts: library.cat(parts, 1),
        (normal, normal, normal),
        (
            ((2, 1), (2, 3), (2, 2)),
            ((3, 3), (3, 3), (3, 3)),
            ((2, 0), (2, 3), (2, 0)),
            ((2, 1, 3), (2, 2, 3), (2, 1, 3)),
        ),
        few=2,
        names=("first", "second", "third"),
    ),
    "linear_map": Operation(
        lambda library, x, weight: FUNCTIONAL[library].linear(x, weight),
        (normal, normal),
        (((4, 3), (2, 3)), ((3, 3), (3, 3)), ((0, 3), (2, 3))),
        few=2,
    ),
    "linear": Operation(
        lambda library, x, weight, bias: FUNCTIONAL[library].linear(x, weight, bias),
        (normal, normal, normal),
        (((4, 3), (2, 3), (2,)), ((3, 4), (1, 4), (1,)), ((0, 3), (2, 3), (2,))),
        few=2,
    ),
    "batch_norm": Operation(
        lambda library, x, weight, bias: FUNCTIONAL[library].batch_norm(x, None, None, weight, bias, training=True),
        (normal, normal, normal),
        (((5, 3), (3,), (3,)), ((64, 10), (10,), (10,)), ((4, 1), (1,), (1,))),
        third=_normalised,
        residuals=lambda x, weight, bias: {
            "centred": x - x.mean(0),
            "rstd": 1 / np.sqrt(x.var(0, keepdims=True) + 1e-5),
        },
    ),
    "cross_entropy": Operation(
        lambda library, logits, target: FUNCTIONAL[library].cross_entropy(logits, target),
        (normal, places),
        (((5, 3), (5,)), ((1, 3), (1,)), ((3, 4), (3,))),
        few=3,
        residuals=lambda logits, target: {"probs": _softmax(logits)},
    ),
}

PRIMITIVES: dict[str, Primitive] = {row.name: row for row in vars(ops).values() if isinstance(row, Primitive)}
SMOOTH = [name for name in TABLE if TABLE[name].order]  # those that have a gradient
SCALAR = [name for name in SMOOTH if name in PRIMITIVES and PRIMITIVES[name].elementwise]  # and are defined of Values


def few(names: list[str]) -> dict[str, Any]:
    """The `parametrize` arguments that try operations with their first few shapes: of `name` and `shapes`."""
    cases = [(name, shapes) for name in names for shapes in TABLE[name].shapes[: TABLE[name].few]]
    return {"argvalues": cases, "ids": [f"{name}-{', '.join(map(str, shapes))}" for name, shapes in cases]}


def operand_names(name: str) -> tuple[str, ...]:
    """The names of an operation's operands, as its rules call them."""
    return TABLE[name].names or PRIMITIVES[name].operands
