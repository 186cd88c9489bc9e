"""numpy's format `.npz`: an array for each Tensor, and a manifest in JSON, which says what belongs into the file.

The manifest has the nested containers, with the names of entries in place of Tensors, and for each entry its dtype, its
shape and the SHA-256 of its bytes. So a change of a single bit is noticed, wherever in the file it is.
"""

import hashlib
import io
import itertools
import json
import math
import re
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from minigrad.checks import shown
from minigrad.core.dtypes import dtype
from minigrad.core.tensor import Tensor, wrap
from minigrad.serialization.archives import Entries, add
from minigrad.serialization.contents import DTYPES, array_of, check_key, check_number, refusal

MANIFEST, FORMAT = "manifest.json", "minigrad 1"
LONGEST_NAME = 200  # characters of the keys that lead to a Tensor


def write(obj: Any, file: BinaryIO) -> None:
    """Write an object of dicts, lists, numbers, texts and Tensors as an archive."""
    tensors: dict[str, Tensor] = {}
    tree = _packed(obj, "", tensors, {})
    about: dict[str, Any] = {}
    with zipfile.ZipFile(file, "w") as archive:
        for name, tensor in tensors.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, tensor.array, (1, 0), allow_pickle=False)
            data = buffer.getvalue()  # Python 3.12 can crash when it collects a BytesIO whose getbuffer() is in use
            add(archive, f"{name}.npy", data)
            about[name] = {
                "dtype": tensor.array.dtype.name,
                "shape": tensor.array.shape,
                "requires_grad": tensor.requires_grad,
                "sha256": hashlib.sha256(data).hexdigest(),
            }
        manifest = {"format": FORMAT, "tree": tree, "tensors": about}
        add(archive, MANIFEST, json.dumps(manifest, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def is_here(entries: Entries) -> bool:
    """Return whether an archive is one of this format."""
    return MANIFEST in entries


def read(archive: zipfile.ZipFile, entries: Entries) -> Any:
    """Return the object that `write` wrote. Raises a ValueError where archive and manifest disagree."""
    manifest = json.loads(archive.read(entries[MANIFEST]))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"the manifest has another format than {FORMAT!r}; a later minigrad may have written it")
    about = manifest["tensors"]
    if {*entries} != {MANIFEST, *(f"{name}.npy" for name in about)}:
        raise ValueError(f"the manifest names {[*about]}, but the file holds {[*entries]}")
    tensors = {name: _tensor(name, archive.read(entries[f"{name}.npy"]), **about[name]) for name in about}
    return _unpacked(manifest["tree"], tensors)


def _tensor(name: str, data: bytes, dtype: str, shape: list[int], requires_grad: bool, sha256: str) -> Tensor:
    """Return the Tensor whose array is `data`, in numpy's format `.npy`."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"{name}: the numbers are not those that were saved")
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{name}: this version of numpy's format is not read")
    stored = np.lib.format.read_array_header_1_0(stream)
    if dtype not in DTYPES or DTYPES[dtype] != stored[2] or stored[0] != tuple(shape):
        raise ValueError(f"{name}: expected {dtype} of shape {tuple(shape)}, got {stored[2]} of shape {stored[0]}")
    if math.prod(shape) * stored[2].itemsize != len(data) - stream.tell():
        raise ValueError(f"{name}: {len(data) - stream.tell()} bytes do not make an array of shape {tuple(shape)}")
    array = np.frombuffer(bytearray(data), stored[2], offset=stream.tell())
    tensor = wrap(array.reshape(shape, order="F" if stored[1] else "C"))
    tensor.requires_grad = requires_grad
    return tensor


def _packed(obj: Any, path: str, tensors: dict[str, Tensor], names: dict[Tensor, str]) -> Any:
    """Return an object as JSON has it: a kind and parts for a container, the name of an entry for a Tensor.

    A Tensor is named after the keys that lead to it. One that is there several times has one entry.
    """
    if isinstance(obj, Tensor):
        array_of(obj)
        if obj not in names:
            names[obj] = _new(path, tensors)
            tensors[names[obj]] = obj
        return ["tensor", names[obj]]
    inside = f"{path}/" if path else ""
    if isinstance(obj, Mapping):
        pairs = []
        for key, value in obj.items():
            path = inside + (key if isinstance(key, str) else shown(key))
            pairs.append([_packed(check_key(key), path, tensors, names), _packed(value, path, tensors, names)])
        return ["dict", pairs]
    if isinstance(obj, tuple | list):
        parts = [_packed(x, f"{inside}{i}", tensors, names) for i, x in enumerate(obj)]
        return ["tuple" if isinstance(obj, tuple) else "list", parts]
    if isinstance(obj, dtype):
        return ["dtype", obj.dtype.name]
    if isinstance(obj, int | float):
        return check_number(obj)
    if obj is None or isinstance(obj, str):
        return obj
    raise refusal(obj)


def _new(path: str, tensors: Mapping[str, Tensor]) -> str:
    """Return a name for an entry that no other has, in characters that every archive can hold."""
    first = name = re.sub(r"[\0\\\ud800-\udfff]", "_", path[:LONGEST_NAME]) or "tensor"
    for number in itertools.count(2):
        if name not in tensors:
            break
        name = f"{first}#{number}"
    return name


def _unpacked(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Return the object that `_packed` made a tree of."""
    if isinstance(tree, dict):
        raise ValueError("the manifest has a dict where a kind and parts are expected")
    if not isinstance(tree, list):
        return tree
    kind, parts = tree
    if kind == "tensor":
        return tensors[parts]
    if kind == "dtype":
        return DTYPES[parts]
    if kind == "dict":
        return {_unpacked(key, tensors): _unpacked(value, tensors) for key, value in parts}
    return {"tuple": tuple, "list": list}[kind](_unpacked(x, tensors) for x in parts)
