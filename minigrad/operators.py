"""The arithmetic operators, the same for everything that records: each is a row of the table."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from minigrad import ops
from minigrad.rows import Recorded, Row

Method = Callable[[Any, Any], Any]


def _operators(row: Row) -> tuple[Method, Method]:
    """A row as a binary operator, and as the one that Python asks of the operand on the right."""

    def operator(self: Any, other: Any) -> Any:
        return self.recorder(row)(self, other) if isinstance(other, self.partners) else NotImplemented

    def reflected(self: Any, other: Any) -> Any:
        return self.recorder(row)(other, self) if isinstance(other, self.partners) else NotImplemented

    return operator, reflected


class Arithmetic(Recorded):
    """Whatever records, written with `+ - * / **`, with numbers and arrays on either side."""

    __slots__ = ()

    partners: ClassVar[tuple[type, ...]] = (Recorded, int, float, np.generic)

    __add__, __radd__ = _operators(ops.add)
    __sub__, __rsub__ = _operators(ops.sub)
    __mul__, __rmul__ = _operators(ops.mul)
    __truediv__, __rtruediv__ = _operators(ops.div)
    __pow__, __rpow__ = _operators(ops.pow)

    def __neg__(self) -> Any:
        return self.recorder(ops.neg)(self)
