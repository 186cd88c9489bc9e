"""What `nn.init` offers.

Written by `python -m tests.support.stubs`."""

from nn.init import calculate_gain as calculate_gain
from nn.init import constant_ as constant_
from nn.init import kaiming_normal_ as kaiming_normal_
from nn.init import kaiming_uniform_ as kaiming_uniform_
from nn.init import normal_ as normal_
from nn.init import ones_ as ones_
from nn.init import uniform_ as uniform_
from nn.init import zeros_ as zeros_
