"""The memory behind a Tensor as one row of numbers, which views share (`torch.Tensor.storage`)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core.dtypes import BY_NUMPY
from minigrad.core.methods import methods
from minigrad.core.tensor import Tensor
from minigrad.core.versions import owner


class Storage(Sequence[Any]):
    """The numbers in the memory of an array, in the order in which they lie there (`torch.storage.TypedStorage`)."""

    def __init__(self, array: np.ndarray) -> None:
        memory = owner(array)
        row = memory.ravel("K").view(array.dtype) if memory.dtype != array.dtype else memory.ravel("K")
        self.row = row if np.may_share_memory(row, array) else array.ravel("K")

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, i: Any) -> Any:
        return self.row[i].tolist()

    def __setitem__(self, i: Any, value: Any) -> None:
        self.row[i] = value

    def data_ptr(self) -> int:
        """Return the address of the memory."""
        address: int = self.row.__array_interface__["data"][0]
        return address

    def __repr__(self) -> str:
        kind = f"torch.storage.TypedStorage(dtype={BY_NUMPY[self.row.dtype]}, device=cpu)"
        return "\n".join([*(f" {x}" for x in self.row.tolist()), f"[{kind} of size {len(self)}]"])


@methods
class Memory(Tensor):
    """Methods that tell of the memory of a Tensor."""

    __slots__ = ()

    def storage(self) -> Storage:
        """Return the memory behind this Tensor and all its views, as one row of numbers (`torch.Tensor.storage`).

        >>> import minigrad
        >>> minigrad.tensor([[1, 2], [3, 4]]).t().storage()
         1
         2
         3
         4
        [torch.storage.TypedStorage(dtype=torch.int64, device=cpu) of size 4]
        """
        return Storage(self.array)

    def storage_offset(self) -> int:
        """Return at which place of the storage the first element stands (`torch.Tensor.storage_offset`)."""
        return (self.data_ptr() - self.storage().data_ptr()) // self.array.itemsize

    def data_ptr(self) -> int:
        """Return the address of the first element (`torch.Tensor.data_ptr`)."""
        address: int = self.array.__array_interface__["data"][0]
        return address

    def element_size(self) -> int:
        """Return the size of an element, in bytes (`torch.Tensor.element_size`)."""
        return self.array.itemsize

    @property
    def itemsize(self) -> int:
        """The size of an element, in bytes (`torch.Tensor.itemsize`)."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """The size of all elements, in bytes (`torch.Tensor.nbytes`)."""
        return self.array.nbytes
