"""`gradcheck` and `gradgradcheck`: compare gradients with slopes that are measured in float64.

If a gradient is wrong, every recorded operation is checked alone, so that the message can name the wrong vjp. `cmp.py`
supplies the guess at the cause.
"""

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.checks import flag_of, members_of, number_of
from minigrad.core import graph
from minigrad.core.primitive import Primitive, Traced
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.value import Value
from minigrad.debug.cmp import Index, guess, numbers_of, precision_of
from minigrad.grad_mode import Within
from minigrad.gradients import grad


class GradcheckError(RuntimeError):
    """A gradient that is not the derivative of its function (`torch.autograd.gradcheck.GradcheckError`)."""


def gradcheck(
    fn: Callable[..., Any], inputs: Any, *, atol: float = 1e-5, rtol: float = 1e-3, raise_exception: bool = True
) -> bool:
    """Check the gradients of a function against slopes measured in float64 (`torch.autograd.gradcheck`).

    `inputs` is a Tensor, a Value, or a tuple of arguments of any kind. The inputs that require a gradient are checked,
    or all floating inputs if none requires one. `fn` gets float64 copies of the inputs and returns one or several
    Tensors or Values. All floating results get random output gradients. A gradient is right if it differs from the
    measured derivative by at most `atol + rtol * abs(derivative)`.

    At a kink, such as relu's at 0, any gradient between the slopes on the two sides is right. A UserWarning says where
    there was a kink, and where the derivative could not be measured. GradcheckError says where a gradient is wrong,
    what would make it right, and which operation's vjp is wrong. It is raised, too, if `fn` returns another result when
    it is called again. With `raise_exception=False` the result is False instead. ValueError if no input or no result
    is floating.

    >>> import minigrad
    >>> gradcheck(lambda x: x.tanh().sum(), minigrad.randn(3))
    True
    >>> gradcheck(lambda x: x * x.detach(), minigrad.tensor([3.0]), raise_exception=False)
    False
    """
    return _verdict("gradcheck", lambda: _Function(fn, inputs), atol, rtol, raise_exception)


def gradgradcheck(
    fn: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Check the second derivatives of a function (`torch.autograd.gradgradcheck`).

    It applies `gradcheck` to the function's gradients, as a function of `inputs` and of `grad_outputs`. `grad_outputs`
    are the output gradients of the floating results; they are random by default. TypeError for Values, because their
    gradients are numbers that cannot be differentiated again.

    >>> import minigrad
    >>> gradgradcheck(lambda x: x**3, minigrad.randn(3))
    True
    """
    return _verdict("gradgradcheck", lambda: _Function(fn, inputs).twice(grad_outputs), atol, rtol, raise_exception)


class _Operation(NamedTuple):
    """A recorded operation, with copies of its operands."""

    primitive: Primitive
    operands: tuple[Any, ...]
    params: tuple[Any, ...]

    def alone(self) -> "Iterator[_Function]":
        """Yield the operation as a function of one operand, for each operand that requires a gradient."""
        names = self.primitive.operands
        for place, x in enumerate(self.operands):
            if _requires_grad(x):
                operands = [x if i == place else _constant(other) for i, other in enumerate(self.operands)]
                name = names[place] if len(names) == len(operands) else f"{names[0]}[{place}]"
                yield _Function(lambda *xs: self.primitive(*xs, *self.params), operands, f"operand {name}")


class _Function:
    """A function of float64 numbers, the points where it is checked, and its result and its operations there.

    `argument` is a template for the name of an input; it takes the input's place. If this function returns the
    gradients of another function, `first` is that function.
    """

    def __init__(
        self, fn: Callable[..., Any], inputs: Any, argument: str = "input {}", first: "_Function | None" = None
    ) -> None:
        self.fn, self.argument, self.first = fn, argument, first
        if not callable(fn):
            raise TypeError(f"gradcheck: expected a function of Tensors, got {type(fn).__name__}")
        if not isinstance(inputs, Traced | tuple | list):
            inputs = members_of("gradcheck", "Tensors", Traced, inputs)
        self.inputs = (inputs,) if isinstance(inputs, Traced) else tuple(inputs)
        floating = [i for i, x in enumerate(self.inputs) if _is_floating(x)]
        self.places = [i for i in floating if _requires_grad(self.inputs[i])] or floating
        if not self.places:
            raise ValueError("gradcheck: no input is a floating Tensor or a Value; convert one with .double()")
        self.points = [np.array(numbers_of(self.inputs[i]), np.float64) for i in self.places]
        self.operations: list[_Operation] = []
        with Within(watch=self._listen):
            self.result = _numbers(self(self.arguments(self.points)))
        if not np.array_equal(self.result, self.values(self.points), equal_nan=True):
            raise GradcheckError(
                "gradcheck: the function is random: called again, it gave another result; draw its numbers (a "
                "dropout's, a generator's) before, or seed them within it"
            )

    def _listen(self, primitive: Primitive, operands: tuple[Any, ...], params: tuple[Any, ...], *results: Any) -> None:
        self.operations.append(_Operation(primitive, tuple([_copy(x) for x in operands]), params))

    def arguments(self, points: list[np.ndarray]) -> list[Any]:
        """Return the arguments of a call at `points`: float64 copies; the inputs that are checked are leaves."""
        arguments = [_constant(x) if isinstance(x, Tensor) else x for x in self.inputs]
        for place, point in zip(self.places, points, strict=True):
            is_value = isinstance(self.inputs[place], Value)
            arguments[place] = Value(point) if is_value else wrap(point.copy()).requires_grad_()
        return arguments

    def __call__(self, arguments: Iterable[Any]) -> list[Any]:
        """Call the function and return its floating results."""
        result = self.fn(*arguments)
        results = [x for x in (result if isinstance(result, tuple | list) else (result,)) if _is_floating(x)]
        if not results:
            raise ValueError("gradcheck: the function returned neither a floating Tensor nor a Value")
        return results

    def values(self, points: list[np.ndarray]) -> np.ndarray:
        """Return all numbers of its results as one vector; NaN where a function of Values is not defined."""
        arguments = self.arguments(points)
        try:
            return _numbers(self(arguments))
        except (ArithmeticError, ValueError):
            return np.full_like(self.result, np.nan)

    def slopes(self, k: int, index: Index, step: float) -> np.ndarray:
        """Return the slope of each result number when one element of point `k` changes by `step`."""
        points = [*self.points]
        points[k] = points[k].copy()
        points[k][index] += step
        return (self.values(points) - self.result) / (points[k][index] - self.points[k][index])

    def gradients(self, upstream: np.ndarray) -> list[np.ndarray]:
        """Return the gradients of its points when `upstream` is the output gradient of its result numbers."""
        arguments = self.arguments(self.points)
        results = self(arguments)
        leaves = [arguments[place] for place in self.places]
        seeds = [(x, g) for x, g in zip(results, _split(upstream, results), strict=True) if _requires_grad(x)]
        # Run every vjp, as backward() does. grad() would skip the vjps that its inputs do not need.
        of_values = graph.reverse([(x, g.item()) for x, g in seeds if isinstance(x, Value)])
        of_tensors = graph.reverse([(x.node, g) for x, g in seeds if isinstance(x, Tensor)])
        found = {node: np.array(g, np.float64) for node, g, _ in itertools.chain(of_values, of_tensors)}
        nodes = [x if isinstance(x, Value) else x.node for x in leaves]
        return [found.get(node, np.zeros_like(numbers_of(x))) for node, x in zip(nodes, leaves, strict=True)]

    def twice(self, grad_outputs: Any = None) -> "_Function":
        """Return its gradients as a function of its inputs and of its output gradients."""
        arguments = self.arguments(self.points)
        results = self(arguments)
        if any(isinstance(x, Value) for x in (*arguments, *results)):
            raise TypeError("gradgradcheck: Values have no second derivatives; use Tensors")
        if grad_outputs is None:
            grad_outputs = [wrap(part) for part in _split(_random(self.result.size), results)]
        arriving = (grad_outputs,) if isinstance(grad_outputs, Tensor) else grad_outputs
        count = len(arguments)

        def gradients(*given: Any) -> tuple[Any, ...]:
            pairs = [(y, g) for y, g in zip(self(given[:count]), given[count:], strict=True) if y.requires_grad]
            inputs = [given[place] for place in self.places]
            outputs, seeds = [y for y, _ in pairs], [g for _, g in pairs]
            return grad(outputs, inputs, seeds, create_graph=True, materialize_grads=True)

        given = (*arguments, *(_constant(g).requires_grad_() for g in arriving))
        return _Function(gradients, given, self.argument, first=self)

    def suspects(self) -> "Iterator[tuple[str, _Function]]":
        """Yield each operation alone; of a function that returns gradients, each forward operation's gradients, too."""
        for operation in self.operations:
            for alone in operation.alone():
                yield f"the rule of {operation.primitive.name}", alone
        for name, alone in self.first.suspects() if self.first else ():
            yield f"the derivative of {name}", alone.twice()


class _Check:
    """The comparison of a function's gradients with its slopes, for random output gradients."""

    def __init__(self, function: _Function, atol: float, rtol: float) -> None:
        self.function, self.atol, self.rtol = function, atol, rtol
        self.upstream = _random(function.result.size)
        self.gradients: list[np.ndarray] = []
        self.measured = [np.zeros_like(point) for point in function.points]
        self.notes: list[str] = []

    def tolerance(self, slope: Any) -> Any:
        return self.atol + self.rtol * np.abs(slope)

    def failure(self) -> str | None:
        """Say what is wrong with the gradients, beginning with the worst; None if all are right."""
        names = [self.function.argument.format(place) for place in self.function.places]
        try:
            self.gradients = self.function.gradients(self.upstream)
        except Exception as error:  # a wrong vjp may raise anything
            which = f"{names[0]}: " if len(names) == 1 else ""
            return f"{which}the backward pass raised {type(error).__name__}: {error}"
        for name, gradient, point in zip(names, self.gradients, self.function.points, strict=True):
            if gradient.shape != point.shape:
                return f"{name}: its gradient has the shape {gradient.shape} instead of {point.shape}"
        doubts = [(doubt, k, index) for k in range(len(names)) for doubt, index in self.doubts(k)]
        for _, k, index in sorted(doubts, reverse=True):
            fault = self.fault(k, index, f"{names[k]}, at {index}")
            if fault:
                return f"{names[k]}, at {index}: {fault}{self.cause(k)}"
        return None

    def doubts(self, k: int) -> Iterator[tuple[float, Index]]:
        """Yield the elements that need a closer look, each with how far it is off.

        Its gradient differs from a quick central difference, or the slopes on its two sides differ.
        """
        point = self.function.points[k]
        for index, x in np.ndenumerate(point):
            step = QUICK_STEP * (abs(x) or _largest(point) or 1)
            above, below = (self.upstream @ self.function.slopes(k, index, side) for side in (step, -step))
            self.measured[k][index] = slope = (above + below) / 2
            apart = np.array([slope - self.gradients[k][index], above - below])
            doubt = np.abs(apart).max() / self.tolerance(slope)
            if not doubt <= 1:
                yield math.inf if np.isnan(doubt) else doubt, index

    def fault(self, k: int, index: Index, where: str) -> str | None:
        """Say what is wrong with one element's gradient. Each result that has a kink there is judged by itself."""
        gradient = float(self.gradients[k][index])
        low, high, errors = self.slopes(k, index)
        if np.isnan(low + high).any():
            if np.isnan(gradient) and np.isfinite(self.function.result).all():
                return "the gradient is nan, where the function is defined"
            self.notes.append(f"{where}: the derivative cannot be measured, and was not checked")
            return None
        kinks = high - low > self.tolerance(np.maximum(np.abs(low), np.abs(high)))
        for j in np.flatnonzero(kinks):
            part = float(self.function.gradients(np.eye(kinks.size)[j])[k][index])
            gradient -= self.upstream[j] * part
            slopes = f"the slopes are {low[j]:.6g} and {high[j]:.6g}"
            if not low[j] - self.tolerance(low[j]) <= part <= high[j] + self.tolerance(high[j]):
                return f"at this kink {slopes}, and the gradient {part:.6g} lies outside of them"
            self.notes.append(f"{where}: a kink, where {slopes}; the gradient {part:.6g} lies between them")
        weights = np.where(kinks, 0, self.upstream)
        slope = weights @ ((low + high) / 2)
        if abs(gradient - slope) <= self.tolerance(slope) + np.abs(weights) @ errors:
            return None
        if not kinks.any():
            self.measured[k][index] = slope
        return f"the gradient is {gradient:.8g} instead of {slope:.8g}, when random gradients arrive at the results"

    def cause(self, k: int) -> str:
        """Guess the cause of a wrong gradient from the numbers; the text begins with a semicolon."""
        once, doubled = self.gradients[k], self.function.gradients(2 * self.upstream)[k]
        if not np.isfinite([once, doubled]).all():
            return ""
        if once.any() and np.allclose(doubled, once):
            return "; the gradient that arrives is ignored: twice as much of it changes nothing"
        if not np.allclose(doubled, 2 * once):
            return "; the gradient that arrives is not used in proportion: twice as much does not give twice as much"
        return guess(once, self.measured[k], MEASURED)

    def blame(self) -> str:
        """Name the operation whose vjp is wrong when it is checked alone, or say that there is none."""
        notes: list[str] = []
        for name, alone in self.function.suspects():
            check = _Check(alone, self.atol, self.rtol)
            fault = check.failure()
            if fault:
                return f"{name} is wrong: checked alone, {fault}"
            notes += [f"{name}, {note}" for note in check.notes]
        names = ", ".join(dict.fromkeys(operation.primitive.name for operation in self.function.operations))
        right = f"each operation's rule alone is right ({names or 'none was recorded'})"
        if notes:
            return f"{right}, but there is not always a derivative: {notes[0]}"
        return (
            f"{right}, so the gradient is lost or altered between them: by .detach(), .data, no_grad(), a change in "
            "place, or when gradients are added up"
        )

    # Careful slopes, for elements where the quick difference is in doubt. They do not depend on the gradient.

    def slopes(self, k: int, index: Index) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Measure the slopes of each result on the two sides of a point: the smaller, the larger, and the error.

        Steps of many sizes are tried, and the steps whose slopes agree best are used. If the two sides agree, both
        slopes are the same. If the function is undefined on one side, the slope of the other side counts for both. A
        slope that cannot be measured is NaN.
        """
        point, result = self.function.points[k], self.function.result
        steps = _steps(_largest(point[index]), _largest(point))
        over = [np.array([self.function.slopes(k, index, step) for step in side]) for side in (-steps, steps)]
        rounding = 2 * precision_of(point.dtype) * (np.abs(result) / steps[:, None] + np.fmax(*np.abs(over)))[:-1]
        below, above = (_extrapolated(steps, slopes) for slopes in over)
        middle, error = self.settled((below + above) / 2, rounding + np.abs(above - below))
        sides, errors = np.array([self.settled(slopes, rounding) for slopes in (below, above)]).swapaxes(0, 1)
        undefined = np.isnan(over).all(1)
        sides, errors = (np.where(undefined, x[::-1], x) for x in (sides, errors))
        sides = np.where(np.isnan(middle), sides, middle) + 0.0  # + 0.0 turns -0 into 0
        return sides.min(0), sides.max(0), np.where(np.isnan(middle), errors.max(0), error)

    def settled(self, slopes: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return, for each result, the slope that changes least between steps, and its error; NaN if that is large."""
        changes = np.abs(np.diff(slopes, axis=0))
        errors = errors[1:-1] + np.maximum(changes[:-1], changes[1:])
        errors = np.where(np.isfinite(errors), errors, np.inf)
        slopes = np.where(np.isfinite(errors), slopes[1:-1], 1)
        found = []
        # If nothing changed over a step, the step may be too small to see. It counts only if no other step can.
        for usable in (slopes != 0, slopes == 0):
            best = np.where(usable, errors / np.where(slopes == 0, 1, np.abs(slopes)), np.inf).argmin(0)[None]
            slope, error = (np.take_along_axis(x, best, 0)[0] for x in (slopes, np.where(usable, errors, np.inf)))
            found.append((np.where(error <= self.tolerance(slope), slope, np.nan), error))
        (moving, error), (still, still_error) = found
        return np.where(np.isnan(moving), still, moving), np.where(np.isnan(moving), still_error, error)


MEASURED = 1e-7  # the assumed error of measured slopes, relative to the largest
QUICK_STEP = 6e-6  # relative to the number: rounding and curvature then add about the same error


def _steps(size: float, largest: float) -> np.ndarray:
    """Return steps, two per decade, from 1 or the largest size down to what a number of this `size` can resolve."""
    high, low = max(size, largest, 1), max(1e-13 * (size or min(largest or 1, 1)), 1e-200)
    return np.geomspace(high, low, 2 + round(2 * math.log10(high / low)))


def _extrapolated(steps: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Extrapolate the slopes over each step and the next to a step of 0, as if they were linear in the step."""
    ratio = steps[0] / steps[1]
    return (ratio * slopes[1:] - slopes[:-1]) / (ratio - 1)


def _largest(array: np.ndarray) -> float:
    """Return the largest absolute value of the finite numbers in an array."""
    array = np.asarray(array)
    return float(np.abs(array[np.isfinite(array)]).max(initial=0))


def _random(count: int) -> np.ndarray:
    """Return random numbers of both signs and not near 0. They are the same on every call."""
    random = np.random.default_rng(2147483647)
    return random.uniform(0.5, 1.5, count) * random.choice((-1.0, 1.0), count)


def _numbers(results: list[Any]) -> np.ndarray:
    return np.concatenate([numbers_of(x).ravel() for x in results], dtype=np.float64)


def _split(numbers: np.ndarray, results: list[Any]) -> list[np.ndarray]:
    """Split a vector of numbers into arrays of the shapes of `results`."""
    shapes = [numbers_of(x).shape for x in results]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(numbers, ends[:-1]), shapes, strict=True)]


def _is_floating(x: Any) -> bool:
    return isinstance(x, Value) or (isinstance(x, Tensor) and x.array.dtype.kind == "f")


def _requires_grad(x: Any) -> bool:
    return isinstance(x, Value) or (isinstance(x, Tensor) and x.requires_grad)


def _constant(x: Any) -> Any:
    """Return a copy that requires no gradient: of a Tensor in float64 if it is floating, of a Value its number."""
    if isinstance(x, Tensor):
        return wrap(np.array(x.array, np.float64 if _is_floating(x) else None))
    return x.data if isinstance(x, Value) else x


def _copy(x: Any) -> Any:
    """Copy a Tensor to a leaf that requires a gradient if `x` does. Return anything else unchanged."""
    return _constant(x).requires_grad_(_requires_grad(x)) if isinstance(x, Tensor) else x


def _verdict(name: str, prepare: Callable[[], _Function], atol: float, rtol: float, raise_exception: bool) -> bool:
    """Return whether a function passes. If it does, the notes on it become warnings."""
    number_of(name, "atol", atol)
    number_of(name, "rtol", rtol)
    flag_of(name, "raise_exception", raise_exception)
    try:
        with np.errstate(all="ignore"), Within(grad=True):
            check = _Check(prepare(), atol, rtol)
            failure = check.failure()
            if failure:
                raise GradcheckError(f"{name}: {failure}; {check.blame()}")
    except GradcheckError:
        if raise_exception:
            raise
        return False
    for note in check.notes:
        warnings.warn(f"{name}: {note}", stacklevel=3)
    return True
