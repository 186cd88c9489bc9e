"""What a program computes, step by step, and where each result lies: which arrays share memory."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiled.blocks import Blocks
from minigrad.compiled.calls import CONTIGUOUS, ITEM, Call
from minigrad.compiled.strides import REDUCTIONS, VIEWS, Strides
from minigrad.core import ops
from minigrad.derive.sharing import symbols_in
from minigrad.derive.symbols import OUTPUT, Symbol


class Wanted(NamedTuple):
    """What a program is to compute: Symbols.

    `given` are those of all arrays that it may read: first those of the function's `arguments`, which are so many.
    `shared` says of each output whether it may share memory with one of them. `saved` are the ids of those of what is
    given and of the outputs that the engine saves: it refuses their change before the backward pass. `guards` are pairs
    of a Symbol and the value that it must have; `effects` pairs of a Symbol of what is given, and of what it becomes;
    `seeds` the gradients that arrive at outputs; `gradients` what the backward pass returns, those of `leaves`.
    """

    given: list[Symbol]
    guards: list[tuple[Symbol, Any]]
    draws: list[Symbol]
    outputs: list[Symbol]
    shared: list[bool]
    saved: set[int]
    effects: list[tuple[Symbol, Symbol]]
    seeds: list[Symbol]
    gradients: list[Symbol]
    leaves: list[Symbol]
    arguments: int


class Layout(Strides):
    """The steps of a program in order, and what is known of the memory of their results.

    `order` holds the steps of the forward pass and those of the backward pass. `reads` are the places of what is given
    and needed. `escaping` are the roots of what is given away; `direct` the new values that are written at once into
    what they change; `blocks` the steps that are computed together.
    """

    def __init__(self, wanted: Wanted, constants: dict[int, np.ndarray], contiguous: set[int]) -> None:
        super().__init__(contiguous)
        self.wanted, self.constants = wanted, constants
        self._add_all()
        self.root: dict[int, int] = {}  # of a view: the Symbol whose memory it shares
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
            if alike and is_last and self.writes_into(symbol) and self.ufunc_of(symbol) is not None:
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
        if primitive is ops.reshape:
            return not self.copies(symbol)
        if primitive in VIEWS or primitive in (OUTPUT, CONTIGUOUS):
            return True
        if primitive is ops.index or (isinstance(primitive, Call) and primitive.function is ITEM):
            return not self.is_fancy(symbol.arguments[1])
        return isinstance(primitive, Call) and not isinstance(primitive.function, np.ufunc)

    def roots_of(self, symbols: Iterable[Any]) -> set[int]:
        return {self.root_of(x) for x in symbols if isinstance(x, Symbol)}

    def writes_into(self, symbol: Symbol) -> bool:
        """Whether numpy can write the result of a step into memory that is given to it."""
        primitive = symbol.primitive
        if primitive is None or symbol.value is not None or not self.in_rows_for_certain(symbol):
            return False
        if id(symbol) in self.escaping or not math.prod(symbol.shape):
            return False
        if primitive in REDUCTIONS:
            return not self.is_long(symbol) and self.in_rows_for_certain(symbol.arguments[0])
        if primitive is ops.where:
            condition, *choices = symbol.arguments
            return condition.dtype == bool and {x.dtype for x in choices if isinstance(x, Symbol)} == {symbol.dtype}
        if primitive is ops.put:
            return not self.is_fancy(symbol.arguments[1])
        if primitive is ops.reshape:
            return self.copies(symbol)
        if primitive is ops.softmax:
            return bool(self.in_rows_for_certain(symbol.arguments[0]))
        others = (ops.relu, ops.matmul, ops.linear, ops.linear_map)
        return self.ufunc_of(symbol) is not None or primitive in others
