"""Neural networks on minigrad with PyTorch's names: modules, functions, initial values and optimizers.

This is a package beside minigrad, so that the engine knows nothing of layers.
"""

import importlib
from typing import Any

from minigrad.api import missing
from nn import functional, init, optim, parameter, scalar
from nn.activations import (
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
from nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from nn.layers import (
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
from nn.losses import (
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
from nn.mlp import MLP
from nn.module import Module
from nn.parameter import Parameter

_refuse = missing.of_module(
    __name__,
    "torch.nn",
    {
        "Layer": "nn.scalar.Layer",  # micrograd's
        "Neuron": "nn.scalar.Neuron",  # micrograd's
    },
    functional.LEFT_TO_PYTORCH,
)


def __getattr__(name: str) -> Any:
    if name == "utils":  # which most programs do without
        return importlib.import_module("nn.utils")
    return _refuse(name)
