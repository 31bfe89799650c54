"""Run one function for every seed: in single-thread processes on a CPU, one after the other on an accelerator.

One thread per operation, always: a seed's bytes then depend neither on the number of workers nor on the seeds beside
it, and two one-thread processes outrun one process of two threads. Work that comes in parts of its own may share them
with a further process where `core_to_spare` says so.
"""

import gc
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import parent_process
from typing import Any

import torch

from latent_audit.base.errors import InputError
from latent_audit.compute.server import ALLOCATOR, context, environment, start

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
    start()
    kind = context()
    queue, unfinished = kind.Queue(), kind.Value("i", len(seeds))
    listener = threading.Thread(target=_listen, args=(queue, on_message), daemon=True)
    listener.start()
    workers = min(len(seeds), available_cores())
    try:
        with (
            environment(ALLOCATOR),  # for the processes of a system without a server
            ProcessPoolExecutor(workers, kind, _start_worker, (queue, unfinished)) as pool,
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


def _start_worker(queue: Any, unfinished: Any) -> None:
    global _queue, _unfinished
    _queue, _unfinished = queue, unfinished
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)  # it was killed: an orphan must not go on writing checkpoints


def _in_worker(function: Callable[..., Any], seed: int) -> Any:
    settle()
    try:
        return function(seed=seed, send=_queue.put)
    finally:
        with _unfinished.get_lock():
            _unfinished.value -= 1
