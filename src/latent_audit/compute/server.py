"""The process that workers are forked from: it imports what they need once, while the stage itself still loads.

Nothing here imports torch, so that a stage can ask for it first thing.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, get_all_start_methods, get_context
from multiprocessing.context import BaseContext

# glibc returns every large buffer to the kernel and faults it in again; keeping them is worth 1.4x. Read at exec.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**26),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "OMP_NUM_THREADS": "1",
}


def context() -> BaseContext:
    """How workers are started: forked from the server where the system can, else each from scratch."""
    return get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")


def start(modules: Sequence[str] = ()) -> None:
    """Have the server up, with `modules` imported in it; without effect where it runs already, or cannot."""
    if "forkserver" not in get_all_start_methods():
        return
    if modules:
        context().set_forkserver_preload(list(modules))  # type: ignore[attr-defined]
    with environment(ALLOCATOR):
        forkserver.ensure_running()


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """The process's environment with `values` in it, for what is started inside."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key, None) if value is None else os.environ.__setitem__(key, value)
