"""nn.scalar: micrograd's Neuron, Layer and MLP, with its signatures, its random numbers and PyTorch's gradients."""

import random
from typing import Any

import numpy as np
import pytest
import torch

from minigrad import Value
from nn.scalar import MLP, Layer, Module, Neuron

TOLERANCE = 1e-14  # of a sum of a few products in float64


def numbers(nout: list[Value]) -> np.ndarray:
    """The data of Values."""
    return np.array([value.data for value in nout])


def test_the_text_is_micrograds() -> None:
    assert repr(Neuron(3)) == "ReLUNeuron(3)"
    assert repr(Neuron(3, nonlin=False)) == "LinearNeuron(3)"
    assert repr(Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    assert repr(Layer(2, 1, nonlin=False)) == "Layer of [LinearNeuron(2)]"
    assert repr(MLP(2, [2, 1])) == "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"


@pytest.mark.parametrize(
    ("module", "count"), [(Module(), 0), (Neuron(3), 4), (Layer(3, 5), 20), (MLP(3, [4, 4, 1]), 16 + 20 + 5)]
)
def test_the_parameters_are_each_neurons_weights_and_bias(module: Module, count: int) -> None:
    parameters = module.parameters()
    assert isinstance(parameters, list)
    assert len({*parameters}) == len(parameters) == count
    assert all(type(parameter) is Value for parameter in parameters)


def test_the_parameters_are_in_order() -> None:
    neuron = Neuron(3)
    assert neuron.parameters() == [*neuron.w, neuron.b]
    layer = Layer(2, 3)
    assert layer.parameters() == [parameter for neuron in layer.neurons for parameter in neuron.parameters()]
    model = MLP(2, [3, 1])
    assert model.parameters() == [parameter for layer in model.layers for parameter in layer.parameters()]


def test_the_first_weights_are_those_that_micrograd_draws_from_pythons_random_numbers() -> None:
    random.seed(1337)
    drawn = [random.uniform(-1, 1) for _ in range(3 * 4)]
    random.seed(1337)
    layer = Layer(3, 4)
    assert [w.data for neuron in layer.neurons for w in neuron.w] == drawn
    assert [neuron.b.data for neuron in layer.neurons] == [0.0] * 4


def test_zero_grad() -> None:
    model = MLP(2, [3, 1])
    model([1.0, -2.0]).backward()
    assert any(parameter.grad != 0 for parameter in model.parameters())
    model.zero_grad()
    assert all(parameter.grad == 0 for parameter in model.parameters())


def test_one_neuron_gives_its_value_and_more_give_a_list() -> None:
    assert type(Neuron(2)([1.0, 2.0])) is Value
    assert type(Layer(2, 1)([1.0, 2.0])) is Value
    assert [type(value) for value in Layer(2, 3)([1.0, 2.0])] == [Value] * 3
    assert type(MLP(2, [3, 1])([1.0, 2.0])) is Value
    assert len(MLP(2, [3, 2])([1.0, 2.0])) == 2


@pytest.mark.parametrize("inputs", [[1.0], [1.0, 2.0, 3.0], []], ids=str)
def test_another_number_of_inputs_is_refused(inputs: list[float]) -> None:
    with pytest.raises(ValueError, match=f"Neuron: got {len(inputs)} inputs for 2 weights"):
        MLP(2, [3, 1])(inputs)


def in_pytorch(model: MLP) -> torch.nn.Sequential:
    """The same network with the same weights."""
    layers: list[torch.nn.Module] = []
    for layer in model.layers:
        linear = torch.nn.Linear(len(layer.neurons[0].w), len(layer.neurons), dtype=torch.float64)
        with torch.no_grad():
            linear.weight[...] = torch.tensor(np.array([numbers(neuron.w) for neuron in layer.neurons]))
            linear.bias[...] = torch.tensor(numbers([neuron.b for neuron in layer.neurons]))
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sizes", [(3, [1]), (1, [4, 1]), (2, [16, 16, 1]), (3, [4, 4, 2])], ids=str)
def test_outputs_and_gradients_are_pytorchs(sizes: tuple[int, list[int]], seed: int) -> None:
    random.seed(seed)
    model = MLP(*sizes)
    for parameter in model.parameters():
        parameter.data += random.uniform(-0.5, 0.5)
    point = [Value(random.uniform(-1, 1)) for _ in range(sizes[0])]
    reference, reference_point = in_pytorch(model), torch.tensor(numbers(point), requires_grad=True)
    outputs = model(point)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    reference_outputs = reference(reference_point)
    np.testing.assert_allclose(numbers(outputs), reference_outputs.detach().numpy(), TOLERANCE, TOLERANCE)

    sum((i + 1) * output for i, output in enumerate(outputs)).backward()
    reference_outputs.backward(torch.arange(1.0, len(outputs) + 1, dtype=torch.float64))
    np.testing.assert_allclose([x.grad for x in point], reference_point.grad.numpy(), TOLERANCE, TOLERANCE)
    for layer, linear in zip(model.layers, [x for x in reference if isinstance(x, torch.nn.Linear)], strict=True):
        gradients = np.array([[parameter.grad for parameter in neuron.parameters()] for neuron in layer.neurons])
        expected = torch.cat([linear.weight.grad, linear.bias.grad[:, None]], 1).numpy()
        np.testing.assert_allclose(gradients, expected, 10 * TOLERANCE, 10 * TOLERANCE)


def circles() -> list[tuple[list[float], int]]:
    """Points near the origin, to be told by -1 from those around them, by 1."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    return [
        ([radius * float(np.cos(angle)), radius * float(np.sin(angle))], side)
        for radius, side in ((0.3, -1), (1.0, 1))
        for angle in angles
    ]


def test_micrograds_training_loop_learns_to_tell_points_apart() -> None:
    random.seed(0)
    model, points = MLP(2, [12, 1]), circles()
    losses = []
    for _ in range(40):
        scores: list[Any] = [model(point) for point, _ in points]
        hinges = [(1 + -side * score).relu() for score, (_, side) in zip(scores, points, strict=True)]
        loss = sum(hinges) * (1.0 / len(hinges))
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= 0.3 * parameter.grad
        losses.append(loss.data)
    assert losses[-1] < 0.1 * losses[0]
    assert all((score.data > 0) == (side > 0) for score, (_, side) in zip(scores, points, strict=True))
