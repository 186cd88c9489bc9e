"""Neural networks on minigrad with PyTorch's names: modules, functions, initial values and optimizers.

This is a package beside minigrad, so that the engine knows nothing of layers.
"""

from typing import Any

from minigrad.api.missing import explain
from nn import functional, init, optim, scalar
from nn.layers import (
    BatchNorm1d,
    CrossEntropyLoss,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    Linear,
    ReLU,
    Tanh,
)
from nn.mlp import MLP
from nn.module import Module, ModuleList, Parameter, Sequential


def __getattr__(name: str) -> Any:
    instead = {
        "GELU": "nn.functional.gelu",
        "MSELoss": "nn.functional.mse_loss",
        "NLLLoss": "nn.functional.nll_loss",
        "SiLU": "nn.functional.silu",
        "Sigmoid": "nn.functional.sigmoid",
        "Softmax": "nn.functional.softmax",
    }
    raise explain("nn", name, instead)
