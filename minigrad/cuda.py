"""What is asked of CUDA (`torch.cuda`): there is none."""


def is_available() -> bool:
    """False: minigrad computes on the CPU."""
    return False
