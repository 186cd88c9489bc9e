"""Every operation that PyTorch's own tests have samples of: values, gradients, second gradients, and refusals."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing._internal.opinfo.core import OpInfo

import minigrad
from tests.support.comparison import REFUSALS, tensors
from tests.support.op_db import DTYPES, Call, calls, function_of, leaves, operations
from tests.support.without_torch import needs_torch

# What differs on purpose, or cannot be compared here, and why.
EXCLUDED = {
    "bernoulli": "random numbers have no gradient here; in PyTorch it is 0; tests/api/test_random.py",
    "empty": "its numbers have no meaning",
    "empty_like": "its numbers have no meaning",
    "histc": "a float16 number at the edge of a bin is rounded into its neighbour in PyTorch; tests/api/test_words.py",
    "linalg.matrix_norm": "norms that need singular values are refused; tests/api/test_words.py",
    "linalg.norm": "norms that need singular values are refused; tests/api/test_words.py",
    "new_empty": "its numbers have no meaning",
    "normal": "random numbers have no gradient here; in PyTorch it is 0; tests/api/test_random.py",
    "rand_like": "the samples call randn_like; tests/api/test_random.py",
    "to": "the samples name formats of memory, of which there is one here; tests/api/test_words.py",
    "nn.functional.hardsigmoid": "PyTorch rounds 1/6 to float32 in its gradient; tests/nn/test_activations.py",
    "zero_": "the samples call it on a leaf that requires a gradient; tests/core/test_inplace.py",
}
VARIANTS = {
    ("norm", "nuc"): "the nuclear norm needs singular values",
    ("linalg.norm", "subgradients_at_zero"): "second gradients at 0 are 0, where PyTorch has nan",
}
WITHOUT = {  # dtypes that are left out
    "__rpow__": (torch.int64, "negative powers of integers are refused; PyTorch returns 0"),
    "multinomial": (torch.float16, "random numbers are drawn as float32 or float64"),
    "rand": (torch.float16, "random numbers are drawn as float32 or float64"),
    "randn": (torch.float16, "random numbers are drawn as float32 or float64"),
    "randn_like": (torch.float16, "random numbers are drawn as float32 or float64"),
}
WITHOUT_SECOND = {
    "nn.functional.binary_cross_entropy": "PyTorch adds 1e-12 to x and to 1 - x in the second derivative",
    "nn.functional.scaled_dot_product_attention": "PyTorch has no second derivative of it on a CPU",
}
# Which of several equal elements stands first, PyTorch leaves open.
ANY_OF_EQUALS = {"argsort", "kthvalue", "median", "sort", "topk"}
NOT_REFUSED = {
    **dict.fromkeys(["__radd__", "__rand__", "__rmul__", "__ror__", "__rxor__"], "of two numbers, never called"),
    "narrow": "start as a Tensor of bools is a TypeError",
}

COMPARED = (torch.float64, torch.float32, torch.float16, torch.int64, torch.uint8, torch.bool)
MOST = 12  # samples of each dtype but float64, to save time
# Relative to the largest number around. PyTorch and numpy add and multiply in different orders, and second gradients
# are often small differences of large numbers.
TOLERANCE = {8: 1e-10, 4: 1e-5, 2: 2e-3}


def dtypes_of(op: OpInfo) -> list[torch.dtype]:
    """The dtypes with which an operation is tried."""
    without, _ = WITHOUT.get(op.name, (None, ""))
    return [dtype for dtype in COMPARED if dtype in op.dtypes and dtype is not without]


OPERATIONS = [
    op
    for op in operations()
    if op.name not in EXCLUDED and (op.name, op.variant_test_name) not in VARIANTS and dtypes_of(op)
]


def name_of(op: OpInfo) -> str:
    """How the tests name an operation."""
    return f"{op.name}-{op.variant_test_name}".rstrip("-")


EACH = pytest.mark.parametrize("op", OPERATIONS, ids=name_of)


def numbers(x: torch.Tensor) -> np.ndarray:
    """The array of a tensor of PyTorch's, which may be one of its zeros without memory."""
    return (torch.zeros(x.shape, dtype=x.dtype) if x._is_zerotensor() else x.detach().resolve_neg()).numpy()


def assert_close(mine: minigrad.Tensor, reference: torch.Tensor, scale: float = 1e-3) -> None:
    """Require the same shape, dtype and numbers."""
    expected = numbers(reference)
    assert mine.array.shape == expected.shape
    assert mine.array.dtype == expected.dtype
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(mine.array, expected)
        return
    finite = np.isfinite(expected)
    bound = TOLERANCE[expected.dtype.itemsize] * np.abs(expected, where=finite, out=np.zeros(expected.shape)).max(
        initial=scale
    )
    with np.errstate(invalid="ignore"):
        near = (
            (np.abs(mine.array - expected) <= bound)
            if finite.all()
            else np.isclose(mine.array, expected, bound, bound, True)
        )
    assert near.all(), f"{mine.array} instead of {expected}"


def assert_same(mine: Any, reference: Any) -> None:
    """Require the same results: tensors, sequences of tensors, or plain values."""
    if isinstance(reference, torch.Tensor):
        assert isinstance(mine, minigrad.Tensor)
        assert mine.requires_grad == reference.requires_grad
        assert_close(mine, reference)
    elif isinstance(reference, tuple | list):
        assert len(mine) == len(reference)
        for part, expected in zip(mine, reference, strict=True):
            assert_same(part, expected)
    else:
        np.testing.assert_equal(mine, reference)


def results(op: OpInfo, call: Call) -> tuple[Any, Any]:
    """What both libraries return; random numbers come from the seed that the samples use."""
    function = function_of(op.name)
    assert function
    (theirs, their_keywords), (ours, our_keywords) = call
    expected = op.op(*theirs, **their_keywords)
    minigrad.manual_seed(42)
    return function(*ours, **our_keywords), expected


def slopes(library: Any, outputs: list[Any], inputs: list[Any], arriving: list[np.ndarray], make: Any) -> Any:
    """The gradients of outputs, and the gradients that arrived, both as tensors of the graph."""
    vectors = [make(x, requires_grad=True) for x in arriving]
    found = library.autograd.grad(outputs, inputs, vectors, create_graph=True, allow_unused=True)
    return [*found], vectors


def assert_same_gradients(mine: list[Any], reference: list[Any]) -> None:
    """Require the same gradients. None stands for zeros."""
    known = [numbers(x) for x in reference if x is not None]
    # The inputs and the gradients that arrive are around 1. Where they cancel, rounding errors of that size remain.
    scale = max((np.abs(x[np.isfinite(x)]).max(initial=1.0) for x in known), default=1.0)
    for gradient, expected in zip(mine, reference, strict=True):
        if gradient is None or expected is None:
            rest = gradient.array if expected is None and gradient is not None else expected
            rest = numbers(rest) if isinstance(rest, torch.Tensor) else rest
            assert rest is None or not np.any(rest)
        else:
            assert_close(gradient, expected, scale)


def compare_gradients(op: OpInfo, call: Call, mine: Any, reference: Any) -> None:
    """Require the same first and second gradients, for random gradients that arrive."""
    random = np.random.default_rng(2147483647)
    our_leaves, their_leaves = leaves([*call.ours]), leaves([*call.theirs])
    our_outputs = [x for x in tensors(mine) if x.requires_grad]
    their_outputs = [x for x in tensors(reference) if x.requires_grad]
    if not their_outputs or not their_leaves:
        return
    arriving = [random.normal(size=tuple(x.shape)).astype(numbers(x).dtype) for x in their_outputs]
    first, our_vectors = slopes(minigrad, our_outputs, our_leaves, arriving, minigrad.tensor)
    expected, their_vectors = slopes(torch, their_outputs, their_leaves, arriving, torch.tensor)
    assert_same_gradients(first, expected)
    if not op.supports_gradgrad or op.name in WITHOUT_SECOND:
        return
    pairs = [
        (a, b) for a, b in zip(first, expected, strict=True) if b is not None and b.requires_grad and a is not None
    ]
    again = [random.normal(size=tuple(b.shape)).astype(numbers(b).dtype) for _, b in pairs]
    ours_again = [(a, x) for (a, _), x in zip(pairs, again, strict=True) if a.requires_grad]
    if not pairs:
        return
    inputs, their_inputs = our_leaves + our_vectors, their_leaves + their_vectors
    second: list[Any] = [None] * len(inputs)
    if ours_again:
        outputs, vectors = zip(*ours_again, strict=True)
        second, _ = slopes(minigrad, [*outputs], inputs, [*vectors], minigrad.tensor)
    expected, _ = slopes(torch, [b for _, b in pairs], their_inputs, again, torch.tensor)
    assert_same_gradients(second, expected)


@EACH
def test_values_and_gradients(op: OpInfo) -> None:
    tried = 0
    for dtype in dtypes_of(op):
        has_gradient = dtype.is_floating_point and op.supports_autograd
        samples = op.sample_inputs("cpu", dtype, requires_grad=has_gradient)
        for call in calls(itertools.islice(samples, None if dtype is torch.float64 else MOST)):
            if (
                op.name == "nn.functional.batch_norm" and call.theirs[0][0].ndim < 2
            ):  # taken if it is empty, by accident
                continue
            mine, expected = results(op, call)
            tried += 1
            if op.name in ANY_OF_EQUALS and not isinstance(expected, torch.Tensor):
                mine, expected = mine[0], expected[0]
            if op.name == "argsort":
                mine, expected = mine.sort().values, expected.sort().values
            assert_same(mine, expected)
            if dtype is torch.float64 and has_gradient:
                compare_gradients(op, call, mine, expected)
    assert tried, "there are no samples"


@EACH
def test_refusals(op: OpInfo) -> None:
    """What PyTorch must refuse is refused, with an error of the same kind."""
    function = function_of(op.name)
    assert function
    if op.error_inputs_func is None or op.name in NOT_REFUSED:
        return
    for error in op.error_inputs("cpu"):
        for (theirs, their_keywords), (ours, our_keywords) in calls([error.sample_input]):
            try:
                op.op(*theirs, **their_keywords)
            except REFUSALS as refusal:
                kind = next(kind for kind in REFUSALS if isinstance(refusal, kind))
            else:
                continue
            with pytest.raises(kind):
                function(*ours, **our_keywords)


# Whose operands may not have two dtypes here, and why.
OF_ONE_DTYPE = {"einsum": "PyTorch allows two dtypes where no products are added up, and not where they are"}
OTHERS = (torch.float16, torch.float64, torch.int64)


def with_another_dtype(x: Any, place: int, dtype: torch.dtype, found: list[int]) -> Any:
    """Arguments, among which the tensor at a place has another dtype. `found` counts the tensors."""
    if isinstance(x, torch.Tensor):
        found[0] += 1
        return x.detach().to(dtype) if found[0] == place else x.detach()
    if isinstance(x, list | tuple):
        return type(x)(with_another_dtype(part, place, dtype, found) for part in x)
    if isinstance(x, dict):
        return {key: with_another_dtype(value, place, dtype, found) for key, value in x.items()}
    return x


def dtype_of(function: Any, arguments: Any, keywords: Any) -> str:
    """The dtype of the first result of a call, or that it is refused."""
    try:
        result = function(*arguments, **keywords)
    except REFUSALS:
        return "refused"
    return str(getattr(result[0] if isinstance(result, list | tuple) else result, "dtype", ""))


@pytest.mark.parametrize(
    "op", [op for op in OPERATIONS if torch.float32 in dtypes_of(op) and op.name not in OF_ONE_DTYPE], ids=name_of
)
def test_operands_of_two_dtypes(op: OpInfo) -> None:
    """They give the dtype that they give in PyTorch, or are refused as there."""
    function = function_of(op.name)
    for sample in itertools.islice(op.sample_inputs("cpu", torch.float32), 3):
        if (op.name == "nn.functional.batch_norm" and sample.input.ndim < 2) or "max_norm" in sample.kwargs:
            continue  # as above; there is no max_norm
        count = [0]
        whole = (sample.input, sample.args, sample.kwargs)
        with_another_dtype(whole, 0, torch.float32, count)
        for place, dtype in itertools.product(range(1, min(count[0], 4) + 1) if count[0] > 1 else (), OTHERS):
            input, rest, keywords = with_another_dtype(whole, place, dtype, [0])
            for call in calls([type(sample)(input, args=rest, kwargs=keywords)]):
                mine, expected = dtype_of(function, *call.ours), dtype_of(op.op, *call.theirs)
                assert mine == expected, f"tensor {place} of {dtype}"


IN_PLACE = [op for op in OPERATIONS if op.inplace_variant and hasattr(minigrad.Tensor, f"{op.name}_")]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of old arguments, and of sizes that differ


@pytest.mark.parametrize("op", IN_PLACE, ids=lambda op: f"{op.name}_-{op.variant_test_name}".rstrip("-"))
def test_the_method_that_changes_a_tensor_in_place(op: OpInfo) -> None:
    """It leaves the values that the function returns, with the same gradients, or it is refused as in PyTorch."""
    method = getattr(minigrad.Tensor, f"{op.name}_")
    dtype = dtypes_of(op)[0]  # float64 for most
    for call in calls(op.sample_inputs("cpu", dtype, requires_grad=dtype.is_floating_point and op.supports_autograd)):
        ((their_input, *theirs), their_keywords), ((our_input, *ours), our_keywords) = call
        reference, mine = their_input.clone(), our_input.clone()
        try:
            op.inplace_variant(reference, *theirs, **their_keywords)
        except REFUSALS as refusal:
            kind = next(kind for kind in REFUSALS if isinstance(refusal, kind))
            with pytest.raises(kind):
                method(mine, *ours, **our_keywords)
            continue
        assert method(mine, *ours, **our_keywords) is mine
        assert_same(mine, reference)
        compare_gradients(op, call, mine, reference)


@needs_torch
def test_the_dtypes_are_those_of_minigrad() -> None:
    assert [repr(mine) for mine in DTYPES.values()] == [repr(theirs) for theirs in DTYPES]
