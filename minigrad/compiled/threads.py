"""Threads that compute blocks of rows. numpy lets other threads run while it computes."""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from minigrad.machine import get_num_threads


@functools.lru_cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="minigrad")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a new process does not have these threads


def in_blocks(block: Callable[[int, int, int], None], rows: int, size: int, threads: int) -> None:
    """Call `block(start, stop, thread)` for `rows` rows, `size` at a time, in as many threads.

    Each call that runs at a time has a number of its own, `thread`, which is below `threads`. What a block raises is
    raised here, when all threads have ended. Settings such as `np.errstate` hold in all of them.
    """
    starts = [*range(0, rows, size)]
    starts.reverse()

    def run(thread: int) -> None:
        while starts:
            try:
                start = starts.pop()  # in one step, so that no two threads take the same
            except IndexError:
                return
            block(start, min(start + size, rows), thread)

    count = min(threads, get_num_threads(), len(starts))
    if count < 2:
        return run(0)
    others = [_pool(threads - 1).submit(copy_context().run, run, i) for i in range(1, count)]
    try:
        run(0)
    finally:
        starts.clear()
        failures = [other.exception() for other in others]
    for failure in failures:
        if failure is not None:
            raise failure
