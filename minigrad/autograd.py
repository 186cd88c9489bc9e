"""PyTorch's names for gradients (`torch.autograd`)."""

from minigrad.anomaly import detect_anomaly, set_detect_anomaly
from minigrad.check import gradcheck, gradgradcheck
from minigrad.gradients import backward, grad
from minigrad.modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
