"""Ends a program in one line when it gets a signal: SIGINT (Ctrl-C), SIGTERM or SIGHUP.

The programs import `command_line`, which imports this file before anything else: what is imported later can take long.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = 130  # the exit code
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def end(number: int, frame: FrameType | None) -> NoReturn:
    """End the program at once. An exception could get lost among those that numpy catches while it is loaded."""
    os.write(2, f"{os.path.basename(sys.argv[0])}: interrupted; nothing was written\n".encode())
    os._exit(INTERRUPTED)


def end_at_a_signal() -> None:
    """End the program at the first signal, until `interrupts` begins. A signal that is ignored is ignored still."""
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, end)


@contextmanager
def interrupts() -> Iterator[None]:
    """Raise a KeyboardInterrupt for the first signal that ends a program, and ignore those that follow.

    A signal that was ignored before, as `nohup` does, is ignored still. After the block, a program is done, and what
    `end_at_a_signal` has set up is ignored. So are complaints of objects that the signal left half built.
    """
    before = {each: signal.getsignal(each) for each in SIGNALS}
    handled = [each for each in SIGNALS if before[each] is not signal.SIG_IGN]
    hook = sys.unraisablehook

    def handle(handler: Any) -> None:
        for each in handled:
            signal.signal(each, handler)

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        handle(signal.SIG_IGN)
        sys.unraisablehook = ignore
        raise KeyboardInterrupt

    def ignore(unraisable: "sys.UnraisableHookArgs") -> None:
        """Python calls it for an exception in `__del__`. If that is the interrupt, the next signal counts."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            handle(interrupt)

    try:
        handle(interrupt)
        yield
    finally:
        for each in handled:
            signal.signal(each, signal.SIG_IGN if before[each] is end else before[each])
        if end not in before.values():
            sys.unraisablehook = hook


if os.path.dirname(getattr(sys.modules["__main__"], "__file__", None) or "") == os.path.dirname(__file__):
    end_at_a_signal()  # only in a program of this folder
