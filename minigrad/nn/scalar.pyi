"""What `minigrad.nn.scalar` offers.

Written by `python -m tests.support.stubs`."""

from nn.scalar import MLP as MLP
from nn.scalar import Layer as Layer
from nn.scalar import Module as Module
from nn.scalar import Neuron as Neuron
