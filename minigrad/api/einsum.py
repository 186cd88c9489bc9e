"""einsum: products of tensors along the dims that an equation names.

It has a module to itself because it parses the equation and contracts two operands at a time.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.api.arguments import tensors_of
from minigrad.api.grad_fn import relabelled
from minigrad.api.reductions import sum
from minigrad.api.shapes import permute, reshape
from minigrad.checks import shown
from minigrad.core import ops
from minigrad.core.tensor import Tensor

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Multiply tensors and sum over the dims whose letters are not in the result (`torch.einsum`).

    Without an arrow, the result has the letters that occur once, in alphabetical order. `...` stands for further dims.
    Instead of an equation, a list of numbers from 0 to 51 may follow each tensor, and one for the result the last.
    Raises a RuntimeError if the equation does not match the dims of the tensors.

    >>> from minigrad import ones
    >>> einsum("ij,jk->ik", ones(2, 3), ones(3, 2))
    tensor([[3., 3.],
            [3., 3.]])
    """
    if isinstance(equation, Tensor):
        equation, operands = _from_lists((equation, *operands))
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
        result, letters = _product(result, letters, other, others, output, later)
    in_order = _ordered(letters, output)
    result = permute(result, [letters.index(letter) for letter in in_order])
    result, _ = _sum_out(result, in_order, keep=output)
    contracted = len(tensors) > 1 and set("".join(terms)) > set(output)
    return relabelled(result, "view") if contracted else result


def _from_lists(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Return the equation and the tensors for tensors that are each followed by a list of the numbers of its dims."""
    count = len(arguments) // 2 * 2
    lists = [*arguments[1:count:2], *arguments[count:]]
    for numbers in lists:
        if not isinstance(numbers, tuple | list) or not all(type(i) is int or i is ... for i in numbers):
            raise TypeError(f"einsum: expected a list of numbers after each tensor, got {shown(numbers)}")
        if not all(i is ... or 0 <= i < len(LETTERS) for i in numbers):
            raise ValueError(f"einsum: the numbers of dims must be from 0 to 51, got {shown(numbers)}")
    words = ["".join("..." if i is ... else LETTERS[i] for i in numbers) for numbers in lists]
    terms = ",".join(words[: count // 2])
    return terms + "".join(f"->{word}" for word in words[count // 2 :]), arguments[:count:2]


def _terms(equation: str, tensors: tuple[Tensor, ...]) -> tuple[list[str], str]:
    """Return the letters of the dims of each tensor, and the letters of the result."""
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
            # Letters for `...` are assigned from the last dim, because broadcasting aligns the last dims.
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
    """Return the size for each letter.

    A size of 1 broadcasts to the size of the same letter in another operand, but not within one operand.
    """
    sizes: dict[str, int] = {}
    for term, tensor in zip(terms, tensors, strict=True):
        for letter, size in zip(term, tensor.array.shape, strict=True):
            first = tensor.array.shape[term.index(letter)]
            known = sizes.setdefault(letter, size)
            if first != size or (1 not in (known, size) and known != size):
                other = first if first != size else known
                raise RuntimeError(f"einsum: in {equation!r} a dim {letter!r} has both sizes {other} and {size}")
            sizes[letter] = max(known, size) if 0 not in (known, size) else 0
    return sizes


def _diagonal(tensor: Tensor, letters: str) -> tuple[Tensor, str]:
    """Return the diagonal over dims with the same letter, so that each letter has one dim."""
    for letter, count in Counter(letters).items():
        for _ in range(count - 1):
            i = letters.index(letter)
            j = letters.index(letter, i + 1)
            rest = [axis for axis in range(len(letters)) if axis not in (i, j)]
            along = np.arange(tensor.array.shape[i])
            tensor = permute(tensor, [i, j, *rest])[along, along]
            letters = letter + "".join(letters[axis] for axis in rest)
    return tensor, letters


def _product(a: Tensor, of_a: str, b: Tensor, of_b: str, output: str, keep: str) -> tuple[Tensor, str]:
    """Return the product, summed over the letters of both that are not in `keep`, with the order that PyTorch gives it.

    A product without a sum is an elementwise one. A sum is a product of matrices, so its dims are in three groups: the
    dims that both operands have, those of one operand, and those of the other.
    """
    a, of_a = _without_single_dims(a, of_a, keep)
    b, of_b = _without_single_dims(b, of_b, keep)
    letters = _ordered({*of_a, *of_b}, output)
    if {*letters} <= {*keep}:
        return _with_dims(a, of_a, letters) * _with_dims(b, of_b, letters), letters
    kept = [letter for letter in letters if letter in keep]
    both = [letter for letter in kept if letter in of_a and letter in of_b]
    left, right = ([x for x in kept if x in of_one and x not in both] for of_one in (of_a, of_b))
    if left and right and letters.index(right[-1]) < letters.index(left[0]):
        left, right = right, left
    letters = "".join([*both, *left, *right])
    return ops.einsum.on_tensors(a, b, (of_a, of_b, letters)), letters


def _without_single_dims(tensor: Tensor, letters: str, keep: str) -> tuple[Tensor, str]:
    """Return a view without the dims of size 1 over which a sum would change nothing."""
    shape = tensor.array.shape
    stay = [i for i, letter in enumerate(letters) if letter in keep or shape[i] != 1]
    if len(stay) == len(shape):
        return tensor, letters
    return reshape(tensor, [shape[i] for i in stay]), "".join(letters[i] for i in stay)


def _ordered(letters: Iterable[str], output: str) -> str:
    """Return the letters as PyTorch orders them: first as in the result, and then by the alphabet."""
    return "".join(sorted(letters, key=lambda x: (output.index(x) if x in output else len(output), x)))


def _with_dims(tensor: Tensor, letters: str, wanted: str) -> Tensor:
    """Return a view with a dim for each wanted letter, of size 1 for a letter that the tensor does not have."""
    present = [letter for letter in wanted if letter in letters]
    moved = permute(tensor, [letters.index(letter) for letter in present])
    return reshape(moved, [moved.array.shape[present.index(x)] if x in present else 1 for x in wanted])


def _sum_out(tensor: Tensor, letters: str, keep: str) -> tuple[Tensor, str]:
    """Return the sum over the dims whose letters are not in `keep`."""
    axes = [axis for axis, letter in enumerate(letters) if letter not in keep]
    return (sum(tensor, axes) if axes else tensor), "".join(letter for letter in letters if letter in keep)
