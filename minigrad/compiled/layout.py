"""What a program computes, step by step, and where each result lies: which arrays share memory, and in which layout."""

import math
import operator
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiled.blocks import Blocks
from minigrad.compiled.recording import CONTIGUOUS, ITEM, Call
from minigrad.core import ops
from minigrad.core.kernels import LONG
from minigrad.derive.copying import Helpers
from minigrad.derive.expressions import Expressions
from minigrad.derive.sharing import symbols_in
from minigrad.derive.symbols import OUTPUT, Symbol

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


class Wanted(NamedTuple):
    """What a program is to compute: Symbols.

    `given` are those of all arrays that it may read; `shared` says of each output whether it may share memory with one
    of them. `guards` are pairs of a Symbol and the value that it must have; `effects` pairs of a Symbol of what is
    given, and of what it becomes; `seeds` the gradients that arrive at outputs; `gradients` what the backward pass
    returns.
    """

    given: list[Symbol]
    guards: list[tuple[Symbol, Any]]
    draws: list[Symbol]
    outputs: list[Symbol]
    shared: list[bool]
    effects: list[tuple[Symbol, Symbol]]
    seeds: list[Symbol]
    gradients: list[Symbol]


class Layout(Expressions):
    """The steps of a program in order, and what is known of the memory of their results.

    `order` holds the steps of the forward pass and those of the backward pass. `reads` are the places of what is given
    and needed. `escaping` are the roots of what is given away; `direct` the new values that are written at once into
    what they change; `blocks` the steps that are computed together.
    """

    def __init__(self, wanted: Wanted, constants: dict[int, np.ndarray], contiguous: set[int]) -> None:
        super().__init__(Helpers(set(), {}, False), False)
        self.wanted, self.constants, self.in_rows = wanted, constants, contiguous
        self._add_all()
        self.root: dict[int, int] = {}  # of a view: the Symbol whose memory it shares
        self.rows: dict[int, bool] = {}  # whether an array is known to lie in rows
        self.order: list[list[Symbol]] = [self._forward(), []]
        done = {id(symbol) for symbol in self.order[0]}
        self.order[1] = [x for g in wanted.gradients for x in self._steps(g, done)]
        self.escaping = self.roots_of([*wanted.outputs, *wanted.gradients])
        self.direct = self._written_directly()
        self.blocks = Blocks(self)
        self.order = [self.blocks.arranged(steps) for steps in self.order]

    def _add_all(self) -> None:
        wanted = self.wanted
        before = [symbol for symbol, _ in wanted.guards]
        after = [symbol for _, symbol in wanted.effects]
        changed = [symbol for symbol, _ in wanted.effects]
        for symbol in [*before, *wanted.draws, *wanted.outputs, *changed, *after, *wanted.gradients]:
            self.add(symbol)
        self.reads = [i for i, symbol in enumerate(wanted.given) if self.is_needed(symbol)]

    # The order of steps

    def _forward(self) -> list[Symbol]:
        """All steps of the forward pass: guards first, since nothing must have changed when one of them fails."""
        done: set[int] = set()
        wanted = self.wanted
        roots = [*(x for x, _ in wanted.guards), *wanted.draws, *wanted.outputs, *(x for _, x in wanted.effects)]
        return [x for root in roots for x in self._steps(root, done)]

    def _steps(self, root: Any, done: set[int]) -> Iterator[Symbol]:
        """A Symbol and all that it needs and that is not done, operands first."""
        open_ends = [(self.canonical(root), False)]
        while open_ends:
            symbol, ready = open_ends.pop()
            if not isinstance(symbol, Symbol) or id(symbol) in done:
                continue
            if ready:
                done.add(id(symbol))
                yield symbol
            else:
                open_ends.append((symbol, True))
                open_ends += [(self.canonical(x), False) for x in reversed([*symbols_in(symbol.arguments)])]

    def _written_directly(self) -> dict[int, Symbol]:
        """New values that can be written at once into what they change, because nothing reads the old one later."""
        last: dict[int, int] = {}
        for number, symbol in enumerate(self.order[0] + self.order[1]):
            last |= dict.fromkeys([self.root_of(x) for x in symbols_in(symbol.arguments)], number)
        places = {id(symbol): number for number, symbol in enumerate(self.order[0])}
        direct = {}
        for old, new in self.wanted.effects:
            symbol = self.canonical(new)
            alike = (old.shape, old.dtype) == (symbol.shape, symbol.dtype) and self.uses[id(symbol)] == 1
            is_last = id(old) not in self.escaping and last.get(id(old), -1) <= places.get(id(symbol), -1)
            if alike and is_last and self.ufunc_of(symbol) is not None and self.writes_into(symbol):
                direct[id(symbol)] = old
        return direct

    # Memory

    def root_of(self, symbol: Symbol) -> int:
        """The id of the Symbol whose memory this one may share, or its own."""
        symbol = self.canonical(symbol)
        if id(symbol) not in self.root:
            self.root[id(symbol)] = self.root_of(symbol.arguments[0]) if self._may_view(symbol) else id(symbol)
        return self.root[id(symbol)]

    def _may_view(self, symbol: Symbol) -> bool:
        primitive = symbol.primitive
        if primitive is None or not symbol.arguments or not isinstance(symbol.arguments[0], Symbol):
            return False
        if primitive in VIEWS or primitive in (OUTPUT, CONTIGUOUS):
            return True
        if primitive is ops.index or (isinstance(primitive, Call) and primitive.function is ITEM):
            return not self._is_fancy(symbol.arguments[1])
        return isinstance(primitive, Call) and not isinstance(primitive.function, np.ufunc)

    @staticmethod
    def _is_fancy(key: Any) -> bool:
        return any(isinstance(part, Symbol | np.ndarray) for part in key)

    def roots_of(self, symbols: Iterable[Any]) -> set[int]:
        return {self.root_of(x) for x in symbols if isinstance(x, Symbol)}

    def is_view(self, symbol: Symbol) -> bool:
        """Whether it is for certain a view of its first operand."""
        primitive = symbol.primitive
        if primitive is ops.reshape:
            return self.in_rows_for_certain(symbol.arguments[0])
        return primitive in VIEWS or (primitive is ops.index and not self._is_fancy(symbol.arguments[1]))

    def in_rows_for_certain(self, symbol: Any) -> bool:
        """Whether an array is known to be contiguous, in C's order."""
        symbol = self.canonical(symbol)
        if id(symbol) not in self.rows:
            self.rows[id(symbol)] = self._lies_in_rows(symbol)
        return self.rows[id(symbol)]

    def _lies_in_rows(self, symbol: Symbol) -> bool:
        primitive = symbol.primitive
        if symbol.value is not None:
            return True
        if primitive is None:
            return id(symbol) in self.in_rows
        if id(symbol) in self.in_rows or primitive is CONTIGUOUS:
            return True
        operands = [x for x in symbol.arguments if isinstance(x, Symbol)]
        if primitive is ops.index and self._is_fancy(symbol.arguments[1]):
            return True
        keeps = primitive in REDUCTIONS or primitive in KEEPING
        if keeps or self.ufunc_of(symbol) is not None:
            if any(
                self.canonical(x).shape == symbol.shape and self.unexpanded(x) is self.canonical(x) for x in operands
            ):
                operands = [self.unexpanded(x) for x in operands]  # what is repeated follows the order of the others
            return all(self.in_rows_for_certain(x) for x in operands)
        if primitive is ops.matmul and len(symbol.shape) > 2:  # numpy lays out the batch dims as those of its operands
            return all(self.in_rows_for_certain(x) for x in operands)
        return primitive in (ops.matmul, ops.linear, ops.linear_map, ops.put, ops.one_hot)

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

    def writes_into(self, symbol: Symbol) -> bool:
        """Whether numpy can write the result of a step into memory that is given to it."""
        primitive = symbol.primitive
        if primitive is None or symbol.value is not None or not self.in_rows_for_certain(symbol):
            return False
        if id(symbol) in self.escaping or not math.prod(symbol.shape):
            return False
        if primitive in REDUCTIONS:
            return not self._is_long(symbol) and self.in_rows_for_certain(symbol.arguments[0])
        if primitive is ops.where:
            condition, *choices = symbol.arguments
            return condition.dtype == bool and {x.dtype for x in choices if isinstance(x, Symbol)} == {symbol.dtype}
        if primitive is ops.put:
            return not self._is_fancy(symbol.arguments[1])
        if primitive is ops.softmax:
            return bool(self.in_rows_for_certain(symbol.arguments[0]))
        others = (ops.relu, ops.matmul, ops.linear, ops.linear_map)
        return self.ufunc_of(symbol) is not None or primitive in others

    def unexpanded(self, x: Any) -> Any:
        """An operand without what repeats it."""
        x = self.canonical(x)
        while isinstance(x, Symbol) and x.primitive is ops.expand:
            x = self.canonical(x.arguments[0])
        return x

    def _is_long(self, symbol: Symbol) -> bool:
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


def _power(exponent: Any) -> np.ufunc | None:
    """What numpy computes a power by, if not by `**` alone."""
    if isinstance(exponent, Symbol):
        return np.power if exponent.shape and exponent.value is None else None
    shortcuts: dict[float, np.ufunc | None] = {2: np.square, 0.5: np.sqrt, -1: None, 0: None, 1: None}
    return shortcuts.get(exponent, np.power)
