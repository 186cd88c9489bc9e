"""What `nn` offers.

Written by `python -m tests.support.stubs`."""

from nn import functional as functional
from nn import init as init
from nn import layers as layers
from nn import mlp as mlp
from nn import module as module
from nn import optim as optim
from nn import scalar as scalar
from nn.layers import BatchNorm1d as BatchNorm1d
from nn.layers import CrossEntropyLoss as CrossEntropyLoss
from nn.layers import Dropout as Dropout
from nn.layers import Embedding as Embedding
from nn.layers import Flatten as Flatten
from nn.layers import LayerNorm as LayerNorm
from nn.layers import Linear as Linear
from nn.layers import ReLU as ReLU
from nn.layers import Tanh as Tanh
from nn.mlp import MLP as MLP
from nn.module import Module as Module
from nn.module import ModuleList as ModuleList
from nn.module import Parameter as Parameter
from nn.module import Sequential as Sequential
