"""What the example programs share at the command line: options, exit codes, and errors of one line.

The programs import this file first: from then on, a signal ends them in one line, also while numpy is being loaded, and
so does a package that is missing.
"""

from signals import INTERRUPTED, interrupts

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

SUCCESS, FAILURE, BAD_INPUT = 0, 1, 2


class BadInputError(Exception):
    """Input from the user that cannot be used. The message says what is wrong, and where."""


class Interrupted(KeyboardInterrupt):
    """An interrupt, with a message that says what was done until then, and how to go on."""


def exit_code(work: Callable[[], int | None], program: str) -> int:
    """Call `work`, and return the exit code of the program: the result of `work`, or 0 for None.

    Bad input, an interrupt (SIGINT, SIGTERM or SIGHUP), a full disk and a lack of memory end in one line on stderr, and
    in the exit code 2, 130, 1 or 1.
    """
    try:
        with interrupts():
            code = work() or SUCCESS
            sys.stdout.flush()
            return code
    except BadInputError as error:
        return _told(program, str(error), BAD_INPUT)
    except KeyboardInterrupt as interrupt:
        return _told(program, f"interrupted; {str(interrupt) or 'nothing was written'}", INTERRUPTED)
    except BrokenPipeError:  # the reader of the output, such as `head`, has seen enough
        _let_output_go()
        return FAILURE
    except OSError as error:
        _let_output_go()
        return _told(program, reason(error), FAILURE)
    except MemoryError as error:
        return _told(program, f"there is not enough memory: {error}", FAILURE)


def check_folder(option: str, folder: Path, names: Iterable[str] = (), *, make: bool = True) -> None:
    """Check, before the work starts, that files of these names can be written into a folder, which it may make.

    BadInputError, which names the option, if they cannot.
    """
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise BadInputError(f"{option} {folder}: {error.strerror or error}") from None
    for path in map(folder.joinpath, names):
        if path.exists() and not path.is_file():
            raise BadInputError(f"{option} {folder}: {path} is no file, and a file is to be written there")


def _told(program: str, message: str, code: int) -> int:
    print(f"{program}: {message}", file=sys.stderr)
    return code


def _let_output_go() -> None:
    """If stdout takes no more, send the rest nowhere. Python would complain about it when the program ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reason(error: OSError) -> str:
    """Return what an error of the system says: the file, if there is one, and why."""
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)


def _one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that ends the program: one line for a missing package, else Python's traceback."""
    if issubclass(kind, ModuleNotFoundError):
        _told(Path(sys.argv[0]).name, f"{error}; the examples need the packages of the extra [examples]", FAILURE)
    else:
        sys.__excepthook__(kind, error, trace)


if Path(getattr(sys.modules["__main__"], "__file__", None) or "").parent == Path(__file__).parent:
    sys.excepthook = _one_line  # only in a program of this folder


# Kinds of options, for `type` of argparse's `add_argument`


def positive(text: str) -> int:
    """An option that is a whole number from 1."""
    if (number := _whole(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def seed(text: str) -> int:
    """An option that is a whole number of at most 64 bits."""
    if not -(2**63) <= (number := _whole(text)) < 2**64:
        raise argparse.ArgumentTypeError(f"{text} has more than 64 bits")
    return number


def rate(text: str) -> float:
    """An option that is a finite number above 0."""
    if not 0 < (number := _number(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def share(text: str) -> float:
    """An option that is a number from 0 to below 1."""
    if not 0 <= (number := _number(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to below 1")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
