"""The errors for names that minigrad does not have: they say whose names these are, or which name was meant.

`torch_names.txt` lists the names that PyTorch has; `python -m tests.support.torch_names` writes it. The names of `nn`
for which there is something to use instead are listed in `nn`, which the core and the API do not import.
"""

import functools
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from minigrad.core.dtypes import dtype
from minigrad.core.record import Node
from minigrad.random import Generator

NOTHING: Mapping[str, str] = {}


class Message:
    """The text of an AttributeError, which is made when it is shown.

    `hasattr`, `copy`, `pickle` and numpy ask for many names and never show an error. A pickled Message is its text.
    """

    def __init__(
        self, owner: object, title: str, name: str, theirs: str, instead: Mapping[str, str], left: str = ""
    ) -> None:
        self.owner, self.title, self.name, self.theirs, self.instead = owner, title, name, theirs, instead
        self.left = left

    def __str__(self) -> str:
        return f"{self.title} has no attribute {self.name!r}{self._remedy()}"

    def _remedy(self) -> str:
        if self.name.startswith("_"):
            return ""
        if self.name in self.instead:
            return f"; use {self.instead[self.name]}"
        theirs = torch_names()[self.theirs]
        if self.name in theirs:
            if self.left and re.search(self.left, self.name, re.IGNORECASE):
                return ", on purpose: PyTorch is the place for it, and a state_dict() moves there unchanged"
            return ", which PyTorch has and minigrad does not support yet"
        import difflib  # which most programs do without

        # Names are compared without case, because Relu means ReLU. A name that minigrad has need not be as close.
        own = {name.casefold(): name for name in dir(self.owner) if not name.startswith("_")}
        known = {name.casefold(): name for name in theirs} | own
        word = self.name.casefold()
        close = difflib.get_close_matches(word, known, 1, 0.8) or difflib.get_close_matches(word, own, 1)
        if not close:
            return ""
        meant = known[close[0]]
        also_missing = Message(self.owner, self.title, meant, self.theirs, self.instead, self.left)
        return f"; did you mean {meant!r}?" + ("" if close[0] in own else f" {also_missing}")

    def __repr__(self) -> str:
        return repr(str(self))

    def __reduce__(self) -> Any:
        return str, (str(self),)


@functools.cache
def torch_names() -> dict[str, set[str]]:
    """Return the names that PyTorch has, by the module or class that has them."""
    names: dict[str, set[str]] = {}
    for word in Path(__file__).with_name("torch_names.txt").read_text(encoding="utf-8").split():
        if word.endswith(":"):
            found = names[word.removesuffix(":")] = set()
        else:
            found.add(word)
    return names


def of_module(module: str, theirs: str, instead: Mapping[str, str] = NOTHING, left: str = "") -> Callable[[str], Any]:
    """Return the `__getattr__` of a module. `theirs` is PyTorch's module of this kind, `instead` what to use instead.

    The keys of `instead` are names, and the values follow the word "use" in the message. `left` is the pattern of names
    that are left to PyTorch on purpose.
    """

    def __getattr__(name: str) -> Any:
        raise AttributeError(Message(sys.modules[module], module, name, theirs, instead, left), name=name)

    return __getattr__


def of_class(theirs: str, instead: Mapping[str, str] = NOTHING, title: str = "") -> Callable[[Any, str], Any]:
    """Return the `__getattr__` of a class. The message calls the object `title`, or else by the name of its class."""

    def __getattr__(self: Any, name: str) -> Any:
        if hasattr(type(self), name):  # a property that raised an AttributeError itself: show its own error
            return object.__getattribute__(self, name)
        raise AttributeError(Message(self, title or type(self).__name__, name, theirs, instead), name=name)

    return __getattr__


# The advice stands as code where it can.
METHODS = {"cuda": "x itself: minigrad computes on the CPU"}

# These classes stand in modules that do not import the API.
Node.__getattr__ = of_class("torch.autograd.graph.Node", title="grad_fn")  # type: ignore[attr-defined]
dtype.__getattr__ = of_class("torch.dtype", title="minigrad.dtype")  # type: ignore[attr-defined]
Generator.__getattr__ = of_class("torch.Generator", title="minigrad.Generator")  # type: ignore[attr-defined]
