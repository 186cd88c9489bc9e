"""Marked arrays: numpy arrays that know the Symbol of what they hold, while a function is recorded.

Most of minigrad's functions apply primitives, which the recorder reports. Others, such as a comparison or `argmax`,
compute with numpy on the array of a Tensor. A marked array hears of that from numpy itself, and reports it too.
"""

import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minigrad.compiled.recording import Recording

recording: ContextVar["Recording | None"] = ContextVar("recording", default=None)

# numpy's functions that say something of an array's kind, and nothing of its numbers.
ABOUT = {
    *(np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.shares_memory, np.may_share_memory, np.iscomplexobj),
}


class Marked(np.ndarray):
    """An array with the Symbol of what it holds; None if numpy made it in a way that is not followed.

    Without a recording, and within a primitive, which is reported as a whole, it computes as any other array.
    """

    symbol: Any

    def __array_finalize__(self, other: Any) -> None:
        self.symbol = None

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        out, heard = keywords.pop("out", None), listener()
        if heard is None:
            targets = {} if out is None else {"out": plain(out)}
            result = function(*plain(inputs), **plain(keywords), **targets)
            return result if out is None else out[0] if len(out) == 1 else out
        if method == "at":
            return heard.changed_at(function, inputs)
        result = heard.call(function, inputs, keywords)
        if out is None:
            return result
        heard.write(out[0], result)
        return out[0]

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        heard = listener()
        if heard is None or function in ABOUT:
            return function(*plain(args), **plain(keywords))
        if function is np.copyto:
            return heard.write(*args, **keywords)
        return heard.call(function, args, keywords)

    def __getitem__(self, key: Any) -> Any:
        heard = listener()
        if heard is None:
            return np.ndarray.__getitem__(plain(self), plain(key))
        return heard.item(self, key if isinstance(key, tuple) else (key,))

    def __setitem__(self, key: Any, value: Any) -> None:
        heard = listener()
        if heard is None:
            np.ndarray.__setitem__(plain(self), plain(key), plain(value))
        else:
            heard.set_item(self, key if isinstance(key, tuple) else (key,), value)

    def __iter__(self) -> Any:
        return (self[place] for place in range(len(self)))

    def given_away(self, name: str) -> None:
        """Refuse to be given away to the user, while a function is recorded."""
        heard = listener()
        if heard is not None:
            heard.refuse_reading(name)

    @property
    def T(self) -> Any:
        return self.transpose()

    @property
    def mT(self) -> Any:
        return self.swapaxes(-1, -2)


def _method(name: str) -> Any:
    """A method of arrays that returns another array."""
    function = getattr(np.ndarray, name)

    def method(self: Marked, *args: Any, **keywords: Any) -> Any:
        heard = listener()
        if heard is None:
            return function(plain(self), *plain(args), **plain(keywords))
        return heard.call(function, (self, *args), keywords)

    return method


def _change(name: str) -> Any:
    """A method of arrays that changes them in place."""
    function = getattr(np.ndarray, name)

    def method(self: Marked, *args: Any, **keywords: Any) -> Any:
        heard = listener()
        if heard is not None:
            changed = heard.call(_on_a_copy(name), (self, *args), keywords)
            return heard.write(self, changed)
        return function(plain(self), *plain(args), **plain(keywords))

    return method


def _on_a_copy(name: str) -> Callable[..., np.ndarray]:
    def changed(x: np.ndarray, *args: Any, **keywords: Any) -> np.ndarray:
        copy = x.copy()
        getattr(copy, name)(*args, **keywords)
        return copy

    return _COPIES.setdefault(name, changed)


_COPIES: dict[str, Callable[..., np.ndarray]] = {}


def _reading(name: str) -> Any:
    """A method of arrays that returns numbers of Python's, on which a program may branch."""
    function = getattr(np.ndarray, name)

    def method(self: Marked, *args: Any) -> Any:
        heard = listener()
        return function(plain(self), *args) if heard is None else heard.read(self, function, args)

    return method


_METHODS = (
    *("all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose", "clip", "compress", "copy"),
    *("cumprod", "cumsum", "diagonal", "dot", "flatten", "max", "mean", "min", "nonzero", "prod", "ravel", "repeat"),
    *("reshape", "round", "searchsorted", "squeeze", "std", "sum", "swapaxes", "take", "trace", "transpose", "var"),
    "view",
)
_READINGS = ("item", "tolist", "tobytes", "__bool__", "__int__", "__float__", "__index__", "__contains__")
for _name in _METHODS:
    setattr(Marked, _name, _method(_name))
for _name in ("fill", "partition", "put", "sort"):
    setattr(Marked, _name, _change(_name))
for _name in _READINGS:
    setattr(Marked, _name, _reading(_name))


def plain(x: Any) -> Any:
    """An argument with ordinary arrays in place of marked ones."""
    if isinstance(x, Marked):
        return np.ndarray.view(x, np.ndarray)
    if type(x) in (tuple, list):
        return type(x)([plain(part) for part in x])
    if type(x) is dict:
        return {name: plain(part) for name, part in x.items()}
    return x


def listener() -> "Recording | None":
    """The recording that is to hear of a call of numpy; None within a primitive."""
    heard = recording.get()
    if heard is None:
        return None
    frame, caller = sys._getframe(2), ""
    while True:
        name = frame.f_globals.get("__name__", "")
        if name == "minigrad.core.record":
            return None
        home = name.partition(".")[0]
        if not caller and home != "numpy" and name != __name__:
            caller = home
        if name in ("minigrad.core.promotion", "minigrad.core.tensor", "minigrad.compiled.recording"):
            break
        if frame.f_back is None:
            break
        frame = frame.f_back
    if caller != "minigrad":
        heard.refuse("numpy's functions on the array of a Tensor", "use minigrad's own words")
    return heard
