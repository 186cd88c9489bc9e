"""Parameter, the Tensor that a Module trains (`torch.nn.parameter`)."""

from typing import Any

from minigrad.api.arguments import array_of
from minigrad.api.creation import zeros
from minigrad.checks import flag_of
from minigrad.core.tensor import Tensor


class Parameter(Tensor):
    """A Tensor that a Module trains (`torch.nn.Parameter`).

    It requires a gradient, and it shares the memory of `data`. Without `data` it has no elements.

    >>> import minigrad
    >>> Parameter(minigrad.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        flag_of("Parameter", "requires_grad", requires_grad)
        data = zeros(0) if data is None else data
        self.array, self.stored_node, self.base = array_of("Parameter", data), None, None
        self.requires_grad = requires_grad

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter":
        """Return a copy without the gradient, as PyTorch does for Parameters."""
        memo[id(self)] = twin = type(self)(self.data.clone(), self.requires_grad)
        if self.name is not None:
            twin.name = self.name
        return twin

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def clear_grad(parameter: Tensor, set_to_none: bool) -> None:
    """Set the gradient of a parameter to None, or fill it with zeros."""
    if set_to_none:
        node = parameter.node
        if node is not None:
            node.grad = None
    elif parameter.grad is not None:
        parameter.grad.data.zero_()
