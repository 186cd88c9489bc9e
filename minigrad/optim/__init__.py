"""`minigrad.optim` is `minigrad.nn.optim`, by PyTorch's name for it: the same module, no copy."""

from minigrad.beside import share

share("minigrad.nn.optim", __name__)
