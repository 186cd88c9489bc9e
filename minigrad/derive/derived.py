"""What `derive` returns: a function together with its source."""

import os
import pathlib
from typing import Any

import numpy as np

from minigrad.core.primitive import Shape
from minigrad.core.value import Value


class Derived:
    """A function that computes a loss and its gradients, and the `source` of that function.

    `parameters` holds the name and shape of each keyword argument. `gradients` holds the names of the results after
    the loss. `constants` holds the arguments that have a default.
    """

    def __init__(
        self, source: str, parameters: dict[str, Shape], gradients: list[str], constants: dict[str, np.ndarray]
    ) -> None:
        self.source, self.parameters, self.gradients, self.constants = source, parameters, gradients, constants
        namespace: dict[str, Any] = {}
        exec(compile(source, "<derived>", "exec"), namespace)
        self._function = namespace["step"]

    def __call__(self, /, **arrays: Any) -> tuple[Any, ...]:
        """Compute the loss and the gradients.

        The arguments are arrays or Tensors, or numbers if the loss was made of Values. Constants that no variable held
        may be left out. TypeError if an argument is missing or unknown, ValueError if it has another shape.
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
        """Write the source to a file: a module that imports numpy, and what a primitive of your own imports."""
        pathlib.Path(path).write_text(self.source, encoding="utf-8")

    def __repr__(self) -> str:
        return f"<derived: loss, {', '.join(self.gradients)} = step({', '.join(self.parameters)})>"
