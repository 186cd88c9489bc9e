"""The tuples with names that functions return, and that print as PyTorch's (`torch.return_types`)."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Self


class Result(tuple[Any, ...]):
    """A tuple whose elements are attributes, too; the class holds their names."""

    __slots__ = ()
    names: tuple[str, ...] = ()

    def __new__(cls, elements: Iterable[Any]) -> Self:
        result = super().__new__(cls, elements)
        if len(result) != len(cls.names):
            raise TypeError(
                f"{cls.__name__}: expected {len(cls.names)} elements, {', '.join(cls.names)}; got {len(result)}"
            )
        return result

    def __repr__(self) -> str:
        named = ",\n".join(f"{name}={element!r}" for name, element in zip(self.names, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{named})"


def return_type(name: str, *names: str) -> Any:
    """Return the class `torch.return_types.name` of Results; it is called with a tuple, as in PyTorch."""
    places = {element: property(itemgetter(i)) for i, element in enumerate(names)}
    kind = type(name, (Result,), {"__slots__": (), "__module__": __name__, "names": names, **places})
    globals()[name] = kind  # where pickle looks for it
    return kind
