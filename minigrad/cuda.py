"""What is asked of CUDA (`torch.cuda`): there is none."""

from minigrad.api import missing

__getattr__ = missing.of_module(__name__, "torch.cuda")


def is_available() -> bool:
    """False: minigrad computes on the CPU."""
    return False
