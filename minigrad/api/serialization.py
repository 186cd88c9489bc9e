"""`save` and `load`: the state of a model, or of a training run, in a file in numpy's `.npz` format.

PyTorch uses pickle; this format is safe to read from an unknown source.
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.api.device import Device
from minigrad.checks import flag_of, shown
from minigrad.core.tensor import Tensor, wrap

_SUFFIX, _TREE = ".npy", "tree.json"


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write a state dict, or nested dicts and lists of Tensors, numbers and texts, to a file (compare `torch.save`).

    The file is in numpy's `.npz` format: an array for each Tensor and, unless the object is a dict of names and
    Tensors, the rest as JSON. Its name may have any ending. It appears only when it is complete. Raises a TypeError for
    anything else.
    """
    state: dict[str, Tensor] = {}
    if isinstance(obj, Mapping) and all(isinstance(k, str) and isinstance(x, Tensor) for k, x in obj.items()):
        state, tree = dict(obj), None
    else:
        tree = json.dumps(_packed(obj, state))
    target = _path("save", path)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        unfinished = Path(folder) / target.name
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name, tensor in state.items():
                with archive.open(name + _SUFFIX, "w") as entry:
                    np.lib.format.write_array(entry, tensor.array, allow_pickle=False)
            if tree is not None:
                archive.writestr(_TREE, tree)
        unfinished.replace(target)


def load(path: str | os.PathLike[str], map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what `save` wrote (compare `torch.load`).

    `map_location` must be the CPU; `weights_only` has no effect, because no file can run code. Raises a ValueError if
    the file is damaged or has another format.
    """
    flag_of("load", "weights_only", weights_only)
    if map_location is not None:
        Device(map_location)
    state, tree = {}, None
    with _path("load", path).open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                for member in archive.namelist():
                    with archive.open(member) as entry:
                        if member == _TREE:
                            tree = json.loads(entry.read())
                            continue
                        array = np.lib.format.read_array(entry, allow_pickle=False)
                    if array.dtype.kind not in "biuf" or not member.endswith(_SUFFIX):
                        raise ValueError(f"{member} holds no numbers")
                    state[member.removesuffix(_SUFFIX)] = wrap(array)
            return state if tree is None else _unpacked(tree, state)
        except Exception as error:  # a damaged archive fails in many ways
            raise ValueError(f"load: {os.fspath(path)} is not a file that save wrote: {error}") from error


def _packed(obj: Any, state: dict[str, Tensor]) -> Any:
    """Return an object as JSON has it: a kind and parts for a container, a name in `state` for a Tensor."""
    if isinstance(obj, Tensor):
        name = str(len(state))
        state[name] = obj
        return ["tensor", name]
    if isinstance(obj, Mapping):
        return ["dict", [[_packed(key, state), _packed(value, state)] for key, value in obj.items()]]
    if isinstance(obj, tuple | list):
        return ["tuple" if isinstance(obj, tuple) else "list", [_packed(x, state) for x in obj]]
    if obj is None or isinstance(obj, str | bool | int | float):
        return obj
    raise TypeError(
        f"save: expected dicts, lists, numbers, texts and Tensors, such as model.state_dict(), got {shown(obj)}"
    )


def _unpacked(tree: Any, state: Mapping[str, Tensor]) -> Any:
    """Return the object that `_packed` made a tree of."""
    if not isinstance(tree, list):
        return tree
    kind, parts = tree
    if kind == "tensor":
        return state[parts]
    if kind == "dict":
        return {_unpacked(key, state): _unpacked(value, state) for key, value in parts}
    return {"tuple": tuple, "list": list}[kind](_unpacked(x, state) for x in parts)


def _path(name: str, path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{name}: expected the path of a file, got {type(path).__name__}")
    return Path(path)
