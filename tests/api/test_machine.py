"""What a program asks of GPUs, precision and threads before it goes on without: PyTorch's answers on a CPU."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import assert_same

ANSWERS = """
    torch.cuda.is_available(), torch.cuda.device_count(), torch.cuda.is_initialized(), torch.cuda.is_bf16_supported()
    torch.cuda.empty_cache(), torch.cuda.manual_seed(3), torch.cuda.manual_seed_all(3)
    torch.cuda.seed(), torch.cuda.seed_all()
    torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated(), torch.cuda.memory_reserved()
    torch.cuda.max_memory_reserved("cuda")
    torch.mps.is_available(), torch.mps.device_count(), torch.mps.manual_seed(3)
    torch.backends.mps.is_available(), torch.backends.mps.is_built(), torch.backends.cuda.is_built()
    torch.backends.cudnn.is_available(), torch.backends.cudnn.version(), torch.backends.cudnn.enabled
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32
    torch.get_float32_matmul_precision(), torch.are_deterministic_algorithms_enabled()
    torch.is_deterministic_algorithms_warn_only_enabled(), torch.set_num_threads(1), torch.get_num_threads()
    torch.is_autocast_enabled(), torch.is_autocast_enabled("cpu")
    torch.cuda.amp.GradScaler().is_enabled(), torch.amp.GradScaler("cuda").get_scale()
    torch.amp.GradScaler(enabled=False).state_dict(), torch.GradScaler(enabled=False).load_state_dict({})
    torch.amp.GradScaler(enabled=False).update(), torch.amp.GradScaler(enabled=False).unscale_(None)
    torch.amp.autocast is torch.autocast, torch.amp.GradScaler is torch.GradScaler
    issubclass(torch.cuda.amp.autocast, torch.autocast)
    "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
"""
# PyTorch refuses these without a GPU, or answers for libraries that minigrad does not call.
OWN = {
    "torch.cuda.synchronize()": None,
    "torch.cuda.reset_peak_memory_stats()": None,
    "torch.mps.empty_cache()": None,
    "torch.mps.synchronize()": None,
    "torch.backends.mkl.is_available()": False,
    "torch.backends.mkldnn.is_available()": False,
    "torch.backends.openmp.is_available()": False,
}


@pytest.fixture
def settings_restored() -> Iterator[None]:
    """Set both libraries back, whatever a test has set."""
    yield
    for library in (minigrad, torch):
        set_back: Any = library
        set_back.set_float32_matmul_precision("highest")
        set_back.use_deterministic_algorithms(False)
        set_back.backends.cudnn.benchmark = set_back.backends.cudnn.deterministic = False
        set_back.backends.cudnn.allow_tf32, set_back.backends.cuda.matmul.allow_tf32 = True, False
    torch.set_num_threads(1)


@pytest.mark.parametrize("expression", ANSWERS.strip().splitlines(), ids=str.strip)
def test_answers_are_pytorchs_on_a_cpu(expression: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch, where it switches off what needs a GPU
        mine, reference = (eval(expression.strip(), {"torch": library}) for library in (minigrad, torch))
    assert repr(mine) == repr(reference)


@pytest.mark.parametrize(("expression", "answer"), OWN.items())
def test_answers_of_its_own(expression: str, answer: Any) -> None:
    assert eval(expression, {"torch": minigrad}) is answer


@pytest.mark.usefixtures("settings_restored")
def test_settings_are_kept() -> None:
    def scenario(library: Any) -> Any:
        library.set_float32_matmul_precision("high")
        library.use_deterministic_algorithms(True, warn_only=True)
        library.backends.cudnn.benchmark = library.backends.cudnn.deterministic = True
        library.backends.cudnn.allow_tf32, library.backends.cuda.matmul.allow_tf32 = False, True
        from_both = library.get_float32_matmul_precision(), library.are_deterministic_algorithms_enabled()
        warned = library.is_deterministic_algorithms_warn_only_enabled()
        library.use_deterministic_algorithms(False, warn_only=True)
        cudnn = library.backends.cudnn
        return (
            *(from_both, warned, library.is_deterministic_algorithms_warn_only_enabled()),
            *(cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, library.backends.cuda.matmul.allow_tf32),
        )

    assert scenario(minigrad) == scenario(torch)


@pytest.mark.usefixtures("settings_restored")
def test_an_unknown_precision_is_warned_of_and_not_set() -> None:
    for library in (minigrad, torch):
        with pytest.warns(UserWarning, match="'highest', 'high'|highest, high"):
            library.set_float32_matmul_precision("fast")
        assert library.get_float32_matmul_precision() == "highest"


REFUSED = """
    torch.cuda.current_device()
    torch.cuda.get_device_name(0)
    torch.cuda.get_device_properties("cuda")
    torch.cuda.get_device_capability()
    torch.set_float32_matmul_precision(3)
    torch.use_deterministic_algorithms(1)
    torch.set_num_threads(0)
    torch.set_num_threads(-2)
    torch.set_num_threads(1.5)
    torch.autocast("gpu")
    torch.autocast(3)
    torch.autocast()
    torch.compile(print, speed=3)
"""


@pytest.mark.parametrize("expression", REFUSED.strip().splitlines(), ids=str.strip)
def test_what_pytorch_refuses_is_refused(expression: str) -> None:
    errors = []
    for library in (minigrad, torch):
        with pytest.raises((AssertionError, TypeError, RuntimeError, ValueError)) as caught:
            eval(expression.strip(), {"torch": library})
        errors.append(caught.value)
    assert type(errors[0]) is type(errors[1])
    assert expression.partition("(")[0].rpartition(".")[2] in str(errors[0])


CONTEXTS: dict[str, Callable[[Any], Any]] = {
    "off": lambda T: T.autocast("cpu", enabled=False),
    "cuda": lambda T: T.autocast(device_type="cuda", dtype=T.float16),
    "amp": lambda T: T.amp.autocast("cuda"),
    "cuda.amp": lambda T: T.cuda.amp.autocast(enabled=False),
}


@pytest.mark.filterwarnings("ignore")  # of PyTorch: CUDA is not available
@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_autocast_without_a_gpu_changes_nothing(context: Callable[[Any], Any]) -> None:
    def scenario(library: Any) -> Any:
        x = library.arange(6.0).view(2, 3).requires_grad_()
        with context(library) as nothing:
            y = (x @ x.T).exp()

        @context(library)
        def loss(y: Any) -> Any:
            """A docstring."""
            return (y / 1e20).sum()

        z = loss(y)
        z.backward()
        return nothing is None, loss.__doc__, y, z, x.grad

    mine, reference = scenario(minigrad), scenario(torch)
    assert_same(mine[1:], reference[1:])


def test_autocast_on_a_cpu_stays_in_float32() -> None:
    x = minigrad.tensor([[1.0, 1 / 3]])
    with minigrad.autocast("cpu", dtype=minigrad.float32):
        assert (x @ x.T).dtype == minigrad.float32
    with pytest.raises(ZeroDivisionError), minigrad.autocast("cpu"):
        _ = 1 / 0


@pytest.mark.filterwarnings("ignore")  # of PyTorch: CUDA is not available
def test_a_step_with_a_scaler_is_a_step_without() -> None:
    def scenario(library: Any) -> Any:
        w = library.ones(3, requires_grad=True)
        optimizer, scaler = library.optim.SGD([w], lr=0.1), library.amp.GradScaler("cuda")
        for _ in range(3):
            optimizer.zero_grad()
            loss = (w * w).sum()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
        return w, scaler.get_scale(), scaler.is_enabled()

    assert_same(scenario(minigrad), scenario(torch))
    optimizer = nn.optim.SGD([minigrad.ones(1, requires_grad=True)])
    assert minigrad.GradScaler().step(optimizer, lambda: 5) == 5


def test_a_seed_must_be_an_int() -> None:
    for seed in (minigrad.cuda.manual_seed, minigrad.cuda.manual_seed_all, minigrad.mps.manual_seed):
        assert seed(np.int64(3)) is None
        with pytest.raises(TypeError, match="manual_seed: expected an integer, got 'x'"):
            seed("x")


def test_the_number_of_threads() -> None:
    """It is that of the environment, or that of the processors, until it is set."""
    program = "import minigrad as m; print(m.get_num_threads()); m.set_num_threads(2); print(m.get_num_threads())"
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for told, expected in (("3", 3), ("", processors), ("many", processors)):
        environment = {**os.environ, "OMP_NUM_THREADS": told}
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.split() == [str(expected), "2"]
