"""The arithmetic operators, which Tensor, Value and the symbols of `derive` share: each applies a primitive."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from minigrad.core import ops
from minigrad.core.primitive import Primitive, Traced

Method = Callable[[Any, Any], Any]


def operators(primitive: Primitive) -> tuple[Method, Method]:
    """A binary primitive as the operator, `a + b`, and as its reflection, which Python asks of `b` where `a` cannot."""

    def operator(self: Any, other: Any) -> Any:
        return self.recorder(primitive)(self, other) if isinstance(other, self.partners) else NotImplemented

    def reflected(self: Any, other: Any) -> Any:
        return self.recorder(primitive)(other, self) if isinstance(other, self.partners) else NotImplemented

    return operator, reflected


def function(primitive: Primitive) -> Callable[[Any], Any]:
    """A primitive of one operand as a method."""

    def method(self: Any) -> Any:
        return self.recorder(primitive)(self)

    method.__name__, method.__doc__ = primitive.name, f"Apply {primitive.name}."
    return method


class Arithmetic(Traced):
    """The operators `+ - * / **`, between Traced operands, and with numbers on either side.

    `partners` are the classes that may stand on the other side.
    """

    __slots__ = ()

    partners: ClassVar[tuple[type, ...]] = (Traced, int, float, np.generic)

    __add__, __radd__ = operators(ops.add)
    __sub__, __rsub__ = operators(ops.sub)
    __mul__, __rmul__ = operators(ops.mul)
    __truediv__, __rtruediv__ = operators(ops.div)
    __pow__, __rpow__ = operators(ops.pow)
    __neg__ = function(ops.neg)
