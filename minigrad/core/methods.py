"""Where Tensor gets the methods that the core itself does not need: PyTorch's words, from `gradients.py` and `api/`.

`@method` makes a function a method too, so that `minigrad.exp(x)` and `x.exp()` are one function, defined in one place.
`@methods` does so for all that a class defines: PyTorch has these as methods alone, or Python asks for them.
Type checkers read the same methods in `methods.pyi`, which is generated from them; a test compares the two.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
Extension = TypeVar("Extension", bound=type)


class Methods:
    """The base class of Tensor that holds these methods."""

    __slots__ = ()


def method(function: Function) -> Function:
    """Let a function of Tensors, or a property, be a method of Tensor too, under its own name."""
    setattr(Methods, getattr(function, "fget", function).__name__, function)
    return function


def methods(extension: Extension) -> Extension:
    """Let all that a subclass of Tensor defines be methods of Tensor itself."""
    for name, member in vars(extension).items():
        if name not in ("__doc__", "__module__", "__slots__"):
            setattr(Methods, name, member)
    return extension
