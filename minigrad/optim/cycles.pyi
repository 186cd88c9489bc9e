"""What `minigrad.nn.optim.cycles` offers.

Written by `python -m tests.support.stubs`."""

from nn.optim.cycles import CosineAnnealingLR as CosineAnnealingLR
from nn.optim.cycles import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from nn.optim.cycles import CyclicLR as CyclicLR
from nn.optim.cycles import OneCycleLR as OneCycleLR
