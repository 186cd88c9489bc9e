"""What PyTorch has under `torch.autograd`: gradients, their checks, and recording on and off."""

from minigrad.api import missing
from minigrad.debug.anomaly import detect_anomaly, set_detect_anomaly
from minigrad.debug.gradcheck import gradcheck, gradgradcheck
from minigrad.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from minigrad.gradients import backward, grad

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

__getattr__ = missing.of_module(__name__, "torch.autograd")


def __dir__() -> list[str]:
    return __all__
