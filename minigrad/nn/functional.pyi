"""What `nn.functional` offers.

Written by `python -m tests.support.stubs`."""

from minigrad.api.pointwise import relu as relu
from minigrad.api.pointwise import sigmoid as sigmoid
from minigrad.api.pointwise import tanh as tanh
from nn.functional import batch_norm as batch_norm
from nn.functional import cross_entropy as cross_entropy
from nn.functional import dropout as dropout
from nn.functional import embedding as embedding
from nn.functional import gelu as gelu
from nn.functional import layer_norm as layer_norm
from nn.functional import linear as linear
from nn.functional import log_softmax as log_softmax
from nn.functional import mse_loss as mse_loss
from nn.functional import nll_loss as nll_loss
from nn.functional import one_hot as one_hot
from nn.functional import silu as silu
from nn.functional import softmax as softmax
