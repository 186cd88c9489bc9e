"""Saving the state of a model in a file, and reading it again."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from minigrad.tensor import Tensor, wrap


def save(state: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Write a state dict, names and Tensors, as numpy's `.npz`, whatever the file's name (compare `torch.save`).

    The file appears when it is complete. TypeError for what is not a dict of Tensors.
    """
    if not isinstance(state, Mapping) or not all(isinstance(x, Tensor) for x in state.values()):
        raise TypeError("save: expected a dict of names and Tensors, such as model.state_dict()")
    arrays: dict[str, Any] = {name: tensor.array for name, tensor in state.items()}
    target = Path(path)
    descriptor, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, **arrays)
        os.replace(unfinished, target)
    except BaseException:
        os.unlink(unfinished)
        raise


def load(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read what `save` wrote (compare `torch.load`). ValueError for a file of another kind."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: wrap(archive[name]) for name in archive.files}
    except (BadZipFile, ValueError, AttributeError) as error:
        raise ValueError(f"load: {os.fspath(path)} is not a file that save wrote: {error}") from None
