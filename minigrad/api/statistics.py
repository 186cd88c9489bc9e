"""Statistics: variance and standard deviation, norms, medians and quantiles."""

import builtins
from typing import Any

import numpy as np

from minigrad.api.arguments import Dims, axes_of, check_floating
from minigrad.api.grad_fn import relabelled
from minigrad.api.half import in_float32
from minigrad.api.norms import root, vector_norm
from minigrad.api.reductions import _numpy_spelling, mean
from minigrad.checks import flag_of, number_of, shown
from minigrad.core import kernels, ops
from minigrad.core.dtypes import DType
from minigrad.core.methods import method
from minigrad.core.primitive import Traced
from minigrad.core.tensor import Tensor

# Variance


@method
@_numpy_spelling
@in_float32
def var(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> Tensor:
    """Return the variance over all dims, or over `dim` (`torch.var`).

    It is the sum of squared differences from the mean, divided by n - `correction`. The default correction is 1
    (Bessel's), or 0 if `unbiased` is False. `var(False)` also sets `unbiased`. Raises a RuntimeError if the dtype is
    not floating.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0, 3.0]).var()
    tensor(1.)
    """
    return _variance("var", input, dim, unbiased, keepdim, correction)


@method
@_numpy_spelling
@in_float32
def std(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> Tensor:
    """Return the standard deviation, which is the square root of `var`, with the same arguments (`torch.std`).

    The gradient is 0 where the result is 0.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 3.0, 5.0]).std()
    tensor(2.)
    """
    return relabelled(root(_variance("std", input, dim, unbiased, keepdim, correction), 2), "std")


def _variance(
    name: str, input: Tensor, dim: Dims | bool, unbiased: bool, keepdim: bool, correction: int | None
) -> Tensor:
    """Check the arguments of `var` or `std`, and return the variance."""
    check_floating(name, input)
    flag_of(name, "unbiased", unbiased)
    flag_of(name, "keepdim", keepdim)
    if isinstance(dim, bool):
        unbiased = dim
    axes = axes_of(name, input, None if isinstance(dim, bool) else dim)
    if correction is None:
        correction = int(unbiased)
    elif isinstance(correction, Traced | np.generic):
        correction = correction.item()  # type: ignore[union-attr]
    number_of(name, "correction", correction)
    degrees = kernels.count(input.array.shape, axes) - correction
    return ops.var.on_tensors(input, axes, keepdim, builtins.max(degrees, 0))[0]


@_numpy_spelling
def var_mean(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the pair of `var` and `mean`, with the arguments of `var` (`torch.var_mean`)."""
    variance = var(input, dim, unbiased, keepdim, correction=correction)
    return variance, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@_numpy_spelling
def std_mean(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the pair of `std` and `mean`, with the arguments of `std` (`torch.std_mean`)."""
    deviation = std(input, dim, unbiased, keepdim, correction=correction)
    return deviation, mean(input, None if isinstance(dim, bool) else dim, keepdim)


# Norms


@method
def norm(input: Tensor, p: Any = "fro", dim: Dims = None, keepdim: bool = False, dtype: DType = None) -> Tensor:
    """Return the norm of all elements, or over `dim`: the root of the sum of squares by default (`torch.norm`).

    `p` is another exponent, see `minigrad.linalg.vector_norm`, or "fro", which means 2. Raises a RuntimeError if the
    dtype is not floating, and for the nuclear norm.

    >>> import minigrad
    >>> minigrad.tensor([3.0, 4.0]).norm()
    tensor(5.)
    """
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm: there is no {shown(p)} norm here; expected a number or 'fro'")
    return vector_norm("norm", input, 2 if p in ("fro", None) else p, dim, keepdim, dtype)
