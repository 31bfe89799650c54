"""latent_audit.console.progress: plain lines in a log, one live line on a terminal."""

from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from types import SimpleNamespace

import pytest

from latent_audit.console.progress import TrainingProgress
from latent_audit.training.fit import Tick


class Log(TextIOWrapper):
    mode = "w"  # what open() would add, and a typing.TextIO has

    def text(self) -> str:
        self.flush()
        return Path(self.name).read_bytes().decode()


class Terminal(Log):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log((tmp_path / "log").open("wb"), encoding="utf-8", newline="") as stream:
        yield stream


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal((tmp_path / "terminal").open("wb"), encoding="utf-8", newline="") as stream:
        yield stream


def tick(seed: int, epoch: int, done: int, *, resumed: int = 0) -> Tick:
    """Of a replicate with 2 epochs of 100 images."""
    return Tick(seed, epoch, 2, done, resumed, 200, {"objective": 261.25, "kl": 6.0})


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("latent_audit.console.progress.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_a_log_has_one_line_per_seed_and_epoch(clock, log):
    progress = TrainingProgress("vae", 2, stream=log)
    for one in (tick(0, 1, 50), tick(1, 1, 50), tick(0, 1, 100), tick(0, 2, 150), tick(1, 1, 100), tick(0, 2, 200)):
        clock.now += 1
        progress(one)
    progress.close()
    lines = log.text().splitlines()
    assert [line.split(" objective")[0] for line in lines] == [
        "vae: seed 0 epoch 1/2",
        "vae: seed 1 epoch 1/2",
        "vae: seed 0 epoch 2/2",
    ]
    # after 3 s: 100 + 50 images of 400 are done, 50 images/s, 250 left
    assert lines[0] == "vae: seed 0 epoch 1/2 objective 261.2 kl 6 | 50 images/s, 5 s left"


def test_images_that_a_checkpoint_brought_do_not_count_as_speed(clock, log):
    progress = TrainingProgress("vae", 1, stream=log)
    clock.now += 10
    progress(tick(0, 2, 200, resumed=100))
    assert log.text().endswith("| 10 images/s, 0 s left\n")


def test_no_division_by_zero_at_the_first_tick(clock, log):
    TrainingProgress("ae", 1, stream=log)(tick(0, 1, 100))
    assert "seed 0 epoch 1/2" in log.text()


def test_a_terminal_has_one_live_line(clock, terminal):
    progress = TrainingProgress("vae", 2, stream=terminal)
    for one in (tick(0, 1, 100), tick(1, 1, 100), tick(0, 2, 200), tick(1, 2, 200)):
        progress(one)
    progress.close()
    text = terminal.text()
    assert text.count("\n") == 1  # the end
    last = text.rstrip("\n").split("\r")[-1]
    assert last.startswith("vae: 100%")
    assert "400/400" in last
    assert "seed 1 epoch 2/2 objective 261.2 kl 6" in last


def test_a_resumed_bar_starts_where_the_checkpoint_stood(clock, terminal):
    progress = TrainingProgress("vae", 1, stream=terminal)
    progress(tick(0, 2, 150, resumed=100))
    progress(tick(0, 2, 200, resumed=100))
    progress.close()
    assert "200/200" in terminal.text().rstrip("\n").split("\r")[-1]
