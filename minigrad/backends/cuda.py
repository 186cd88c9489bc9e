"""CUDA (`torch.backends.cuda`), which minigrad does not use. Its settings change nothing."""

from types import SimpleNamespace

matmul = SimpleNamespace(
    allow_tf32=False, allow_fp16_reduced_precision_reduction=True, allow_bf16_reduced_precision_reduction=True
)


def is_built() -> bool:
    """False: minigrad does not use CUDA."""
    return False
