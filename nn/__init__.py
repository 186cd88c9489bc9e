"""Neural networks on minigrad with PyTorch's names: modules, functions, initial values and optimizers.

This is a package beside minigrad, so that the engine knows nothing of layers.
"""

from minigrad.api import missing
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

__getattr__ = missing.of_module(
    __name__,
    "torch.nn",
    {
        "GELU": "nn.functional.gelu(x)",
        "Layer": "nn.scalar.Layer",  # micrograd's
        "MSELoss": "nn.functional.mse_loss(input, target)",
        "NLLLoss": "nn.functional.nll_loss(input, target)",
        "Neuron": "nn.scalar.Neuron",  # micrograd's
        "SiLU": "nn.functional.silu(x)",
        "Sigmoid": "nn.functional.sigmoid(x)",
        "Softmax": "nn.functional.softmax(x, dim)",
    },
)
