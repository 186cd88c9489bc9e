"""How the C library keeps the memory of freed arrays."""

import contextlib
import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # the options' numbers in malloc.h


def retain_freed_memory() -> bool:
    """Tell the C library of Linux to keep the memory of freed arrays for the next ones, see mallopt(3).

    By default it gives the memory of large arrays (128 kB and more) back to the system as soon as they are freed. The
    pages of the next array are then new, and to get them takes longer than most operations on them. This pays if a
    program makes and frees large arrays again and again, as a training step with a batch of some hundred does. Arrays
    up to 32 MB are kept, and up to 1 GB in all. It holds for the whole process and cannot be undone, so call it in a
    program, and not in a library. The result says whether there is such a C library; elsewhere nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        return bool(mallopt(M_MMAP_THRESHOLD, 2**25) and mallopt(M_TRIM_THRESHOLD, 2**30))
    return False
