"""What is asked of CUDA (`torch.cuda`): there is none. What needs no GPU does nothing, as in PyTorch without CUDA."""

from typing import Any, NoReturn

from minigrad.api import missing
from minigrad.checks import is_int, shown
from minigrad.cuda import amp

__getattr__ = missing.of_module(__name__, "torch.cuda")


def is_available() -> bool:
    """False: minigrad computes on the CPU (`torch.cuda.is_available`)."""
    return False


def is_initialized() -> bool:
    """False: there is nothing to initialize (`torch.cuda.is_initialized`)."""
    return False


def is_bf16_supported() -> bool:
    """False: there is no GPU (`torch.cuda.is_bf16_supported`)."""
    return False


def device_count() -> int:
    """0: there is no GPU (`torch.cuda.device_count`)."""
    return 0


def empty_cache() -> None:
    """Do nothing: there is no memory of a GPU (`torch.cuda.empty_cache`)."""


def synchronize(device: Any = None) -> None:
    """Do nothing: each operation has ended when its call returns (`torch.cuda.synchronize`)."""


def manual_seed(seed: int) -> None:
    """Do nothing: no random numbers are drawn on a GPU (`torch.cuda.manual_seed`). TypeError if `seed` is no int."""
    if not is_int(seed):
        raise TypeError(f"manual_seed: expected an integer, got {shown(seed)}; pass an int")


def manual_seed_all(seed: int) -> None:
    """Do nothing, as `manual_seed` (`torch.cuda.manual_seed_all`)."""
    manual_seed(seed)


def seed() -> None:
    """Do nothing: no random numbers are drawn on a GPU (`torch.cuda.seed`)."""


def seed_all() -> None:
    """Do nothing: no random numbers are drawn on a GPU (`torch.cuda.seed_all`)."""


def memory_allocated(device: Any = None) -> int:
    """0: there is no memory of a GPU (`torch.cuda.memory_allocated`)."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """0: there is no memory of a GPU (`torch.cuda.max_memory_allocated`)."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """0: there is no memory of a GPU (`torch.cuda.memory_reserved`)."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """0: there is no memory of a GPU (`torch.cuda.max_memory_reserved`)."""
    return 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Do nothing: there is no memory of a GPU (`torch.cuda.reset_peak_memory_stats`)."""


def current_device() -> NoReturn:
    """Raise an AssertionError, as PyTorch without CUDA (`torch.cuda.current_device`)."""
    _refuse("current_device")


def get_device_name(device: Any = None) -> NoReturn:
    """Raise an AssertionError, as PyTorch without CUDA (`torch.cuda.get_device_name`)."""
    _refuse("get_device_name")


def get_device_properties(device: Any = None) -> NoReturn:
    """Raise an AssertionError, as PyTorch without CUDA (`torch.cuda.get_device_properties`)."""
    _refuse("get_device_properties")


def get_device_capability(device: Any = None) -> NoReturn:
    """Raise an AssertionError, as PyTorch without CUDA (`torch.cuda.get_device_capability`)."""
    _refuse("get_device_capability")


def _refuse(name: str) -> NoReturn:
    raise AssertionError(
        f"{name}: there is no GPU, because minigrad computes on the CPU; ask cuda.is_available() first"
    )
