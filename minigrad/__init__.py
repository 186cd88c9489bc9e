"""minigrad: a scalar-and-tensor autograd engine to learn from, with PyTorch's words. It needs numpy alone.

Read `ops.py` first, then `graph.py` and `recording.py`. `import minigrad as torch` runs the course's notebooks.
"""

import contextlib
import ctypes
import importlib
import warnings
from typing import TYPE_CHECKING, Any

from minigrad import missing
from minigrad.anomaly import (
    detect_anomaly,
    is_anomaly_enabled,
)
from minigrad.creation import (
    arange,
    eye,
    full,
    initial_seed,
    linspace,
    logspace,
    manual_seed,
    multinomial,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from minigrad.derive import (
    derive,
)
from minigrad.device import (
    Device as device,
)
from minigrad.dtypes import bool_ as bool
from minigrad.dtypes import (
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from minigrad.dtypes import float16 as half
from minigrad.dtypes import float32 as float
from minigrad.dtypes import float64 as double
from minigrad.dtypes import int32 as int
from minigrad.dtypes import int64 as long
from minigrad.einsum import (
    einsum,
)
from minigrad.functions import (
    abs,
    add,
    all,
    allclose,
    any,
    argmax,
    argmin,
    cat,
    clamp,
    clamp_min,
    clone,
    cumsum,
    div,
    dot,
    eq,
    exp,
    flatten,
    histogram,
    log,
    log10,
    log_softmax,
    logsumexp,
    masked_fill,
    matmul,
    max,
    mean,
    min,
    mul,
    neg,
    permute,
    pow,
    relu,
    repeat_interleave,
    reshape,
    sigmoid,
    softmax,
    split,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    sub,
    sum,
    t,
    tanh,
    tensor_split,
    transpose,
    tril,
    unbind,
    unsqueeze,
    var,
    where,
)
from minigrad.gradients import (
    grad,
)
from minigrad.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from minigrad.printing import (
    set_printoptions,
)
from minigrad.random import (
    Generator,
)
from minigrad.tensor import (
    Size,
    Tensor,
)
from minigrad.value import (
    Value,
)

if TYPE_CHECKING:
    from minigrad import autograd, cuda, utils
    from minigrad.check import (
        gradcheck,
        gradgradcheck,
    )
    from minigrad.compare import (
        cmp,
    )
    from minigrad.serialization import (
        load,
        save,
    )

# As in PyTorch, 1 / 0 is inf and log(-1) is nan without a word from numpy.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.")

# The C library of Linux gives the memory of large arrays back to the system when they are freed, and then the pages of
# the next ones take longer to get than most operations on them. Here it is told to keep it, see mallopt(3): that of
# arrays up to 32 MB (M_MMAP_THRESHOLD, -3), and up to 1 GB in all (M_TRIM_THRESHOLD, -1).
with contextlib.suppress(AttributeError, OSError, TypeError):  # elsewhere
    for _option, _bytes in (-3, 2**25), (-1, 2**30):
        ctypes.CDLL(None).mallopt(_option, _bytes)

_PACKAGES = {"nn": "nn", "optim": "nn.optim"}  # where PyTorch has these within torch, they stand beside minigrad

# What most programs do without is imported when it is asked for: a function, or a whole module.
_LATER = {
    "autograd": "minigrad.autograd",
    "cmp": "minigrad.compare",
    "cuda": "minigrad.cuda",
    "gradcheck": "minigrad.check",
    "gradgradcheck": "minigrad.check",
    "load": "minigrad.serialization",
    "save": "minigrad.serialization",
    "utils": "minigrad.utils",
}


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(_PACKAGES[name])
    if name in _LATER:
        module = importlib.import_module(_LATER[name])
        return globals().setdefault(name, getattr(module, name, module))
    raise missing.explain("minigrad", name, missing.FUNCTIONS)


def __dir__() -> list[str]:
    return [*{*globals(), *_LATER}]


_OURS_ALONE = {"Any", "TYPE_CHECKING", "contextlib", "ctypes", "importlib", "missing", "warnings"}

__all__ = [name for name in __dir__() if not name.startswith("_") and name not in _OURS_ALONE]
