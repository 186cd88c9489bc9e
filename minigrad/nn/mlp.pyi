"""What `minigrad.nn.mlp` offers.

Written by `python -m tests.support.stubs`."""

from nn.mlp import MLP as MLP
