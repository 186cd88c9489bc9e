"""What `minigrad.nn.parameter` offers.

Written by `python -m tests.support.stubs`."""

from nn.parameter import Parameter as Parameter
from nn.parameter import clear_grad as clear_grad
