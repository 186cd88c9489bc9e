"""What `minigrad.nn.module` offers.

Written by `python -m tests.support.stubs`."""

from nn.module import LoadedKeys as LoadedKeys
from nn.module import Module as Module
