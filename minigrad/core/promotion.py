"""What the recorder does with operands that are not floating Tensors of one dtype: PyTorch's promotion and refusals."""

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.core import ops
from minigrad.core.dtypes import BY_NUMPY, get_default_dtype, result_dtype
from minigrad.core.primitive import NUMBERS, Primitive, Traced

if TYPE_CHECKING:
    from minigrad.core.tensor import Tensor


def promote_and_apply(
    primitive: Primitive, operands: tuple[Any, ...], params: tuple[Any, ...], label: str | None, kind: "type[Tensor]"
) -> Any:
    """Apply an elementwise primitive to operands of mixed dtypes, brought to one dtype first, as PyTorch does it.

    TypeError for what is no operand, and if none is a Tensor. RuntimeError for arithmetic that bools do not have.
    """
    if not any(isinstance(x, kind) for x in operands):
        for x in operands:
            if isinstance(x, Traced):
                return x.recorder(primitive)(*operands, *params)
        given = ", ".join(type(x).__name__ for x in operands)
        raise TypeError(f"{primitive.name}: expected a Tensor, got {given}; make one with tensor(...)")
    for x in operands:
        check_operand(primitive.name, x)
        if isinstance(x, Traced) and not isinstance(x, kind):
            raise TypeError(
                f"{primitive.name}: expected Tensors or numbers, got {type(x).__name__}; make a Tensor with tensor(...)"
            )
    # Arrays become constant Tensors; numbers lose numpy's classes and a user's, which have other rules of promotion.
    operands = tuple([kind.wrap(x) if isinstance(x, np.ndarray) else python_number(x) for x in operands])
    dtype = result_dtype(x.array if isinstance(x, kind) else x for x in operands)
    if primitive is ops.pow and dtype.kind == "b":
        raise RuntimeError("pow: bools have no powers; convert with .float() or .long()")
    if primitive in (ops.neg, ops.sub) and any(
        (x.array.dtype if isinstance(x, kind) else type(x)) in (bool,) for x in operands
    ):
        raise RuntimeError(f"{primitive.name}: not for bools; invert a mask with mask == 0, or convert with .float()")
    if primitive.floating and dtype.kind != "f":
        dtype = get_default_dtype().dtype
    operands = tuple([x._converted(dtype) if isinstance(x, kind) else x for x in operands])
    return primitive.on_tensors(*operands, *params, label=label, promoted=True)


def python_number(x: Any) -> Any:
    """A number of any class as an int, float or bool. Anything else stays as it is."""
    return x if type(x) in NUMBERS or not isinstance(x, int | float | np.generic) else np.asarray(x).item()


def check_operand(name: str, x: Any) -> None:
    """Refuse with a TypeError what is neither a Tensor nor a number nor a numpy array of numbers."""
    single = isinstance(x, np.generic) and x.dtype.kind in "biuf" and x.dtype.itemsize <= 8
    known = x.dtype in BY_NUMPY if isinstance(x, np.ndarray) else isinstance(x, Traced | int | float)
    if not single and not known:
        raise TypeError(f"{name}: expected Tensors or numbers, got {getattr(x, 'dtype', type(x).__name__)}")


def translated(name: str, arrays: list[Any], error: Exception) -> Exception:
    """The error that PyTorch would raise where numpy raised `error`, with the operation, the shapes and the remedy."""
    shapes = [x.shape if isinstance(x, np.ndarray) else () for x in arrays]
    if isinstance(error, IndexError | TypeError) and name in ("index", "assign"):
        return type(error)(f"{name}: of shape {shapes[0]}: {error}")
    if isinstance(error, ValueError) and "broadcast" in str(error) and len(shapes) > 1:
        for dim, sizes in enumerate(zip(*(reversed(shape) for shape in shapes[-2:]), strict=False), start=1):
            if 1 not in sizes and sizes[0] != sizes[1]:
                return RuntimeError(
                    f"{name}: shapes {shapes[-2]} and {shapes[-1]} do not broadcast: sizes {sizes[0]} and {sizes[1]} "
                    f"at dim -{dim} must be equal, or one of them 1"
                )
    dtypes = ", ".join(str(x.dtype) for x in arrays if isinstance(x, np.ndarray))
    return RuntimeError(f"{name}: not possible for shapes {shapes} and dtypes {dtypes}: {error}")
