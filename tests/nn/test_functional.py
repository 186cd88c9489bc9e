"""nn.functional against torch.nn.functional: values, gradients, second derivatives, and what is refused."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import (
    FUNCTIONAL,
    Function,
    assert_refused,
    assert_same,
    compare,
    leaves,
    normal,
    ours,
    random,
    theirs,
)

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


def test_batch_norm_refuses_a_second_use_of_statistics_that_it_has_moved() -> None:
    """What was computed from the running mean needs it as it was."""
    batch, running, scale = ours(normal(4, 3)), minigrad.zeros(3, dtype=np.float64), ours(normal(3), True)
    product = running * scale
    nn.functional.batch_norm(batch, running, minigrad.ones(3, dtype=np.float64), training=True)
    with pytest.raises(RuntimeError, match=r"changed.* by batch_norm"):
        product.sum().backward()


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
    "bools": (np.zeros((2, 3)), np.array([True, False]), "bool"),
    "integers as logits": (np.ones((2, 3), np.int64), np.array([0, 1]), "int64"),
}


@pytest.mark.parametrize(("logits", "target", "message"), CROSS_ENTROPY_REFUSALS.values(), ids=CROSS_ENTROPY_REFUSALS)
def test_cross_entropy_refuses(logits: np.ndarray, target: np.ndarray, message: str) -> None:
    assert_refused(lambda library, *inputs: FUNCTIONAL[library].cross_entropy(*inputs), logits, target, message=message)


# The other losses

LOSS_SHAPES = [(3,), (1,), (5, 3), (4, 1), (0, 3), (2, 3, 4), (2, 3, 1), (2, 3, 2, 4), (2, 3, 2, 1, 2)]
LOSS_SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
    "ignoring a class": {"ignore_index": 0},
    "ignoring a class, none": {"ignore_index": 0, "reduction": "none"},
    "smooth": {"label_smoothing": 0.2},
    "smooth, ignoring a class": {"label_smoothing": 0.2, "ignore_index": 0},
    "smooth, sum": {"label_smoothing": 0.2, "reduction": "sum"},
    "smooth, none, ignoring a class": {"label_smoothing": 1.0, "reduction": "none", "ignore_index": 0},
}
every_setting = pytest.mark.parametrize("settings", LOSS_SETTINGS.values(), ids=LOSS_SETTINGS)


def a_loss(name: str, target: np.ndarray, weight: np.ndarray | None = None, **settings: Any) -> Function:
    """A call of a loss with constants beside its input."""

    def function(library: Any, input: Any) -> Any:
        weights = None if weight is None else library.tensor(weight)
        return getattr(FUNCTIONAL[library], name)(input, library.tensor(target), weight=weights, **settings)

    return function


def class_count(shape: tuple[int, ...]) -> int:
    """How many classes there are for an input."""
    return shape[len(shape) > 1]


def targets(shape: tuple[int, ...]) -> np.ndarray:
    """Random classes for an input, with the last class among them."""
    classes_there = class_count(shape)
    chosen = classes(classes_there, *(shape[:1] + shape[2:] if len(shape) > 1 else ()))
    if chosen.size:
        chosen.flat[-1] = classes_there - 1
    return np.asarray(chosen)


@every_dtype
@every_setting
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("shape", LOSS_SHAPES, ids=str)
def test_cross_entropy_of_classes(shape: tuple[int, ...], weighted: bool, settings: dict[str, Any], dtype: Any) -> None:
    weight = random.uniform(0.5, 2, class_count(shape)).astype(dtype) if weighted else None
    compare(a_loss("cross_entropy", targets(shape), weight, **settings), normal(*shape, dtype=dtype))


@every_dtype
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("settings", [s for s in LOSS_SETTINGS.values() if "ignore_index" not in s], ids=str)
@pytest.mark.parametrize("shape", LOSS_SHAPES, ids=str)
def test_cross_entropy_of_probabilities(
    shape: tuple[int, ...], weighted: bool, settings: dict[str, Any], dtype: Any
) -> None:
    """The gradient reaches the probabilities and the weights, too."""
    probabilities = random.uniform(0, 1, shape).astype(dtype)
    weight = [random.uniform(0.5, 2, class_count(shape)).astype(dtype)] if weighted else []
    compare_functional("cross_entropy", normal(*shape, dtype=dtype), probabilities, *weight, **settings)


@every_dtype
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("settings", [s for s in LOSS_SETTINGS.values() if "label_smoothing" not in s], ids=str)
@pytest.mark.parametrize("shape", LOSS_SHAPES, ids=str)
def test_nll_loss(shape: tuple[int, ...], weighted: bool, settings: dict[str, Any], dtype: Any) -> None:
    weight = random.uniform(0.5, 2, class_count(shape)).astype(dtype) if weighted else None
    compare(a_loss("nll_loss", targets(shape), weight, **settings), normal(*shape, dtype=dtype))


@pytest.mark.parametrize("settings", [{}, {"label_smoothing": 0.1}, {"reduction": "sum"}], ids=str)
@pytest.mark.parametrize("target", [[-100, 2], [-100, -100]], ids=str)
def test_cross_entropy_ignores_what_has_no_class(target: list[int], settings: dict[str, Any]) -> None:
    """The mean of none is nan; what is ignored may be impossible."""
    logits = normal(2, 3)
    compare(a_loss("cross_entropy", np.array(target), **settings), logits)
    logits[0, 0] = -np.inf
    compare(a_loss("cross_entropy", np.array([-100, 2])), logits)


def test_cross_entropy_of_bytes() -> None:
    compare(a_loss("cross_entropy", np.array([0, 2], np.uint8)), normal(2, 3))


LOSS_REFUSALS: dict[str, tuple[Function, np.ndarray, str]] = {
    "int32": (a_loss("cross_entropy", np.array([0, 1], np.int32)), np.ones((2, 3)), "int32"),
    "floats as classes": (a_loss("cross_entropy", np.ones(2)), np.ones((2, 3)), "float64"),
    "integers as probabilities": (a_loss("cross_entropy", np.zeros((2, 3), np.int64)), np.ones((2, 3)), "int64"),
    "an index to ignore beside probabilities": (
        a_loss("cross_entropy", np.ones((2, 3)), ignore_index=1),
        np.ones((2, 3)),
        "ignore_index",
    ),
    "another number of rows": (a_loss("nll_loss", np.zeros((3,), np.int64)), np.ones((2, 3)), "(3,)"),
    "another number of rows in 3-D": (
        a_loss("cross_entropy", np.zeros((3, 4), np.int64)),
        np.ones((2, 3, 4)),
        "(3, 4)",
    ),
    "another length in 3-D": (a_loss("cross_entropy", np.zeros((2, 5), np.int64)), np.ones((2, 3, 4)), "(2, 5)"),
    "two dims of classes": (a_loss("cross_entropy", np.zeros((2, 1), np.int64)), np.ones((2, 3)), "(2, 1)"),
    "an input without dims": (a_loss("nll_loss", np.array(0)), np.ones(()), "()"),
    "a class too many in 3-D": (a_loss("cross_entropy", np.full((2, 4), 3)), np.ones((2, 3, 4)), "3"),
    "a negative class": (a_loss("nll_loss", np.array([0, -1])), np.ones((2, 3)), "-1"),
    "a class too many of one row": (a_loss("nll_loss", np.array(3)), np.ones(3), "3"),
    "a reduction": (
        a_loss("cross_entropy", np.zeros((2,), np.int64), reduction="average"),
        np.ones((2, 3)),
        "'average'",
    ),
    "a reduction of nll_loss": (
        a_loss("nll_loss", np.zeros((2,), np.int64), reduction="average"),
        np.ones((2, 3)),
        "'average'",
    ),
    "too smooth": (a_loss("cross_entropy", np.zeros((2,), np.int64), label_smoothing=1.5), np.ones((2, 3)), "1.5"),
    "too smooth probabilities": (a_loss("cross_entropy", np.ones((2, 3)), label_smoothing=1.5), np.ones((2, 3)), "1.5"),
    "weights of another size": (a_loss("cross_entropy", np.zeros((2,), np.int64), np.ones(2)), np.ones((2, 3)), "(2,)"),
    "weights of two dims": (
        a_loss("cross_entropy", np.zeros((2,), np.int64), np.ones((1, 3))),
        np.ones((2, 3)),
        "(1, 3)",
    ),
    "weights of one": (a_loss("cross_entropy", np.ones((2, 3)), np.ones(1)), np.ones((2, 3)), "(1,)"),
    "weights of another dtype": (
        a_loss("cross_entropy", np.zeros((2,), np.int64), np.ones(3, np.float32)),
        np.ones((2, 3)),
        "float32",
    ),
    "integers as log-probabilities": (
        a_loss("nll_loss", np.zeros((2,), np.int64)),
        np.zeros((2, 3), np.int64),
        "int64",
    ),
}


@pytest.mark.parametrize(("function", "input", "message"), LOSS_REFUSALS.values(), ids=LOSS_REFUSALS)
def test_a_loss_refuses(function: Function, input: np.ndarray, message: str) -> None:
    assert_refused(function, input, message=message)


@every_dtype
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(), (5,), (0,), (2, 3, 4)], ids=str)
def test_mse_loss(shape: tuple[int, ...], reduction: str, dtype: Any) -> None:
    compare_functional("mse_loss", normal(*shape, dtype=dtype), normal(*shape, dtype=dtype), reduction=reduction)
    compare_functional("mse_loss", normal(*shape, dtype=dtype), normal(*shape, dtype=dtype))


def test_mse_loss_warns_of_shapes_that_differ() -> None:
    """(n, 1) beside (n) becomes (n, n), which is seldom meant."""
    for library, make in ((torch, theirs), (minigrad, ours)):
        with pytest.warns(UserWarning, match="broadcast") as caught:
            loss = FUNCTIONAL[library].mse_loss(make(np.ones((3, 1))), make(np.arange(3.0)), reduction="none")
        assert tuple(loss.shape) == (3, 3)
    assert caught[0].filename == __file__


def test_mse_loss_refuses() -> None:
    assert_refused(lambda library, x: FUNCTIONAL[library].mse_loss(x, x, reduction="max"), normal(3), message="'max'")
    assert_refused(lambda library, x: FUNCTIONAL[library].mse_loss(x, x), classes(3, 2), message="int64")


# layer_norm


@every_dtype
@pytest.mark.parametrize("affine", AFFINE.values(), ids=AFFINE)
@pytest.mark.parametrize(
    ("shape", "sizes"),
    [((3,), (3,)), ((5, 3), (3,)), ((0, 3), (3,)), ((2, 5, 3), (3,)), ((2, 5, 3), (5, 3)), ((4, 5, 3), (4, 5, 3))],
    ids=str,
)
def test_layer_norm(shape: tuple[int, ...], sizes: tuple[int, ...], affine: tuple[str, ...], dtype: Any) -> None:
    def function(library: Any, input: Any, *parameters: Any) -> Any:
        named = dict(zip(affine, parameters, strict=True))
        return FUNCTIONAL[library].layer_norm(input, sizes, **named)

    compare(function, 3 * normal(*shape, dtype=dtype) + 2, *(normal(*sizes, dtype=dtype) for _ in affine))


def test_layer_norm_with_eps_and_the_shape_of_a_tensor() -> None:
    compare(
        lambda library, x, w, b: FUNCTIONAL[library].layer_norm(x, w.shape, w, b, 0.5),
        normal(4, 3),
        normal(3),
        normal(3),
    )


LAYER_NORM_REFUSALS: dict[str, tuple[Any, dict[str, np.ndarray], np.ndarray]] = {
    "other sizes": ((4,), {}, np.ones((2, 3))),
    "more sizes than dims": ((2, 3, 4), {}, np.ones((3, 4))),
    "no sizes": ((), {}, np.ones((2, 3))),
    "a weight of another size": ((3,), {"weight": np.ones(4)}, np.ones((2, 3))),
    "a weight of one": ((3,), {"weight": np.ones(1)}, np.ones((2, 3))),
    "a bias of another size": ((3,), {"bias": np.ones(4)}, np.ones((2, 3))),
    "a weight of another dtype": ((3,), {"weight": np.ones(3, np.float32)}, np.ones((2, 3))),
    "integers": ((3,), {}, np.zeros((2, 3), np.int64)),
}


@pytest.mark.parametrize(("sizes", "given", "input"), LAYER_NORM_REFUSALS.values(), ids=LAYER_NORM_REFUSALS)
def test_layer_norm_refuses(sizes: Any, given: dict[str, np.ndarray], input: np.ndarray) -> None:
    def function(library: Any, x: Any) -> Any:
        named = {name: library.tensor(array) for name, array in given.items()}
        return FUNCTIONAL[library].layer_norm(x, sizes, **named)

    assert_refused(function, input, message="layer_norm: ")


def test_layer_norm_refuses_a_number_as_its_sizes() -> None:
    assert_refused(lambda library, x: FUNCTIONAL[library].layer_norm(x, 3), normal(2, 3))


# dropout


@every_dtype
@pytest.mark.parametrize("seed", [0, 42])
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.5, 0.9, 1.0, 0, 1])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (33, 7), (2, 3, 4)], ids=str)
def test_dropout(shape: tuple[int, ...], p: float, training: bool, seed: int, dtype: Any) -> None:
    """From one seed it leaves the same gaps, draw after draw, and the stream where PyTorch has it."""

    def function(library: Any, x: Any) -> list[Any]:
        library.manual_seed(seed)
        dropped = [FUNCTIONAL[library].dropout(x, p, training) for _ in range(2)]
        return [*dropped, library.rand(3)]

    compare(function, normal(*shape, dtype=dtype))


def test_dropout_by_default_and_by_keywords() -> None:
    def function(library: Any, x: Any) -> list[Any]:
        library.manual_seed(1)
        dropout = FUNCTIONAL[library].dropout
        return [dropout(x), dropout(input=x, p=0.2), dropout(x, training=False)]

    compare(function, normal(20, 3))


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_dropout_refuses_what_is_no_probability(p: float) -> None:
    assert_refused(lambda library, x: FUNCTIONAL[library].dropout(x, p), normal(3), message=str(p))
    assert_refused(lambda library, x: FUNCTIONAL[library].dropout(x, p, False), normal(3), message=str(p))


def test_dropout_refuses_integers() -> None:
    assert_refused(lambda library, x: FUNCTIONAL[library].dropout(x), classes(3, 2), message="int64")


# softmax, one_hot and the activations


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_in_another_dtype(name: str) -> None:
    def function(library: Any, x: Any) -> Any:
        return getattr(FUNCTIONAL[library], name)(x, dim=-1, dtype=library.float64)

    compare(function, normal(4, 3))
    compare(function, normal(4, 3, dtype=np.float32))
    compare(function, classes(5, 4, 3))


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
@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid", "silu", "gelu"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3, 4)], ids=str)
def test_an_activation(name: str, shape: tuple[int, ...], dtype: Any) -> None:
    compare_functional(name, normal(*shape, dtype=dtype))


@every_dtype
@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_an_activation_of_extremes(name: str, dtype: Any) -> None:
    compare_functional(name, np.array([0.0, -0.0, 1e-30, 100.0, -100.0, np.inf, -np.inf], dtype))


@every_dtype
@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3, 4)], ids=str)
def test_gelu_by_the_hyperbolic_tangent(shape: tuple[int, ...], dtype: Any) -> None:
    compare_functional("gelu", 2 * normal(*shape, dtype=dtype), approximate="tanh")


@every_dtype
@pytest.mark.parametrize(("name", "settings"), [("silu", {}), ("gelu", {}), ("gelu", {"approximate": "tanh"})], ids=str)
def test_a_smooth_activation_of_extremes(name: str, settings: dict[str, str], dtype: Any) -> None:
    compare_functional(name, np.array([0.0, -0.0, 1e-30, 3.0, 100.0, -3.0, -100.0], dtype), **settings)


def test_an_activation_refuses() -> None:
    message = "gelu: approximate 'sigmoid'"
    assert_refused(lambda library, x: FUNCTIONAL[library].gelu(x, approximate="sigmoid"), normal(3), message=message)
    for name in ("silu", "gelu"):
        assert_refused(lambda library, x, name=name: getattr(FUNCTIONAL[library], name)(x), classes(3, 2), message=name)


GRAD_FNS: dict[str, Function] = {
    "silu": lambda library, x: FUNCTIONAL[library].silu(x),
    "gelu": lambda library, x: FUNCTIONAL[library].gelu(x),
    "softmax": lambda library, x: FUNCTIONAL[library].softmax(x, 1),
    "dropout": lambda library, x: FUNCTIONAL[library].dropout(x),
    "layer_norm": lambda library, x: FUNCTIONAL[library].layer_norm(x, (3,), x[0]),
    "mse_loss": lambda library, x: FUNCTIONAL[library].mse_loss(x, x),
    "nll_loss": a_loss("nll_loss", np.array([0, 1])),
    "cross_entropy": a_loss("cross_entropy", np.array([0, 1])),
    "cross_entropy, each": a_loss("cross_entropy", np.array([0, 1]), reduction="none"),
    "embedding": lambda library, x: FUNCTIONAL[library].embedding(library.tensor([1]), x),
}


@pytest.mark.parametrize("function", GRAD_FNS.values(), ids=GRAD_FNS)
def test_a_result_prints_pytorchs_grad_fn(function: Function) -> None:
    reference = repr(function(torch, theirs(np.ones((2, 3)), requires_grad=True)).grad_fn)
    assert reference.startswith(repr(function(minigrad, ours(np.ones((2, 3)), requires_grad=True)).grad_fn)[:-1])


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


# Each function, with a maker of its arrays.
SECOND_DERIVATIVES: dict[str, tuple[Function, Function]] = {
    "cross_entropy": (
        lambda library, x, t: FUNCTIONAL[library].cross_entropy(x, t),
        lambda: (normal(5, 4), classes(4, 5)),
    ),
    "linear": (linear, lambda: (normal(5, 3), normal(2, 3), normal(2))),
    "linear of 3-D": (linear, lambda: (normal(2, 5, 3), normal(2, 3), normal(2))),
    "linear without bias": (linear, lambda: (normal(5, 3), normal(2, 3))),
    "batch_norm": (normalised(), lambda: (normal(6, 3), normal(3), normal(3))),
    "batch_norm of 3-D": (normalised(), lambda: (normal(4, 3, 2), normal(3), normal(3))),
    "batch_norm without affine": (normalised(eps=0.1), lambda: (normal(6, 3),)),
    "a layer": (
        lambda library, x, w, *parameters: normalised()(library, linear(library, x, w), *parameters).tanh(),
        lambda: (normal(6, 4), normal(3, 4), normal(3), normal(3)),
    ),
    "cross_entropy, smooth": (
        a_loss("cross_entropy", np.array([2, 0, 1, 3, 0]), label_smoothing=0.1, ignore_index=1),
        lambda: (normal(5, 4),),
    ),
    "gelu": (lambda library, x: FUNCTIONAL[library].gelu(x), lambda: (normal(5),)),
    "gelu by tanh": (lambda library, x: FUNCTIONAL[library].gelu(x, approximate="tanh"), lambda: (normal(5),)),
    "silu": (lambda library, x: FUNCTIONAL[library].silu(x), lambda: (normal(5),)),
    "layer_norm": (
        lambda library, x, w, b: FUNCTIONAL[library].layer_norm(x, (4,), w, b),
        lambda: (normal(5, 4), normal(4), normal(4)),
    ),
}


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True:UserWarning")
@every_dtype
@pytest.mark.parametrize(("function", "make"), SECOND_DERIVATIVES.values(), ids=SECOND_DERIVATIVES)
def test_second_derivatives(function: Function, make: Function, dtype: Any) -> None:
    arrays = tuple(array.astype(dtype) if array.dtype.kind == "f" else array for array in make())
    upstream = normal(*function(torch, *map(theirs, arrays)).shape, dtype=dtype)
    mine = second_gradients(minigrad, ours, function, upstream, arrays)
    for gradient, reference in zip(mine, second_gradients(torch, theirs, function, upstream, arrays), strict=True):
        if reference is None or not reference.any():
            assert gradient is None or not gradient.array.any()
        else:
            assert_same(gradient.detach(), reference.detach())


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_without_a_dim_it_warns_and_takes_pytorchs(name: str, shape: tuple[int, ...]) -> None:
    logits = normal(*shape)
    with pytest.warns(UserWarning, match="Implicit dimension"):
        expected = getattr(torch.nn.functional, name)(theirs(logits))
    with pytest.warns(UserWarning, match=f"{name}: no dim was given"):
        assert_same(getattr(nn.functional, name)(ours(logits)), expected)
