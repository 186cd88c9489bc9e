"""Optimizers: they change parameters in place, against the gradients, by PyTorch's formulas (`torch.optim`).

They work on the numpy arrays of the parameters, so nothing that they do is recorded.
"""

import importlib
from typing import Any

from minigrad.api import missing

from .algorithms import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RMSprop
from .optimizer import Optimizer

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RMSprop"]

_refuse = missing.of_module(__name__, "torch.optim")


def __getattr__(name: str) -> Any:
    if name == "lr_scheduler":  # which many programs do without
        return importlib.import_module(f"{__name__}.lr_scheduler")
    return _refuse(name)


def __dir__() -> list[str]:
    return [*__all__, "lr_scheduler"]
