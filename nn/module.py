"""Module: what layers and models are, with PyTorch's names for their parts and their parameters."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np

from minigrad.tensor import Tensor


class Parameter(Tensor):
    """A Tensor that a Module trains: it requires a gradient, and shares its data's memory (`torch.nn.Parameter`)."""

    __slots__ = ()

    def __init__(self, data: Tensor, requires_grad: bool = True) -> None:
        self.array, self.node = data.array, None
        self.requires_grad = requires_grad

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def clear_grad(parameter: Tensor, set_to_none: bool) -> None:
    """Forget a gradient, or fill it with zeros."""
    if set_to_none:
        parameter.grad = None
    elif parameter.grad is not None:
        parameter.grad.array[...] = 0


class Module:
    """A part of a model (`torch.nn.Module`): a subclass assigns its Parameters and Modules, and defines `forward`.

    `training` says in which of two modes it is: layers such as BatchNorm1d compute something else in each.
    """

    training = True
    _buffer_names: tuple[str, ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the Module computes."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def register_buffer(self, name: str, tensor: Tensor | None) -> None:
        """Set a Tensor that is not trained, but belongs to the state, as an attribute."""
        self._buffer_names = (*self._buffer_names, name)
        setattr(self, name, tensor)

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The Modules directly within, with the names of their attributes."""
        return ((name, part) for name, part in vars(self).items() if isinstance(part, Module))

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        """This Module, as "", and all within, each once, with their dotted names."""
        seen: set[Module] = set()
        for name, module in self._named_places():
            if module not in seen:
                seen.add(module)
                yield name, module

    def _named_places(self) -> Iterator[tuple[str, "Module"]]:
        """As `named_modules`, with a Module that stands in several places once for each."""
        yield "", self
        for name, child in self.named_children():
            for inner, module in child._named_places():
                yield f"{name}.{inner}" if inner else name, module

    def modules(self) -> Iterator["Module"]:
        """This Module and all within."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The Parameters of this Module and of all within, each once, with their dotted names."""
        seen: set[Parameter] = set()
        for prefix, module in self.named_modules():
            for name, parameter in module._own_parameters():
                if parameter not in seen:
                    seen.add(parameter)
                    yield f"{prefix}.{name}" if prefix else name, parameter

    def parameters(self) -> Iterator[Parameter]:
        """The Parameters of this Module and of all within."""
        return (parameter for _, parameter in self.named_parameters())

    def state_dict(self) -> dict[str, Tensor]:
        """The Parameters and buffers by their dotted names, as constants that share their memory."""
        state = {}
        for prefix, module in self._named_places():
            buffers = [(name, getattr(module, name)) for name in module._buffer_names]
            for name, tensor in [*module._own_parameters(), *buffers]:
                if tensor is not None:
                    state[f"{prefix}.{name}" if prefix else name] = tensor.detach()
        return state

    def _own_parameters(self) -> list[tuple[str, Parameter]]:
        return [(name, x) for name, x in vars(self).items() if isinstance(x, Parameter)]

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Copy the numbers of a state dict into Parameters and buffers; its values are whatever numpy reads as arrays.

        RuntimeError, with nothing copied, where a name is missing or unknown, or a shape differs.
        """
        own, given = self.state_dict(), {name: np.asarray(value) for name, value in state_dict.items()}
        faults = [f"{name} is missing" for name in own if name not in given]
        faults += [f"{name} is unknown" for name in given if name not in own]
        faults += [
            f"{name} has shape {given[name].shape} instead of {tensor.array.shape}"
            for name, tensor in own.items()
            if name in given and given[name].shape != tensor.shape
        ]
        if faults:
            raise RuntimeError(f"load_state_dict: {type(self).__name__}: {'; '.join(faults)}")
        for name, tensor in own.items():
            tensor.array[...] = given[name]

    def train(self, mode: bool = True) -> Self:
        """Set the training mode, here and within, and return the Module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Leave the training mode, here and within, and return the Module."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all Parameters to None, or to zeros."""
        for parameter in self.parameters():
            clear_grad(parameter, set_to_none)

    def extra_repr(self) -> str:
        """What stands between the brackets of the Module's repr."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        inner = "\n  ".join(["", *lines]) + "\n" if lines else self.extra_repr()
        return f"{type(self).__name__}({inner})"


class Sequential(Module):
    """Modules applied one after the other, named "0", "1", ... (`torch.nn.Sequential`)."""

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def forward(self, input: Any) -> Any:
        """The last Module's result."""
        for _, module in self.named_children():
            input = module(input)
        return input

    def __len__(self) -> int:
        return len([*self.named_children()])

    def __iter__(self) -> Iterator[Module]:
        return (module for _, module in self.named_children())

    def __getitem__(self, i: int | slice) -> Module:
        chosen = [*self][i]
        return Sequential(*chosen) if isinstance(chosen, list) else chosen
