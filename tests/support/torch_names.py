"""The names that PyTorch has, for the messages about names that minigrad does not have.

`python -m tests.support.torch_names` writes them into `minigrad/api/torch_names.txt`, anew for another PyTorch.
"""

import pkgutil
import sys
import textwrap
import types
from typing import Any

import torch
import torch.autograd.graph
import torch.utils.data

from tests.support import ROOT

PATH = ROOT / "minigrad" / "api" / "torch_names.txt"
# Instances, where PyTorch sets public attributes when it makes one.
OWNERS: dict[str, Any] = {
    "torch": torch,
    "torch.Generator": torch.Generator,
    "torch.Tensor": torch.Tensor,
    "torch.amp": torch.amp,
    "torch.autograd": torch.autograd,
    "torch.autograd.graph.Node": torch.autograd.graph.Node,
    "torch.backends": torch.backends,
    "torch.cuda": torch.cuda,
    "torch.dtype": torch.dtype,
    "torch.mps": torch.mps,
    "torch.linalg": torch.linalg,
    "torch.nn": torch.nn,
    "torch.nn.Module": torch.nn.Module(),
    "torch.nn.functional": torch.nn.functional,
    "torch.nn.init": torch.nn.init,
    "torch.nn.utils": torch.nn.utils,
    "torch.optim": torch.optim,
    "torch.optim.lr_scheduler": torch.optim.lr_scheduler,
    "torch.optim.Optimizer": torch.optim.SGD([torch.zeros(1)]),
    "torch.testing": torch.testing,
    "torch.utils": torch.utils,
    "torch.utils.data": torch.utils.data,
}

FOREIGN = {*sys.stdlib_module_names, "numpy", "typing_extensions"} - {"builtins"}


def text() -> str:
    """The whole file: each owner with a colon, and its names below it."""
    return "".join(f"{owner}:\n{_lines(thing)}\n" for owner, thing in OWNERS.items())


def _lines(owner: Any) -> str:
    names = {name for name in dir(owner) if not _is_foreign(getattr(owner, name))}
    # PyTorch imports some of its modules when they are first used.
    names |= {module.name for module in pkgutil.iter_modules(getattr(owner, "__path__", []))}
    public = " ".join(sorted(name for name in names if not name.startswith("_")))
    return textwrap.fill(public, 120, initial_indent="  ", subsequent_indent="  ")


def _is_foreign(thing: Any) -> bool:
    """Whether a module of PyTorch has only imported this, from Python's own library or from numpy."""
    home = thing.__name__ if isinstance(thing, types.ModuleType) else getattr(thing, "__module__", None)
    return isinstance(home, str) and home.partition(".")[0] in FOREIGN


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
