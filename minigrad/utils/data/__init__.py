"""Data sets, the order in which their items are taken, and batches of them (`torch.utils.data`).

With the same seed, batches come in PyTorch's order, and as many random numbers are drawn.
"""

from minigrad.api import missing
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataloader import DataLoader, get_worker_info
from minigrad.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from minigrad.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__getattr__ = missing.of_module(__name__, "torch.utils.data")
