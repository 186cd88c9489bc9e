"""Every operation under JAX: the numbers of the operation itself, or a refusal with its statement.

XLA takes a tenth of a second to compile a function, however small. So one sample of each operation is compiled with
those of many others, as one function. Before, JAX traces it alone, which takes little time.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
import pytest
from torch.testing._internal.opinfo.core import OpInfo

import minigrad
from minigrad.compiled.recording import Refused
from tests.compiled.test_operations import OPERATIONS, leaves, renewed
from tests.support.comparison import REFUSALS, tensors
from tests.support.op_db import calls, function_of

jax = pytest.importorskip("jax")

# What JAX cannot run, with what the refusal says: the number of elements that a mask picks is unknown to it.
REFUSED = {
    "index_put": "Array boolean indices must be concrete",
}
TOGETHER = 60  # operations in one function
HASTY = {"xla_backend_optimization_level": 0}  # compiles in half the time
# XLA adds in another order than numpy, has an exp and a tanh of its own, and may compute a * b + c in one step. So
# numbers agree within a few units in the last place of the largest number around, as with PyTorch.
UNITS = 16


class Sample(NamedTuple):
    """A call of an operation."""

    name: str
    function: Any
    args: Any
    kwargs: Any

    def __call__(self, args: Any, kwargs: Any) -> Any:
        """What the operation returns: Tensors."""
        result = self.function(*args, **kwargs)
        return [*tensors(result if isinstance(result, list | tuple) else [result])]


def sample_of(op: OpInfo) -> Sample | None:
    """A sample of an operation, in float32 if it takes that; None if it has none."""
    function: Any = function_of(op.name)
    for dtype in sorted(op.dtypes, key=lambda dtype: (str(dtype) != "torch.float32", str(dtype))):
        if str(dtype) in ("torch.float32", "torch.int64", "torch.bool"):
            for call in calls(op.sample_inputs("cpu", dtype, requires_grad=dtype.is_floating_point)):
                return Sample(op.name, function, *call.ours)
    return None


def is_compiled(sample: Sample) -> bool:
    """Whether a sample can be compiled. What JAX refuses is in the table, with its message."""
    compiled = minigrad.compile(lambda args, kwargs: sample(args, kwargs), backend="jax")
    try:
        compiled(renewed(sample.args, 0), renewed(sample.kwargs, 0))
    except Refused as error:
        refusal = str(error)
    except REFUSALS:  # of the operation itself
        return False
    else:
        return True
    assert "the backend 'jax'" not in refusal or REFUSED.get(sample.name, "none") in refusal
    return False


def outcome(run: Any, samples: list[Sample], turn: int) -> list[list[Any]]:
    """Of each sample, its results and the gradients of its arguments."""
    given = [(renewed(sample.args, turn), renewed(sample.kwargs, turn)) for sample in samples]
    minigrad.manual_seed(42)
    results = run(given)
    numbers = np.random.default_rng(0)
    needing = [x for made in results for x in made if x.requires_grad]
    if needing:
        sum((x.double() * minigrad.tensor(numbers.normal(size=x.shape))).sum() for x in needing).backward()
    grads = [[x.grad for x in leaves([*args, kwargs])] for args, kwargs in given]
    return [[*(x.detach() for x in made), *each] for made, each in zip(results, grads, strict=True)]


def assert_close(found: Any, expected: Any, name: str) -> None:
    """Require the same shape and dtype, and numbers that agree up to rounding."""
    assert (found is None) == (expected is None), name
    if found is None:
        return
    x, y = found.array, expected.array
    assert (x.shape, x.dtype) == (y.shape, y.dtype), name
    finite = np.isfinite(y) if y.dtype.kind == "f" else np.zeros(y.shape, bool)
    np.testing.assert_array_equal(x[~finite], y[~finite], err_msg=name)
    if finite.any():
        largest = max(1.0, float(np.abs(y[finite]).max()))
        np.testing.assert_allclose(
            x[finite], y[finite], rtol=0, atol=UNITS * np.finfo(y.dtype).eps * largest, err_msg=name
        )


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("start", range(0, len(OPERATIONS), TOGETHER))
def test_operations_with_other_numbers(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "jit", functools.partial(jax.jit, compiler_options=HASTY))
    samples = [
        sample for op in OPERATIONS[start : start + TOGETHER] if (sample := sample_of(op)) and is_compiled(sample)
    ]
    assert len(samples) > TOGETHER / 3

    def run(given: Any) -> Any:
        return [sample(*each) for sample, each in zip(samples, given, strict=True)]

    compiled = minigrad.compile(run, backend="jax")
    outcome(compiled, samples, 0)
    for turn in (1, 2):
        for sample, x, y in zip(samples, outcome(compiled, samples, turn), outcome(run, samples, turn), strict=True):
            for one, other in zip(x, y, strict=True):
                assert_close(one, other, sample.name)
