"""The arithmetic operators, the same for everything that records: each is a row of the table."""

from typing import Any, ClassVar

import numpy as np

from minigrad import ops
from minigrad.ops import Recorded, Row


class Arithmetic(Recorded):
    """Whatever records, written with `+ - * / **`, with numbers and arrays on either side."""

    __slots__ = ()

    partners: ClassVar[tuple[type, ...]] = (Recorded, int, float, np.generic)

    def _apply(self, row: Row, a: Any, b: Any, other: Any) -> Any:
        return self.record(row, (a, b), ()) if isinstance(other, self.partners) else NotImplemented

    def __add__(self, other: Any) -> Any:
        return self._apply(ops.add, self, other, other)

    def __radd__(self, other: Any) -> Any:
        return self._apply(ops.add, other, self, other)

    def __sub__(self, other: Any) -> Any:
        return self._apply(ops.sub, self, other, other)

    def __rsub__(self, other: Any) -> Any:
        return self._apply(ops.sub, other, self, other)

    def __mul__(self, other: Any) -> Any:
        return self._apply(ops.mul, self, other, other)

    def __rmul__(self, other: Any) -> Any:
        return self._apply(ops.mul, other, self, other)

    def __truediv__(self, other: Any) -> Any:
        return self._apply(ops.div, self, other, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._apply(ops.div, other, self, other)

    def __pow__(self, other: Any) -> Any:
        return self._apply(ops.pow, self, other, other)

    def __rpow__(self, other: Any) -> Any:
        return self._apply(ops.pow, other, self, other)

    def __neg__(self) -> Any:
        return self.record(ops.neg, (self,), ())
