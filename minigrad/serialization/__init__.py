"""`save` and `load`: the state of a model, or of a whole training run, in a file.

The file is in PyTorch's format (`torch_file.py`) or in numpy's (`npz.py`). `files.py`, one folder up, makes it appear
whole or not at all. No file can run code when it is loaded. None takes memory out of proportion to its size, and a
damaged one is refused.
"""

import io
import os
import stat
import zipfile
from typing import Any, BinaryIO

from minigrad.api.device import Device
from minigrad.checks import flag_of, shown
from minigrad.files import replacing
from minigrad.serialization import npz, torch_file
from minigrad.serialization.archives import entries_of


def save(obj: Any, f: str | os.PathLike[str] | BinaryIO) -> None:
    """Write Tensors, numbers and texts, in dicts, lists and tuples, to a file (`torch.save`).

    `f` is the path of a file, or an open binary file. A name that ends in `.npz` chooses numpy's format, which
    `numpy.load` reads. Every other file gets PyTorch's format, which `torch.load` reads. A file appears only when it is
    complete, and the file that was there before stays until then.

    Raises a TypeError for objects of other kinds, a ValueError for an object that contains itself, and an OSError if
    the file cannot be written.
    """
    to_npz = isinstance(f, str | os.PathLike) and os.fsdecode(f).endswith(".npz")
    write = npz.write if to_npz else torch_file.write
    try:
        if isinstance(f, str | os.PathLike):
            with replacing(f) as file:
                write(obj, file)
        elif callable(getattr(f, "write", None)):
            write(obj, f)
        else:
            raise TypeError(f"save: expected the path of a file or an open binary file, got {shown(f)}")
    except RecursionError:
        raise ValueError("save: the object contains itself, or is nested too deep; save a state_dict") from None


def load(f: str | os.PathLike[str] | BinaryIO, map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what `save` wrote, or what `torch.save` wrote of Tensors, numbers, texts and containers (`torch.load`).

    `f` is the path of a file, or an open binary file. `map_location` must be the CPU; `weights_only` has no effect,
    because no file can run code. Dicts of other kinds, such as OrderedDict, become dicts, and Parameters become
    Tensors.

    Raises an OSError if there is no such file, and a ValueError if it is damaged or has another format or content.
    """
    flag_of("load", "weights_only", weights_only)
    if map_location is not None:
        Device(map_location)
    if isinstance(f, str | os.PathLike):
        path = os.fsdecode(f)
        mode = os.stat(path).st_mode  # before it is opened, because a pipe opens when somebody writes
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise OSError(f"load: {path} is a device or a pipe; give the name of a file")
        with open(path, "rb") as file:
            return _read(file, path)
    if callable(getattr(f, "read", None)) and callable(getattr(f, "seek", None)):
        return _read(f, str(getattr(f, "name", "the open file")))
    raise TypeError(f"load: expected the path of a file or an open binary file, got {shown(f)}")


def _read(file: BinaryIO, name: str) -> Any:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = entries_of(archive, file.seek(0, io.SEEK_END))
            for form in (npz, torch_file):
                if form.is_here(entries):
                    return form.read(archive, entries)
        raise ValueError("neither save nor torch.save wrote it; numpy.load reads other .npz files")
    except zipfile.BadZipFile as error:
        file.seek(0)
        old = file.read(len(torch_file.BEFORE_1_6)) == torch_file.BEFORE_1_6
        why = "PyTorch before 1.6 wrote it; save it again with a newer PyTorch" if old else f"it is damaged: {error}"
        raise ValueError(f"load: {name} is no file of save or torch.save, or {why}") from None
    except MemoryError:
        raise
    except ValueError as error:
        raise ValueError(f"load: {name}: {error}") from error
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(f"load: {name} is damaged: {type(error).__name__}: {error}") from error
