"""nn.functional against torch.nn.functional: values, gradients, second derivatives, and what is refused."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from comparison import Function, assert_refused, assert_same, compare, leaves, normal, ours, random, theirs

import minigrad
import nn

FUNCTIONAL = {minigrad: nn.functional, torch: torch.nn.functional}
DTYPES = [np.float32, np.float64]

every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def compare_functional(name: str, *arrays: np.ndarray, **settings: Any) -> None:
    """Require the same results and gradients of a function that both libraries have under one name."""
    compare(lambda library, *inputs: getattr(FUNCTIONAL[library], name)(*inputs, **settings), *arrays)


def classes(count: int, *shape: int) -> np.ndarray:
    """Random integers below `count`."""
    return random.integers(0, count, shape)


# linear


def linear(library: Any, *inputs: Any) -> Any:
    """An input, a weight and perhaps a bias, in a library's linear."""
    return FUNCTIONAL[library].linear(*inputs)


LINEAR_SHAPES = [(3,), (1, 3), (5, 3), (0, 3), (2, 5, 3), (2, 0, 3), (4, 1, 2, 3)]


@every_dtype
@pytest.mark.parametrize("shape", LINEAR_SHAPES, ids=str)
def test_linear(shape: tuple[int, ...], dtype: Any) -> None:
    input, weight, bias = (normal(*sizes, dtype=dtype) for sizes in (shape, (2, 3), (2,)))
    compare_functional("linear", input, weight, bias)
    compare_functional("linear", input, weight)


@pytest.mark.parametrize("shape", [(2, 0), (2, 4, 0)], ids=str)
def test_linear_of_no_inputs_is_the_bias(shape: tuple[int, ...]) -> None:
    compare_functional("linear", normal(*shape), normal(3, 0), normal(3))


def test_linear_of_what_is_transposed_in_memory() -> None:
    compare(lambda library, x, w, b: FUNCTIONAL[library].linear(x.T, w.T, b), normal(3, 5), normal(3, 2), normal(2))


LINEAR_REFUSALS = {
    "sizes that differ": ([normal(5, 4), normal(2, 3), normal(2)], "(5, 4)"),
    "sizes that differ, without a bias": ([normal(5, 4), normal(2, 3)], "(2, 3)"),
    "a bias of another size": ([normal(5, 3), normal(2, 3), normal(3)], "(3,)"),
    "a weight of another dtype": ([normal(5, 3), normal(2, 3, dtype=np.float32)], "float32"),
    "a weight of another dtype, with a bias": ([normal(5, 3), normal(2, 3, dtype=np.float32), normal(2)], "float32"),
    "a bias of another dtype": ([normal(5, 3), normal(2, 3), normal(2, dtype=np.float32)], "float32"),
}


@pytest.mark.parametrize(("arrays", "message"), LINEAR_REFUSALS.values(), ids=LINEAR_REFUSALS)
def test_linear_refuses(arrays: list[np.ndarray], message: str) -> None:
    assert_refused(linear, *arrays, message="linear: ")
    assert_refused(linear, *arrays, message=message)


# embedding


@every_dtype
@pytest.mark.parametrize("integers", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(), (0,), (4,), (100,), (6, 3), (2, 3, 4)], ids=str)
def test_embedding(shape: tuple[int, ...], integers: Any, dtype: Any) -> None:
    compare_functional("embedding", classes(7, *shape).astype(integers), normal(7, 2, dtype=dtype))


def test_embedding_adds_up_the_gradients_of_a_row_that_is_named_twice() -> None:
    compare_functional("embedding", np.array([[3, 3], [0, 3]]), normal(4, 5))


@pytest.mark.parametrize(
    ("index", "message"), [([1, 4], "4"), ([-1], "-1"), ([0.0], "float64"), ([True], "bool")], ids=str
)
def test_embedding_refuses_what_names_no_row(index: list[Any], message: str) -> None:
    arrays = np.array(index), normal(4, 2)
    assert_refused(lambda library, i, w: FUNCTIONAL[library].embedding(i.detach(), w), *arrays, message=message)


# batch_norm

BATCHES = [(3, 1), (5, 3), (64, 10), (4, 3, 6), (1, 3, 8), (0, 3)]
AFFINE = {
    "plain": (),
    "weight": ("weight",),
    "bias": ("bias",),
    "affine": ("weight", "bias"),
}


@every_dtype
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("affine", AFFINE.values(), ids=AFFINE)
@pytest.mark.parametrize("shape", BATCHES, ids=str)
def test_batch_norm(shape: tuple[int, ...], affine: tuple[str, ...], training: bool, dtype: Any) -> None:
    channels = shape[1]
    mean, var = normal(channels, dtype=dtype), random.uniform(0.5, 2, channels).astype(dtype)

    def function(library: Any, input: Any, *parameters: Any) -> list[Any]:
        running = [library.tensor(mean), library.tensor(var)]
        named = dict(zip(affine, parameters, strict=True))
        return [FUNCTIONAL[library].batch_norm(input, *running, **named, training=training), *running]

    compare(function, 3 * normal(*shape, dtype=dtype) + 2, *(normal(channels, dtype=dtype) for _ in affine))


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("settings", [{"momentum": 0.0}, {"momentum": 0.3}, {"momentum": 1.0}, {"eps": 0.5}], ids=str)
def test_batch_norm_with_other_settings(settings: dict[str, float], training: bool) -> None:
    def function(library: Any, input: Any, weight: Any, bias: Any) -> list[Any]:
        running = [library.zeros(3, dtype=library.float64), library.ones(3, dtype=library.float64)]
        result = FUNCTIONAL[library].batch_norm(input, *running, weight, bias, training, **settings)
        return [result, *running]

    compare(function, normal(6, 3), normal(3), normal(3))


def test_batch_norm_without_running_statistics() -> None:
    compare_functional("batch_norm", normal(6, 3), running_mean=None, running_var=None, training=True)


def test_batch_norm_updates_the_running_statistics_in_place_batch_after_batch() -> None:
    batches = [normal(8, 3, 2) for _ in range(5)]

    def function(library: Any) -> list[Any]:
        running = [library.zeros(3, dtype=library.float64), library.ones(3, dtype=library.float64)]
        for batch in batches:
            FUNCTIONAL[library].batch_norm(library.tensor(batch), *running, training=True)
        return running

    compare(function)


def test_batch_norm_makes_every_channel_standard() -> None:
    result = nn.functional.batch_norm(ours(5 * normal(100, 3, 4) - 7), None, None, training=True, eps=0.0).array
    np.testing.assert_allclose(result.mean((0, 2)), 0, atol=1e-14)
    np.testing.assert_allclose(result.var((0, 2)), 1, rtol=1e-14)


def batch_norm(shape: tuple[int, ...], training: bool = True, **sizes: int) -> Function:
    """A call of batch_norm with ones of these sizes as its statistics and parameters."""

    def function(library: Any) -> Any:
        named = {name: library.ones(size) for name, size in sizes.items()}
        given = {"running_mean": None, "running_var": None, **named}
        return FUNCTIONAL[library].batch_norm(library.ones(*shape), **given, training=training)

    return function


BATCH_NORM_REFUSALS = {
    "one number a channel": batch_norm((1, 3)),
    "one number a channel, of length 1": batch_norm((1, 3, 1)),
    "a running mean of another size": batch_norm((4, 2), running_mean=3, running_var=3),
    "running statistics of size 1": batch_norm((4, 2), running_mean=1, running_var=1),
    "running statistics of another size": batch_norm((4, 2), running_mean=3, running_var=3, training=False),
    "running statistics of size 1 in evaluation": batch_norm((4, 2), running_mean=1, running_var=1, training=False),
    "a running mean alone": batch_norm((4, 2), running_mean=2),
    "a weight of another size": batch_norm((4, 2), weight=3),
    "a weight of size 1": batch_norm((4, 2), weight=1),
    "a bias of another size": batch_norm((4, 2), bias=3),
    "integers": lambda library: FUNCTIONAL[library].batch_norm(library.ones(4, 2).long(), None, None, training=True),
}


@pytest.mark.parametrize("function", BATCH_NORM_REFUSALS.values(), ids=BATCH_NORM_REFUSALS)
def test_batch_norm_refuses(function: Function) -> None:
    assert_refused(function, message="batch_norm: ")


def test_batch_norm_refuses_to_evaluate_without_running_statistics() -> None:
    with pytest.raises((RuntimeError, ValueError), match=r"batch_norm: .* running"):
        batch_norm((4, 2), training=False)(minigrad)


# cross_entropy


@every_dtype
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1), (4, 3), (32, 27), (0, 3)], ids=str)
def test_cross_entropy(shape: tuple[int, int], dtype: Any) -> None:
    compare_functional("cross_entropy", 3 * normal(*shape, dtype=dtype), classes(shape[1], shape[0]))


@every_dtype
@pytest.mark.parametrize(
    "logits",
    [
        pytest.param([[1000.0, 0.0, -1000.0], [-1e30, 1e30, 0.0]], id="huge"),
        pytest.param([[2.0, 2.0, 2.0], [0.0, 0.0, 0.0]], id="equal"),
        pytest.param([[0.0, 1.0, -np.inf], [-np.inf, 2.0, 0.0]], id="impossible classes"),
        pytest.param([[-np.inf, 0.0, 1.0], [0.0, 0.0, 0.0]], id="an impossible target"),
        pytest.param([[np.nan, 0.0, 1.0], [0.0, 0.0, 0.0]], id="nan"),
    ],
)
def test_cross_entropy_of_extremes(logits: list[list[float]], dtype: Any) -> None:
    compare_functional("cross_entropy", np.array(logits, dtype), np.array([0, 1]))


@pytest.mark.parametrize("count", [2, 27, 1000])
def test_cross_entropy_of_equal_logits_is_the_logarithm_of_the_number_of_classes(count: int) -> None:
    loss = nn.functional.cross_entropy(minigrad.zeros(3, count, dtype=np.float64), ours(classes(count, 3)))
    assert loss.item() == pytest.approx(math.log(count), rel=1e-15)


def test_cross_entropy_is_what_its_parts_compose() -> None:
    logits, target = normal(6, 4), classes(4, 6)
    parts = -nn.functional.log_softmax(ours(logits), 1)[minigrad.arange(6), ours(target)].mean()
    assert nn.functional.cross_entropy(ours(logits), ours(target)).item() == pytest.approx(parts.item(), rel=1e-14)


CROSS_ENTROPY_REFUSALS = {
    "a class too many": (normal(2, 3), np.array([0, 3]), "3"),
    "a negative class": (normal(2, 3), np.array([0, -1]), "-1"),
    "another number of rows": (normal(2, 3), np.array([0, 1, 2]), "(3,)"),
    "integers as logits": (np.ones((2, 3), np.int64), np.array([0, 1]), "int64"),
}


@pytest.mark.parametrize(("logits", "target", "message"), CROSS_ENTROPY_REFUSALS.values(), ids=CROSS_ENTROPY_REFUSALS)
def test_cross_entropy_refuses(logits: np.ndarray, target: np.ndarray, message: str) -> None:
    assert_refused(lambda library, *inputs: FUNCTIONAL[library].cross_entropy(*inputs), logits, target, message=message)


def test_cross_entropy_refuses_what_pytorch_means_otherwise() -> None:
    """Probabilities as targets, and logits of other dims, are not here."""
    with pytest.raises((RuntimeError, ValueError), match="cross_entropy: "):
        nn.functional.cross_entropy(ours(normal(2, 3)), ours(normal(2, 3)))
    with pytest.raises(RuntimeError, match="cross_entropy: needs integers, got float64"):
        nn.functional.cross_entropy(ours(normal(2, 3)), ours(normal(2)))
    with pytest.raises(ValueError, match="cross_entropy: logits of shape"):
        nn.functional.cross_entropy(ours(normal(2, 3, 4)), ours(classes(3, 2, 4)))


# softmax, one_hot and the activations


@every_dtype
@pytest.mark.parametrize(
    ("shape", "dim"), [((5,), 0), ((4, 3), 1), ((4, 3), -2), ((2, 3, 4), 1), ((), 0), ((0,), 0), ((2, 0), 1)], ids=str
)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(name: str, shape: tuple[int, ...], dim: int, dtype: Any) -> None:
    compare_functional(name, normal(*shape, dtype=dtype), dim=dim)


@every_dtype
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_extremes(name: str, dtype: Any) -> None:
    compare_functional(name, np.array([[1e4, 0.0, -1e4], [-np.inf, 0.0, 0.0], [5.0, 5.0, 5.0]], dtype), dim=1)


def test_softmax_is_a_distribution() -> None:
    result = nn.functional.softmax(ours(10 * normal(50, 7)), 1).array
    assert (result > 0).all()
    np.testing.assert_allclose(result.sum(1), 1, rtol=1e-15)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_refuses(name: str) -> None:
    assert_refused(lambda library, x: getattr(FUNCTIONAL[library], name)(x, dim=2), normal(4, 3), message=name)
    assert_refused(lambda library, x: getattr(FUNCTIONAL[library], name)(x.long(), dim=1), normal(4, 3), message=name)


@pytest.mark.parametrize(
    ("shape", "count"), [((5,), 4), ((5,), 9), ((2, 3), 4), ((), 4), ((0,), 3), ((6,), -1), ((2, 3), -1)], ids=str
)
def test_one_hot(shape: tuple[int, ...], count: int) -> None:
    compare_functional("one_hot", classes(4, *shape), num_classes=count)


@pytest.mark.parametrize(
    ("index", "count"), [([4], 4), ([-1], 4), ([-1], -1), ([], -1), ([0], 0), ([0.0], 2), ([True], 2)], ids=str
)
def test_one_hot_refuses_what_is_no_class(index: list[Any], count: int) -> None:
    integers = np.array(index, None if index else np.int64)
    assert_refused(lambda library, x: FUNCTIONAL[library].one_hot(x.detach(), count), integers, message="one_hot: ")


@every_dtype
@pytest.mark.parametrize("name", ["tanh", "relu"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3, 4)], ids=str)
def test_an_activation(name: str, shape: tuple[int, ...], dtype: Any) -> None:
    compare_functional(name, normal(*shape, dtype=dtype))


@every_dtype
@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_an_activation_of_extremes(name: str, dtype: Any) -> None:
    compare_functional(name, np.array([0.0, -0.0, 1e-30, 100.0, -100.0, np.inf, -np.inf], dtype))


# Second derivatives


def second_gradients(
    library: Any, make: Function, function: Function, upstream: np.ndarray, arrays: tuple[np.ndarray, ...]
) -> list[Any]:
    """The gradients of a combination of a function's gradients, of the gradient that arrives and of the inputs."""
    arriving, *inputs = leaves(make, [upstream, *arrays])
    differentiable = [x for x in inputs if x.requires_grad]
    function(library, *inputs).backward(arriving, create_graph=True)
    firsts = [x.grad for x in differentiable]
    for x in (arriving, *differentiable):
        x.grad = None
    directions = [np.linspace(-1, 2, first.numel(), dtype=upstream.dtype).reshape(first.shape) for first in firsts]
    sum((first * make(direction)).sum() for first, direction in zip(firsts, directions, strict=True)).backward()
    return [x.grad for x in (arriving, *differentiable)]


def normalised(**settings: Any) -> Function:
    """batch_norm by the statistics of the batch."""
    return lambda library, x, *parameters: FUNCTIONAL[library].batch_norm(
        x, None, None, *parameters, training=True, **settings
    )


SECOND_DERIVATIVES = {
    "cross_entropy": (lambda library, x, t: FUNCTIONAL[library].cross_entropy(x, t), normal(5, 4), classes(4, 5)),
    "linear": (linear, normal(5, 3), normal(2, 3), normal(2)),
    "linear of 3-D": (linear, normal(2, 5, 3), normal(2, 3), normal(2)),
    "linear without bias": (linear, normal(5, 3), normal(2, 3)),
    "batch_norm": (normalised(), normal(6, 3), normal(3), normal(3)),
    "batch_norm of 3-D": (normalised(), normal(4, 3, 2), normal(3), normal(3)),
    "batch_norm without affine": (normalised(eps=0.1), normal(6, 3)),
    "a layer": (
        lambda library, x, w, *parameters: normalised()(library, linear(library, x, w), *parameters).tanh(),
        normal(6, 4),
        normal(3, 4),
        normal(3),
        normal(3),
    ),
}


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True:UserWarning")
@every_dtype
@pytest.mark.parametrize("function_and_arrays", SECOND_DERIVATIVES.values(), ids=SECOND_DERIVATIVES)
def test_second_derivatives(function_and_arrays: tuple[Any, ...], dtype: Any) -> None:
    function, *arrays = function_and_arrays
    arrays = tuple(array.astype(dtype) if array.dtype.kind == "f" else array for array in arrays)
    upstream = normal(*function(torch, *map(theirs, arrays)).shape, dtype=dtype)
    mine = second_gradients(minigrad, ours, function, upstream, arrays)
    for gradient, reference in zip(mine, second_gradients(torch, theirs, function, upstream, arrays), strict=True):
        if reference is None or not reference.any():
            assert gradient is None or not gradient.array.any()
        else:
            assert_same(gradient.detach(), reference.detach())
