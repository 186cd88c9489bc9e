"""`einsum` against PyTorch: the equations of the course, and any of two operands; what does not fit is refused."""

from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies

from tests.support.comparison import assert_refused, compare, normal, random, refusal, theirs

Shape = tuple[int, ...]
SIZES = {"i": 2, "j": 3, "k": 4, "b": 5, "c": 2, "h": 3, "q": 2, "r": 1}

EQUATIONS = """
    ij,ij->i
    i,ij->ij
    ij,i->ij
    ij,j->i
    kj,ij->ki
    ik,kj->ij
    ij,jk
    ij,jk->ki
    ij,jk->ikj
    ij,jk->
    ij,jk->j
    ij,ij->
    ij,ij
    ij,ij->ij
    ij,ji->ij
    ij,kj->ik
    i,i
    i,i->i
    i,i->
    i,j
    i,j->ij
    i,j->ji
    i,j->
    ij->ji
    ij->ij
    ij->i
    ij->j
    ij->
    ij
    ji
    i
    i->
    ii->i
    ii->
    ii
    iij->j
    iji->ji
    iii->i
    iij->ij
    ii,ij->j
    ii,i->i
    ij,jj->i
    bij,bjk->bik
    bij,bjk
    bij,bkj->bik
    bij,jk->bik
    bij,bij->b
    bij,bij->bij
    bij,bj->bi
    bij,b->ij
    bij->bji
    bij->b
    bij,k->bijk
    bhqc,bhkc->bhqk
    bhqk,bhkc->bhqc
    ij,jk,k->i
    ij,jk,kb->ib
    ij,jk,kb
    i,j,k->ijk
    i,i,i->
    i,ij,j
    bi,bij,bj->b
    ij,ij,ij->ij
    ij,i,j,jk->k
    rj,rj->r
    ij,rj->ir
    ij , jk -> ik
    IJ,JK->IK
    iJ,Jk
    aB->Ba
    Ba
    ...
    ...->
    ...i->i
    ...i->...
    ...ij->...ji
    ...ij,...jk->...ik
    ...ij,...jk
    ...i,...i->...
    ...,...->...
    ...i,i->...i
    i...,i...->...
    b...,b->...b
    ...ii->...i
    i...j->ij
    i...j->j...i
"""


def shapes_of(equation: str, dots: Shape = (5, 3)) -> list[Shape]:
    """A shape for each operand of an equation, in which `...` stands for `dots`."""
    terms = equation.replace(" ", "").split("->")[0].split(",")
    return [
        tuple(size for letter in term.replace("...", ".") for size in (dots if letter == "." else [_size(letter)]))
        for term in terms
    ]


def _size(letter: str) -> int:
    return SIZES.get(letter.lower(), 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("equation", [line.strip() for line in EQUATIONS.strip().splitlines()])
def test_an_equation(equation: str, dtype: Any) -> None:
    for dots in [(5, 3), ()]:
        arrays = [normal(*shape, dtype=dtype) for shape in shapes_of(equation, dots)]
        compare(lambda library, *tensors: library.einsum(equation, *tensors), *arrays)


def test_the_operands_may_come_as_a_list() -> None:
    compare(lambda library, a, b: library.einsum("ij,jk->ik", [a, b]), normal(2, 3), normal(3, 4))
    compare(lambda library, a, b: library.einsum("ij,jk->ik", (a, b)), normal(2, 3), normal(3, 4))


def test_the_same_tensor_may_come_twice() -> None:
    compare(lambda library, x: library.einsum("ij,kj->ik", x, x), normal(3, 4))
    compare(lambda library, x: library.einsum("ij,ij,ij->", x, x, x), normal(3, 4))


BROADCAST = [
    ("ij,ij->ij", (2, 1), (2, 3)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,ij->", (1, 3), (2, 1)),
    ("...ij,...jk->...ik", (5, 1, 2, 3), (6, 3, 4)),
    ("...ij,...jk->...ik", (2, 3), (6, 3, 4)),
    ("...i,...i->...", (5, 1, 3), (4, 3)),
    ("...i,...->...i", (5, 3), (5,)),
    ("...i,...->...i", (5, 3), ()),
    ("i...,j...->ij...", (2, 4), (3, 5, 4)),
    (",->", (), ()),
    (",i->i", (), (3,)),
    ("i,->i", (3,), ()),
    ("->", ()),
    ("...,...", (3,), ()),
    ("ij,jk->ik", (0, 3), (3, 4)),
    ("ij,jk->ik", (2, 0), (0, 4)),
    ("i,i->", (0,), (0,)),
    ("i->", (0,)),
    ("ii->i", (0, 0)),
]


@pytest.mark.parametrize(("equation", "shapes"), [(equation, shapes) for equation, *shapes in BROADCAST], ids=str)
def test_sizes_of_1_and_0_and_single_numbers(equation: str, shapes: list[Shape]) -> None:
    compare(lambda library, *tensors: library.einsum(equation, *tensors), *(normal(*shape) for shape in shapes))


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
@pytest.mark.parametrize("equation", ["ij,ij->i", "ij,kj->ik", "ij->ji", "ij->", "ij,ij"])
def test_an_equation_of_integers(equation: str, dtype: Any) -> None:
    arrays = (random.integers(-9, 9, shape).astype(dtype) for shape in shapes_of(equation))
    compare(lambda library, *tensors: library.einsum(equation, *tensors), *arrays)


REFUSED = [
    ("ij,jk->ik", (2, 3), (4, 5)),
    ("ij,ij->i", (2, 3), (2, 4)),
    ("ii->i", (2, 3)),
    ("ij", (2,)),
    ("i", (2, 3)),
    ("ij,jk", (2, 3)),
    ("ij", (2, 3), (3, 4)),
    ("ij->k", (2, 3)),
    ("ij->ii", (2, 3)),
    ("ij->iji", (2, 3)),
    ("ij->i->j", (2, 3)),
    ("ij-i", (2, 3)),
    ("ij>i", (2, 3)),
    ("ij-", (2, 3)),
    ("i1->i", (2, 3)),
    ("i?->i", (2, 3)),
    ("ij..->i", (2, 3)),
    ("i.j->i", (2, 3)),
    ("......->", (2, 3)),
    ("...i...->i", (2, 3)),
    ("ij->...ij...", (2, 3)),
    ("...ij", (2,)),
    ("...i,...i->...", (5, 3), (4, 3)),
    ("", (2, 3)),
    (",", (2, 3), (2, 3)),
    ("ij,->i", (2, 3), (2,)),
]


@pytest.mark.parametrize(("equation", "shapes"), [(equation, shapes) for equation, *shapes in REFUSED], ids=str)
def test_what_does_not_fit_is_refused(equation: str, shapes: list[Shape]) -> None:
    arrays = [normal(*shape) for shape in shapes]
    assert_refused(lambda library, *tensors: library.einsum(equation, *tensors), *arrays, message="einsum")


NO_EQUATIONS = [
    lambda library, x: library.einsum("ij"),
    lambda library, x: library.einsum("ij", []),
    lambda library, x: library.einsum("ij,ij", x, 2.0),
    lambda library, x: library.einsum("ij,ij", x, None),
    lambda library, x: library.einsum("ij,ij", x, x.float()),
    lambda library, x: library.einsum(2, x),
]


@pytest.mark.parametrize("function", NO_EQUATIONS)
def test_what_is_no_equation_of_tensors_is_refused(function: Any) -> None:
    assert_refused(function, normal(2, 3))


def test_the_sizes_that_differ_are_told() -> None:
    message = "einsum: in 'ij,jk->ik' a dim 'j' has both sizes 3 and 4"
    assert_refused(lambda library, a, b: library.einsum("ij,jk->ik", a, b), normal(2, 3), normal(4, 5), message=message)


# Any equation of two operands

terms = strategies.lists(strategies.sampled_from([*"ijkb", "..."]), max_size=4).map("".join)


@strategies.composite
def equations(draw: Any) -> tuple[str, list[Shape]]:
    """An equation, mostly a right one, and shapes for its operands."""
    operands = [draw(terms.filter(lambda term: term.count("...") < 2)) for _ in range(2)]
    letters = sorted({*"".join(operands)} - {"."})
    equation = ",".join(operands)
    if draw(strategies.booleans()):
        result = draw(strategies.lists(strategies.sampled_from(letters), unique=True)) if letters else []
        dots = ["..."] * ("..." in equation) if draw(strategies.booleans()) else []
        equation += "->" + "".join(draw(strategies.permutations(result + dots)))
    shapes = [
        tuple(
            draw(strategies.sampled_from([size, size, size, 1]))
            for letter in operand.replace("...", ".")
            for size in ([5, 3][draw(strategies.integers(0, 2)) :] if letter == "." else [_size(letter)])
        )
        for operand in operands
    ]
    return equation, shapes


@hypothesis.settings(max_examples=300)
@hypothesis.given(case=equations())
def test_any_equation_of_two_operands_does_as_in_pytorch(case: tuple[str, list[Shape]]) -> None:
    equation, shapes = case
    arrays = [random.uniform(1, 2, shape) for shape in shapes]  # of one sign, so that no sum cancels

    def evaluate(library: Any, *tensors: Any) -> Any:
        result = library.einsum(equation, *tensors)
        weights = library.arange(result.numel()).view(result.shape) + 1
        return result.detach(), (result * weights).sum()

    if refusal(evaluate, torch, *map(theirs, arrays)) is not None:
        assert_refused(evaluate, *arrays, message="einsum")
    else:
        compare(evaluate, *arrays)


def test_lists_of_numbers_in_place_of_an_equation() -> None:
    arrays = normal(2, 3), normal(3, 4)
    compare(lambda library, a, b: library.einsum(a, [0, 1], b, [1, 2], [0, 2]), *arrays)
    compare(lambda library, a, b: library.einsum(a, [5, 1], b, [1, 2]), *arrays)
    compare(lambda library, a: library.einsum(a, [..., 1], [1, ...]), normal(2, 3, 4))
    for numbers in ([0, 52], [0, -53], 3, [0]):
        assert_refused(lambda library, a, numbers=numbers: library.einsum(a, numbers), normal(2, 3))
