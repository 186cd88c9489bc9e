"""What `minigrad.nn.utils` offers.

Written by `python -m tests.support.stubs`."""

from nn.utils import clip_grad_norm_ as clip_grad_norm_
from nn.utils import clip_grad_value_ as clip_grad_value_
from nn.utils import clip_grads_with_norm_ as clip_grads_with_norm_
from nn.utils import get_total_norm as get_total_norm
from nn.utils import parameters_to_vector as parameters_to_vector
from nn.utils import rnn as rnn
from nn.utils import vector_to_parameters as vector_to_parameters
