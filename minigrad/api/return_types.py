"""The named tuples that functions return, which print as PyTorch's (`torch.return_types`)."""

from collections import namedtuple
from typing import Any


def return_type(name: str, *fields: str) -> Any:
    """Return a class of named tuples that is called `torch.return_types.name`."""
    kind = namedtuple(name, fields, module=__name__)  # type: ignore[misc]
    kind.__repr__ = _shown  # type: ignore[method-assign]
    globals()[name] = kind  # where pickle looks for it
    return kind


def _shown(result: Any) -> str:
    fields = ",\n".join(f"{name}={value!r}" for name, value in result._asdict().items())
    return f"torch.return_types.{type(result).__name__}(\n{fields})"
