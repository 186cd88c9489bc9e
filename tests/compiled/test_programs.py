"""Random programs of several operations, compiled: the bits of the program itself, also with other numbers."""

from typing import Any

import numpy as np
from hypothesis import given, settings

import minigrad
from minigrad.compiled.recording import Refused
from tests.support.comparison import REFUSALS
from tests.support.programs import CHANGING, OF_ONE_DTYPE, PURE, WITH_MASKS, Names, Program, namespace, programs, total

LEAVES = "abc"


def loss(draw: Any, names: Names) -> list[str]:
    """The end of a program: a number."""
    return [f"loss = {total(draw, names)}"]


def function_of(program: Program) -> Any:
    """The program as a function of its leaves."""
    body = [statement for statement in program if not (statement[0] in LEAVES and statement[1:4] == " = ")]

    def run(*leaves: Any) -> Any:
        names = {**namespace(minigrad), **dict(zip(LEAVES, leaves, strict=False))}
        for statement in body:
            exec(statement, names)
        return names["loss"]

    return run


def leaves_of(program: Program, turn: int) -> list[Any]:
    """The leaves of the program, with their numbers in another order."""
    names = namespace(minigrad)
    found = []
    for name, statement in zip(LEAVES, program, strict=False):
        if statement.startswith(f"{name} = "):
            exec(statement, names)
            x = names[name]
            array = np.roll(x.array.ravel(), turn).reshape(x.array.shape)
            found.append(minigrad.tensor(array, requires_grad=x.requires_grad))
    return found


def outcome(run: Any, leaves: list[Any]) -> Any:
    """The loss, the leaves and their gradients; or the refusal."""
    try:
        result = run(*leaves)
        result.backward()
    except REFUSALS as error:
        return error
    return [result.detach(), *(x.detach() for x in leaves), *(x.grad for x in leaves)]


def assert_alike(program: Program) -> None:
    """Require the same bits or the same refusal of the compiled program, unless it cannot be compiled."""
    run = function_of(program)
    compiled = minigrad.compile(run)
    for turn in range(3):
        found, expected = outcome(compiled, leaves_of(program, turn)), outcome(run, leaves_of(program, turn))
        if isinstance(found, Refused):
            return
        if isinstance(expected, Exception):
            assert type(found) is type(expected), (found, expected)
            continue
        assert not isinstance(found, Exception), found
        for x, y in zip(found, expected, strict=True):
            assert (x is None) == (y is None)
            if x is not None:
                assert (x.array.shape, x.array.dtype) == (y.array.shape, y.array.dtype)
                np.testing.assert_array_equal(x.array, y.array)


@settings(max_examples=150, deadline=None)
@given(program=programs(PURE, loss, kinds=WITH_MASKS))
def test_a_program(program: Program) -> None:
    assert_alike(program)


@settings(max_examples=150, deadline=None)
@given(program=programs(CHANGING, loss, kinds=OF_ONE_DTYPE, refused=True))
def test_a_program_of_views_and_changes_in_place(program: Program) -> None:
    assert_alike(program)
