"""What `nn.optim` offers.

Written by `python -m tests.support.stubs`."""

from nn.optim import SGD as SGD
from nn.optim import Adam as Adam
from nn.optim import AdamW as AdamW
from nn.optim import Optimizer as Optimizer
