"""What `nn.layers` offers.

Written by `python -m tests.support.stubs`."""

from nn.layers import BatchNorm1d as BatchNorm1d
from nn.layers import CrossEntropyLoss as CrossEntropyLoss
from nn.layers import Dropout as Dropout
from nn.layers import Embedding as Embedding
from nn.layers import Flatten as Flatten
from nn.layers import LayerNorm as LayerNorm
from nn.layers import Linear as Linear
from nn.layers import ReLU as ReLU
from nn.layers import Tanh as Tanh
