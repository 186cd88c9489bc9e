"""`detect_anomaly`: finds the operation and the user's line where the first NaN or infinity appears, in either pass.

The recorder and the reverse pass call the hooks that this module sets in `core/modes.py`; they do not import it.
"""

from typing import Any

import numpy as np

from minigrad.checks import flag_of
from minigrad.core.modes import current_mode
from minigrad.core.primitive import Primitive, parameter_names
from minigrad.core.tensor import Tensor
from minigrad.core.value import Value
from minigrad.core.versions import at
from minigrad.debug.lines import Line, calling_line
from minigrad.grad_mode import From, Within


class detect_anomaly(Within):
    """Raise an error where the first NaN or infinity appears (`torch.autograd.detect_anomaly`).

    Use it as a with-block or as a decorator. RuntimeError if the result of an operation holds a NaN, or an infinity
    that its operands do not hold, and if a vjp returns a NaN or an infinity. (PyTorch checks only the backward pass.)
    The message names the operation, the shapes and ranges of its operands, and the line of the user's code that called
    it. Other errors of the backward pass name that line, too. With `check_nan=False` nothing is checked, and only the
    lines are added to messages. Anomaly detection is slow: use it to find a mistake, not for training.

    >>> import minigrad
    >>> with minigrad.detect_anomaly():
    ...     minigrad.tensor([1.0, 0.0]).log()
    Traceback (most recent call last):
        ...
    RuntimeError: log (File ...): the result is infinite in 1 of 2 elements, first at (1,), where x ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(**_settings("detect_anomaly", True, check_nan))


class set_detect_anomaly(From):
    """Switch `detect_anomaly` on or off, from here on or in a with-block (`torch.autograd.set_detect_anomaly`)."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(**_settings("set_detect_anomaly", mode, check_nan))


def is_anomaly_enabled() -> bool:
    """Return whether `detect_anomaly` is on in this thread or asyncio task (`torch.is_anomaly_enabled`)."""
    return current_mode().locate is not None


def _settings(name: str, on: bool, check_nan: bool) -> dict[str, Any]:
    flag_of(name, "mode", on)
    flag_of(name, "check_nan", check_nan)
    watch = (_watched if check_nan else located) if on else None
    return {"locate": calling_line if on else None, "watch": watch, "check": _checked if on and check_nan else None}


def located(
    primitive: Primitive, operands: tuple[Any, ...], params: tuple[Any, ...], result: Any, residuals: Any = ()
) -> None:
    """Store the line that called an operation on the node of its result."""
    node = result if isinstance(result, Value) else result.node
    if node is not None:
        node.line = calling_line()


def _watched(
    primitive: Primitive, operands: tuple[Any, ...], params: tuple[Any, ...], result: Any, residuals: Any
) -> None:
    """Raise an error if the result holds an anomaly that is new; otherwise store the line as `located` does."""
    arrays = [_array(x) for x in operands]
    already = {kind for x in arrays for kind in _anomalies(x)}
    for kind, places in _anomalies(_array(result)).items():
        if kind == "NaN" or kind not in already:
            already_there = ", as what it was given does already" if kind in already else ""
            given = dict(zip(_names(primitive, len(arrays)), arrays, strict=True))
            _refuse(primitive, "result", kind, places, already_there, given, calling_line())
    located(primitive, operands, params, result)


def _checked(node: Any, operand: Any, g: Any, part: Any) -> None:
    """Raise an error if an operand's gradient `part`, which a vjp of `node` computed from `g`, holds an anomaly."""
    for kind, places in _anomalies(_array(part)).items():
        primitive, plan = node.plan.primitive, node.plan
        steps = plan.steps if plan.joint is None else (plan.joint,)
        arrays = {name for _, vjp, *_ in steps for name in parameter_names(vjp)} - {*primitive.params}
        saved = zip(plan.saved, node.saved, strict=True)
        values = {primitive.values[i]: x for i, x in saved if primitive.values[i] in arrays}
        of = next(
            name for name, x in zip(_names(primitive, len(node.inputs)), node.inputs, strict=True) if x is operand
        )
        _refuse(primitive, f"gradient of {of}", kind, places, "", {"g": g} | values, node.line)


def _refuse(
    primitive: Primitive,
    what: str,
    kind: str,
    places: np.ndarray,
    already_there: str,
    given: dict[str, Any],
    line: Line | None,
) -> None:
    first = tuple(np.argwhere(places)[0].tolist())
    where = f" in {np.count_nonzero(places)} of {places.size} elements, first at {first}" if places.ndim else ""
    remedy = "look where that comes from" if already_there else "keep away from there: clamp, or add a small number"
    values = {name: _array(x) for name, x in given.items()}
    numbers = [f"{name} of shape {x.shape} is {_range(x)}" for name, x in values.items() if x.dtype.kind in "iuf"]
    raise RuntimeError(
        f"{primitive.name}{at(line)}: the {what} is {kind}{where}{already_there}, where {', '.join(numbers)}; {remedy}"
    )


def _anomalies(array: np.ndarray) -> dict[str, np.ndarray]:
    """Return the kinds of anomalies in an array, each with a mask of the elements that have it."""
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return {}
    found = {"NaN": np.isnan(array), "infinite": np.isinf(array)}
    return {kind: places for kind, places in found.items() if places.any()}


def _range(array: np.ndarray) -> str:
    numbers = array[~np.isnan(array)]
    if not numbers.size:
        return "NaN" if array.size else "empty"
    low, high = numbers.min(), numbers.max()
    return (f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}") + " or NaN" * (numbers.size < array.size)


def _names(primitive: Primitive, count: int) -> list[str]:
    return list(primitive.operands) if len(primitive.operands) == count else [f"operand {i}" for i in range(count)]


def _array(x: Any) -> np.ndarray:
    """Return the data of a Tensor, a Value, an array or a number, as an array."""
    return np.asarray(x.array if isinstance(x, Tensor) else x.data if isinstance(x, Value) else x)
