"""derive: the backward pass of a recorded graph, written out as numpy source.

What it promises is here; how it is done is in `derivation.py`, which is imported when there is something to derive.
"""

import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.rows import Shape
from minigrad.tensor import Tensor
from minigrad.value import Value


class Derived:
    """A function that computes a loss and its gradients, and its `source`.

    `parameters` are the names and shapes of what it takes by keyword, and `gradients` the names of what it returns
    after the loss.
    """

    def __init__(
        self, source: str, parameters: dict[str, Shape], gradients: list[str], constants: dict[str, np.ndarray]
    ) -> None:
        self.source, self.parameters, self.gradients, self.constants = source, parameters, gradients, constants
        namespace: dict[str, Any] = {}
        exec(compile(source, "<derived>", "exec"), namespace)
        self._function = namespace["step"]

    def __call__(self, /, **arrays: Any) -> tuple[Any, ...]:
        """The loss and the gradients, for arrays or Tensors, or for numbers where it was derived from Values.

        Constants that no variable held need not be given. TypeError where a parameter is missing or unknown, ValueError
        for one of another shape.
        """
        if self.constants:
            arrays = self.constants | arrays
        if arrays.keys() != self.parameters.keys():
            missing = [name for name in self.parameters if name not in arrays]
            unknown = [name for name in arrays if name not in self.parameters]
            what = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
            raise TypeError(f"derived: {what}; it takes {', '.join(self.parameters)}")
        for name, x in arrays.items():
            if not isinstance(x, np.ndarray):
                x = getattr(x, "array", x.data if isinstance(x, Value) else x)
                x = arrays[name] = np.asarray(x) if self.parameters[name] else x
            if getattr(x, "shape", ()) != self.parameters[name]:
                shapes = f"{np.shape(x)} instead of {self.parameters[name]}"
                raise ValueError(f"derived: {name} has the shape {shapes}; for other shapes, derive anew")
        return self._function(**arrays)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the source to a file, a module that needs numpy alone."""
        pathlib.Path(path).write_text(self.source, encoding="utf-8")

    def __repr__(self) -> str:
        return f"<derived: loss, {', '.join(self.gradients)} = step({', '.join(self.parameters)})>"


def derive(
    loss: Any,
    names: Mapping[str, Any] | None = None,
    *,
    wrt: Iterable[Any] | None = None,
    retain: Iterable[str] = (),
) -> Derived:
    """Write the forward and the backward pass of a recorded `loss` as one function in numpy, in the variables' `names`.

    The function takes all leaves, and the arrays that something was indexed by, and returns the loss, the gradients of
    the leaves that require one, or of those in `wrt` (Tensors, or names), and those of the results in `retain`. They
    are the engine's, bit for bit, but for the sign of a zero, and for the last bit of the gradient of a number to the
    power of a Tensor (there the engine has a logarithm in float64). What was computed without being recorded, such as a
    mask `x > 0` or that of a `clamp` between Tensors, is a constant: a parameter too, which need not be given if it has
    no name. A loss made of Values becomes a function of floats, which needs `math` alone.

    TypeError if `loss` is neither Tensor nor Value, ValueError if it requires no gradient or is no single number,
    or for a name that nothing in its graph has.

    >>> import minigrad
    >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    >>> h = x.tanh()
    >>> loss = (h * 3).sum()
    >>> print(derive(loss, names=locals()).source)
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def step(x):
        # forward
        h = np.tanh(x)
        loss = (h * 3).sum()
    <BLANKLINE>
        # backward
        dx = 3.0 * (1 - h**2)  # x
        return loss, dx
    <BLANKLINE>
    """
    if not isinstance(loss, Tensor | Value):
        raise TypeError(f"derive: expected a Tensor or a Value, got {type(loss).__name__}")
    if isinstance(loss, Tensor) and (not loss.requires_grad or loss.array.size != 1):
        what = f"of shape {loss.array.shape}" if loss.requires_grad else "that requires no gradient"
        raise ValueError(f"derive: expected a single number that requires a gradient, got one {what}")
    from minigrad.derivation import Derivation  # which would slow the import of minigrad down

    return Derivation(loss, names or {}).derived(wrt, retain)
