"""What is asked of Apple's GPUs (`torch.mps`): minigrad does not use them."""

from minigrad.api import missing
from minigrad.checks import is_int, shown

__getattr__ = missing.of_module(__name__, "torch.mps")


def is_available() -> bool:
    """False: minigrad computes on the CPU (`torch.mps.is_available`)."""
    return False


def device_count() -> int:
    """0: there is no GPU (`torch.mps.device_count`)."""
    return 0


def manual_seed(seed: int) -> None:
    """Do nothing: no random numbers are drawn on a GPU (`torch.mps.manual_seed`). TypeError if `seed` is no int."""
    if not is_int(seed):
        raise TypeError(f"manual_seed: expected an integer, got {shown(seed)}; pass an int")


def empty_cache() -> None:
    """Do nothing: there is no memory of a GPU (`torch.mps.empty_cache`)."""


def synchronize() -> None:
    """Do nothing: each operation has ended when its call returns (`torch.mps.synchronize`)."""
