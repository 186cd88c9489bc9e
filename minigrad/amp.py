"""Mixed precision (`torch.amp`), which minigrad does not have: computation stays in the dtypes of the tensors."""

import contextlib
from typing import Any

from minigrad.api import missing
from minigrad.checks import flag_of, shown

__getattr__ = missing.of_module(__name__, "torch.amp")

DEVICES = ("cpu", "cuda", "mps", "xpu")


class autocast(contextlib.ContextDecorator):
    """A with-block, or a decorator, in which computation stays in the dtypes of the tensors (`torch.autocast`).

    In PyTorch it switches to a shorter dtype, such as bfloat16 for "cpu" unless `enabled` is False. A program that uses
    it gets the numbers of float32 here, which are more exact. RuntimeError for an unknown kind of device.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"autocast: expected a kind of device such as 'cpu', got {shown(device_type)}")
        if device_type not in DEVICES:
            raise RuntimeError(f"autocast: there is no device {shown(device_type)}; use one of {', '.join(DEVICES)}")
        flag_of("autocast", "enabled", enabled)
        self.device = device_type

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """False: computation stays in the dtypes of the tensors (`torch.is_autocast_enabled`)."""
    return False


class GradScaler:
    """A scaler of losses that is disabled, as PyTorch's where there is no GPU (`torch.amp.GradScaler`).

    Float16 gradients need scaling. Here they have the dtypes of the parameters, so a scale of 1 serves them.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        pass

    def is_enabled(self) -> bool:
        """False: nothing is scaled."""
        return False

    def get_scale(self) -> float:
        """1.0: nothing is scaled."""
        return 1.0

    def scale(self, outputs: Any) -> Any:
        """Return the loss or losses as they are."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Do nothing: the gradients are not scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Return `optimizer.step(*args, **kwargs)`."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Do nothing: there is no scale to adapt."""

    def state_dict(self) -> dict[str, Any]:
        """An empty dict: there is no state."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Do nothing: there is no state."""
