"""Every kind of index, and their mixtures."""

from typing import Any

import numpy as np

import minigrad
from tests.support.comparison import ours, theirs

SLICES = slice(None)

INDICES: list[tuple[tuple[int, ...], Any]] = [
    ((5,), 0),
    ((5,), -1),
    ((5,), np.int64(2)),
    ((5,), slice(1, 4)),
    ((5,), slice(None, None, 2)),
    ((5,), slice(-3, None)),
    ((5,), slice(4, 1)),
    ((5,), slice(-100, 100)),
    ((5,), None),
    ((5,), ...),
    ((5,), ()),
    ((5,), [0, 2, 2, -1]),
    ((5,), []),
    ((5,), range(1, 4)),
    ((5,), [True, False, True, True, False]),
    ((5,), ([[0, 1], [2, 0]],)),
    ((5,), np.array([0, -5, 4, 4])),
    ((5,), np.array([3, 3], np.int32)),
    ((5,), np.array(3)),
    ((5,), np.zeros((2, 0), int)),
    ((5,), np.array([True, False, True, True, False])),
    ((5,), np.zeros(5, bool)),
    ((5,), True),
    ((5,), False),
    ((), ()),
    ((), ...),
    ((), None),
    ((), True),
    ((4, 5), 1),
    ((4, 5), (1, 2)),
    ((4, 5), (-1, -2)),
    ((4, 5), (SLICES, 0)),
    ((4, 5), (0, SLICES)),
    ((4, 5), (..., -1)),
    ((4, 5), (slice(1, 3), slice(2, None))),
    ((4, 5), (SLICES, None)),
    ((4, 5), (None, 1, ..., None)),
    ((4, 5), ([0, 2, 2],)),
    ((4, 5), ([[0, 1], [2, 2]],)),
    ((4, 5), ([0, 1], [2, 2])),
    ((4, 5), ([0, 0, 0], [1, 1, 2])),
    ((4, 5), (range(4), [0, 1, 2, 4])),
    ((4, 5), (SLICES, [0, 4, 0])),
    ((4, 5), ([0, 0], SLICES)),
    ((4, 5), ([0, 0], slice(1, 3))),
    ((4, 5), (slice(1, 3), [0, 0, 1])),
    ((4, 5), (2, [1, 1, 0])),
    ((4, 5), ([1, 1, 0], 2)),
    ((4, 5), (None, [1, 1, 0])),
    ((4, 5), ([1, 1, 0], None)),
    ((4, 5), ([[0], [2]], [1, 3])),
    ((4, 5), (True, SLICES)),
    ((4, 5), np.array([True, False, True, False])),
    ((4, 5), (SLICES, np.array([True, False, True, False, True]))),
    ((4, 5), np.arange(20).reshape(4, 5) % 3 == 0),
    ((4, 5), (np.array([True, False, True, False]), [0, 1])),
    ((4, 5), (np.array([True, False, True, False]), 1)),
    ((4, 0), ([0, 0],)),
    ((0, 4), ([],)),
    ((0, 4), (SLICES, [1, 1])),
    ((4, 5, 6), (0, SLICES, [1, 2])),
    ((4, 5, 6), ([1, 2], SLICES, 0)),
    ((4, 5, 6), ([1, 2], SLICES, [0, 0])),
    ((4, 5, 6), ([1, 2], 0, SLICES)),
    ((4, 5, 6), (SLICES, [1, 1], 0)),
    ((4, 5, 6), (SLICES, 0, [1, 1])),
    ((4, 5, 6), (SLICES, [1, 1], [0, 0])),
    ((4, 5, 6), (0, ..., [1, 1])),
    ((4, 5, 6), (..., [1, 1], None)),
    ((4, 5, 6), ([1, 1], None, [0, 0])),
    ((4, 5, 6), (SLICES, [1, 1], ..., [0, 0])),
    ((4, 5, 6), (1, None, [0, 2])),
    ((4, 5, 6), (0, [1], 2)),
    ((4, 5, 6), np.arange(20).reshape(4, 5) % 2 == 0),
    ((4, 5, 6), (1, np.arange(30).reshape(5, 6) % 2 == 0)),
    ((4, 5, 6), (slice(1, 3), np.arange(30).reshape(5, 6) % 2 == 0)),
    ((4, 5, 6), (np.arange(20).reshape(4, 5) % 2 == 0, 3)),
]


def for_library(library: Any, key: Any) -> Any:
    """An index, with its arrays as the tensors of a library."""
    if isinstance(key, tuple):
        return tuple(for_library(library, part) for part in key)
    if isinstance(key, np.ndarray):
        return ours(key) if library is minigrad else theirs(key)
    return key
