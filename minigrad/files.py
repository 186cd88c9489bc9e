"""Files that appear whole or not at all."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

_SUFFIX = ".unfinished"
_in_work: set[str] = set()  # the unfinished files of this process


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes the place of the file at `path` when the block ends. After an error nothing has changed.

    The data is on the disk before the file appears. A symbolic link stays, and the file that it points to is replaced.
    The new file has the permissions of the old one, but not its setuid bit, which writing drops, and its owner, if this
    process may give it. Raises an OSError if `path` is a folder, a device or a read-only file, if its folder does not
    exist, and if the disk is full.
    """
    target = Path(os.path.realpath(path))
    old = _replaceable(target)
    _sweep(target)
    unfinished = str(target.with_name(f"{_prefix(target)}{os.getpid()}-{os.urandom(6).hex()}{_SUFFIX}"))
    _in_work.add(unfinished)
    try:
        mode = old.st_mode & 0o777 if old else 0o666  # from the first byte on, because the file may be a secret
        with open(unfinished, "xb", opener=partial(os.open, mode=mode)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if old:
            if os.name == "posix":
                with suppress(OSError):  # only root may give a file away
                    os.chown(unfinished, old.st_uid, old.st_gid)
            os.chmod(unfinished, mode)
        os.replace(unfinished, target)
    except OSError as error:
        if error.errno is not None and error.filename in (None, unfinished):
            raise type(error)(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        with suppress(OSError):  # it has another name now
            os.unlink(unfinished)
        _in_work.discard(unfinished)
    _sync(target.parent)


def _replaceable(target: Path) -> os.stat_result | None:
    """Return what is known of a file, or None if there is none. Raises an OSError for what must not be replaced."""
    try:
        old = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(f"{target} is a folder; give the name of a file")
    if not stat.S_ISREG(old.st_mode):
        raise OSError(f"{target} is a device or a pipe, which is not replaced; give the name of a file")
    if not os.access(target, os.W_OK):
        raise PermissionError(f"{target} is read-only; give another name, or make it writable")
    return old


def _prefix(target: Path) -> str:
    """Return how the names of unfinished files begin that are to replace `target`; the process follows."""
    return f".{target.name[:40]}."


def _sweep(target: Path) -> None:
    """Remove what processes that were killed have left of the same file."""
    leftover = re.compile(rf"{re.escape(_prefix(target))}(\d+)-[0-9a-f]+{re.escape(_SUFFIX)}")
    with suppress(OSError):  # the folder does not exist, or must not be listed
        for path in target.parent.iterdir():
            found = leftover.fullmatch(path.name)
            if found and str(path) not in _in_work and not _is_running(int(found[1])):
                with suppress(OSError):  # others sweep it, too
                    path.unlink()


def _is_running(process: int) -> bool:
    """Return whether another process runs, as far as this one can know.

    A process in a container often has the number that the one before it had, so this number is no sign of life.
    """
    if process == os.getpid() or os.name != "posix":  # Windows does not remove a file that is open
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is somebody else's
        pass
    return True


def _sync(folder: Path) -> None:
    """Write the entries of a folder to the disk, where the system and its permissions allow this."""
    if os.name == "posix":
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
