"""cuDNN (`torch.backends.cudnn`), which minigrad does not use. Its settings change nothing."""

enabled = True
benchmark = False
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """False: minigrad does not use cuDNN."""
    return False


def version() -> None:
    """None: minigrad does not use cuDNN."""
