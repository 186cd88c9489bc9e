"""What `minigrad.nn.activations` offers.

Written by `python -m tests.support.stubs`."""

from nn.activations import CELU as CELU
from nn.activations import ELU as ELU
from nn.activations import GELU as GELU
from nn.activations import GLU as GLU
from nn.activations import SELU as SELU
from nn.activations import Hardsigmoid as Hardsigmoid
from nn.activations import Hardswish as Hardswish
from nn.activations import Hardtanh as Hardtanh
from nn.activations import LeakyReLU as LeakyReLU
from nn.activations import LogSigmoid as LogSigmoid
from nn.activations import LogSoftmax as LogSoftmax
from nn.activations import Mish as Mish
from nn.activations import ReLU as ReLU
from nn.activations import ReLU6 as ReLU6
from nn.activations import Sigmoid as Sigmoid
from nn.activations import SiLU as SiLU
from nn.activations import Softmax as Softmax
from nn.activations import Softmin as Softmin
from nn.activations import Softplus as Softplus
from nn.activations import Softsign as Softsign
from nn.activations import Tanh as Tanh
from nn.activations import Tanhshrink as Tanhshrink
