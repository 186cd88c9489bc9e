"""What `minigrad.nn.optim.optimizer` offers.

Written by `python -m tests.support.stubs`."""

from nn.optim.optimizer import Optimizer as Optimizer
from nn.optim.optimizer import arrays_of as arrays_of
from nn.optim.optimizer import check_settings as check_settings
from nn.optim.optimizer import counted as counted
