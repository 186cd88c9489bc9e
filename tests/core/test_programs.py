"""Random programs of several operations in minigrad and in PyTorch: the same values, gradients and refusals."""

from hypothesis import given, settings

from tests.support.programs import (
    CHANGING,
    OF_ONE_DTYPE,
    PURE,
    WITH_INTS,
    WITH_MASKS,
    Program,
    assert_alike,
    one_pass,
    programs,
    two_orders,
    two_passes,
)


@settings(max_examples=400)
@given(program=programs(PURE, two_orders, kinds=WITH_MASKS))
def test_a_program_and_its_first_and_second_gradients(program: Program) -> None:
    assert_alike(program, read_only=True)


@settings(max_examples=500)
@given(program=programs(PURE, one_pass, kinds=WITH_INTS, slack=1, refused=True))
def test_a_program_with_mistakes(program: Program) -> None:
    assert_alike(program)


@settings(max_examples=400)
@given(program=programs(PURE, two_passes, kinds=WITH_MASKS))
def test_a_program_and_two_backward_passes(program: Program) -> None:
    assert_alike(program)


@settings(max_examples=1000)
@given(program=programs(CHANGING, one_pass, kinds=OF_ONE_DTYPE, refused=True))
def test_a_program_of_views_and_changes_in_place(program: Program) -> None:
    assert_alike(program)
