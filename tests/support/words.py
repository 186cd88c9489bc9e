"""The table of PyTorch's words: which are here, and which are not. `python -m tests.support.words` writes it anew."""

import textwrap
from typing import Any

import minigrad
import nn
from minigrad.api.missing import torch_names
from tests.support import ROOT
from tests.support.op_db import op_db

PATH = ROOT / "minigrad" / "api" / "README.md"

HEAD = """# PyTorch's words, and which of them are here

Written by `python -m tests.support.words`, from the names that PyTorch has; a test compares the two. A word that is
here means what it means in PyTorch: `tests/api/test_op_db.py` runs PyTorch's own sample inputs of every operation that
both have. A word that is not here raises an error that says so. Under `torch` and `torch.Tensor`, the missing words
are those of operations that have such samples; other names there are PyTorch's own machinery.

minigrad leaves to PyTorch, on purpose, what the course builds itself or does without: convolutions and pooling, RNN,
LSTM, GRU and attention as ready modules, sparse, complex and quantized numbers, and devices. A `state_dict` moves there
unchanged.
"""

OPERATIONS = {op.name for op in op_db}

# The owner of names here, by the name that PyTorch gives it.
OWNERS: dict[str, Any] = {
    "torch": minigrad,
    "torch.Tensor": minigrad.ones(1),
    "torch.nn": nn,
    "torch.nn.Module": nn.Module(),
    "torch.nn.functional": nn.functional,
    "torch.nn.init": nn.init,
    "torch.nn.utils": nn.utils,
    "torch.optim": nn.optim,
    "torch.optim.lr_scheduler": nn.optim.lr_scheduler,
    "torch.utils.data": minigrad.utils.data,
    "torch.autograd": minigrad.autograd,
    "torch.linalg": minigrad.linalg,
}


def is_here(owner: Any, name: str) -> bool:
    """Whether minigrad has a name. A property may refuse the Tensor that is asked."""
    try:
        return hasattr(owner, name)
    except RuntimeError:
        return True


def text() -> str:
    """The table, a section for each owner."""
    sections = [HEAD]
    for title, owner in OWNERS.items():
        names = sorted(torch_names()[title], key=lambda name: (name.casefold(), name))
        here = [name for name in names if is_here(owner, name)]
        missing = [name for name in names if name not in here and _is_met(title, name)]
        sections.append(f"## `{title}`\n")
        sections.append("Here:\n\n" + _lines(here) + "\n")
        sections.append("Not here:\n\n" + _lines(missing) + "\n" if missing else "")
    return "\n".join(section for section in sections if section)


def _is_met(title: str, name: str) -> bool:
    """Whether a program may meet a name that is not here. `torch` has many that only PyTorch's own code uses."""
    return title not in ("torch", "torch.Tensor") or name in OPERATIONS


def _lines(names: list[str]) -> str:
    return textwrap.fill(", ".join(f"`{name}`" for name in names), 120, break_on_hyphens=False, break_long_words=False)


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
