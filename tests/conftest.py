"""For all tests: the same examples on every run, and no test that leaves the engine's settings changed."""

import signal
from collections.abc import Iterator

import hypothesis
import numpy as np
import pytest

import minigrad

pytest.register_assert_rewrite("tests.support")  # whose failures then show both sides, as in a test
from tests.support import without_torch  # noqa: E402, I001 - before PyTorch is imported, which it stands for
import torch  # noqa: E402
from tests.support import comparison  # noqa: E402

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it, and so do its children

torch.set_num_threads(1)  # its arrays here are small, and other processes may want the cores


@pytest.fixture(autouse=True)
def settings_left_as_they_were() -> Iterator[None]:
    """Fail a test after which recording is off, or the default dtype another."""
    yield
    assert minigrad.is_grad_enabled(), "the test left recording switched off"
    assert minigrad.get_default_dtype() == minigrad.float32, "the test left another default dtype"


@pytest.fixture(autouse=True)
def the_same_random_numbers() -> None:
    """Start the random numbers anew, so that a test gets the same ones whichever others ran before it."""
    comparison.random.bit_generator.state = np.random.default_rng(2147483647).bit_generator.state
    minigrad.manual_seed(2147483647)
    if without_torch.IS_INSTALLED:
        torch.manual_seed(2147483647)
