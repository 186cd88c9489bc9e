"""How a tensor prints: the same text, character for character, as PyTorch's `repr`.

The story: keep the elements that will be shown, choose one number format for all of them, lay the words out
in brackets, then append what the numbers alone do not tell (size, dtype, gradient).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


class PrintOptions:
    """What `set_printoptions` can change, under PyTorch's names and with PyTorch's defaults."""

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

_options = PROFILES["default"]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: Literal["default", "short", "full"] | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how every tensor prints from now on, like PyTorch's `torch.set_printoptions`.

    `precision` is the number of decimals; a tensor of more than `threshold` elements shows only `edgeitems` of them
    at each end of every axis; lines break at `linewidth`; `sci_mode` forces scientific notation on or off. A `profile`
    is a set of starting values. What is left out keeps its value, except `sci_mode`, which returns to automatic.
    """
    global _options
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes = {name: value for name, value in given.items() if value is not None}
    start = PROFILES[profile] if profile else _options
    _options = PrintOptions(**{**vars(start), **changes, "sci_mode": sci_mode})


def format_tensor(array: NDArray[Any], suffixes: Sequence[str] = (), default_dtype: DTypeLike = np.float32) -> str:
    """Return the text of a tensor holding `array`, exactly as PyTorch's `repr(tensor)` writes it.

    `suffixes` are further notes such as `requires_grad=True` or `grad_fn=<MulBackward0>`, placed after the notes the
    array itself calls for. A dtype is noted unless it is `default_dtype` or what such numbers mean when typed in.
    """
    empty = array.size == 0
    notes = []
    if (empty and array.ndim != 1) or (not empty and _options.edgeitems == 0):
        notes.append(f"size={array.shape}")
    # An empty tensor shows no number from which a reader could tell int64 or bool.
    if array.dtype != default_dtype and (empty or array.dtype not in (np.int64, np.bool_)):
        notes.append(f"dtype=torch.{array.dtype.name}")
    return append_notes(PREFIX + ("[]" if empty else format_elements(array)), [*notes, *suffixes]) + ")"


def format_elements(array: NDArray[Any]) -> str:
    """Return the bracketed numbers of a non-empty `array`, looking only at those that will be shown."""
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
    """Return the positions shown along an axis of `length`: all of them, or `edgeitems` at each end."""
    edge = _options.edgeitems
    return [*range(edge), *range(length - edge, length)] if length > 2 * edge else [*range(length)]


def choose_float_style(measured: NDArray[Any]) -> str:
    """Return the one format for all floats of a tensor, from its finite nonzero ones: `1.`, `1.0000e+00` or `1.0000`.

    Scientific when the sizes span more than a factor 1000, exceed 1e8 or fall below 1e-4 (`torch/_tensor_str.py`).
    """
    whole_style = "#.0f"  # the # keeps the dot of `1.`, which marks a float
    if measured.size == 0:
        return whole_style
    # Python floats, because a float32 ratio would round, and a ratio that overflows should be inf without a warning.
    smallest, largest = float(np.abs(measured).min()), float(np.abs(measured).max())
    scientific = _options.sci_mode
    if scientific is None:
        scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4
    if scientific:
        return f".{_options.precision}e"
    return whole_style if (measured == np.ceil(measured)).all() else f".{_options.precision}f"


def lay_out(words: NDArray[np.str_], shape: Sequence[int], indent: int, width: int) -> str:
    """Return `words` in nested brackets that open at column `indent`, with `...` where they fall short of `shape`."""
    if not shape:
        return str(words.item())
    length, *inner = shape
    parts = [lay_out(row, inner, indent + 1, width) for row in words] if inner else words.tolist()
    if len(parts) < length:
        # Among the numbers of a row PyTorch sets the dots one space apart, unless they stand alone.
        parts.insert(_options.edgeitems, "..." if inner or not parts else " ...")
    if not inner:
        per_line = max(1, (_options.linewidth - indent) // (width + len(", ")))
        parts = [", ".join(parts[start : start + per_line]) for start in range(0, len(parts), per_line)]
    # Rows follow line by line; each further dimension adds a blank line between its blocks.
    separator = "," + "\n" * max(1, len(inner)) + " " * (indent + 1)
    return "[" + separator.join(parts) + "]"


def append_notes(text: str, notes: Sequence[str]) -> str:
    """Return `text` followed by `notes`, each on the same line if it fits and on a new, indented line if not."""
    # PyTorch counts the line of numbers two characters longer than it is, so its notes wrap that much earlier.
    column = len(text) - (text.rfind("\n") + 1) + 2
    for note in notes:
        if column + len(", ") + len(note) > _options.linewidth:
            text += ",\n" + " " * len(PREFIX) + note
            column = len(PREFIX) + len(note)
        else:
            text += ", " + note
            column += len(", ") + len(note)
    return text
