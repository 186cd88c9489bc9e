"""A compiled function: which of its programs fits a call, and what a call reads and returns."""

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compiled.first import Entry, FirstCall
from minigrad.compiled.marks import recording
from minigrad.compiled.program import Memory, results_of
from minigrad.core import dtypes
from minigrad.core.modes import current_mode
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version

# One at a time: while a function is recorded, the Tensors that it reaches hold marked arrays.
lock = threading.RLock()


class Compiled:
    """A function that was compiled by `minigrad.compile`.

    `source` is the source of the program that was compiled last; it is empty before the first call. `program_of` makes
    a program of what was recorded.
    """

    def __init__(self, function: Callable[..., Any], cache_size: int, program_of: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function, updated=())
        self.function, self.cache_size, self.program_of, self.source = function, cache_size, program_of, ""
        self._entries: dict[Any, list[Entry]] = {}

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.function, '__qualname__', type(self.function).__name__)}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        mode = current_mode()
        if mode.watch or mode.check or mode.locate or recording.get() is not None:
            return self.function(*args, **kwargs)  # within another, or while someone watches every step
        arguments: list[Any] = []
        kinds = [_kind(x, arguments) for x in (*args, *kwargs.values())]
        key = (mode.grad, dtypes.get_default_dtype().dtype.char, *kinds, *kwargs)
        with lock:
            for entry in self._entries.get(key, ()):
                if entry.fits():
                    break
            else:
                if sum(map(len, self._entries.values())) < self.cache_size:
                    return self._first(key, args, kwargs, arguments)
                # As PyTorch does: a function whose shapes always change would always be compiled.
                return self.function(*args, **kwargs)
            given = entry.given(arguments)
            memory = entry.program.memory()
        states = [source.get_state() for source in entry.rewound]
        try:
            done = memory.forward(*given)
        except Exception as error:
            if entry.draws or isinstance(error, Warning):
                raise
            done = None  # the function itself explains it in its own words
        if done is None:  # a check of arguments would read something else, such as an index that is out of range
            for source, state in zip(entry.rewound, states, strict=True):
                source.set_state(state)
            return self.function(*args, **kwargs)
        outputs, saved = done
        return _finished(entry, arguments, outputs, saved, memory)

    def _first(self, key: Any, args: Any, kwargs: Any, arguments: list[Any]) -> Any:
        entry, result = FirstCall(self.function, args, kwargs, arguments, self.program_of).compiled()
        self.source = entry.program.source
        self._entries.setdefault(key, []).append(entry)
        return result


def _kind(x: Any, arguments: list[Any]) -> Any:
    """What a program depends on, of an argument. Tensors and arrays in it are added to `arguments`."""
    if isinstance(x, Tensor):
        arguments.append(x)
        array, node = x.array, x.stored_node if x.base is None else x.node
        return type(x), array.shape, array.strides, array.dtype.char, node is not None and node.requires_grad
    if isinstance(x, np.ndarray):
        arguments.append(x)
        return np.ndarray, x.shape, x.strides, x.dtype.char
    if isinstance(x, tuple | list):
        return type(x), *[_kind(part, arguments) for part in x]
    if isinstance(x, dict):
        return dict, *x, *[_kind(part, arguments) for part in x.values()]
    if isinstance(x, int | float | str | None):
        return type(x), x
    return type(x), id(x)  # what it holds is looked at by `Reach`


class Call:
    """The backward pass of one call, which keeps the memory of the call."""

    __slots__ = ("entry", "memory", "outputs", "saved")

    def __init__(self, entry: Entry, memory: Memory, outputs: Any, saved: Any) -> None:
        self.entry, self.memory, self.outputs, self.saved = entry, memory, outputs, saved

    def __call__(self, gradients: list[Any]) -> Any:
        if self.entry.error is not None:
            raise type(self.entry.error)(*self.entry.error.args)
        if len(gradients) > 1 and any(g is None for g in gradients):
            pairs = zip(gradients, self.entry.needing, strict=True)
            gradients = [np.zeros_like(self.outputs[place]) if g is None else g for g, place in pairs]
        return self.memory.backward(*gradients, self.saved)


def _finished(entry: Entry, arguments: list[Any], outputs: Any, saved: Any, memory: Memory) -> Any:
    """The results of a compiled call."""
    if entry.changed:
        bump_version("compiled", *entry.changed_arrays(arguments))
    if not entry.needing:
        return entry.rebuild([wrap(x) for x in outputs], arguments)
    call, operands = Call(entry, memory, outputs, saved), entry.operands(arguments)
    return entry.rebuild(results_of(outputs, entry.needing, entry.plan, operands, call, saved), arguments)
