"""`minigrad.optim` is `nn.optim`, under PyTorch's name for it: the same module, no copy."""

from minigrad.beside import enter
from nn import optim

enter(__name__, optim)
