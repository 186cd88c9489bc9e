"""Questions: what something is, how many elements it has, what a dtype can hold, and to what dtype others lead."""

from typing import Any

import numpy as np

from minigrad.api.arguments import array_of
from minigrad.core.dtypes import BY_NUMPY, DType, category, get_default_dtype, number_dtype, result_dtype
from minigrad.core.dtypes import dtype as DtypeClass
from minigrad.core.methods import method
from minigrad.core.promotion import check_operand, python_number
from minigrad.core.tensor import Tensor


def is_tensor(obj: Any) -> bool:
    """Return whether something is a Tensor (`torch.is_tensor`)."""
    return isinstance(obj, Tensor)


@method
def is_floating_point(input: Tensor) -> bool:
    """Return whether the dtype is floating, so that there can be gradients (`torch.is_floating_point`)."""
    return array_of("is_floating_point", input).dtype.kind == "f"


@method
def is_complex(input: Tensor) -> bool:
    """Return False: minigrad has no complex numbers (`torch.is_complex`)."""
    array_of("is_complex", input)
    return False


@method
def is_nonzero(input: Tensor) -> bool:
    """Return whether the only element is not 0 (`torch.is_nonzero`). Raises a RuntimeError for more or none."""
    if array_of("is_nonzero", input).size != 1:
        raise RuntimeError(f"is_nonzero: {input.array.shape} holds {input.array.size} truth values, not one")
    return bool(input.array.item())


@method
def numel(input: Tensor) -> int:
    """Return the number of elements (`torch.numel`).

    >>> import minigrad
    >>> minigrad.numel(minigrad.ones(2, 3))
    6
    """
    return array_of("numel", input).size


def finfo(type: DType = None) -> "np.finfo[Any]":  # which numpy 2.0 cannot evaluate
    """Return the limits of a floating dtype: `max`, `min`, `eps`, `tiny` and others, from numpy (`torch.finfo`).

    >>> import minigrad
    >>> finfo(minigrad.float32).max
    np.float32(3.4028235e+38)
    """
    return np.finfo(number_dtype("finfo", type, get_default_dtype()))


def iinfo(type: DType) -> "np.iinfo[Any]":
    """Return the limits of an integer dtype: `max`, `min` and `bits`, from numpy (`torch.iinfo`)."""
    return np.iinfo(number_dtype("iinfo", type))


def result_type(tensor1: Any, tensor2: Any) -> DtypeClass:
    """Return the dtype of the result of an operation on two Tensors or numbers (`torch.result_type`).

    >>> import minigrad
    >>> result_type(minigrad.tensor([1, 2]), 1.0)
    torch.float32
    """
    for x in (tensor1, tensor2):
        check_operand("result_type", x)
    return BY_NUMPY[result_dtype(getattr(x, "array", python_number(x)) for x in (tensor1, tensor2))]


def promote_types(type1: DType, type2: DType) -> DtypeClass:
    """Return the smallest dtype to which two dtypes can be converted (`torch.promote_types`)."""
    kinds = [number_dtype("promote_types", type1), number_dtype("promote_types", type2)]
    return BY_NUMPY[result_dtype(np.empty(1, kind) for kind in kinds)]


def can_cast(from_: DType, to: DType) -> bool:
    """Return whether a conversion keeps the kind of number: from floats to ints it does not (`torch.can_cast`)."""
    return category(number_dtype("can_cast", from_)) <= category(number_dtype("can_cast", to))
