"""The advice for names that minigrad does not have: what it says to use is there, and does what is said."""

import re

import minigrad
import nn
from minigrad.api.missing import torch_names
from tests.api.test_missing import OWNERS


def advice_of(owner: str, name: str) -> str:
    """What the error for a name says to use; nothing if the name is not missing."""
    try:
        getattr(OWNERS[owner][0], name)
    except AttributeError as error:
        return str(error).partition("; use ")[2]
    except RuntimeError:  # from a property of matrices
        pass
    return ""


def test_micrograds_classes_are_where_the_advice_says() -> None:
    assert advice_of("minigrad.nn", "Neuron") == "minigrad.nn.scalar.Neuron"
    assert advice_of("minigrad.nn", "Layer") == "minigrad.nn.scalar.Layer"
    assert callable(nn.scalar.Neuron)
    assert callable(nn.scalar.Layer)


def test_a_tensor_is_on_the_cpu_as_the_advice_says() -> None:
    x = minigrad.ones(2)
    assert advice_of("minigrad.Tensor", "cuda").startswith("x itself")
    assert x.cpu() is x


def test_no_other_name_has_code_as_advice() -> None:
    """So that no advice stands untried."""
    for owner, (_, reference) in OWNERS.items():
        for name in torch_names()[reference]:
            assert not re.search(r"[()\[\]=<>@*/+]", advice_of(owner, name)), f"{owner}: {name}"
