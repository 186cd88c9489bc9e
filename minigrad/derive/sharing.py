"""Which Symbols are computed in the same way, so that each thing is computed once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.derive.symbols import OUTPUT, Symbol


class Sharing:
    """The Symbols that outputs are computed from, with one Symbol for all that are computed in the same way.

    The attributes are keyed by the ids of Symbols: `first` holds the first Symbol that is computed in the same way;
    `uses` counts the places where a Symbol stands; `outputs` holds, of a fused call, the outputs that are needed, by
    their places.
    """

    def __init__(self) -> None:
        self.first: dict[int, Symbol] = {}
        self.uses: Counter[int] = Counter()
        self.outputs: dict[int, dict[int, Symbol]] = {}
        self._same: dict[Any, Symbol] = {}  # by how it is computed

    def canonical(self, symbol: Any) -> Any:
        """The Symbol that stands for all that are computed alike. A number stays as it is."""
        return self.first.get(id(symbol), symbol)

    def add(self, output: Any) -> None:
        """Enter a Symbol, which is used from now on, and all that it is computed from."""
        for symbol in self._behind(output):
            self._intern(symbol)
        self.uses[id(self.canonical(output))] += 1

    def shared(self) -> Iterable[Symbol]:
        """The Symbols that stand for all that are computed alike, operands before results."""
        return self._same.values()

    def is_needed(self, symbol: Any) -> bool:
        """Whether an output is computed from it."""
        return id(symbol) in self.first

    def _behind(self, output: Any) -> Iterator[Symbol]:
        """A Symbol and all that it is computed from: operands first, each once, without recursion."""
        open_ends = [(output, False)] if isinstance(output, Symbol) else []
        while open_ends:
            symbol, done = open_ends.pop()
            if id(symbol) in self.first:
                continue
            if done:
                yield symbol
            else:
                open_ends.append((symbol, True))
                open_ends += [(part, False) for part in reversed([*symbols_in(symbol.arguments)])]

    def _intern(self, symbol: Symbol) -> None:
        """Find the first Symbol that is computed in the same way, and count what that one uses."""
        parts = [self.canonical(part) for part in symbols_in(symbol.arguments)]
        made: Any = (symbol.primitive, self._identity(symbol.arguments)) if symbol.primitive else id(symbol)
        if symbol.value is not None:
            made = symbol.shape, symbol.dtype, np.asarray(symbol.value).tobytes()
        first = self.first[id(symbol)] = self._same.setdefault(made, symbol)
        if first is symbol:
            self.uses.update(map(id, parts))
            if symbol.primitive is OUTPUT:
                self.outputs.setdefault(id(parts[0]), {})[symbol.arguments[1]] = symbol

    def _identity(self, argument: Any) -> Any:
        """What is equal for arguments that are equal."""
        if isinstance(argument, tuple):
            return tuple([self._identity(part) for part in argument])
        if isinstance(argument, Symbol):
            return id(self.canonical(argument))
        if isinstance(argument, np.ndarray | np.generic):
            return argument.shape, str(argument.dtype), argument.tobytes()
        if isinstance(argument, slice):
            return slice, argument.start, argument.stop, argument.step
        return type(argument), argument if isinstance(argument, int) else str(argument)


def symbols_in(arguments: Any) -> Iterator[Symbol]:
    """The Symbols among arguments, also within tuples."""
    for argument in arguments:
        if isinstance(argument, Symbol):
            yield argument
        elif isinstance(argument, tuple):
            yield from symbols_in(argument)
