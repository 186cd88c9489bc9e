"""The text of a tensor, identical to PyTorch's `repr`.

It works on numpy arrays, so that it knows nothing of Tensors. Four steps: select the elements to show, choose one
number format for all of them, put the words in brackets, and append what the numbers do not tell (size, dtype,
gradient).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from minigrad.checks import flag_of, int_of, number_of, shown

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


class PrintOptions:
    """The settings of `set_printoptions`, with PyTorch's names and defaults."""

    def __init__(
        self,
        precision: int = 4,
        threshold: float = 1000,
        edgeitems: int = 3,
        linewidth: int = 80,
        sci_mode: bool | None = None,
    ) -> None:
        self.precision, self.threshold, self.edgeitems = precision, threshold, edgeitems
        self.linewidth, self.sci_mode = linewidth, sci_mode


PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=np.inf),
}
PREFIX = "tensor("
MOST_DECIMALS = 1074  # of a float64

_options = PROFILES["default"]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: Literal["default", "short", "full"] | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how all tensors print from now on (`torch.set_printoptions`).

    `precision` is the number of decimals. A tensor of more than `threshold` elements shows `edgeitems` elements at each
    end of every axis. Lines break at `linewidth`. `sci_mode` switches scientific notation on or off. A `profile` is a
    set of starting values. A setting that is not given keeps its value, except `sci_mode`, which becomes automatic.

    Raises a TypeError or a ValueError, and changes nothing, if a setting is not valid.
    """
    global _options
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes = {name: value for name, value in given.items() if value is not None}
    for setting, value in changes.items():
        if setting == "threshold":
            number_of("set_printoptions", setting, value)
        else:
            changes[setting] = int_of("set_printoptions", value)
        most = MOST_DECIMALS if setting == "precision" else np.inf
        if not 0 <= value <= most:
            raise ValueError(f"set_printoptions: {setting} must be from 0 to {most}, got {shown(value)}")
    if profile is not None and (not isinstance(profile, str) or profile not in PROFILES):
        raise ValueError(f"set_printoptions: profile must be one of {', '.join(PROFILES)}, got {shown(profile)}")
    if sci_mode is not None:
        flag_of("set_printoptions", "sci_mode", sci_mode)
    start = PROFILES[profile] if profile else _options
    _options = PrintOptions(**{**vars(start), **changes, "sci_mode": sci_mode})


def format_tensor(array: NDArray[Any], suffixes: Sequence[str] = (), default_dtype: DTypeLike = np.float32) -> str:
    """Return the text of a tensor with the elements `array`, exactly as PyTorch's `repr(tensor)` writes it.

    `suffixes` are further notes such as `requires_grad=True` or `grad_fn=<MulBackward0>`; they follow the notes about
    the array. The dtype is noted if it is neither `default_dtype` nor clear from the numbers (int64, bool).
    """
    empty = array.size == 0
    notes = []
    if (empty and array.ndim != 1) or (not empty and _options.edgeitems == 0):
        notes.append(f"size={array.shape}")
    # An empty tensor shows no numbers, so int64 and bool must be noted.
    if array.dtype != default_dtype and (empty or array.dtype not in (np.int64, np.bool_)):
        notes.append(f"dtype=torch.{array.dtype.name}")
    return append_notes(PREFIX + ("[]" if empty else format_elements(array)), [*notes, *suffixes]) + ")"


def format_elements(array: NDArray[Any]) -> str:
    """Return the numbers of a non-empty `array` in brackets. Only the elements that will be shown are read."""
    shown = array
    if array.size > _options.threshold:
        shown = array[np.ix_(*(edge_positions(length) for length in array.shape))]
    numbers = shown.ravel()
    style, measured = "", numbers
    if numbers.dtype.kind == "f":
        # PyTorch ignores 0, inf and nan when it chooses the format and the width.
        measured = numbers[np.isfinite(numbers) & (numbers != 0)]
        style = choose_float_style(measured)
    width = max((len(format(number, style)) for number in measured.tolist()), default=1)
    words = np.array([format(number, style).rjust(width) for number in numbers.tolist()], dtype=str)
    return lay_out(words.reshape(shown.shape), array.shape, len(PREFIX), width)


def edge_positions(length: int) -> list[int]:
    """Return the positions to show along an axis of `length`: all of them, or `edgeitems` at each end."""
    edge = _options.edgeitems
    return [*range(edge), *range(length - edge, length)] if length > 2 * edge else [*range(length)]


def choose_float_style(measured: NDArray[Any]) -> str:
    """Return one format for all floats of a tensor: `1.`, `1.0000e+00` or `1.0000`.

    `measured` has the finite nonzero floats. The format is scientific if the largest is more than 1000 times the
    smallest, if the largest exceeds 1e8, or if the smallest is below 1e-4 (`torch/_tensor_str.py`).
    """
    whole_style = "#.0f"  # the # keeps the dot of `1.`, which shows that it is a float
    if measured.size == 0:
        return whole_style
    # Python floats: a float32 ratio would be rounded, and an overflow would warn.
    smallest, largest = float(np.abs(measured).min()), float(np.abs(measured).max())
    scientific = _options.sci_mode
    if scientific is None:
        scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4
    if scientific:
        return f".{_options.precision}e"
    return whole_style if (measured == np.ceil(measured)).all() else f".{_options.precision}f"


def lay_out(words: NDArray[np.str_], shape: Sequence[int], indent: int, width: int) -> str:
    """Return `words` in nested brackets that open at column `indent`, with `...` where they are fewer than `shape`."""
    if not shape:
        return str(words.item())
    length, *inner = shape
    parts = [lay_out(row, inner, indent + 1, width) for row in words] if inner else words.tolist()
    if len(parts) < length:
        # PyTorch puts one more space before the dots between numbers, unless there are only dots.
        parts.insert(_options.edgeitems, "..." if inner or not parts else " ...")
    if not inner:
        per_line = max(1, (_options.linewidth - indent) // (width + len(", ")))
        parts = [", ".join(parts[start : start + per_line]) for start in range(0, len(parts), per_line)]
    # Rows are on consecutive lines; each further dim adds a blank line between its blocks.
    separator = "," + "\n" * max(1, len(inner)) + " " * (indent + 1)
    return "[" + separator.join(parts) + "]"


def append_notes(text: str, notes: Sequence[str]) -> str:
    """Return `text` followed by `notes`, each on the same line if it fits, or else on a new, indented line."""
    # PyTorch counts two characters more than the line of numbers has, so notes wrap two characters earlier.
    column = len(text) - (text.rfind("\n") + 1) + 2
    for note in notes:
        if column + len(", ") + len(note) > _options.linewidth:
            text += ",\n" + " " * len(PREFIX) + note
            column = len(PREFIX) + len(note)
        else:
            text += ", " + note
            column += len(", ") + len(note)
    return text
