"""What `minigrad.nn.init` offers.

Written by `python -m tests.support.stubs`."""

from nn.init import calculate_gain as calculate_gain
from nn.init import constant as constant
from nn.init import constant_ as constant_
from nn.init import eye as eye
from nn.init import eye_ as eye_
from nn.init import kaiming_normal as kaiming_normal
from nn.init import kaiming_normal_ as kaiming_normal_
from nn.init import kaiming_uniform as kaiming_uniform
from nn.init import kaiming_uniform_ as kaiming_uniform_
from nn.init import normal as normal
from nn.init import normal_ as normal_
from nn.init import ones_ as ones_
from nn.init import orthogonal as orthogonal
from nn.init import orthogonal_ as orthogonal_
from nn.init import sparse as sparse
from nn.init import sparse_ as sparse_
from nn.init import trunc_normal_ as trunc_normal_
from nn.init import uniform as uniform
from nn.init import uniform_ as uniform_
from nn.init import xavier_normal as xavier_normal
from nn.init import xavier_normal_ as xavier_normal_
from nn.init import xavier_uniform as xavier_uniform
from nn.init import xavier_uniform_ as xavier_uniform_
from nn.init import zeros_ as zeros_
