"""latent_audit.compute.workers with real worker processes: order, messages, errors, and a worker that is killed."""

import os
import signal
import sys
import textwrap
import time
from functools import partial
from typing import Any

import psutil
import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.compute.workers import available_cores, core_to_spare, map_seeds

CPU = torch.device("cpu")


def report(*, seed: int, send) -> tuple[int, int, str | None]:
    """Workers of later seeds end first, and send more messages than a pipe holds at once."""
    time.sleep(0.2 if seed == 9 else 0)
    for index in range(3):
        send((seed, index, "x" * 40_000))
    return seed, torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")


def fail(*, seed: int, send) -> int:
    if seed == 1:
        raise InputError(f"seed {seed} cannot be trained")
    return seed


def die(*, seed: int, send) -> int:
    if seed == 1:
        send("about to die")
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)
    return seed


def test_results_keep_the_order_of_the_seeds_and_every_message_arrives():
    before = dict(os.environ)
    messages: list[Any] = []
    results = map_seeds(report, (9, 4, 6), device=CPU, on_message=messages.append)
    assert results == [(9, 1, "1"), (4, 1, "1"), (6, 1, "1")]  # one thread in every worker
    assert [(seed, index) for seed, index, _ in sorted(messages)] == [(s, i) for s in (4, 6, 9) for i in range(3)]
    assert {text for *_, text in messages} == {"x" * 40_000}
    for seed in (4, 6, 9):
        assert [index for sender, index, _ in messages if sender == seed] == [0, 1, 2]
    assert dict(os.environ) == before  # the workers' allocator settings do not stay behind


def spare(*, seed: int, send) -> bool:
    time.sleep(0.5 * seed)
    return core_to_spare()


def test_a_core_is_to_spare_when_few_replicates_are_left():
    cores = available_cores()
    if cores < 2:
        pytest.skip("one core: none to spare")
    assert not core_to_spare()  # not in a worker
    assert map_seeds(spare, (0,), device=CPU) == [True]
    answers = map_seeds(spare, (*[0] * cores, 2), device=CPU)  # the last one sleeps until the others have ended
    assert answers[-1] is True
    assert not all(answers)


def test_an_error_in_a_worker_is_raised_here():
    with pytest.raises(InputError, match="seed 1 cannot be trained"):
        map_seeds(fail, (1,), device=CPU)


PARENT = """
import os, sys, time
from pathlib import Path

import torch
from latent_audit.compute.workers import map_seeds


def sleep(*, seed, send):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(300)


if __name__ == "__main__":
    map_seeds(sleep, (0, 1), device=torch.device("cpu"))
"""


def awaited(found, seconds: float = 60.0):
    """What `found` returns once that is true."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.05)
    return value


def test_workers_and_their_server_end_with_a_parent_that_is_killed(tmp_path):
    script, pids = tmp_path / "parent.py", tmp_path / "pids"
    pids.mkdir()
    script.write_text(textwrap.dedent(PARENT))
    parent = psutil.Popen([sys.executable, str(script), str(pids)])
    workers = min(2, available_cores())
    awaited(lambda: len(list(pids.iterdir())) == workers)
    below = parent.children(recursive=True)
    assert {int(path.name) for path in pids.iterdir()} <= {process.pid for process in below}
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(below, timeout=60)
    assert not alive


def test_a_killed_server_is_an_error_in_words(tmp_path):
    """Its workers cannot say any more that they have ended."""

    def kill() -> None:
        (server,) = [one for one in psutil.Process().children() if "forkserver" in " ".join(one.cmdline())]
        server.kill()

    messages: list[str] = []
    with pytest.raises(InputError, match="a worker process died"):
        map_seeds(wait, (1,), device=CPU, on_message=lambda message: (messages.append(message), kill()))
    assert messages == ["started"]
    assert map_seeds(spare, (0,), device=CPU) in ([True], [False])  # the next asks for another server


def wait(*, seed: int, send) -> None:
    send("started")
    time.sleep(300)


def test_a_killed_worker_is_an_error_in_words():
    messages: list[str] = []
    with pytest.raises(InputError, match=r"a worker process died .*killed, or out of memory.*finished epochs are kept"):
        map_seeds(die, (1,), device=CPU, on_message=messages.append)
    assert messages == ["about to die"]


def test_an_accelerators_replicates_run_here_one_by_one():
    calls: list[int] = []

    def record(offset: int, *, seed: int, send) -> int:
        calls.append(seed)
        send(f"seed {seed}")
        return seed + offset

    messages: list[str] = []
    results = map_seeds(partial(record, 10), (3, 1), device=torch.device("cuda"), on_message=messages.append)
    assert results == [13, 11]
    assert calls == [3, 1]
    assert messages == ["seed 3", "seed 1"]
