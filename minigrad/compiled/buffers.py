"""The plan of memory: which results share a piece of memory, because one is done when the other begins."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from minigrad.derive.sharing import symbols_in
from minigrad.derive.symbols import Symbol

if TYPE_CHECKING:
    from minigrad.compiled.layout import Layout


class Buffers:
    """Pieces of memory for the results that numpy can write into memory that is given to it.

    `place` has the number of a piece, by the id of the Symbol; `sizes` the bytes of each piece. A result of the forward
    pass that the backward pass reads keeps its piece: the backward pass may run twice.
    """

    def __init__(self, order: Sequence[list[Symbol]], layout: "Layout") -> None:
        self.place: dict[int, int] = {}
        self.sizes: list[int] = []
        free: list[int] = []
        steps = [*order[0], *order[1]]
        last: dict[int, int] = {}  # the last step that reads a root
        for number, symbol in enumerate(steps):
            for x in {layout.root_of(x) for x in symbols_in(symbol.arguments)} | {layout.root_of(symbol)}:
                last[x] = number
        for _, effect in layout.wanted.effects:
            if isinstance(effect, Symbol):
                last[layout.root_of(effect)] = max(last.get(layout.root_of(effect), 0), len(order[0]))
        for number in range(len(order[0])):
            root = layout.root_of(steps[number])
            if last[root] >= len(order[0]):
                last[root] = len(steps)
        ending: dict[int, list[int]] = {}
        for root, number in last.items():
            ending.setdefault(number, []).append(root)
        for number, symbol in enumerate(steps):
            done = [self.place[root] for root in ending.get(number, ()) if root in self.place]
            in_place = layout.ufunc_of(symbol) is not None if symbol.primitive else False
            if in_place:  # numpy reads each element before it writes it
                free += done
            if layout.writes_into(symbol) and id(symbol) not in layout.direct:
                self.place[id(symbol)] = place = self._fitting(free, symbol)
                if last[id(symbol)] == number:  # nothing reads it
                    done.append(place)
            if not in_place:
                free += done

    def _fitting(self, free: list[int], symbol: Symbol) -> int:
        """The smallest piece that is free and large enough, or a new one."""
        size = symbol.dtype.itemsize
        for n in symbol.shape:
            size *= n
        fits = [place for place in free if size <= self.sizes[place] <= 2 * size + 64]
        if fits:
            place = min(fits, key=lambda place: self.sizes[place])
            free.remove(place)
            return place
        self.sizes.append(size)
        return len(self.sizes) - 1

    def lines(self) -> list[str]:
        """The statements that make the pieces."""
        return [f"memory = [np.empty(size, np.uint8) for size in {self.sizes}]"]
