"""What a primitive knows of its functions: the names of their parameters."""

import functools
import inspect
import operator
from typing import Any

import numpy as np
import pytest

import minigrad
from minigrad.core.primitive import parameter_names
from tests.support.comparison import Function
from tests.support.table import PRIMITIVES


def _plain(g: Any, x: Any, axes: Any = None, *, keepdims: Any = False) -> Any:
    local = x
    return local


@functools.wraps(_plain)
def _wrapped(*args: Any, **kwargs: Any) -> Any:
    return _plain(*args, **kwargs)


RULES = [rule for row in PRIMITIVES.values() for rule in (*row.vjps, row.joint_vjp) if rule]
OTHERS = [
    _plain,
    _wrapped,
    functools.partial(_plain, 1),
    lambda *args, a, **kwargs: a,
    lambda: None,
    minigrad.Value.exp,
    minigrad.Value(1.0).backward,
]


def test_the_names_of_a_functions_parameters_are_those_of_its_signature() -> None:
    for function in [*OTHERS, *RULES]:
        assert parameter_names(function) == tuple(inspect.signature(function).parameters)


@pytest.mark.parametrize("function", [operator.add, np.add, np.where, len])
def test_what_is_not_written_in_python_names_no_parameters(function: Function) -> None:
    assert parameter_names(function) == ()
