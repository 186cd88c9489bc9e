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

from minigrad.checks import LARGEST_INT, shown
from minigrad.core.dtypes import dtype
from minigrad.core.tensor import Tensor, wrap
from minigrad.serialization import pickled
from minigrad.serialization.archives import Entries, add
from minigrad.serialization.contents import DTYPES, array_of, check_key, check_number, refusal
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
LONGEST_GLOBAL = 100  # characters of a name, in a message
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
        self._calls: dict[Tensor, Call] = {}  # a Tensor that is there twice loads as one object

    def packed(self, obj: Any) -> Any:
        """Return an object as `pickled.dumps` takes it."""
        if isinstance(obj, Tensor):
            if obj not in self._calls:
                self._calls[obj] = self._call(obj)
            return self._calls[obj]
        if isinstance(obj, Mapping):
            return {self.packed(check_key(key)): self.packed(value) for key, value in obj.items()}
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
        array = array_of(tensor)
        place = array.__array_interface__["data"][0], array.shape, array.strides, array.dtype
        order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
        if not array.transpose(order).flags.c_contiguous:
            order = list(range(array.ndim))
        if place not in self._numbers:
            self._numbers[place] = len(self.storages)
            self.storages.append(array.transpose(order))
        kind = Global("torch", STORAGE_OF[array.dtype])
        storage = Outside(("storage", kind, str(self._numbers[place]), "cpu", array.size))
        strides, step = [0] * array.ndim, 1
        for axis in reversed(order):
            strides[axis], step = step, step * array.shape[axis]
        hooks = Call(Global("collections", "OrderedDict"), ())
        arguments = storage, 0, array.shape, tuple(strides), tensor.requires_grad, hooks
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
    result = pickled.loads(archive.read(entries[f"{folder}data.pkl"]), FUNCTIONS, constant, reader.storage)
    _check_parts(result)
    return result


def _check_parts(result: Any) -> None:
    """Raise a ValueError if there is anything else than Tensors, numbers, texts and containers, such as a storage."""
    parts, seen = [result], set()
    while parts:
        part = parts.pop()
        if type(part) in (dict, list, tuple):
            if id(part) not in seen:
                seen.add(id(part))
                parts += part.values() if type(part) is dict else part
        elif not isinstance(part, Tensor | int | float | str | dtype | None):
            raise ValueError(f"it holds a {type(part).__name__} by itself, which is no tensor; save tensors")


class _Reader:
    """Makes Tensors of the calls in a pickle, from the memory that an archive holds."""

    def __init__(self, archive: zipfile.ZipFile, entries: Entries, folder: str) -> None:
        self._archive, self._entries, self._folder = archive, entries, folder
        self._arrays: dict[str, np.ndarray] = {}
        order = f"{folder}byteorder"
        stated = archive.read(entries[order]) if order in entries else b"little"
        if stated not in (b"little", b"big"):
            raise ValueError(f"there is no byte order {shown(stated)}")
        self._swapped = stated.decode() != sys.byteorder

    def storage(self, key: Any) -> np.ndarray:
        """Return the memory that a Tensor refers to: `("storage", dtype, name, location, number of elements)`."""
        _, kind, name, _, size = key
        if not isinstance(kind, np.dtype) or type(name) is not str or type(size) is not int:
            raise ValueError("a tensor is in memory of an unknown kind")
        if name not in self._arrays:
            if f"{self._folder}data/{name}" not in self._entries:
                raise ValueError(f"storage {name} is missing")
            data = self._archive.read(self._entries[f"{self._folder}data/{name}"])
            if len(data) != size * kind.itemsize:
                raise ValueError(f"storage {name} has {len(data)} bytes instead of {size} numbers of {kind}")
            array = np.frombuffer(bytearray(data), kind)
            self._arrays[name] = array.byteswap(inplace=True) if self._swapped else array
        if self._arrays[name].dtype != kind:
            raise ValueError(f"storage {name} holds {self._arrays[name].dtype} and {kind}")
        return self._arrays[name]


def constant(name: Global) -> Any:
    """Return the dtype that a global of PyTorch means. Raises a ValueError for any other global."""
    if name.module == "torch" and name.name in STORAGES:
        return np.dtype(STORAGES[name.name])
    if name.module == "torch" and name.name in DTYPES:
        return DTYPES[name.name]
    if name.module == "torch" and name.name.endswith("Storage"):
        raise ValueError(
            f"tensors of {_quoted(name.name)} are not supported; convert them with .float() before they are saved"
        )
    what = _quoted(f"{name.module}.{name.name}")
    raise ValueError(f"it holds a {what}, which is no tensor, number, text or container; save a state_dict()")


def _quoted(name: str) -> str:
    """Return a name in a file as a message may show it, however long or odd it is."""
    return ascii(name[:LONGEST_GLOBAL])


def _tensor(storage: Any, offset: int, size: Any, stride: Any, requires_grad: bool = False, *rest: Any) -> Tensor:
    """Return a Tensor over a part of a storage (`torch._utils._rebuild_tensor_v2`). It must lie within the storage."""
    if type(storage) is not np.ndarray or type(size) is not tuple or type(stride) is not tuple:
        raise ValueError("a tensor has no storage, shape or strides")
    if len(size) != len(stride) or not all(type(n) is int and 0 <= n <= LARGEST_INT for n in (*size, *stride, offset)):
        raise ValueError(f"a tensor of shape {shown(size)} with strides {shown(stride)} is not possible")
    # numpy checks this, too, but its products overflow.
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if math.prod(size) and last >= storage.size:
        raise ValueError(f"a tensor of shape {size} with strides {stride} needs more than {storage.size} numbers")
    start = min(offset, storage.size)
    strides = [step * storage.itemsize for step in stride]
    # Views of one array, so that a change of one of several Tensors that share memory is noted for all.
    tensor = wrap(np.ndarray(size, storage.dtype, storage, start * storage.itemsize, strides))
    tensor.requires_grad = bool(requires_grad)
    return tensor


def _size(numbers: Any) -> tuple[Any, ...]:
    """Return a shape as the tuple that it is given as (`torch.Size`)."""
    if type(numbers) is not tuple:
        raise ValueError("a torch.Size is made of what is no tuple")
    return numbers


def _ordered_dict() -> dict[Any, Any]:
    """Return an empty dict, whose items the pickle adds later (`collections.OrderedDict`)."""
    return {}


def _parameter(data: Tensor, requires_grad: bool, *rest: Any) -> Tensor:
    """Return a Parameter's data as a Tensor (`torch._utils._rebuild_parameter`)."""
    tensor = wrap(data.array)
    tensor.requires_grad = bool(requires_grad)
    return tensor


FUNCTIONS: Mapping[Global, Callable[..., Any]] = {
    Global("collections", "OrderedDict"): _ordered_dict,
    Global("torch", "Size"): _size,
    Global("torch._utils", "_rebuild_tensor_v2"): _tensor,
    Global("torch._utils", "_rebuild_parameter"): _parameter,
}
