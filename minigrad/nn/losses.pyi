"""What `minigrad.nn.losses` offers.

Written by `python -m tests.support.stubs`."""

from nn.losses import BCELoss as BCELoss
from nn.losses import BCEWithLogitsLoss as BCEWithLogitsLoss
from nn.losses import CrossEntropyLoss as CrossEntropyLoss
from nn.losses import HuberLoss as HuberLoss
from nn.losses import KLDivLoss as KLDivLoss
from nn.losses import L1Loss as L1Loss
from nn.losses import MSELoss as MSELoss
from nn.losses import NLLLoss as NLLLoss
from nn.losses import SmoothL1Loss as SmoothL1Loss
