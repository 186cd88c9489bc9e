"""What `minigrad.nn.containers` offers.

Written by `python -m tests.support.stubs`."""

from nn.containers import ModuleDict as ModuleDict
from nn.containers import ModuleList as ModuleList
from nn.containers import Numbered as Numbered
from nn.containers import ParameterDict as ParameterDict
from nn.containers import ParameterList as ParameterList
from nn.containers import Sequential as Sequential
