"""PyTorch's names for gradients (`torch.autograd`)."""

from minigrad.anomaly import detect_anomaly, set_detect_anomaly
from minigrad.gradients import backward, grad
from minigrad.modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
