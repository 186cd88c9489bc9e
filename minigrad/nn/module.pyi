"""What `nn.module` offers.

Written by `python -m tests.support.stubs`."""

from nn.module import LoadedKeys as LoadedKeys
from nn.module import Module as Module
from nn.module import ModuleList as ModuleList
from nn.module import Numbered as Numbered
from nn.module import Parameter as Parameter
from nn.module import Sequential as Sequential
from nn.module import clear_grad as clear_grad
