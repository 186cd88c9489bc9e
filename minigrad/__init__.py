"""minigrad: a scalar-and-tensor autograd engine to learn from, with PyTorch's words. It needs numpy alone.

`core/` is the engine; read its `primitive.py` first, then `ops.py` and `record.py`. `import minigrad as torch` runs the
course's notebooks. Type checkers and editors read what is here in `__init__.pyi`, which is generated from it.
"""

import importlib
import types
import typing
import warnings
from math import e, inf, nan, pi

from minigrad import hooks, micrograd
from minigrad.api import (
    arithmetic,
    arrangements,
    choices,
    comparisons,
    creation,
    distributions,
    einsum,
    extremes,
    gathering,
    grad_fn,
    legacy,
    matrices,
    methods,
    missing,
    pieces,
    pointwise,
    products,
    queries,
    reductions,
    running,
    sampling,
    selection,
    shapes,
    sorting,
    statistics,
    storage,
)
from minigrad.api.device import Device as device
from minigrad.api.methods import Size
from minigrad.api.printing import set_printoptions
from minigrad.core.dtypes import bool_ as bool
from minigrad.core.dtypes import (
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
from minigrad.core.dtypes import float16 as half
from minigrad.core.dtypes import float32 as float
from minigrad.core.dtypes import float64 as double
from minigrad.core.dtypes import int32 as int
from minigrad.core.dtypes import int64 as long
from minigrad.core.tensor import Tensor
from minigrad.core.value import Value
from minigrad.derive import derive
from minigrad.grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minigrad.gradients import grad
from minigrad.random import Generator

__version__ = "0.1.0"
newaxis = None

# As in PyTorch, 1 / 0 is inf and log(-1) is nan without a warning from numpy.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.")


def _is_defined_in(thing: object, module: types.ModuleType) -> typing.TypeGuard[types.FunctionType]:
    return isinstance(thing, types.FunctionType) and thing.__module__ == module.__name__


# The public functions of these modules are functions of minigrad.
for _module in (
    *(pointwise, arithmetic, comparisons, choices, reductions, running, statistics, extremes, sorting, distributions),
    *(products, matrices, einsum, shapes, pieces, arrangements, gathering, creation, sampling, queries, legacy),
):
    for _name, _function in vars(_module).items():
        if not _name.startswith("_") and _is_defined_in(_function, _module):
            globals()[_name] = _function

# What most programs do without is imported when it is first used: a function, or a whole module.
_LAZY = {
    "GradScaler": "minigrad.amp",
    "amp": "minigrad.amp",
    "are_deterministic_algorithms_enabled": "minigrad.machine",
    "autocast": "minigrad.amp",
    "autograd": "minigrad.autograd",
    "backends": "minigrad.backends",
    "cmp": "minigrad.debug.cmp",
    "compile": "minigrad.compiled",
    "cuda": "minigrad.cuda",
    "detect_anomaly": "minigrad.debug.anomaly",
    "get_float32_matmul_precision": "minigrad.machine",
    "get_num_threads": "minigrad.machine",
    "gradcheck": "minigrad.debug.gradcheck",
    "gradgradcheck": "minigrad.debug.gradcheck",
    "is_anomaly_enabled": "minigrad.debug.anomaly",
    "is_autocast_enabled": "minigrad.amp",
    "is_deterministic_algorithms_warn_only_enabled": "minigrad.machine",
    "linalg": "minigrad.linalg",
    "load": "minigrad.serialization",
    "mps": "minigrad.mps",
    "retain_freed_memory": "minigrad.memory",
    "save": "minigrad.serialization",
    "set_float32_matmul_precision": "minigrad.machine",
    "set_num_threads": "minigrad.machine",
    "testing": "minigrad.testing",
    "use_deterministic_algorithms": "minigrad.machine",
    "utils": "minigrad.utils",
}
# These are packages beside minigrad, which the core and the API do not know.
_BESIDE = {"nn": "minigrad.nn", "optim": "minigrad.optim", "viz": "minigrad.viz"}

_refuse = missing.of_module(__name__, "torch")


def __getattr__(name: str) -> typing.Any:
    home = _LAZY.get(name) or _BESIDE.get(name)
    if home is None:
        return _refuse(name)
    module = importlib.import_module(home)
    return globals().setdefault(name, getattr(module, name, module))


def __dir__() -> list[str]:
    return [*__all__, *_BESIDE]


__all__ = sorted(
    name
    for name, thing in [*globals().items(), *_LAZY.items()]
    if not name.startswith("_") and (name in _LAZY or not isinstance(thing, types.ModuleType))
)
