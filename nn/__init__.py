"""Neural networks on minigrad: modules, their functions, initial values and optimizers, with PyTorch's names."""

from nn import functional, init, optim, scalar
from nn.layers import BatchNorm1d, Embedding, Flatten, Linear, ReLU, Tanh
from nn.mlp import MLP
from nn.module import Module, Parameter, Sequential
