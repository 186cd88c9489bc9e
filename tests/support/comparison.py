"""The same code run in minigrad and in PyTorch, and the same required of both.

The tests pass functions of a library and of tensors, such as `lambda library, x: library.exp(x) + 1`, which run once
with minigrad and once with torch.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch

import minigrad
import nn
from minigrad.core.tensor import wrap

Function = Callable[..., Any]

FUNCTIONAL: dict[Any, Any] = {minigrad: nn.functional, torch: torch.nn.functional}

# Both libraries round every step to the last bit, but not in the same order of steps (sums run pairwise here and in
# vector lanes there), and their exp, log and tanh differ in the last bit. So results agree within a few units in the
# last place of the largest number around, which has gone into every sum and difference. Numbers below the normal range
# PyTorch may round to 0.
UNITS_IN_THE_LAST_PLACE = 16

REFUSALS = (IndexError, TypeError, ValueError, RuntimeError)

random = np.random.default_rng(2147483647)


def normal(*shape: int, dtype: Any = np.float64) -> np.ndarray:
    """Random numbers around 0."""
    return np.asarray(random.standard_normal(shape), dtype)


def read_only(array: Any) -> np.ndarray:
    """A copy that raises when somebody writes into it."""
    array = np.array(array)
    array.flags.writeable = False
    return array


def ours(array: Any, requires_grad: bool = False) -> minigrad.Tensor:
    """An array that nobody may write into, as a minigrad Tensor."""
    return wrap(read_only(array)).requires_grad_(requires_grad)


def theirs(array: Any, requires_grad: bool = False) -> torch.Tensor:
    """An array as a PyTorch tensor."""
    return torch.from_numpy(np.array(array)).requires_grad_(requires_grad)


def leaves(make: Function, arrays: Iterable[np.ndarray]) -> list[Any]:
    """The arrays as tensors, of which those that can require a gradient do."""
    return [make(array, requires_grad=np.asarray(array).dtype.kind == "f") for array in arrays]


def compare(function: Function, *arrays: np.ndarray) -> None:
    """Require the same results of a function of tensors in both libraries, and the same gradients of the tensors.

    A random gradient arrives at each result. All that minigrad is given is read-only, and so are the results it saved.
    """
    our_leaves, their_leaves = leaves(ours, arrays), leaves(theirs, arrays)
    our_result, their_result = function(minigrad, *our_leaves), function(torch, *their_leaves)
    assert_same(our_result, their_result)
    for mine, reference in zip(tensors(our_result), tensors(their_result), strict=True):
        mine.array.flags.writeable = False
        if reference.requires_grad:
            upstream = normal(*reference.shape, dtype=mine.dtype)
            mine.backward(ours(upstream), retain_graph=True)
            reference.backward(theirs(upstream), retain_graph=True)
    for mine, reference in zip(our_leaves, their_leaves, strict=True):
        assert_same(mine.grad, reference.grad)


def in_both(scenario: Function) -> None:
    """Require the same outcome of a scenario, a function of the library alone."""
    assert_same(scenario(minigrad), scenario(torch))


def tensors(result: Any) -> Iterator[Any]:
    """The tensors in a result, which is one itself or a sequence of results."""
    if isinstance(result, minigrad.Tensor | torch.Tensor):
        yield result
    elif isinstance(result, tuple | list):
        for part in result:
            yield from tensors(part)


def assert_same(mine: Any, reference: Any) -> None:
    """Require what PyTorch gave: the same kind of thing, its shape, its dtype, its numbers, its need of a gradient."""
    if isinstance(reference, torch.Tensor):
        assert isinstance(mine, minigrad.Tensor), f"expected a Tensor, got {mine!r}"
        assert mine.requires_grad == reference.requires_grad
        assert_close(mine.array, reference.detach().numpy())
    elif isinstance(reference, tuple | list):
        assert len(mine) == len(reference)
        for part, reference_part in zip(mine, reference, strict=True):
            assert_same(part, reference_part)
    else:
        assert type(mine) is type(reference)
        np.testing.assert_equal(mine, reference)


def assert_close(mine: np.ndarray, reference: np.ndarray) -> None:
    """Require an array equal to another in shape and dtype, and in its numbers but for rounding."""
    assert type(mine) is np.ndarray
    assert mine.shape == reference.shape
    assert mine.dtype == reference.dtype
    if mine.dtype.kind != "f":
        np.testing.assert_array_equal(mine, reference)
        return
    precision = np.finfo(mine.dtype)
    tolerance = float(UNITS_IN_THE_LAST_PLACE * precision.eps)
    largest = np.abs(reference[np.isfinite(reference)]).max(initial=precision.tiny / tolerance)
    np.testing.assert_allclose(mine, reference, rtol=tolerance, atol=tolerance * largest)


def assert_near(mine: Any, reference: Any, tolerance: float = 1e-11) -> None:
    """Require two tensors, or None and zeros, to be equal but for what is lost over many steps."""
    if mine is None or reference is None:
        assert all(x is None or not x.detach().numpy().any() for x in (mine, reference))
        return
    mine, reference = mine.detach().numpy(), reference.detach().numpy()
    assert (mine.shape, mine.dtype) == (reference.shape, reference.dtype)
    largest = np.abs(reference).max(initial=1e-300)
    np.testing.assert_allclose(mine, reference, rtol=tolerance, atol=tolerance * largest)


def orders(library: Any, make: Function, function: Function, arrays: list[np.ndarray], order: int) -> list[Any]:
    """The gradients of the cube of a function up to some order, each with respect to all that went into it.

    What went into it are the inputs, and the gradients that arrived at the results of the orders below.
    """
    directions = np.random.default_rng(order)
    inputs, found = leaves(make, arrays), []
    outputs = [function(library, *inputs) ** 3]
    inputs = [x for x in inputs if x.requires_grad]
    for _ in range(order):
        arriving = [make(directions.normal(size=tuple(x.shape)), requires_grad=True) for x in outputs]
        gradients = library.autograd.grad(outputs, inputs, arriving, create_graph=True, allow_unused=True)
        inputs += arriving
        found.append(gradients)
        outputs = [x for x in gradients if x is not None and x.requires_grad]
    return [gradient for gradients in found for gradient in gradients]


def assert_refused(function: Function, *arrays: np.ndarray, message: str = "") -> None:
    """Require that both libraries refuse, with the same type of exception, and that ours says what went wrong."""
    expected = refusal(function, torch, *leaves(theirs, arrays))
    assert expected is not None, "PyTorch does not refuse this"
    error = refusal(function, minigrad, *leaves(ours, arrays))
    assert error is not None, f"PyTorch refuses this: {expected}"
    kind = next(kind for kind in REFUSALS if isinstance(expected, kind))
    assert isinstance(error, kind), f"PyTorch raises {expected!r}, not {error!r}"
    assert message in str(error), f"{message!r} is not in {str(error)!r}"


def refusal(function: Function, *arguments: Any) -> Exception | None:
    """The exception that a call raises, or None."""
    try:
        function(*arguments)
    except REFUSALS as error:
        return error
    return None
