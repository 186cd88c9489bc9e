"""Products of vectors and matrices: `@`, and sums of products by the letters of an equation."""

from collections import Counter
from typing import Any

import numpy as np

from minigrad.api.arguments import tensors_of
from minigrad.api.grad_fn import relabelled
from minigrad.api.reductions import sum
from minigrad.api.shapes import permute, squeeze, unsqueeze
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor

# What PyTorch calls the product: by whether a row stands on the left, and a column on the right.
_LABELS = {(False, False): "mm", (False, True): "mv", (True, False): "squeeze_", (True, True): "dot"}


@method
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product, as `@` (`torch.matmul`).

    (n, k) @ (k, m) is (n, m), and further dimensions in front are broadcast batches; a 1-D operand is a row on the left
    and a column on the right, and its dimension is not in the result. RuntimeError where the inner sizes differ.
    """
    try:
        a, b = input.array, other.array
    except AttributeError:
        odd = other if hasattr(input, "array") else input
        raise TypeError(f"matmul: expected two Tensors, got {type(odd).__name__}; make one with tensor(...)") from None
    if not a.ndim or not b.ndim:
        raise RuntimeError(f"matmul: {a.shape} @ {b.shape}: both need a dimension; use * for single numbers")
    if a.dtype != b.dtype:
        raise RuntimeError(f"matmul: dtypes {a.dtype} and {b.dtype} differ; convert one with .to(dtype)")
    row, column = a.ndim == 1, b.ndim == 1
    inner = a.shape[-1], b.shape[-1 if column else -2]
    if inner[0] != inner[1]:
        raise RuntimeError(f"matmul: {a.shape} @ {b.shape}: inner sizes {inner[0]} and {inner[1]} differ")
    if a.ndim == b.ndim == 2:
        return ops.matmul.on_tensors(input, other)
    left = unsqueeze(input, 0) if row else input
    right = unsqueeze(other, 1) if column else other
    product = ops.matmul.on_tensors(left, right)
    if row or column:
        product = squeeze(product, (-2,) * row + (-1,) * column)
    if product.ndim > 2 or a.ndim > 2 or b.ndim > 2:
        return relabelled(product, "unsafe_view")
    return relabelled(product, _LABELS[row, column])


@method
def dot(input: Tensor, other: Tensor) -> Tensor:
    """The sum of the products of the elements of two 1-D tensors (`torch.dot`)."""
    tensors_of("dot", (input, other))
    if input.ndim != 1 or other.ndim != 1:
        raise RuntimeError(f"dot: expected two 1-D tensors, got {input.array.shape} and {other.array.shape}; use @")
    return matmul(input, other)


# Sums of products, by the letters of an equation

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def einsum(equation: str, *operands: Any) -> Tensor:
    """Products of tensors, summed over the dims whose letters the result does not have (`torch.einsum`).

    Without an arrow the result has, in alphabetical order, the letters that stand once. `...` stands for further dims.
    RuntimeError where the equation and the tensors' dims do not match.

    >>> from minigrad import ones
    >>> einsum("ij,jk->ik", ones(2, 3), ones(3, 2))
    tensor([[3., 3.],
            [3., 3.]])
    """
    if not isinstance(equation, str):
        raise TypeError(f"einsum: expected an equation such as 'ij,jk->ik', got {type(equation).__name__}")
    listed = len(operands) == 1 and isinstance(operands[0], list | tuple)
    tensors = tensors_of("einsum", operands[0] if listed else operands, ValueError)
    if len({t.array.dtype for t in tensors}) > 1:
        raise RuntimeError(
            f"einsum: dtypes {', '.join(str(t.array.dtype) for t in tensors)} differ; convert with .to(dtype)"
        )
    terms, output = _terms(equation, tensors)
    sizes = _sizes(equation, terms, tensors)
    tensors = tuple(t.expand([sizes[letter] for letter in term]) for t, term in zip(tensors, terms, strict=True))
    result, letters = _diagonal(tensors[0], terms[0])
    for i, other in enumerate(tensors[1:], start=1):
        other, others = _diagonal(other, terms[i])
        later = output + "".join(terms[i + 1 :])
        result, letters = _sum_out(result, letters, keep=later + others)
        other, others = _sum_out(other, others, keep=later + letters)
        both = "".join(dict.fromkeys(letter for letter in letters + others if letter in later))
        result, letters = ops.einsum.on_tensors(result, other, (letters, others, both)), both
    result, letters = _sum_out(result, letters, keep=output)
    result = permute(result, [letters.index(letter) for letter in output])
    contracted = len(tensors) > 1 and set("".join(terms)) > set(output)
    return relabelled(result, "view") if contracted else result


def _terms(equation: str, tensors: tuple[Tensor, ...]) -> tuple[list[str], str]:
    """A letter for each dim of each tensor, and of the result."""
    if not set(equation) <= {*LETTERS, *" .,->"}:
        raise RuntimeError(f"einsum: expected an equation such as 'ij,jk->ik', got {equation!r}")
    left, arrow, output = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(tensors):
        raise RuntimeError(f"einsum: {equation!r} is for {len(terms)} tensors, but there are {len(tensors)}")
    spare = [letter for letter in LETTERS if letter not in equation]
    widest = 0
    for i, (term, tensor) in enumerate(zip(terms, tensors, strict=True)):
        if "..." in term:
            width = tensor.ndim - len(term) + 3
            widest = max(widest, width)
            # Counted from the last dim, as broadcasting is.
            terms[i] = term.replace("...", "".join(spare[:width])[::-1])
        if len(terms[i]) != tensor.ndim:
            raise RuntimeError(f"einsum: {term!r} does not fit the {tensor.ndim} dims of {tensor.array.shape}")
    dots = "".join(spare[:widest])[::-1]
    counts = Counter("".join(terms))
    if not arrow:
        output = dots + "".join(sorted(letter for letter in counts if counts[letter] == 1 and letter not in dots))
    output = output.replace("...", dots, 1)
    if not set(output) <= set(counts) or len(set(output)) < len(output):
        raise RuntimeError(f"einsum: the result of {equation!r} must have letters of the operands, each once")
    return terms, output


def _sizes(equation: str, terms: list[str], tensors: tuple[Tensor, ...]) -> dict[str, int]:
    """The size that each letter stands for; a 1 broadcasts, but not beside the same letter in one operand."""
    sizes: dict[str, int] = {}
    for term, tensor in zip(terms, tensors, strict=True):
        for letter, size in zip(term, tensor.array.shape, strict=True):
            own = tensor.array.shape[term.index(letter)]
            known = sizes.setdefault(letter, size)
            if own != size or (1 not in (known, size) and known != size):
                other = own if own != size else known
                raise RuntimeError(f"einsum: in {equation!r} a dim {letter!r} has both sizes {other} and {size}")
            sizes[letter] = max(known, size) if 0 not in (known, size) else 0
    return sizes


def _diagonal(tensor: Tensor, letters: str) -> tuple[Tensor, str]:
    """The diagonal over dims that share a letter, which then has one dim."""
    for letter, count in Counter(letters).items():
        for _ in range(count - 1):
            i = letters.index(letter)
            j = letters.index(letter, i + 1)
            rest = [axis for axis in range(len(letters)) if axis not in (i, j)]
            along = np.arange(tensor.array.shape[i])
            tensor = permute(tensor, [i, j, *rest])[along, along]
            letters = letter + "".join(letters[axis] for axis in rest)
    return tensor, letters


def _sum_out(tensor: Tensor, letters: str, keep: str) -> tuple[Tensor, str]:
    """The sum over the dims whose letters are not to be kept."""
    axes = [axis for axis, letter in enumerate(letters) if letter not in keep]
    return (sum(tensor, axes) if axes else tensor), "".join(letter for letter in letters if letter in keep)
