"""What files are filled with in tests, and when what is loaded is the same."""

import io
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minigrad
from minigrad.core.tensor import wrap

DTYPES = ("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")
FORMATS = ("x.pt", "x.npz")

texts = st.text(st.characters(codec=None), max_size=5)  # with null, and with halves of surrogate pairs
numbers = st.none() | st.booleans() | st.integers(-(2**2039) + 1, 2**2039 - 1) | st.integers(-300, 300) | st.floats()
keys = st.recursive(texts | numbers, lambda part: st.tuples(part, part), max_leaves=3)


@st.composite
def tensors(draw: st.DrawFn) -> minigrad.Tensor:
    """Tensors of all dtypes and layouts: transposed, reversed, every second, expanded, 0-d and empty."""
    shape = draw(arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    array = draw(arrays.arrays(draw(st.sampled_from(DTYPES)), shape))
    array = array.transpose(draw(st.permutations(range(array.ndim))))
    for axis in range(array.ndim):
        step = draw(st.sampled_from((1, -1, 2)))
        array = array[(slice(None),) * axis + (slice(None, None, step),)]
    if draw(st.booleans()):
        array = np.broadcast_to(array, (2, *array.shape))
    tensor = wrap(array)
    return tensor.requires_grad_() if array.dtype.kind == "f" and draw(st.booleans()) else tensor


contents = st.recursive(
    numbers | texts | tensors() | st.sampled_from([getattr(minigrad, name) for name in DTYPES]),
    lambda part: (
        st.lists(part, max_size=3) | st.lists(part, max_size=4).map(tuple) | st.dictionaries(keys, part, max_size=3)
    ),
    max_leaves=8,
)


def assert_same_content(loaded: Any, saved: Any) -> None:
    """Require the same kinds, the same order, and the same bits. Tensors of both libraries are compared."""
    if isinstance(saved, minigrad.Tensor | torch.Tensor):
        assert isinstance(loaded, minigrad.Tensor | torch.Tensor)
        assert (tuple(loaded.shape), str(loaded.dtype)) == (tuple(saved.shape), str(saved.dtype))
        assert loaded.requires_grad == saved.requires_grad
        assert bits(loaded) == bits(saved)
    elif isinstance(saved, dict):
        assert isinstance(loaded, dict)
        assert_same_content([*loaded.keys()], [*saved.keys()])
        assert_same_content([*loaded.values()], [*saved.values()])
    elif isinstance(saved, tuple | list):
        assert isinstance(loaded, tuple if isinstance(saved, tuple) else list)
        for part, saved_part in zip(loaded, saved, strict=True):
            assert_same_content(part, saved_part)
    elif isinstance(saved, float):
        assert type(loaded) is float
        assert repr(loaded) == repr(saved)
    elif isinstance(saved, torch.dtype) or isinstance(loaded, torch.dtype):
        assert str(loaded) == str(saved)
    else:
        assert type(loaded) is type(saved)
        assert loaded == saved


def bits(tensor: Any) -> bytes:
    """The numbers of a tensor of either library as bytes."""
    return np.asarray(tensor.detach().numpy()).tobytes()


def written(obj: Any) -> io.BytesIO:
    """A file in memory in PyTorch's format, which `minigrad.save` wrote."""
    file = io.BytesIO()
    minigrad.save(obj, file)
    file.seek(0)
    return file


def written_by_torch(obj: Any, **settings: Any) -> io.BytesIO:
    """A file in memory that `torch.save` wrote."""
    file = io.BytesIO()
    torch.save(obj, file, **settings)
    file.seek(0)
    return file
