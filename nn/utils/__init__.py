"""Helpers for training: gradients are clipped, and parameters become one vector (`torch.nn.utils`)."""

import math
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.api import missing
from minigrad.api.arguments import array_of
from minigrad.api.creation import tensor
from minigrad.api.pieces import cat
from minigrad.checks import flag_of, members_of, number_of
from minigrad.core.dtypes import result_dtype
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version

from . import rnn

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm", "parameters_to_vector", "rnn",
    "vector_to_parameters"
]  # fmt: skip

__getattr__ = missing.of_module(__name__, "torch.nn.utils")


def __dir__() -> list[str]:
    return __all__


def _tensors(name: str, tensors: Any) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else members_of(name, "Tensors", Tensor, tensors)


def _gradients(parameters: list[Tensor]) -> list[Tensor]:
    return [parameter.grad for parameter in parameters if parameter.grad is not None]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of all tensors together, as if they were one vector (`torch.nn.utils.get_total_norm`).

    `norm_type` is the exponent, or infinity. `foreach` has no effect. Raises a RuntimeError if `error_if_nonfinite` and
    the norm is nan or infinite.

    >>> get_total_norm([tensor([3.0]), tensor([0.0, 4.0])])
    tensor(5.)
    """
    name = "get_total_norm"
    members = _tensors(name, tensors)
    exponent = float(number_of(name, "norm_type", norm_type))
    if foreach is not None:
        flag_of(name, "foreach", foreach)
    if not members:
        return tensor(0.0)
    norms = [np.asanyarray(_norm(member.array.ravel(), exponent), member.array.dtype) for member in members]
    total = wrap(np.asarray(_norm(np.array(norms, result_dtype(norms)), exponent), result_dtype(norms)))
    if flag_of(name, "error_if_nonfinite", error_if_nonfinite) and not math.isfinite(total.item()):
        raise RuntimeError(f"{name}: the norm is {total.item()}, so nothing can be clipped to it; look for nan and inf")
    return total


def _norm(x: np.ndarray, exponent: float) -> Any:
    wide = x.astype(np.float64)  # in which no square of a smaller dtype is infinite
    with np.errstate(all="ignore"):
        return np.linalg.norm(wide, exponent) if wide.size else 0.0


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients in place by `max_norm` / `total_norm`, unless that is above 1.

    (`torch.nn.utils.clip_grads_with_norm_`.)
    """
    name = "clip_grads_with_norm_"
    limit = float(number_of(name, "max_norm", max_norm))
    factor = (limit / (wrap(array_of(name, total_norm)) + 1e-6)).clamp(max=1.0).array
    for gradient in _gradients(_tensors(name, parameters)):
        gradient.array[...] *= factor.astype(gradient.array.dtype)
        bump_version(name, gradient.array)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients in place so that their norm is at most `max_norm` (`torch.nn.utils.clip_grad_norm_`).

    All gradients count as one vector, whose norm before the change is returned. The other arguments and the errors are
    those of `get_total_norm`. Warns if `parameters` is an iterator that is empty.
    """
    members = _tensors("clip_grad_norm_", parameters)
    if isinstance(parameters, Iterator) and not members:
        warnings.warn("clip_grad_norm_: got an iterator without parameters; was it used before?", stacklevel=2)
    number_of("clip_grad_norm_", "max_norm", max_norm)
    total = get_total_norm(_gradients(members), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(members, max_norm, total, foreach)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Limit each element of the gradients, in place, to the range from -clip_value to clip_value.

    (`torch.nn.utils.clip_grad_value_`.)
    """
    limit = float(number_of("clip_grad_value_", "clip_value", clip_value))
    for gradient in _gradients(_tensors("clip_grad_value_", parameters)):
        np.minimum(np.maximum(gradient.array, -limit), limit, out=gradient.array)
        bump_version("clip_grad_value_", gradient.array)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return all elements of the parameters in one vector (`torch.nn.utils.parameters_to_vector`).

    >>> parameters_to_vector([tensor([[1.0], [2.0]]), tensor([3.0])])
    tensor([1., 2., 3.])
    """
    return cat([parameter.reshape(-1) for parameter in _tensors("parameters_to_vector", parameters)])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give parts of a vector to the parameters, as their data (`torch.nn.utils.vector_to_parameters`).

    They share its memory. Raises a RuntimeError if there are too few elements.
    """
    name = "vector_to_parameters"
    array, start = array_of(name, vec), 0
    for parameter in _tensors(name, parameters):
        part = array[start : start + parameter.array.size]
        if part.size < parameter.array.size:
            raise RuntimeError(f"{name}: a vector of {array.size} elements is too short for the parameters")
        start += part.size
        parameter.data = wrap(part.reshape(parameter.array.shape))
