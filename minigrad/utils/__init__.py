"""What PyTorch keeps under `torch.utils`."""

from minigrad.utils import data
