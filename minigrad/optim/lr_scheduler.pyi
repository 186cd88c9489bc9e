"""What `minigrad.nn.optim.lr_scheduler` offers.

Written by `python -m tests.support.stubs`."""

from nn.optim.cycles import CosineAnnealingLR as CosineAnnealingLR
from nn.optim.cycles import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from nn.optim.cycles import CyclicLR as CyclicLR
from nn.optim.cycles import OneCycleLR as OneCycleLR
from nn.optim.lr_scheduler import ChainedScheduler as ChainedScheduler
from nn.optim.lr_scheduler import ReduceLROnPlateau as ReduceLROnPlateau
from nn.optim.lr_scheduler import SequentialLR as SequentialLR
from nn.optim.schedules import ConstantLR as ConstantLR
from nn.optim.schedules import ExponentialLR as ExponentialLR
from nn.optim.schedules import LambdaLR as LambdaLR
from nn.optim.schedules import LinearLR as LinearLR
from nn.optim.schedules import LRScheduler as LRScheduler
from nn.optim.schedules import MultiplicativeLR as MultiplicativeLR
from nn.optim.schedules import MultiStepLR as MultiStepLR
from nn.optim.schedules import PolynomialLR as PolynomialLR
from nn.optim.schedules import StepLR as StepLR
