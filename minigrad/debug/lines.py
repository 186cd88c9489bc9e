"""`calling_line`: the line of the user's code that called an operation, for error messages."""

import linecache
import sys
from typing import NamedTuple


class Line(NamedTuple):
    """A line of the user's code that called an operation."""

    file: str
    number: int
    function: str

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.number).strip()
        return f'File "{self.file}", line {self.number}, in {self.function}' + (f": {text}" if text else "")


def calling_line() -> Line | None:
    """Return the line of the user's code that is running; None in a thread that runs none of it."""
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__", "").partition(".")[0] == "minigrad":
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return Line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
