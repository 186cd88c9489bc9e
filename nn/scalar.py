"""micrograd's Neuron, Layer and MLP, which compute with Values.

They have a module to themselves because nothing else in `nn` works with single numbers.
"""

import random
from collections.abc import Sequence
from typing import Any

from minigrad.checks import flag_of, int_of
from minigrad.core.value import Value

MOST_WEIGHTS = 10**6  # of one layer, which would take seconds to make them, one Value after the other


class Module:
    """The base class: an object with parameters."""

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def parameters(self) -> list[Value]:
        """Return the Values to train."""
        return []


class Neuron(Module):
    """relu(w · x + b), or w · x + b if `nonlin` is false (`micrograd.nn.Neuron`).

    Initial weights are uniform on [-1, 1], from Python's random numbers. Raises a ValueError for a wrong number of
    inputs.
    """

    def __init__(self, nin: int, nonlin: bool = True) -> None:
        flag_of("Neuron", "nonlin", nonlin)
        _check_count("Neuron", int_of("Neuron", nin))
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def __call__(self, x: Sequence[Any]) -> Value:
        if not hasattr(x, "__len__"):
            raise TypeError(f"Neuron: expected a list of numbers or Values, got {type(x).__name__}")
        if len(x) != len(self.w):
            raise ValueError(f"Neuron: got {len(x)} inputs for {len(self.w)} weights")
        try:
            total = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        except (TypeError, AttributeError) as error:
            raise TypeError(f"Neuron: expected numbers or Values: {error}") from None
        return total.relu() if self.nonlin else total

    def parameters(self) -> list[Value]:
        """Return the weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons with `nin` inputs each (`micrograd.nn.Layer`).

    The result is a list of Values, or a single Value for one neuron.
    """

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        _check_count("Layer", int_of("Layer", nin) * int_of("Layer", nout))
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x: Sequence[Any]) -> Any:
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        """Return the parameters of all neurons."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Layers of the sizes `nouts`, applied one after the other; the last one is linear (`micrograd.nn.MLP`).

    >>> MLP(2, [3, 1])
    MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(3)]]
    """

    def __init__(self, nin: int, nouts: Sequence[int]) -> None:
        if not isinstance(nouts, tuple | list):
            raise TypeError(f"MLP: expected a list of sizes, got {type(nouts).__name__}")
        sizes = [int_of("MLP", size) for size in (nin, *nouts)]
        count = len(sizes) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i != count - 1) for i in range(count)]

    def __call__(self, x: Sequence[Any]) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self) -> list[Value]:
        """Return the parameters of all layers."""
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _check_count(name: str, weights: int) -> None:
    if weights > MOST_WEIGHTS:
        raise ValueError(f"{name}: {weights} weights are too many for Values, at most {MOST_WEIGHTS}; use nn.Linear")
