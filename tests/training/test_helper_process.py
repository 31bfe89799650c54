"""training.helper_process with real processes: the same bytes whoever computes a part, whatever befalls it."""

import time
from functools import partial
from multiprocessing import get_context

import psutil
import pytest
import torch

from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import Autoencoder, build
from latent_audit.training.batch import Part, outcome, resident
from latent_audit.training.fit import fit
from latent_audit.training.helper_process import HelperProcess, PartWorkers
from training.replicas import same

CPU = torch.device("cpu")
START = 60.0  # helpers that a process may take to start on a busy machine


@pytest.fixture(autouse=True)
def any_run_is_worth_it(monkeypatch):
    monkeypatch.setattr("latent_audit.training.helper_process.WORTH", 0)


def given(splits: dict[str, LoadedSplit]) -> dict[str, LoadedSplit]:
    return splits


def refuse() -> dict[str, LoadedSplit]:
    raise OSError("the data are gone")


class Opener:
    """Opens a helper process when asked for the `at`th time, waits for its start, and counts what it takes."""

    def __init__(self, splits, run, *, at: int = 1, kill_after: int | None = None):
        self.load, self.run, self.at, self.kill_after = partial(given, splits), run, at, kill_after
        self.asked, self.taken, self.helper = 0, 0, None

    def __call__(self, model: Autoencoder) -> HelperProcess | None:
        self.asked += 1
        if self.asked < self.at:
            return None
        self.helper = helper = HelperProcess(model, self.run, self.load)
        takes = helper.takes

        def counted(part: Part) -> bool:
            taken = takes(part)
            self.taken += taken
            if self.taken == self.kill_after:
                helper.process.kill()
            return taken

        helper.takes = counted
        assert helper.ready(START)
        return helper


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", ["ae", "vae"])
def test_a_helper_process_changes_no_byte(tiny_splits, tiny_run, family, precision):
    run = tiny_run(family, precision=precision)
    opener = Opener(tiny_splits, run)
    assert same(
        fit(tiny_splits, run, seed=2, device=CPU, open_helper=opener), fit(tiny_splits, run, seed=2, device=CPU)
    )
    assert opener.asked == 1
    assert opener.taken == 6  # of two epochs' three batches, a half each; the test split is one part
    assert not opener.helper.process.is_alive()


def test_it_may_come_late_and_be_killed(tiny_splits, tiny_run):
    """From the fourth time of asking on, it takes two halves and dies over the helper: of nine batches in all."""
    run = tiny_run("vae", epochs=3)
    opener = Opener(tiny_splits, run, at=4, kill_after=2)
    replicate = fit(tiny_splits, run, seed=1, device=CPU, open_helper=opener)
    assert (opener.asked, opener.taken) == (4, 2)
    assert same(replicate, fit(tiny_splits, run, seed=1, device=CPU))


def test_one_that_cannot_load_its_images_takes_no_part(tiny_splits, tiny_run):
    run, model = tiny_run(), build(tiny_run().model, seed=0)
    helper = HelperProcess(model, run, refuse)
    try:
        assert not helper.ready(START)
        assert not helper.takes(Part("train", torch.arange(3), {"eps": torch.zeros(3, 2)}, 3))
    finally:
        helper.close()


def test_it_is_asked_for_while_enough_batches_are_to_come(tiny_splits, tiny_run, monkeypatch):
    """Two epochs of three batches: before the first there are six to come, before the fifth two."""
    asked = []
    for worth, expected in ((7, 0), (6, 1), (2, 5), (1, 6)):
        monkeypatch.setattr("latent_audit.training.helper_process.WORTH", worth)
        asked.clear()
        fit(tiny_splits, tiny_run(), seed=0, device=CPU, open_helper=asked.append)
        assert len(asked) == expected


@pytest.mark.parametrize("error", [OSError("no process"), RuntimeError("unable to allocate shared memory")])
def test_one_that_cannot_start_is_not_asked_for_again(tiny_splits, tiny_run, error):
    run, asked = tiny_run(), []

    def broken(model: Autoencoder) -> HelperProcess:
        asked.append(model)
        raise error

    replicate = fit(tiny_splits, run, seed=0, device=CPU, open_helper=broken)
    assert len(asked) == 1
    assert same(replicate, fit(tiny_splits, run, seed=0, device=CPU))


def test_it_computes_under_the_weights_of_the_moment(tiny_splits, tiny_run):
    """Its outcome follows a weight that the first changes, part by part of the test split too; then it is ended."""
    run, model = tiny_run(), build(tiny_run().model, seed=0)
    data, splits = resident(tiny_splits, CPU), partial(given, tiny_splits)
    parts = [Part("test", rows, {"eps": torch.ones(len(rows), 2)}, None) for rows in torch.arange(40).split(7)]
    with PartWorkers(model, data, run, lambda model: HelperProcess(model, run, splits)) as workers:
        workers.look_for_more(batches=1)
        helper = workers._helper
        assert helper is not None
        assert helper.ready(START)
        with torch.no_grad():
            model.decoder[-1].bias.fill_(3.0)
        sums = [own.sums for own in workers.outcomes(parts)]
        assert helper.ready()  # it took them, and was not lost over one
        assert all(
            torch.equal(own, outcome(model, data, part, run).sums) for own, part in zip(sums, parts, strict=True)
        )
    assert not helper.process.is_alive()


def hold(run, splits, line) -> None:
    helper = HelperProcess(build(run.model, seed=0), run, partial(given, splits))
    line.send(helper.process.pid if helper.ready(START) else None)
    time.sleep(START)


def test_it_ends_with_the_process_that_opened_it(tiny_splits, tiny_run):
    context = get_context("spawn")
    line, theirs = context.Pipe()
    first = context.Process(target=hold, args=(tiny_run(), tiny_splits, theirs))
    first.start()
    assert line.poll(2 * START)
    pid = line.recv()
    assert pid is not None
    helper = psutil.Process(pid)
    first.kill()
    first.join()
    assert psutil.wait_procs([helper], timeout=START)[0] == [helper]
