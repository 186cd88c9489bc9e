"""A primitive that the losses need beside those of minigrad's table: a row as in `minigrad/core/ops.py`."""

import math
from typing import Any

from minigrad.core.ops import clamp, log, log1p
from minigrad.core.primitive import Primitive


def _at_least(least: float, x: Any) -> Any:
    return clamp(x, least, math.inf)


# For a target t and a probability x, y = -t log(x) - (1 - t) log(1 - x), so dy/dx = (x - t) / (x (1 - x)). As in
# PyTorch, the logarithms in y are at least -100, and the denominator is at least 1e-12, so that neither is infinite.
binary_cross_entropy = Primitive(
    "binary_cross_entropy",
    lambda x, target: (target - 1) * _at_least(-100.0, log1p(-x)) - target * _at_least(-100.0, log(x)),
    elementwise=True,
    x=lambda g, x, target: g * ((x - target) / _at_least(1e-12, x * (1 - x))),
    target=lambda g, x: g * (log1p(-x) - log(x)),
)
