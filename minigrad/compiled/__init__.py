"""compile: a function runs once as it is, and from then on as the numpy source that derive's Symbols give.

How it works, in the order in which to read the modules:

    marks.py      marked arrays, which report what numpy computes of them
    recording.py  one run of a function, in which every step becomes a Symbol of `derive`
    reach.py      the Tensors and settings from outside that a function depends on
    printer.py    the second printer of Symbols: a statement for each, results written into arrays made once
    buffers.py    which results share a piece of memory
    program.py    the source with its memory, and the node that its results have in the graph
    first.py      the first call of a function: recorded, compiled
    function.py   the function that is returned: which program fits a call
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from minigrad.checks import flag_of, int_of, shown
from minigrad.compiled.function import Compiled


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor",
    mode: str | None = None,
    options: Mapping[str, Any] | None = None,
    disable: bool = False,
    cache_size: int = 8,
) -> Any:
    if model is None:
        return lambda model: compile(model, backend=backend, disable=disable, cache_size=cache_size)
    if not callable(model):
        raise TypeError(f"compile: expected a function or a Module, got {shown(model)}")
    if flag_of("compile", "disable", disable):
        return model
    if int_of("compile", cache_size) < 1:
        raise ValueError(f"compile: cache_size must be positive, got {cache_size}")
    compiled = Compiled(model, cache_size)
    return _module(model, compiled) if hasattr(type(model), "named_parameters") else compiled


def _module(model: Any, compiled: Compiled) -> Any:
    """Another face of a Module: it has the same attributes, and calls the compiled Module."""
    kind = type(model)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return compiled(*args, **kwargs)

    def copied(self: Any, memo: dict[int, Any]) -> Any:
        return compile(copy.deepcopy(model, memo), cache_size=compiled.cache_size)

    def reduced(self: Any) -> Any:
        return compile, (model,)

    names = {"__call__": call, "__deepcopy__": copied, "__reduce__": reduced, "__module__": kind.__module__}
    face = object.__new__(type(kind.__name__, (kind,), names))
    object.__setattr__(face, "__dict__", vars(model))
    return face
