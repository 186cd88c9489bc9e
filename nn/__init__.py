"""Neural networks on minigrad with PyTorch's names: modules, functions, initial values and optimizers.

This is a package beside minigrad, so that the engine knows nothing of layers. It is imported as `minigrad.nn`.
"""

import importlib
from typing import Any

from minigrad.api import missing
from minigrad.beside import share as _share

if __name__ == "nn":  # `import nn` gives the same modules
    _share("minigrad.nn", __name__)

from . import functional, init, optim, parameter, scalar
from .activations import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softsign,
    Tanh,
    Tanhshrink,
)
from .containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from .layers import (
    BatchNorm1d,
    CosineSimilarity,
    Dropout,
    Embedding,
    Flatten,
    GroupNorm,
    Identity,
    LayerNorm,
    Linear,
    PairwiseDistance,
    RMSNorm,
    Unflatten,
)
from .losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from .mlp import MLP
from .module import Module
from .parameter import Parameter

_refuse = missing.of_module(
    __name__,
    "torch.nn",
    {
        "Layer": "minigrad.nn.scalar.Layer",  # micrograd's
        "Neuron": "minigrad.nn.scalar.Neuron",  # micrograd's
    },
    functional.LEFT_TO_PYTORCH,
)


def __getattr__(name: str) -> Any:
    if name == "utils":  # which most programs do without
        return importlib.import_module(f"{__name__}.utils")
    return _refuse(name)
