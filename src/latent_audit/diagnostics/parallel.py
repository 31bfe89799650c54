"""Threads over independent blocks, with results that do not depend on how many threads there are."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from threadpoolctl import threadpool_limits


def single_threaded_blas() -> threadpool_limits:
    """A context in which BLAS uses one thread: one order of summation everywhere, and blocks side by side."""
    return threadpool_limits(limits=1, user_api="blas")


def single_threaded() -> threadpool_limits:
    """A context in which BLAS and OpenMP use one thread: the same bytes whatever the number of cores."""
    return threadpool_limits(limits=1)


def in_order(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """[function(item) for item in items] on as many threads as there are cores; numpy lets go of the lock in its loops.

    Call it inside `single_threaded_blas`, and draw nothing from a shared generator in `function`.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(function, items))
