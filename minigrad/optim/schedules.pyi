"""What `minigrad.nn.optim.schedules` offers.

Written by `python -m tests.support.stubs`."""

from nn.optim.schedules import ConstantLR as ConstantLR
from nn.optim.schedules import ExponentialLR as ExponentialLR
from nn.optim.schedules import LambdaLR as LambdaLR
from nn.optim.schedules import LinearLR as LinearLR
from nn.optim.schedules import LRScheduler as LRScheduler
from nn.optim.schedules import MultiplicativeLR as MultiplicativeLR
from nn.optim.schedules import MultiStepLR as MultiStepLR
from nn.optim.schedules import PolynomialLR as PolynomialLR
from nn.optim.schedules import StepLR as StepLR
from nn.optim.schedules import checked as checked
from nn.optim.schedules import for_each_group as for_each_group
from nn.optim.schedules import set_rate as set_rate
from nn.optim.schedules import value_of as value_of
