"""OpenMP (`torch.backends.openmp`), which minigrad does not call. Numpy may use it for products of matrices."""


def is_available() -> bool:
    """False: minigrad calls numpy alone."""
    return False
