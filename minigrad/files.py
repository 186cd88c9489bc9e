"""Files that appear whole or not at all."""

import itertools
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_UNFINISHED = ".{name}.{process}-{number}.unfinished"
_numbers = itertools.count()


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes the place of the file at `path` when the block ends. After an error nothing has changed.

    The data is on the disk before the file appears. A symbolic link stays, and the file that it points to is replaced.
    The new file has the mode of the old one. Raises an OSError if `path` is a folder, a device or a read-only file, and
    if its folder does not exist or the disk is full.
    """
    target = Path(os.path.realpath(path))
    mode = _mode_of(target)
    _sweep(target)
    names = {"name": target.name[:40], "process": os.getpid(), "number": next(_numbers)}
    unfinished = target.with_name(_UNFINISHED.format(**names))
    try:
        with open(unfinished, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            unfinished.chmod(mode)
        unfinished.replace(target)
        _sync(target.parent)
    except OSError as error:
        if error.filename in (None, str(unfinished)):
            raise type(error)(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def _mode_of(target: Path) -> int | None:
    """Return the mode of a file that may be replaced, or None if there is none. Raises an OSError for anything else."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{target} is a folder; give the name of a file")
    if not stat.S_ISREG(mode):
        raise OSError(f"{target} is a device or a pipe, which is not replaced; give the name of a file")
    if not os.access(target, os.W_OK):
        raise PermissionError(f"{target} is read-only; give another name, or make it writable")
    return stat.S_IMODE(mode)


def _sweep(target: Path) -> None:
    """Remove what processes that were killed have left of the same file."""
    pattern = re.escape(_UNFINISHED.format(name=target.name[:40], process="@", number="@"))
    leftover = re.compile(pattern.replace("@", r"(\d+)"))
    with suppress(OSError):  # the folder does not exist, or others sweep it, too
        for path in target.parent.iterdir():
            if (found := leftover.fullmatch(path.name)) and not _is_running(int(found[1])):
                path.unlink()


def _is_running(process: int) -> bool:
    """Return whether a process runs, as far as this one can know."""
    if os.name != "posix":  # elsewhere this signal would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is somebody else's
        pass
    return True


def _sync(folder: Path) -> None:
    """Write the entries of a folder to the disk, where the system can do this."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
