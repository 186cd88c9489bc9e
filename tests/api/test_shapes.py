"""Views, reshapes, joins and copies against PyTorch: value, gradient, shared memory, and refusals."""

from typing import Any

import numpy as np
import pytest

import minigrad
from tests.support.comparison import Function, assert_refused, compare, leaves, normal, ours, random

RESHAPES: list[tuple[tuple[int, ...], Function]] = [
    ((6,), lambda library, x: x.view(2, 3)),
    ((6,), lambda library, x: x.view((3, 2))),
    ((2, 3), lambda library, x: x.view(-1)),
    ((2, 3), lambda library, x: x.view(-1, 2)),
    ((2, 3), lambda library, x: x.view(3, -1, 1)),
    ((1,), lambda library, x: x.view(())),
    ((), lambda library, x: x.view(1, 1)),
    ((), lambda library, x: x.view(-1)),
    ((2, 0), lambda library, x: x.view(0, 5)),
    ((0,), lambda library, x: x.view(3, -1)),
    ((4, 6), lambda library, x: x.T.view(6, 2, 2)),
    ((2, 3), lambda library, x: x.reshape(3, 2)),
    ((2, 3), lambda library, x: x.T.reshape(-1)),
    ((2, 3), lambda library, x: x.T.reshape([2, 3])),
    ((2, 3), lambda library, x: library.reshape(x, (6,))),
    ((2, 3, 4), lambda library, x: x.view(x.shape[0], -1)),
    ((2, 3, 4), lambda library, x: x.flatten()),
    ((2, 3, 4), lambda library, x: x.flatten(1)),
    ((2, 3, 4), lambda library, x: x.flatten(0, 1)),
    ((2, 3, 4), lambda library, x: library.flatten(x, -2, -1)),
    ((), lambda library, x: x.flatten()),
    ((3, 4), lambda library, x: x.transpose(0, 1)),
    ((2, 3, 4), lambda library, x: x.transpose(-1, 0)),
    ((2, 3, 4), lambda library, x: library.transpose(x, 1, 1)),
    ((), lambda library, x: x.transpose(0, -1)),
    ((3, 4), lambda library, x: x.T),
    ((2, 3, 4), lambda library, x: x.mT),
    ((2, 3, 4), lambda library, x: x.permute(2, 0, 1)),
    ((2, 3, 4), lambda library, x: x.permute((-1, 0, 1))),
    ((2, 3, 4), lambda library, x: library.permute(x, (1, 2, 0))),
    ((), lambda library, x: x.permute(())),
    ((1, 3, 1), lambda library, x: x.squeeze()),
    ((1, 3, 1), lambda library, x: x.squeeze(0)),
    ((1, 3, 1), lambda library, x: x.squeeze(1)),
    ((1, 3, 1), lambda library, x: x.squeeze((0, -1))),
    ((1, 3, 1), lambda library, x: x.squeeze(())),
    ((), lambda library, x: library.squeeze(x, 0)),
    ((3,), lambda library, x: x.unsqueeze(0)),
    ((3,), lambda library, x: x.unsqueeze(-1)),
    ((2, 3), lambda library, x: library.unsqueeze(x, 1)),
    ((), lambda library, x: x.unsqueeze(0)),
    ((3, 1), lambda library, x: x.expand(3, 4)),
    ((3, 1), lambda library, x: x.expand(2, -1, 4)),
    ((1,), lambda library, x: x.expand((0,))),
    ((), lambda library, x: x.expand(2, 3)),
    ((2, 3), lambda library, x: x.expand(2, 3)),
    ((2, 3), lambda library, x: x.clone()),
    ((2, 3), lambda library, x: x.T.clone()),
    ((2, 3), lambda library, x: x.detach() + x),
    ((2, 3), lambda library, x: x.detach()),
    ((2, 3), lambda library, x: x.size()),
    ((2, 3), lambda library, x: x.size(-1)),
    ((2, 3), lambda library, x: [x.shape[0], x.ndim, x.dim(), x.numel(), x.nelement(), len(x)]),
    ((2, 3), lambda library, x: list(x)),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(("shape", "function"), RESHAPES)
def test_a_change_of_shape(shape: tuple[int, ...], function: Function, dtype: Any) -> None:
    compare(function, (normal(*shape) * 10).astype(dtype))


VIEWS: list[Function] = [
    lambda x: x.view(6, 4),
    lambda x: x.reshape(6, 4),
    lambda x: x.flatten(),
    lambda x: x.transpose(0, 1),
    lambda x: x.permute(2, 0, 1),
    lambda x: x.mT,
    lambda x: x.unsqueeze(1),
    lambda x: x.squeeze(),
    lambda x: x.expand(5, 2, 3, 4),
    lambda x: x.detach(),
    lambda x: x.data,
    lambda x: x[1],
    lambda x: x[:, 1:],
    lambda x: x[..., None],
]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shares_the_memory(view: Function) -> None:
    x = minigrad.ones(2, 3, 4)
    assert np.may_share_memory(view(x).array, x.array)


@pytest.mark.parametrize("copy", [lambda x: x.clone(), lambda x: x[[0, 1]], lambda x: x.T.reshape(-1)])
def test_a_copy_shares_no_memory(copy: Function) -> None:
    x = minigrad.ones(2, 3)
    assert not np.may_share_memory(copy(x).array, x.array)


JOINS: list[tuple[list[tuple[int, ...]], Function]] = [
    ([(3,)], lambda library, a: library.cat([a])),
    ([(2, 3), (4, 3)], lambda library, a, b: library.cat([a, b])),
    ([(2, 3), (2, 1)], lambda library, a, b: library.cat((a, b), dim=1)),
    ([(2, 3), (2, 1)], lambda library, a, b: library.cat((a, b), -1)),
    ([(2, 3), (0, 3), (1, 3)], lambda library, a, b, c: library.cat((a, b, c))),
    ([(2, 3), (0,)], lambda library, a, b: library.cat((a, b), 1)),
    ([(0,), (0,)], lambda library, a, b: library.cat((a, b))),
    ([(0,), (2, 3)], lambda library, a, b: library.cat((a, b))),
    ([(2, 3)], lambda library, a: library.cat([a, a * 2, a])),
    ([(3,), (3,)], lambda library, a, b: library.stack([a, b])),
    ([(), ()], lambda library, a, b: library.stack([a, b])),
    ([(2, 3), (2, 3), (2, 3)], lambda library, a, b, c: library.stack((a, b, c), dim=1)),
    ([(2, 3), (2, 3)], lambda library, a, b: library.stack((a, b), -1)),
    ([(2, 0), (2, 0)], lambda library, a, b: library.stack((a, b))),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shapes", "function"), JOINS)
def test_a_join(shapes: list[tuple[int, ...]], function: Function, dtype: Any) -> None:
    compare(function, *(normal(*shape, dtype=dtype) for shape in shapes))


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("i8", "f4"), ("?", "i8"), ("i4", "i8")], ids=str)
def test_a_join_of_mixed_dtypes(dtypes: Any) -> None:
    arrays = [random.integers(0, 9, 3).astype(dtype) for dtype in dtypes]
    compare(lambda library, a, b: [library.cat([a, b]), library.stack([a, b])], *arrays)


def test_a_join_of_constants_and_tensors() -> None:
    compare(lambda library, a, b: library.cat([a.detach(), b, a.detach()]), normal(2), normal(3))


def test_a_join_of_many() -> None:
    compare(lambda library, x: library.stack([x[i] for i in range(50)]), normal(50, 2))


REFUSED = [
    ("view: (2, 3) has 6 elements", lambda library, x: x.view(4)),
    ("view: (2, 3) has 6 elements", lambda library, x: x.view(-1, 4)),
    ("view: (2, 3)", lambda library, x: x.view(-1, -1)),
    ("view: (2, 3)", lambda library, x: x.view(-2, -3)),
    ("view: (3, 2) cannot be seen as (6,)", lambda library, x: x.T.view(6)),
    ("reshape: (2, 3) has 6 elements", lambda library, x: x.reshape(5)),
    ("reshape: (0, 3)", lambda library, x: x[:0].reshape(-1, 0)),
    ("flatten", lambda library, x: x.flatten(1, 0)),
    ("flatten: dim 2 is out of range for 2 dims", lambda library, x: x.flatten(2)),
    ("transpose: dim 2 is out of range for 2 dims", lambda library, x: x.transpose(0, 2)),
    ("transpose: dim -3 is out of range for 2 dims", lambda library, x: library.transpose(x, -3, 0)),
    ("mT", lambda library, x: x[0].mT),
    ("permute", lambda library, x: x.permute(0)),
    ("permute", lambda library, x: x.permute(0, 0)),
    ("permute: dim 2 is out of range for 2 dims", lambda library, x: x.permute(0, 2)),
    ("squeeze: dim 2 is out of range for 2 dims", lambda library, x: x.squeeze(2)),
    ("unsqueeze: dim 3 is out of range", lambda library, x: x.unsqueeze(3)),
    ("unsqueeze: dim -4 is out of range", lambda library, x: x.unsqueeze(-4)),
    ("expand: (2, 3) does not expand to (4, 3)", lambda library, x: x.expand(4, 3)),
    ("expand: (2, 3) does not expand to (3,)", lambda library, x: x.expand(3)),
    ("expand: (2, 3) does not expand to (-1, 2, 3)", lambda library, x: x.expand(-1, 2, 3)),
    ("size: dim 2 is out of range for 2 dims", lambda library, x: x.size(2)),
    ("cat: (2, 3) and (3, 2)", lambda library, x: library.cat([x, x.T])),
    ("cat: (2, 3) and (3,)", lambda library, x: library.cat([x, x[0]])),
    ("cat: (1, 2, 3) and (1, 2)", lambda library, x: library.cat([x[None], x[:1, :2]], -1)),
    ("stack: dim 2 is out of range", lambda library, x: library.stack([x[0, 0], x], 2)),
    ("cat: dim 2 is out of range for 2 dims", lambda library, x: library.cat([x, x], 2)),
    ("cat: a single number", lambda library, x: library.cat([x.sum(), x.sum()])),
    ("cat: expected at least one tensor", lambda library, x: library.cat([])),
    ("cat: expected Tensors", lambda library, x: library.cat([x, 1.0])),
    ("cat: expected", lambda library, x: library.cat(x)),
    ("stack", lambda library, x: library.stack([x, x.T])),
    ("stack", lambda library, x: library.stack([])),
    ("stack: dim 3 is out of range", lambda library, x: library.stack([x, x], 3)),
]


@pytest.mark.parametrize(("message", "function"), REFUSED)
def test_a_shape_that_does_not_fit_is_refused(message: str, function: Function) -> None:
    assert_refused(function, normal(2, 3), message=message)


def test_an_expanded_gradient_is_summed_even_where_the_tensor_was_repeated_along_several_dims() -> None:
    x = leaves(ours, [normal(1, 3, 1)])[0]
    x.expand(4, 2, 3, 5).backward(ours(np.ones((4, 2, 3, 5))))
    assert x.grad.tolist() == [[[40.0], [40.0], [40.0]]]
