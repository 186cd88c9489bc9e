"""Apple's Metal (`torch.backends.mps`), which minigrad does not use."""


def is_available() -> bool:
    """False: minigrad computes on the CPU."""
    return False


def is_built() -> bool:
    """False: minigrad does not use Metal."""
    return False
