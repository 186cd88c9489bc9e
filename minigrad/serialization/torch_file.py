"""PyTorch's format: an archive with a pickle of the containers, and the numbers of each Tensor beside it.

`pickled.py` writes and reads the pickle without Python's `pickle`, so that no file can run code. Tensors that share
memory, such as tied weights, share it in the file, and again when they are loaded.
"""

import math
import sys
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

from minigrad.core.dtypes import dtype
from minigrad.core.tensor import Tensor, wrap
from minigrad.serialization import pickled
from minigrad.serialization.archives import Entries, add
from minigrad.serialization.contents import DTYPES, check_number, refusal
from minigrad.serialization.pickled import Call, Global, Outside

STORAGES = {  # PyTorch's names for memory that holds numbers of a dtype
    "HalfStorage": np.float16,
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "ByteStorage": np.uint8,
    "CharStorage": np.int8,
    "ShortStorage": np.int16,
    "IntStorage": np.int32,
    "LongStorage": np.int64,
    "BoolStorage": np.bool_,
}
STORAGE_OF = {np.dtype(kind): name for name, kind in STORAGES.items()}
FOLDER = "archive"
BEFORE_1_6 = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # how a file begins that an old PyTorch wrote


def write(obj: Any, file: BinaryIO) -> None:
    """Write an object of dicts, lists, numbers, texts and Tensors as an archive."""
    writer = _Writer()
    data = pickled.dumps(writer.packed(obj))
    with zipfile.ZipFile(file, "w") as archive:
        add(archive, f"{FOLDER}/data.pkl", data)
        add(archive, f"{FOLDER}/byteorder", sys.byteorder.encode())
        for number, array in enumerate(writer.storages):
            add(archive, f"{FOLDER}/data/{number}", array.tobytes())
        add(archive, f"{FOLDER}/version", b"3\n")


class _Writer:
    """Puts calls of PyTorch's functions in place of Tensors, and gathers the memory that they refer to."""

    def __init__(self) -> None:
        self.storages: list[np.ndarray] = []
        self._numbers: dict[Any, int] = {}  # of storages, by where they are in memory
        self._calls: dict[int, Call] = {}  # by the id of a Tensor, which loads as one object if it is there twice

    def packed(self, obj: Any) -> Any:
        """Return an object as `pickled.dumps` takes it."""
        if isinstance(obj, Tensor):
            if id(obj) not in self._calls:
                self._calls[id(obj)] = self._call(obj)
            return self._calls[id(obj)]
        if isinstance(obj, Mapping):
            return {self.packed(key): self.packed(value) for key, value in obj.items()}
        if isinstance(obj, tuple | list):
            parts = [self.packed(x) for x in obj]
            return tuple(parts) if isinstance(obj, tuple) else parts
        if isinstance(obj, dtype):
            return Global("torch", obj.dtype.name)
        if isinstance(obj, int | float):
            return check_number(obj)
        if obj is None or isinstance(obj, str):
            return obj
        raise refusal(obj)

    def _call(self, tensor: Tensor) -> Call:
        array = tensor.array
        if array.dtype not in STORAGE_OF:
            raise TypeError(f"save: a Tensor holds {array.dtype}, not numbers; save a state_dict()")
        place = array.__array_interface__["data"], array.shape, array.strides, array.dtype
        order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
        if not array.size or not array.transpose(order).flags.c_contiguous:
            array, order = np.ascontiguousarray(array), list(range(array.ndim))
        if place not in self._numbers:
            self._numbers[place] = len(self.storages)
            self.storages.append(array.transpose(order))
        kind = Global("torch", STORAGE_OF[array.dtype])
        storage = Outside(("storage", kind, str(self._numbers[place]), "cpu", array.size))
        strides = tuple(stride // array.itemsize for stride in array.strides)
        hooks = Call(Global("collections", "OrderedDict"), ())
        arguments = storage, 0, tensor.array.shape, strides, tensor.requires_grad, hooks
        return Call(Global("torch._utils", "_rebuild_tensor_v2"), arguments)


def is_here(entries: Entries) -> bool:
    """Return whether an archive is one of this format."""
    return _folder(entries) is not None


def _folder(entries: Entries) -> str | None:
    """Return the folder in an archive of PyTorch's, with a slash; its name is that of the first file."""
    found = [name for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
    return found[0].removesuffix("data.pkl") if len(found) == 1 else None


def read(archive: zipfile.ZipFile, entries: Entries) -> Any:
    """Return the object that `write` or `torch.save` wrote. Raises a ValueError for objects of other kinds."""
    folder = _folder(entries)
    for name in entries:
        if not name.startswith(str(folder)):
            raise ValueError(f"there is {name!r} beside {folder}")
    reader = _Reader(archive, entries, str(folder))
    return pickled.loads(archive.read(entries[f"{folder}data.pkl"]), FUNCTIONS, constant, reader.storage)


class _Reader:
    """Makes Tensors of the calls in a pickle, from the memory that an archive holds."""

    def __init__(self, archive: zipfile.ZipFile, entries: Entries, folder: str) -> None:
        self._archive, self._entries, self._folder = archive, entries, folder
        self._arrays: dict[str, np.ndarray] = {}
        order = f"{folder}byteorder"
        self._order = "<" if order not in entries or archive.read(entries[order]) == b"little" else ">"

    def storage(self, key: Any) -> np.ndarray:
        """Return the memory that a Tensor refers to: `("storage", dtype, name, location, number of elements)`."""
        _, kind, name, _, size = key
        if name not in self._arrays:
            if f"{self._folder}data/{name}" not in self._entries:
                raise ValueError(f"storage {name} is missing")
            data = self._archive.read(self._entries[f"{self._folder}data/{name}"])
            if len(data) != size * kind.itemsize:
                raise ValueError(f"storage {name} has {len(data)} bytes instead of {size} numbers of {kind}")
            array = np.frombuffer(bytearray(data), kind.newbyteorder(self._order))
            self._arrays[name] = array.astype(kind, copy=False)
        if self._arrays[name].dtype != kind:
            raise ValueError(f"storage {name} holds {self._arrays[name].dtype} and {kind}")
        return self._arrays[name]


def constant(name: Global) -> Any:
    """Return the dtype that a global of PyTorch means. Raises a ValueError for any other global."""
    if name.module == "torch" and name.name in STORAGES:
        return np.dtype(STORAGES[name.name])
    if name.module == "torch" and name.name.endswith("Storage"):
        raise ValueError(f"tensors of {name.name} are not supported; convert them with .float() before they are saved")
    if name.module == "torch" and name.name in DTYPES:
        return DTYPES[name.name]
    raise ValueError(
        f"it holds a {name.module}.{name.name}, which is no tensor, number, text or container; save a state_dict()"
    )


def _tensor(storage: Any, offset: int, size: Any, stride: Any, requires_grad: bool = False, *rest: Any) -> Tensor:
    """Return a Tensor over a part of a storage (`torch._utils._rebuild_tensor_v2`). It must lie within the storage."""
    size, stride = tuple(size), tuple(stride)
    if not isinstance(storage, np.ndarray) or len(size) != len(stride) or min((*size, *stride, offset), default=0) < 0:
        raise ValueError(f"a tensor of shape {size} with strides {stride} is not possible")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if math.prod(size) and last >= storage.size:
        raise ValueError(f"a tensor of shape {size} with strides {stride} needs more than {storage.size} numbers")
    start = min(offset, storage.size)
    strides = [step * storage.itemsize for step in stride]
    tensor = wrap(np.lib.stride_tricks.as_strided(storage[start:], size, strides))
    tensor.requires_grad = bool(requires_grad)
    return tensor


def _parameter(data: Tensor, requires_grad: bool, *rest: Any) -> Tensor:
    """Return a Parameter's data as a Tensor (`torch._utils._rebuild_parameter`)."""
    tensor = wrap(data.array)
    tensor.requires_grad = bool(requires_grad)
    return tensor


FUNCTIONS: Mapping[Global, Callable[..., Any]] = {
    Global("collections", "OrderedDict"): dict,
    Global("torch", "Size"): tuple,
    Global("torch._utils", "_rebuild_tensor_v2"): _tensor,
    Global("torch._utils", "_rebuild_parameter"): _parameter,
}
