"""What PyTorch has under `torch.autograd`: gradients, their checks, and recording on and off."""

from minigrad.api import missing
from minigrad.autograd import functional
from minigrad.autograd.function import Function
from minigrad.core.tensor import Tensor
from minigrad.debug.anomaly import detect_anomaly, set_detect_anomaly
from minigrad.debug.gradcheck import gradcheck, gradgradcheck
from minigrad.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from minigrad.gradients import backward, grad

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]

__getattr__ = missing.of_module(__name__, "torch.autograd")


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """Return a Tensor that shares the memory of `data`: the old name of a Tensor with a gradient."""
    return data.detach().requires_grad_(requires_grad)


def __dir__() -> list[str]:
    return __all__
