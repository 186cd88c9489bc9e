"""What the example programs share at the command line: options, exit codes, and errors of one line.

The programs import this file first: from then on, Ctrl-C ends them in one line, also while numpy is being loaded.
"""

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn

SUCCESS, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


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
            return work() or SUCCESS
    except BadInputError as error:
        return _told(program, str(error), BAD_INPUT)
    except KeyboardInterrupt as interrupt:
        return _told(program, f"interrupted; {interrupt or 'nothing was written'}", INTERRUPTED)
    except BrokenPipeError:  # the reader of the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except OSError as error:
        return _told(program, reason(error), FAILURE)
    except MemoryError as error:
        return _told(program, f"there is not enough memory: {error}", FAILURE)


def _told(program: str, message: str, code: int) -> int:
    print(f"{program}: {message}", file=sys.stderr)
    return code


def reason(error: OSError) -> str:
    """Return what an error of the system says: the file, if there is one, and why."""
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)


@contextmanager
def interrupts() -> Iterator[None]:
    """Raise a KeyboardInterrupt for the first signal that ends a program, and ignore those that follow.

    A signal that was ignored before, as `nohup` does, is ignored still.
    """
    before = {each: signal.getsignal(each) for each in SIGNALS}
    handled = [each for each in SIGNALS if before[each] is not signal.SIG_IGN]

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for each in handled:
            signal.signal(each, interrupt)
        yield
    finally:
        for each in handled:
            signal.signal(each, before[each])


def _one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that ends the program: one line for an interrupt, else Python's traceback."""
    if issubclass(kind, KeyboardInterrupt):
        print(f"{Path(sys.argv[0]).name}: interrupted; nothing was written", file=sys.stderr)
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
