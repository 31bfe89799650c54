"""Run one function for every seed: in single-thread processes on a CPU, one after the other on an accelerator.

One thread per operation, always: a seed's bytes then depend neither on the number of workers nor on the seeds beside
it, and two one-thread processes outrun one process of two threads. Work that comes in parts of its own may share them
with a further process where `core_to_spare` says so.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import torch

from latent_audit.base.errors import InputError

# glibc returns every large buffer to the kernel and faults it in again; keeping them is worth 1.4x. Read at exec.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**26),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "OMP_NUM_THREADS": "1",
}
_queue: Any = None  # a worker's line to its parent
_unfinished: Any = None  # a counter that the workers share


def map_seeds(
    function: Callable[..., Any],
    seeds: Sequence[int],
    *,
    device: torch.device,
    on_message: Callable[[Any], None] = lambda message: None,
) -> list[Any]:
    """[function(seed, send) for each seed], in the order of `seeds`; what a replicate sends goes to `on_message`.

    Parameters
    ----------
    function : picklable; called with `seed=` and `send=` (a function of one picklable message).
    device : on `cpu` the replicates run in parallel processes, one thread each; elsewhere one by one in this process.

    Raises
    ------
    InputError : a worker was killed (often for memory). An error raised in a replicate is raised here.
    """
    if device.type != "cpu":
        return [function(seed=seed, send=on_message) for seed in seeds]
    context = get_context("spawn")
    queue, unfinished = context.Queue(), context.Value("i", len(seeds))
    listener = threading.Thread(target=_listen, args=(queue, on_message), daemon=True)
    listener.start()
    workers = min(len(seeds), available_cores())
    try:
        with (
            _environment(ALLOCATOR),
            ProcessPoolExecutor(workers, context, _start_worker, (queue, unfinished, os.getpid())) as pool,
        ):
            futures = [pool.submit(_in_worker, function, seed) for seed in seeds]
            _fail_fast(pool, futures)
            return [future.result() for future in futures]
    except BrokenProcessPool:
        raise InputError(
            "a worker process died before it finished (killed, or out of memory); nothing was written. Run again: "
            "finished epochs are kept. With little memory, set fewer seeds or a smaller train.batch_size."
        ) from None
    finally:
        queue.put(None)
        listener.join(timeout=5)
        queue.close()
        if listener.is_alive():
            queue.cancel_join_thread()  # a worker that was killed may hold the queue's lock for ever
        else:
            queue.join_thread()  # else it may leave its semaphore behind


def available_cores() -> int:
    """Cores this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def core_to_spare() -> bool:
    """In a worker: whether every replicate that is still to finish could have two cores."""
    return _unfinished is not None and 2 * _unfinished.value <= available_cores()


def settle() -> None:
    """Have this process compute as a worker does, once all that it needs is loaded."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: looking through it for garbage, again and again, costs a twentieth


def _fail_fast(pool: ProcessPoolExecutor, futures: list[Future]) -> None:
    for future in as_completed(futures):
        if future.exception() is not None:
            pool.shutdown(wait=False, cancel_futures=True)
            future.result()


def _listen(queue: Any, on_message: Callable[[Any], None]) -> None:
    while (message := queue.get()) is not None:
        on_message(message)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key, None) if value is None else os.environ.__setitem__(key, value)


def _start_worker(queue: Any, unfinished: Any, parent: int) -> None:
    global _queue, _unfinished
    _queue, _unfinished = queue, unfinished
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(0.5)
    os._exit(1)  # the trainer was killed: an orphan must not go on writing checkpoints


def _in_worker(function: Callable[..., Any], seed: int) -> Any:
    settle()
    try:
        return function(seed=seed, send=_queue.put)
    finally:
        with _unfinished.get_lock():
            _unfinished.value -= 1
