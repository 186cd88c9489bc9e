"""The plan of blocks: which steps over large arrays are computed together, some rows at a time.

numpy computes one step after the other. If their arrays are larger than the cache, every step reads them from memory
and writes them back. So steps that compute each element, or each row, by itself are done together for a block of rows,
which stays in the cache. Threads share the blocks. The results have the same bits: each element is computed as before.

A group has `rows` rows. Each of its arrays is cut into so many equal parts; a block is some of these parts.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from minigrad.compiled.calls import Call
from minigrad.compiled.strides import REDUCTIONS
from minigrad.core import ops
from minigrad.core.primitive import Shape
from minigrad.derive.sharing import symbols_in
from minigrad.derive.symbols import Symbol
from minigrad.machine import get_num_threads

if TYPE_CHECKING:
    from minigrad.compiled.layout import Layout

LARGE = 1 << 17  # elements, from where on an array does not stay in the cache
BLOCK = 1 << 15  # elements of the largest array of a block
FEWEST = 32  # blocks, so that threads end at about the same time


class Pattern(NamedTuple):
    """How a step goes through its arrays: in rows of `length` elements, or element by element if `length` is 1.

    `elements` is the number of elements of its operands of full size.
    """

    elements: int
    length: int

    @property
    def rows(self) -> int:
        return self.elements // self.length


class Group:
    """Steps that are computed together: `rows` in all, `size` at a time, by at most so many `threads`."""

    def __init__(self, symbol: Symbol, pattern: Pattern) -> None:
        self.steps = [symbol]
        self.patterns = {id(symbol): pattern}
        self.rows = pattern.rows
        self.threads = get_num_threads()

    @property
    def size(self) -> int:
        """The rows of a block."""
        return max(1, BLOCK * self.rows // self._largest)

    def takes(self, symbol: Symbol, pattern: Pattern) -> bool:
        """Add a step, if the arrays of all steps can be cut into the same number of parts."""
        rows = math.gcd(self.rows, pattern.rows)
        largest = max(pattern.elements, self._largest)
        if rows < FEWEST * self.threads or largest > BLOCK * rows:
            return False
        self.rows = rows
        self.steps.append(symbol)
        self.patterns[id(symbol)] = pattern
        return True

    @property
    def _largest(self) -> int:
        return max(pattern.elements for pattern in self.patterns.values())

    def bytes(self, symbol: Symbol) -> int:
        """The size of the blocks of all threads."""
        return self.threads * self.size * (math.prod(symbol.shape) // self.rows) * symbol.dtype.itemsize

    def row_shape(self, x: Symbol, symbol: Symbol) -> Shape | None:
        """The shape of a row of an array, which is an operand of a step or its result; None if it is read as a whole.

        A row is of the group's rows, so several rows of the step may lie in it.
        """
        count, length = self.patterns[id(symbol)]
        is_reduced, width = symbol.primitive in REDUCTIONS, count // self.rows
        if is_reduced and x is symbol:
            shape: Shape = (width // length, 1)
        elif math.prod(x.shape) == count:
            shape = (width // length, length) if length > 1 or is_reduced else (width,)
        elif is_read_whole(x, symbol):
            return None
        else:
            shape = (width // length, 1)
        return shape[shape[0] == 1 :]

    @property
    def is_worthwhile(self) -> bool:
        large = sum(pattern.elements >= LARGE for pattern in self.patterns.values())
        return large > 1 or (large == 1 and self.threads > 1)


class Blocks:
    """The groups among steps, by the ids of their first steps, and the steps in an order in which each is together."""

    def __init__(self, layout: "Layout") -> None:
        self.layout = layout
        self.groups: dict[int, Group] = {}
        self.group_of: dict[int, Group] = {}

    def arranged(self, steps: list[Symbol]) -> list[Symbol]:
        """The steps in another order. What does not depend on an open group comes before it."""
        if all(math.prod(symbol.shape) < LARGE for symbol in steps):
            return steps
        done: list[Symbol] = []
        group: Group | None = None
        inner: set[int] = set()  # ids of the steps of the group, and of views of their results
        after: list[Symbol] = []  # what depends on the group, and so comes after it
        late: set[int] = set()
        for symbol in steps:
            operands = {id(self.layout.canonical(x)) for x in symbols_in(symbol.arguments)}
            is_late, is_inner = not operands.isdisjoint(late), not operands.isdisjoint(inner)
            if group is not None and not is_late:
                if self.layout.is_view(symbol) and is_inner:
                    inner.add(id(symbol))
                    after.append(symbol)
                    continue
                # What every block reads whole must be there before the first block.
                read = [self.layout.unexpanded(x) for x in symbols_in(symbol.arguments)]
                is_early = any(id(x) in inner and is_read_whole(x, symbol) for x in read)
                pattern = None if is_early else self.pattern_of(symbol)
                belongs = is_inner or (pattern is not None and pattern.elements >= LARGE and not late)
                if pattern and belongs and group.takes(symbol, pattern):
                    inner.add(id(symbol))
                    continue
            is_new = self._begins(symbol)
            changes = id(symbol) in self.layout.direct or (isinstance(symbol.primitive, Call) and bool(after))
            if group is not None and is_new and (late or is_late or is_inner or not group.is_worthwhile):
                done += self._closed(group, after)
                group = None
            if group is not None:
                if is_late or is_inner or changes:
                    after.append(symbol)
                    late.add(id(symbol))
                else:
                    done.append(symbol)
            elif is_new:
                pattern = self.pattern_of(symbol)
                assert pattern
                group, inner, after, late = Group(symbol, pattern), {id(symbol)}, [], set()
            else:
                done.append(symbol)
        return [*done, *(self._closed(group, after) if group is not None else ())]

    def _begins(self, symbol: Symbol) -> bool:
        """Whether a group can begin with a step."""
        pattern = self.pattern_of(symbol)
        if pattern is None or pattern.elements < LARGE:
            return False
        return pattern.rows >= FEWEST * get_num_threads() and pattern.elements <= BLOCK * pattern.rows

    def _closed(self, group: Group, after: list[Symbol]) -> Iterator[Symbol]:
        yield from group.steps
        yield from after
        if group.is_worthwhile:
            self.groups[id(group.steps[0])] = group
            self.group_of |= dict.fromkeys(map(id, group.steps), group)

    # Which steps can be in a group

    def pattern_of(self, symbol: Symbol) -> Pattern | None:
        """How a step goes through its arrays; None if it cannot be computed in blocks."""
        layout, primitive = self.layout, symbol.primitive
        if primitive is None or id(symbol) in layout.direct or not layout.writes_into(symbol) or not symbol.shape:
            return None
        if primitive in REDUCTIONS:
            x, axes, *_ = symbol.arguments
            if axes != (len(x.shape) - 1,) or not layout.in_rows_for_certain(x):
                return None
            return Pattern(math.prod(x.shape), x.shape[-1])
        if layout.ufunc_of(symbol) is None and primitive not in (ops.relu, ops.where):
            return None
        count, length = math.prod(symbol.shape), 1
        for x in symbols_in(symbol.arguments):
            x = self.layout.unexpanded(x)
            if x.value is not None or math.prod(x.shape) == 1:
                continue
            own = row_length(x.shape, symbol.shape)
            if own is None or not layout.in_rows_for_certain(x) or (own > 1 and length not in (1, own)):
                return None
            length = max(length, own)
        return Pattern(count, length)


def row_length(shape: Shape, whole: Shape) -> int | None:
    """The length of the rows in which an operand is broadcast to `whole`: 1 if it has the same size.

    None if it is broadcast in another way.
    """
    shape = (1,) * (len(whole) - len(shape)) + shape
    for place in range(len(whole)):
        if shape in ((1,) * place + whole[place:], whole[:place] + (1,) * (len(whole) - place)):
            return math.prod(whole[place:]) if shape != whole else 1
    return None


def is_read_whole(x: Symbol, symbol: Symbol) -> bool:
    """Whether every row of a step reads all of an operand: one number, or what is broadcast along the first dims."""
    whole = symbol.shape
    if symbol.primitive in REDUCTIONS or math.prod(x.shape) == math.prod(whole):
        return False
    shape = (1,) * (len(whole) - len(x.shape)) + x.shape
    return math.prod(shape) == 1 or any(shape == (1,) * place + whole[place:] for place in range(1, len(whole)))
