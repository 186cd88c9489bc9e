"""`save` and `load`: the state of a model in a file, in numpy's `.npz` format.

PyTorch uses pickle; this format is safe to read from an unknown source.
"""

import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minigrad.core.tensor import Tensor, wrap

_SUFFIX = ".npy"


def save(state: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Write a state dict, which maps names to Tensors, to a file in numpy's `.npz` format (compare `torch.save`).

    The name of the file may have any ending. The file appears only when it is complete. Raises a TypeError for anything
    but a dict of Tensors.
    """
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(x, Tensor) for name, x in state.items()
    ):
        raise TypeError("save: expected a dict of names and Tensors, such as model.state_dict()")
    target = _path("save", path)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        unfinished = Path(folder) / target.name
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name, tensor in state.items():
                with archive.open(name + _SUFFIX, "w") as entry:
                    np.lib.format.write_array(entry, tensor.array, allow_pickle=False)
        unfinished.replace(target)


def load(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read a state dict from a file that `save` wrote (compare `torch.load`).

    Raises a ValueError if the file is damaged or has another format.
    """
    state = {}
    with _path("load", path).open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                for member in archive.namelist():
                    with archive.open(member) as entry:
                        array = np.lib.format.read_array(entry, allow_pickle=False)
                    if array.dtype.kind not in "biuf" or not member.endswith(_SUFFIX):
                        raise ValueError(f"{member} holds no numbers")
                    state[member.removesuffix(_SUFFIX)] = wrap(array)
        except Exception as error:  # a damaged archive fails in many ways
            raise ValueError(f"load: {os.fspath(path)} is not a file that save wrote: {error}") from error
    return state


def _path(name: str, path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{name}: expected the path of a file, got {type(path).__name__}")
    return Path(path)
