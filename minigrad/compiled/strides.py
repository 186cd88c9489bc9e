"""In which layout the results of steps lie, which follows from the layouts of what is given.

numpy lays out a result as its operands are laid out. The order in which it adds follows from that, and so do the bits
of a sum. So a result gets memory that is made beforehand only if it is known to lie in rows, as arrays of C do.
"""

import math
import operator
from typing import Any

import numpy as np

from minigrad.compiled.calls import CONTIGUOUS, Call
from minigrad.core import ops
from minigrad.core.kernels import LONG
from minigrad.core.primitive import Shape
from minigrad.derive.copying import Helpers
from minigrad.derive.expressions import Expressions
from minigrad.derive.symbols import Symbol

# What computes a Python operator on arrays.
UFUNCS: dict[Any, np.ufunc] = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.divide,
    operator.neg: np.negative,
    operator.eq: np.equal,
    operator.ne: np.not_equal,
    operator.ge: np.greater_equal,
    operator.gt: np.greater,
    operator.le: np.less_equal,
    operator.lt: np.less,
}
REDUCTIONS = {
    ops.sum: np.add,
    ops.mean: np.add,
    ops.amax: np.maximum,
    ops.max: np.maximum,
    ops.amin: np.minimum,
    ops.min: np.minimum,
}
# Primitives whose result lies in rows if their operands do.
KEEPING = {
    *(ops.reshape, ops.relu, ops.where, ops.softmax, ops.log_softmax, ops.cumsum, ops.clamp, ops.is_nonzero, ops.cast),
}
VIEWS = {ops.reshape, ops.permute, ops.expand}
COPY = "copy"


class Strides(Expressions):
    """What is known of the layout of each result. `in_rows` are the ids of Symbols that are said to lie in rows."""

    def __init__(self, in_rows: set[int]) -> None:
        super().__init__(Helpers(set(), {}, False), False)
        self.in_rows = in_rows
        self._laid_out: dict[int, np.ndarray | None] = {}
        self._rows: dict[int, bool] = {}  # whether a result is known to lie in rows

    @staticmethod
    def ufunc_of(symbol: Symbol) -> np.ufunc | None:
        """The ufunc that computes a Symbol of its arguments, if one does."""
        primitive = symbol.primitive
        if isinstance(primitive, Call):
            function = primitive.function
            is_ufunc = isinstance(function, np.ufunc) and not primitive.keywords and function.nout == 1
            is_ufunc = is_ufunc and function.signature is None  # type: ignore[attr-defined]
            return function if is_ufunc else None  # type: ignore[return-value]
        assert primitive
        forward = primitive.forward
        if isinstance(forward, np.ufunc):
            is_plain = forward.nout == 1 and forward.signature is None and not primitive.params
            return forward if is_plain else None
        if primitive is ops.pow:
            return _power(symbol.arguments[1])
        return UFUNCS.get(forward)

    def unexpanded(self, x: Any) -> Any:
        """An operand without what repeats it."""
        x = self.canonical(x)
        while isinstance(x, Symbol) and x.primitive is ops.expand:
            x = self.canonical(x.arguments[0])
        return x

    def is_view(self, symbol: Symbol) -> bool:
        """Whether it is for certain a view of its first operand."""
        primitive = symbol.primitive
        if primitive is ops.reshape:
            return self.in_rows_for_certain(symbol.arguments[0]) or isinstance(self._reshaped(symbol), np.ndarray)
        return primitive in VIEWS or (primitive is ops.index and not self.is_fancy(symbol.arguments[1]))

    @staticmethod
    def is_fancy(key: Any) -> bool:
        return any(isinstance(part, Symbol | np.ndarray) for part in key)

    def in_rows_for_certain(self, symbol: Any) -> bool:
        """Whether an array is known to be contiguous, in C's order."""
        symbol = self.canonical(symbol)
        if id(symbol) not in self._rows:
            self._rows[id(symbol)] = self._lies_in_rows(symbol)
        return self._rows[id(symbol)]

    def _lies_in_rows(self, symbol: Symbol) -> bool:
        primitive = symbol.primitive
        if symbol.value is not None:
            return True
        if primitive is None:
            return id(symbol) in self.in_rows
        if id(symbol) in self.in_rows or primitive is CONTIGUOUS:
            return True
        operands = [x for x in symbol.arguments if isinstance(x, Symbol)]
        if primitive is ops.index and self.is_fancy(symbol.arguments[1]):
            return True
        if primitive is ops.reshape and self.copies(symbol):
            return True
        keeps = primitive in REDUCTIONS or primitive in KEEPING
        if keeps or self.ufunc_of(symbol) is not None:
            if any(
                self.canonical(x).shape == symbol.shape and self.unexpanded(x) is self.canonical(x) for x in operands
            ):
                operands = [self.unexpanded(x) for x in operands]  # what is repeated follows the order of the others
            return all(self.in_rows_for_certain(x) for x in operands)
        if primitive is ops.matmul and len(symbol.shape) > 2:  # numpy lays out the batch dims as those of its operands
            return all(self._is_batch_in_order(x) for x in operands)
        return primitive in (ops.matmul, ops.linear, ops.linear_map, ops.put, ops.one_hot)

    def _is_batch_in_order(self, x: Symbol) -> bool:
        """Whether the strides of the batch dims of an operand of a matrix product fall from the first to the last."""
        array = self.laid_out(x)
        if array is None:
            return False
        strides = [n for size, n in zip(array.shape[:-2], array.strides, strict=False) if size > 1 and n]
        return strides == sorted(strides, reverse=True)

    def copies(self, symbol: Symbol) -> bool:
        """Whether a reshape is known to copy."""
        return self._reshaped(symbol) is COPY

    def _reshaped(self, symbol: Symbol) -> Any:
        """What a reshape makes of `laid_out` of its operand: a view, COPY, or None if that is not known."""
        before = self.laid_out(symbol.arguments[0])
        if before is None:
            return None
        view = _viewed(before, symbol.shape)
        return COPY if view is None else view

    def laid_out(self, symbol: Symbol) -> np.ndarray | None:
        """An array with the strides of a result, whose numbers must not be read; None if they are not known."""
        symbol = self.canonical(symbol)
        if id(symbol) not in self._laid_out:
            self._laid_out[id(symbol)] = self._found_layout(symbol)
        return self._laid_out[id(symbol)]

    def _found_layout(self, symbol: Symbol) -> np.ndarray | None:
        if self.in_rows_for_certain(symbol):
            return _in_rows(symbol.shape, symbol.dtype)
        if symbol.primitive is None or not self.is_view(symbol):
            return None
        if symbol.primitive is ops.reshape:
            return self._reshaped(symbol)
        x = self.laid_out(symbol.arguments[0])
        if x is None:
            return None
        if symbol.primitive is ops.permute:
            return x.transpose(symbol.arguments[1])
        return x[symbol.arguments[1]] if symbol.primitive is ops.index else np.broadcast_to(x, symbol.shape)

    def is_long(self, symbol: Symbol) -> bool:
        """Whether a sum is computed in parts, as in `kernels.total`."""
        if symbol.primitive not in (ops.sum, ops.mean):
            return False
        x, axes, *_ = symbol.arguments
        if x.dtype.char == "e":
            return True
        if math.prod(x.shape) < LONG or max(x.shape) < LONG:
            return False
        return not self.in_rows_for_certain(x) or any(
            x.shape[axis] >= LONG and math.prod(x.shape[axis + 1 :]) > 1 for axis in axes
        )


def _in_rows(shape: Shape, dtype: np.dtype[Any]) -> np.ndarray:
    """An array that lies in rows, for its strides alone: its numbers must not be read."""
    strides = np.cumprod([dtype.itemsize, *reversed(shape[1:])])[::-1]
    return np.lib.stride_tricks.as_strided(np.zeros(1, dtype), shape, strides[: len(shape)].tolist())


def _viewed(array: np.ndarray, shape: Shape) -> np.ndarray | None:
    """A view of another shape, or None if a reshape copies. numpy 2.0 has no `copy`, but assigns a shape likewise."""
    try:
        return np.reshape(array, shape, copy=False)
    except ValueError:
        return None
    except TypeError:
        view = array.view()
    try:
        view.shape = shape
    except AttributeError:
        return None
    return view


def _power(exponent: Any) -> np.ufunc | None:
    """What numpy computes a power by, if not by `**` alone."""
    if isinstance(exponent, Symbol):
        return np.power if exponent.shape and exponent.value is None else None
    shortcuts: dict[float, np.ufunc | None] = {2: np.square, 0.5: np.sqrt, -1: None, 0: None, 1: None}
    return shortcuts.get(exponent, np.power)
