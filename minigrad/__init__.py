"""minigrad: a scalar-and-tensor autograd engine to learn from, with PyTorch's words. It needs numpy alone.

Read `ops.py` first, then `graph.py` and `tensor.py`.
"""

import warnings

from minigrad.creation import (
    arange,
    eye,
    full,
    linspace,
    manual_seed,
    multinomial,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    tensor,
    zeros,
    zeros_like,
)
from minigrad.dtypes import (
    bool,
    float32,
    float64,
    get_default_dtype,
    int32,
    int64,
    set_default_dtype,
)
from minigrad.functions import (
    abs,
    add,
    all,
    any,
    argmax,
    argmin,
    cat,
    clone,
    div,
    exp,
    flatten,
    log,
    log_softmax,
    matmul,
    max,
    mean,
    min,
    mul,
    neg,
    permute,
    pow,
    relu,
    reshape,
    sigmoid,
    softmax,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    sub,
    sum,
    tanh,
    transpose,
    unsqueeze,
    var,
    where,
)
from minigrad.graph import (
    enable_grad,
    is_grad_enabled,
    no_grad,
)
from minigrad.printing import (
    set_printoptions,
)
from minigrad.random import (
    Generator,
)
from minigrad.serialization import load, save
from minigrad.tensor import (
    Tensor,
)
from minigrad.value import (
    Value,
)

# As in PyTorch, 1 / 0 is inf and log(-1) is nan without a word from numpy.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.")
