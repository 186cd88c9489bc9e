"""nn.MLP and its training against the same `torch.nn.Sequential`: state, outputs, and a hundred steps of training."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import assert_same, random

VOCABULARY, BLOCK, EMBEDDING, BATCH, STEPS = 27, 3, 4, 16, 100

MODELS = {
    "BatchNorm": {"hidden": 20, "batch_norm": True},
    "plain": {"hidden": 20, "batch_norm": False},
    "deep": {"hidden": [20, 10], "batch_norm": True},
    "deep and plain": {"hidden": [20, 10], "batch_norm": False},
    "shallow": {"hidden": [], "batch_norm": True},
}

OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {"lr": 0.1}),
    "SGD with momentum": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4}),
    "AdamW": ("AdamW", {"lr": 0.01}),
}

every_model = pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)

# Here and in PyTorch the sums of a step are rounded in different places, which moves a parameter by about a unit in the
# last place, and every step starts from what the steps before it left. Neither optimizer makes such differences grow,
# so that after a hundred steps they come to a hundred units at most. A wrong term changes the first digits.
UNITS_IN_THE_LAST_PLACE = 128


@pytest.fixture(autouse=True)
def the_same_initial_values() -> None:
    """Seed both libraries, so that a test gets the same models whichever others ran before it."""
    minigrad.manual_seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Let PyTorch compute these small models with one thread; several would mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=["float32", "float64"])
def precision(request: pytest.FixtureRequest) -> Iterator[float]:
    """The default dtype of both libraries during a test, of which it gets the last place of 1."""
    minigrad.set_default_dtype(getattr(minigrad, request.param))
    torch.set_default_dtype(getattr(torch, request.param))
    yield float(np.finfo(request.param).eps)
    minigrad.set_default_dtype(minigrad.float32)
    torch.set_default_dtype(torch.float32)


def sequential(hidden: int | list[int], batch_norm: bool) -> torch.nn.Sequential:
    """The course's model in PyTorch."""
    layers = [torch.nn.Embedding(VOCABULARY, EMBEDDING), torch.nn.Flatten()]
    size = BLOCK * EMBEDDING
    for width in [hidden] if isinstance(hidden, int) else hidden:
        layers.append(torch.nn.Linear(size, width, bias=not batch_norm))
        layers += [torch.nn.BatchNorm1d(width)] * batch_norm
        layers.append(torch.nn.Tanh())
        size = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(size, VOCABULARY))


def mlp(settings: dict[str, Any]) -> nn.MLP:
    """The same model here."""
    return nn.MLP(VOCABULARY, block_size=BLOCK, embedding=EMBEDDING, **settings)


def twins(settings: dict[str, Any]) -> tuple[nn.MLP, torch.nn.Sequential]:
    """Our model and PyTorch's, with the numbers of ours."""
    mine, reference = mlp(settings), sequential(**settings)
    reference.load_state_dict({name: torch.tensor(tensor.numpy()) for name, tensor in mine.state_dict().items()})
    return mine, reference


def batches(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Random contexts, each with a next character that follows from it, so that there is something to learn."""
    contexts = random.integers(0, VOCABULARY, (count, BATCH, BLOCK))
    return [(context, (context[:, -1] + 1) % VOCABULARY) for context in contexts]


def states(mine: Any, reference: Any) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The names, our numbers and PyTorch's of all that belongs to a state, which must be the same things."""
    my_state, reference_state = mine.state_dict(), reference.state_dict()
    assert list(my_state) == list(reference_state)
    for name, tensor in my_state.items():
        array, expected = tensor.numpy(), reference_state[name].numpy()
        assert (array.shape, array.dtype) == (expected.shape, expected.dtype), name
        yield name, array, expected


def trained(
    library: Any, model: Any, loss_function: Callable[[Any, Any], Any], optimizer: Any, data: list[Any]
) -> list[float]:
    """Train a model of either library, as the course does; the loss at every step."""
    losses = []
    for inputs, targets in data:
        loss = loss_function(model(library.tensor(inputs)), library.tensor(targets))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# The model


@every_model
def test_its_parts_are_those_of_the_sequential(settings: dict[str, Any]) -> None:
    mine, reference = mlp(settings), sequential(**settings)
    assert [repr(layer) for layer in mine] == [repr(layer) for layer in reference]
    assert repr(mine) == repr(reference).replace("Sequential", "MLP", 1)
    assert [name for name, _ in mine.named_parameters()] == [name for name, _ in reference.named_parameters()]


@every_model
def test_its_state_moves_both_ways_unchanged(settings: dict[str, Any]) -> None:
    mine, reference = twins(settings)
    for name, array, expected in states(mine, reference):
        np.testing.assert_array_equal(array, expected, err_msg=name)
    for inputs, _ in batches(3):
        reference(torch.tensor(inputs))
    mine.load_state_dict(reference.state_dict())
    for name, array, expected in states(mine, reference):
        np.testing.assert_array_equal(array, expected, err_msg=name)
        assert "num_batches_tracked" not in name or array == 3


@every_model
def test_its_outputs_are_those_of_the_sequential(settings: dict[str, Any]) -> None:
    mine, reference = twins(settings)
    for training in (True, False):
        mine.train(training)
        reference.train(training)
        for inputs, _ in batches(3):
            assert_same(mine(minigrad.tensor(inputs)), reference(torch.tensor(inputs)))


def test_its_first_weights() -> None:
    """Normal with tanh's gain of 5 / 3, and a tenth of that for the output layer."""
    model = nn.MLP(VOCABULARY, embedding=30, hidden=300)
    embedding, _, hidden, norm, _, output = model
    for weight, spread in ((embedding, 1.0), (hidden, 5 / 3 / math.sqrt(90)), (output, 1 / 6 / math.sqrt(300))):
        # a half of 810 and more numbers lies within 0.6745 standard deviations, but for three sigma of chance
        within = np.mean(np.abs(weight.weight.array) < 0.6745 * spread)
        assert abs(within - 0.5) < 1.5 / math.sqrt(weight.weight.nelement())
    assert (norm.weight.array == 1).all()
    assert (norm.bias.array == 0).all()


def test_at_first_it_favours_no_character() -> None:
    inputs, targets = batches(1)[0]
    loss = nn.functional.cross_entropy(nn.MLP(VOCABULARY)(minigrad.tensor(inputs)), minigrad.tensor(targets))
    assert loss.item() == pytest.approx(math.log(VOCABULARY), abs=0.2)


def test_the_same_seed_gives_the_same_model() -> None:
    models = []
    for seed in (1, 1, 2):
        minigrad.manual_seed(seed)
        models.append(nn.MLP(VOCABULARY))
    first, same, other = ([x.array for x in model.parameters()] for model in models)
    assert all((a == b).all() for a, b in zip(first, same, strict=True))
    assert not (first[0] == other[0]).any()


# Training


@every_model
@pytest.mark.parametrize(("name", "optimizer_settings"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_hundred_steps_are_pytorchs(
    settings: dict[str, Any], name: str, optimizer_settings: dict[str, Any], precision: float
) -> None:
    mine, reference = twins(settings)
    data, tolerance = batches(STEPS), UNITS_IN_THE_LAST_PLACE * precision
    losses = trained(
        minigrad,
        mine,
        nn.functional.cross_entropy,
        getattr(nn.optim, name)(mine.parameters(), **optimizer_settings),
        data,
    )
    reference_losses = trained(
        torch,
        reference,
        torch.nn.functional.cross_entropy,
        getattr(torch.optim, name)(reference.parameters(), **optimizer_settings),
        data,
    )
    np.testing.assert_allclose(losses, reference_losses, rtol=tolerance)
    for name, array, expected in states(mine, reference):
        np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance, err_msg=name)
    assert_evaluates_alike(mine, reference, tolerance)


def assert_evaluates_alike(mine: Any, reference: Any, tolerance: float) -> None:
    """Require the same logits of both models in eval mode."""
    inputs = random.integers(0, VOCABULARY, (100, BLOCK))
    with minigrad.no_grad(), torch.no_grad():
        logits, expected = mine.eval()(minigrad.tensor(inputs)), reference.eval()(torch.tensor(inputs))
    np.testing.assert_allclose(logits.numpy(), expected.numpy(), rtol=10 * tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("batch_norm", [True, False], ids=["BatchNorm", "plain"])
def test_training_learns(batch_norm: bool) -> None:
    """What comes next follows from what is there, so that nearly all of log(27) can be learned."""
    model = nn.MLP(VOCABULARY, hidden=50, batch_norm=batch_norm)
    optimizer = nn.optim.AdamW(model.parameters(), lr=0.02)
    losses = trained(minigrad, model, nn.functional.cross_entropy, optimizer, batches(300))
    assert losses[0] > 3
    assert np.mean(losses[-20:]) < 0.5


def test_training_twice_gives_the_same_bits() -> None:
    runs = []
    data = batches(20)
    for _ in range(2):
        minigrad.manual_seed(0)
        model = nn.MLP(VOCABULARY, hidden=20)
        runs.append(
            trained(minigrad, model, nn.functional.cross_entropy, nn.optim.SGD(model.parameters(), lr=0.1), data)
        )
    assert runs[0] == runs[1]
