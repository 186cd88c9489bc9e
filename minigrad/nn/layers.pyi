"""What `minigrad.nn.layers` offers.

Written by `python -m tests.support.stubs`."""

from nn.layers import BatchNorm1d as BatchNorm1d
from nn.layers import CosineSimilarity as CosineSimilarity
from nn.layers import Dropout as Dropout
from nn.layers import Embedding as Embedding
from nn.layers import Flatten as Flatten
from nn.layers import GroupNorm as GroupNorm
from nn.layers import Identity as Identity
from nn.layers import LayerNorm as LayerNorm
from nn.layers import Linear as Linear
from nn.layers import PairwiseDistance as PairwiseDistance
from nn.layers import RMSNorm as RMSNorm
from nn.layers import Unflatten as Unflatten
