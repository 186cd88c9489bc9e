"""PyTorch's own sample inputs (`op_db`): how its tests call every operation, and what it must refuse.

`torch.testing._internal.common_methods_invocations` has an `OpInfo` for each operation. It makes inputs of all kinds:
dims, negative dims, empty and 0-d tensors, broadcasting, keywords. Here they become arguments of both libraries.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.testing._internal import common_utils
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo

import minigrad
import nn

# The import forbids to set flags of `torch.backends`, which other tests do in the same process.
setattr(torch.backends.m, "__allow_nonbracketed_mutation_flag", True)
# For each sample it looks through the stack for a `unittest.TestCase`, which takes most of the time, and finds none.
common_utils.extract_test_fn = lambda: None

FLOATS = {torch.float64: minigrad.float64, torch.float32: minigrad.float32, torch.float16: minigrad.float16}
INTEGERS = {torch.int64: minigrad.int64, torch.int32: minigrad.int32, torch.int16: minigrad.int16}
SMALL = {torch.int8: minigrad.int8, torch.uint8: minigrad.uint8, torch.bool: minigrad.bool}
DTYPES = FLOATS | INTEGERS | SMALL

# The operands of these come in another order than the function has.
REORDERED: dict[str, Callable[..., Any]] = {
    "where": lambda input, condition, other: minigrad.where(condition, input, other),
    "einsum": lambda operands, equation: minigrad.einsum(equation, *operands),
    "nn.functional.embedding": lambda weight, places, **keywords: nn.functional.embedding(places, weight, **keywords),
}


class Call(NamedTuple):
    """The arguments and the keywords of one call, for PyTorch and for minigrad."""

    theirs: tuple[tuple[Any, ...], dict[str, Any]]
    ours: tuple[tuple[Any, ...], dict[str, Any]]


class NotHereError(Exception):
    """A sample contains what minigrad does not have on purpose, such as a complex number."""


def function_of(name: str) -> Callable[..., Any] | None:
    """minigrad's function, method or property with the name of an OpInfo; None if it has none."""
    home: Any = minigrad
    for part in name.split("."):
        home = nn if part == "nn" else getattr(home, part, None)
    if name in REORDERED or not callable(home) or isinstance(home, type | minigrad.dtype):
        home = REORDERED.get(name) or getattr(minigrad.Tensor, name, None)
    home = home.fget if isinstance(home, property) else home
    return home if callable(home) else None


def operations() -> Iterator[OpInfo]:
    """The operations that both libraries have."""
    return (op for op in op_db if function_of(op.name) is not None)


def calls(samples: Iterable[Any]) -> Iterator[Call]:
    """The calls that samples describe, but for those with what minigrad does not have."""
    for sample in samples:
        arguments, keywords = (sample.input, *sample.args), sample.kwargs
        try:
            yield Call((arguments, keywords), (tuple(ours(x) for x in arguments), ours(keywords)))
        except NotHereError:
            continue


def ours(x: Any) -> Any:
    """An argument of PyTorch's as minigrad's: the same numbers, in the same order in memory."""
    if isinstance(x, torch.Tensor):
        if x.dtype not in DTYPES or x.layout != torch.strided or x.ndim > 64:  # numpy's arrays have no more dims
            raise NotHereError
        plain = x.detach().resolve_neg()
        order = sorted(range(x.ndim), key=lambda dim: -x.stride(dim))
        array = plain.permute(order).contiguous().numpy().copy().transpose(np.argsort(order))
        return minigrad.Tensor.wrap(array).requires_grad_(x.requires_grad)
    if isinstance(x, torch.dtype):
        if x not in DTYPES:
            raise NotHereError
        return DTYPES[x]
    if isinstance(x, torch.Size):
        return minigrad.Size(x)
    if isinstance(x, torch.device):
        return minigrad.device(str(x))
    if isinstance(x, list | tuple):
        return type(x)(ours(part) for part in x)
    if isinstance(x, dict):
        if "out" in x:
            raise NotHereError
        return {key: ours(value) for key, value in x.items()}
    if isinstance(x, complex | torch.layout | torch.memory_format):
        raise NotHereError
    return x


def leaves(arguments: Any) -> list[Any]:
    """The tensors among arguments that require gradients, in order."""
    if isinstance(arguments, torch.Tensor | minigrad.Tensor):
        return [arguments] if arguments.requires_grad else []
    if isinstance(arguments, dict):
        arguments = [*arguments.values()]
    return [leaf for x in arguments for leaf in leaves(x)] if isinstance(arguments, list | tuple) else []
