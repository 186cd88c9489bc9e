"""After `import minigrad.as_torch`, `import torch` imports minigrad, and `import torch.nn` imports `minigrad.nn`.

So a program or notebook that was written for PyTorch runs as it stands, with this line before its imports, or in
IPython with `%load_ext minigrad.as_torch`. `import micrograd` imports minigrad's Value and scalar networks. Every name
stands for the very module of minigrad: there are no copies. `python -m minigrad program.py` does this for a program.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import minigrad

# The modules of PyTorch and micrograd, and what stands for each. An empty name stands for a package without contents.
HOMES = {
    "micrograd": "",
    "micrograd.engine": "minigrad.core.value",
    "micrograd.nn": "minigrad.nn.scalar",
    "torch": "minigrad",
    "torch.amp": "minigrad.amp",
    "torch.autograd": "minigrad.autograd",
    "torch.autograd.function": "minigrad.autograd.function",
    "torch.autograd.functional": "minigrad.autograd.functional",
    "torch.backends": "minigrad.backends",
    "torch.backends.cuda": "minigrad.backends.cuda",
    "torch.backends.cudnn": "minigrad.backends.cudnn",
    "torch.backends.mps": "minigrad.backends.mps",
    "torch.cuda": "minigrad.cuda",
    "torch.cuda.amp": "minigrad.cuda.amp",
    "torch.linalg": "minigrad.linalg",
    "torch.mps": "minigrad.mps",
    "torch.nn": "minigrad.nn",
    "torch.nn.functional": "minigrad.nn.functional",
    "torch.nn.init": "minigrad.nn.init",
    "torch.nn.parameter": "minigrad.nn.parameter",
    "torch.nn.utils": "minigrad.nn.utils",
    "torch.optim": "minigrad.optim",
    "torch.optim.lr_scheduler": "minigrad.optim.lr_scheduler",
    "torch.testing": "minigrad.testing",
    "torch.utils": "minigrad.utils",
    "torch.utils.data": "minigrad.utils.data",
    "torch.utils.data.dataloader": "minigrad.utils.data.dataloader",
    "torch.utils.data.dataset": "minigrad.utils.data.dataset",
    "torch.utils.data.sampler": "minigrad.utils.data.sampler",
    "torch.utils.tensorboard": "minigrad.utils.tensorboard",
}
# Packages that build on PyTorch's own tensors, and so cannot work with minigrad's.
OTHERS = {"torchaudio", "torchtext", "torchvision"}


class AsTorch:
    """Finds and loads the modules of HOMES; a ModuleNotFoundError names the others of PyTorch and micrograd.

    It stands before Python's own finders in `sys.meta_path`. Otherwise `import torch.random` would find
    `minigrad/random.py` and load it a second time, because `torch` is minigrad and has its folder.
    """

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """Return the spec of a module of PyTorch or micrograd, or None for any other module."""
        package = name.partition(".")[0]
        if package not in ("torch", "micrograd", *OTHERS):
            return None
        if name not in HOMES:
            raise ModuleNotFoundError(f"{name}: minigrad has no module for it; {_remedy(name)}", name=name)
        return ModuleSpec(name, self, is_package=not HOMES[name])  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Let Python make an empty module, whose place `exec_module` gives to minigrad's."""

    def exec_module(self, module: ModuleType) -> None:
        """Put minigrad's module in the place of an empty one."""
        name = module.__name__
        if HOMES[name]:
            sys.modules[name] = importlib.import_module(HOMES[name])


def _remedy(name: str) -> str:
    if name in OTHERS:
        return f"it works on PyTorch's own tensors, so run without minigrad.as_torch, or without {name}"
    have = [each for each in HOMES if each.rpartition(".")[0] == name.rpartition(".")[0]]
    return f"remove its import, or run with PyTorch; next to it there are {', '.join(have)}"


def load_ipython_extension(ipython: Any) -> None:
    """Do nothing more: `%load_ext minigrad.as_torch` has imported this module."""


if not any(type(each).__qualname__ == "AsTorch" for each in sys.meta_path):
    for package in ("torch", "micrograd"):
        if sys.modules.get(package, minigrad) is not minigrad:
            raise ImportError(
                f"minigrad.as_torch: {package} is imported already, from {sys.modules[package].__file__}; restart "
                "Python (the kernel of a notebook), and put `import minigrad.as_torch` before all other imports"
            )
    sys.meta_path.insert(0, AsTorch())
