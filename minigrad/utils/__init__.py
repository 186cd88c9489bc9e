"""What PyTorch keeps under `torch.utils`."""

from minigrad.api import missing
from minigrad.utils import data

__getattr__ = missing.of_module(__name__, "torch.utils")
