"""What a program asks of the machine: precision and threads. All answers are true, but only threads can be changed."""

import os
import warnings

from minigrad.checks import flag_of, shown

PRECISIONS = ("highest", "high", "medium")


class _Settings:
    """What was asked for last."""

    precision = "highest"
    deterministic = warn_only = False
    threads: int | None = None


def set_float32_matmul_precision(precision: str) -> None:
    """Note a precision for products of matrices, which numpy computes in float32 in any case.

    This is `torch.set_float32_matmul_precision`, which speeds up products on a GPU. RuntimeError if it is no str. A
    name that is not "highest", "high" or "medium" is warned of, as in PyTorch.
    """
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision: expected a str, got {shown(precision)}; use 'highest'")
    if precision in PRECISIONS:
        _Settings.precision = precision
    else:
        told = f"set_float32_matmul_precision: {shown(precision)} is not one of {', '.join(PRECISIONS)}"
        warnings.warn(told, stacklevel=2)


def get_float32_matmul_precision() -> str:
    """The precision that was set, "highest" at first (`torch.get_float32_matmul_precision`)."""
    return _Settings.precision


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Note a wish: minigrad computes the same bits on every run in any case (`torch.use_deterministic_algorithms`).

    TypeError if `mode` or `warn_only` is no bool.
    """
    _Settings.deterministic = flag_of("use_deterministic_algorithms", "mode", mode)
    _Settings.warn_only = flag_of("use_deterministic_algorithms", "warn_only", warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Return what `use_deterministic_algorithms` was given last (`torch.are_deterministic_algorithms_enabled`)."""
    return _Settings.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Return whether it was only to warn (`torch.is_deterministic_algorithms_warn_only_enabled`)."""
    return _Settings.warn_only


def set_num_threads(number: int) -> None:
    """Set how many threads compiled functions compute large arrays with (`torch.set_num_threads`).

    A program that is compiled already uses at most the threads that were set when it was compiled. Operations that are
    not compiled use one thread. Products of matrices use the threads of numpy's BLAS, whose number the variable
    OMP_NUM_THREADS sets before Python starts. RuntimeError if `number` is no positive int.
    """
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise RuntimeError(f"set_num_threads: expected a positive integer, got {shown(number)}; use 1")
    _Settings.threads = number


def get_num_threads() -> int:
    """How many threads compiled functions compute large arrays with (`torch.get_num_threads`).

    At first it is OMP_NUM_THREADS, or the number of processors that Python may use.
    """
    if _Settings.threads is None:
        told = os.environ.get("OMP_NUM_THREADS", "")
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        _Settings.threads = int(told) if told.isdecimal() and int(told) else usable
    return _Settings.threads
