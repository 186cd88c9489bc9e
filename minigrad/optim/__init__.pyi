"""What `minigrad.nn.optim` offers.

Written by `python -m tests.support.stubs`."""

from nn.optim.algorithms import SGD as SGD
from nn.optim.algorithms import Adadelta as Adadelta
from nn.optim.algorithms import Adagrad as Adagrad
from nn.optim.algorithms import Adam as Adam
from nn.optim.algorithms import Adamax as Adamax
from nn.optim.algorithms import AdamW as AdamW
from nn.optim.algorithms import NAdam as NAdam
from nn.optim.algorithms import RMSprop as RMSprop
from nn.optim.optimizer import Optimizer as Optimizer
