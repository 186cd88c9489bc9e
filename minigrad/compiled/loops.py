"""The statements of steps that are computed together: a function for a block of rows, and the call that runs it."""

import math
from typing import Any

import numpy as np

from minigrad.compiled.blocks import Group
from minigrad.compiled.layout import Wanted
from minigrad.compiled.statements import Statements
from minigrad.compiled.threads import in_blocks
from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.derive.expressions import number
from minigrad.derive.infix import COMPARISON
from minigrad.derive.naming import unused
from minigrad.derive.symbols import Symbol


class Loops(Statements):
    """Statements, in which the steps of a group stand in a function: `in_blocks` calls it for all rows.

    `within` is the step of a group that is being written. An operand is then what belongs to a block.
    """

    def __init__(self, wanted: Wanted, constants: dict[int, np.ndarray], contiguous: set[int]) -> None:
        super().__init__(wanted, constants, contiguous)
        self.within: tuple[Group, Symbol] | None = None
        self.space["in_blocks"] = in_blocks
        self.taken |= {"in_blocks", "start", "stop", "thread", "count"}

    def _step(self, symbol: Symbol) -> None:
        """Write the statement of a step, or those of its group."""
        if id(symbol) in self.blocks.groups:
            self._together(self.blocks.groups[id(symbol)])
        else:
            super()._step(symbol)

    def part(self, x: Any, least: int = COMPARISON) -> str:
        """The text of an operand."""
        x = self.canonical(x)
        if self.within is not None and isinstance(x, Symbol):
            return self._part_of_block(x, *self.within)
        return super().part(x, least)

    def _reduced(self, primitive: Primitive, x: Any, axes: Any, keepdims: Any, into: str = "") -> str:
        """A reduction; in a block, it is one of rows."""
        if self.within is not None:
            axes, keepdims = (-1,), True
        return super()._reduced(primitive, x, axes, keepdims, into)

    def _together(self, group: Group) -> None:
        """Write the steps of a group, as a function that computes a block."""
        body: list[str] = []
        for symbol in group.steps:
            shape = symbol.shape
            if id(symbol) in self.buffers.local:
                shape = (group.threads, group.size, *(group.row_shape(symbol, symbol) or ()))
            self._array(symbol, shape)
            self.within = group, symbol
            body += self._into(symbol, self.part(symbol))
            self.within = None
        name = unused("block", self.taken)
        self.taken.add(name)
        self.lines += [f"def {name}(start, stop, thread):", "    count = stop - start"]
        self.lines += [f"    {line}" for line in body]
        self.lines.append(f"in_blocks({name}, {group.rows}, {group.size}, {group.threads})")

    def _part_of_block(self, x: Symbol, group: Group, symbol: Symbol) -> str:
        """The text of an operand or of the result of a step: what belongs to a block, or the whole of what is short."""
        if x.value is not None:
            return self.fixed_number(x.value, x.dtype, number(x)[0])
        x = self.unexpanded(x)
        row, size = group.row_shape(x, symbol), math.prod(x.shape)
        while x.primitive is ops.reshape and self.in_rows_for_certain(x.arguments[0]):  # a view, and no copy
            x = self.canonical(x.arguments[0])
        self.within = None
        try:
            name = self.part(x)
            if row is None:
                if size == 1:
                    return name if len(x.shape) < 2 else self._in_shape(x, name, ())
                return name if x.shape in ((size,), (1, size)) else self._in_shape(x, name, (size,))
            if id(x) in self.buffers.local:
                return f"{self._in_shape(x, name, (group.threads, group.size, *row))}[thread, :count]"
            return f"{self._in_shape(x, name, (group.rows, *row))}[start:stop]"
        finally:
            self.within = group, symbol
