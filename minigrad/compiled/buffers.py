"""The plan of memory: which results share a piece of memory, because one is done when the other begins."""

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from minigrad.compiled.blocks import Group
from minigrad.derive.sharing import symbols_in
from minigrad.derive.symbols import Symbol

if TYPE_CHECKING:
    from minigrad.compiled.layout import Layout


class Buffers:
    """Pieces of memory for the results that numpy can write into memory that is given to it.

    `place` has the number of a piece, by the id of the Symbol; `sizes` the bytes of each piece. A result of the forward
    pass that the backward pass reads keeps its piece: the backward pass may run twice. Of results that only their group
    reads, which are `local`, each thread has the block that it computes.
    """

    def __init__(self, order: Sequence[list[Symbol]], layout: "Layout") -> None:
        self.layout = layout
        self.place: dict[int, int] = {}
        self.sizes: list[int] = []
        self.local: dict[int, Group] = {}
        self._free: list[int] = []
        self._steps = [*order[0], *order[1]]
        self._last = self._last_readers(len(order[0]))
        self._ending: dict[int, list[int]] = {}  # the roots that nothing reads after a step
        for root, number in self._last.items():
            self._ending.setdefault(number, []).append(root)
        groups = [layout.blocks.group_of.get(id(symbol)) for symbol in self._steps]
        for group, numbers in itertools.groupby(range(len(groups)), groups.__getitem__):
            if group is None:
                for number in numbers:
                    self._place(number)
            else:
                self._place_together(group, [*numbers])

    def _last_readers(self, forward: int) -> dict[int, int]:
        """The last step that reads a root. What the backward pass reads of the forward pass is read to the end."""
        layout, last = self.layout, dict[int, int]()
        for number, symbol in enumerate(self._steps):
            if layout.is_view(symbol):  # it reads nothing
                continue
            for x in {layout.root_of(x) for x in symbols_in(symbol.arguments)} | {layout.root_of(symbol)}:
                last[x] = number
        for _, effect in layout.wanted.effects:
            if isinstance(effect, Symbol):
                last[layout.root_of(effect)] = max(last.get(layout.root_of(effect), 0), forward)
        for symbol in self._steps[:forward]:
            root = layout.root_of(symbol)
            if last.get(root, 0) >= forward:
                last[root] = len(self._steps)
        return last

    def _place(self, number: int) -> None:
        """Find a piece for the result of a step."""
        symbol = self._steps[number]
        done = [self.place[root] for root in self._ending.get(number, ()) if root in self.place]
        in_place = self._is_in_place(symbol)
        if in_place:
            self._free += done
        if self._is_planned(symbol):
            self.place[id(symbol)] = place = self._fitting(_bytes(symbol))
            if self._last[id(symbol)] == number:  # nothing reads it
                done.append(place)
        if not in_place:
            self._free += done

    def _place_together(self, group: Group, numbers: list[int]) -> None:
        """Find pieces for the results of a group.

        After a block, others are computed. So a piece that is done is used again within the group only for an array
        that lies in it in the same way, and never if all blocks read all of it.
        """
        sizes: dict[int, int] = {}  # the bytes of a result, by the id of its root
        done: list[tuple[int, bool, int]] = []  # bytes, whether it is local, place
        places: set[int] = set()  # which are free after the group
        whole = self._read_whole(group)
        for number in numbers:
            symbol = self._steps[number]
            is_local = self._last[id(symbol)] <= numbers[-1] and self._is_planned(symbol)
            size = sizes[id(symbol)] = group.bytes(symbol) if is_local else _bytes(symbol)
            if is_local:
                self.local[id(symbol)] = group
            ended = [root for root in self._ending.get(number, ()) if root in self.place]
            places |= {self.place[root] for root in ended if root in whole}
            ended = [root for root in ended if root not in whole]
            ending = [(self._size_of(root, sizes), root in self.local, self.place[root]) for root in ended]
            if self._is_in_place(symbol):
                done += ending
            if self._is_planned(symbol):
                fits = next((each for each in done if each[:2] == (size, is_local)), None)
                if fits:
                    done.remove(fits)
                place = self.place[id(symbol)] = fits[2] if fits else self._fitting(size)
                if is_local:
                    places.add(place)
                if self._last[id(symbol)] == number:
                    ending.append((size, is_local, place))
            if not self._is_in_place(symbol):
                done += ending
        self._free += places | {place for *_, place in done}

    def _read_whole(self, group: Group) -> set[int]:
        """The roots of which every block reads all."""
        layout = self.layout
        operands = [(layout.unexpanded(x), symbol) for symbol in group.steps for x in symbols_in(symbol.arguments)]
        return {layout.root_of(x) for x, symbol in operands if group.row_shape(x, symbol) is None}

    def _size_of(self, root: int, sizes: dict[int, int]) -> int:
        """The bytes of a result."""
        if root not in sizes:
            sizes[root] = next(_bytes(symbol) for symbol in self._steps if id(symbol) == root)
        return sizes[root]

    def _is_in_place(self, symbol: Symbol) -> bool:
        """Whether numpy reads each element before it writes it."""
        return symbol.primitive is not None and self.layout.ufunc_of(symbol) is not None

    def _is_planned(self, symbol: Symbol) -> bool:
        return self.layout.writes_into(symbol) and id(symbol) not in self.layout.direct

    def _fitting(self, size: int) -> int:
        """The smallest piece that is free and large enough, or a new one."""
        fits = [place for place in self._free if size <= self.sizes[place] <= 2 * size + 64]
        if fits:
            place = min(fits, key=lambda place: self.sizes[place])
            self._free.remove(place)
            return place
        self.sizes.append(size)
        return len(self.sizes) - 1

    def lines(self) -> list[str]:
        """The statements that make the pieces."""
        return [f"memory = [np.empty(size, np.uint8) for size in {self.sizes}]"]


def _bytes(symbol: Symbol) -> int:
    return math.prod(symbol.shape) * symbol.dtype.itemsize
