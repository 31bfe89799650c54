"""A helper process for a replicate that has a core to spare: it computes every other part, on weights both share.

Two threads would hand the interpreter's lock to and fro at every operation; two processes meet twice a batch. The
second is a convenience: where it cannot start, is killed or fails, the first computes its parts, to the same bytes.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from latent_audit.compute.workers import settle
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import Autoencoder
from latent_audit.training.batch import Data, Outcome, Part, TrainingRun, outcome, resident

WORTH = 300  # batches still to come for which a process, seconds in the starting, is worth having
GRACE = 10.0  # seconds in which it should leave


class HelperProcess:
    """A process with `model`'s weights, in memory that both share, and with the images that `load` gives it there.

    It starts in the background; until it is ready, and once it is lost, it takes no part. It computes as every worker
    does (`workers.settle`): so must the process that opens it, for the same bytes.
    """

    def __init__(self, model: Autoencoder, run: TrainingRun, load: Callable[[], dict[str, LoadedSplit]]):
        model.share_memory()  # in place: whoever holds a parameter goes on holding it
        self._gradients = [torch.zeros_like(parameter).share_memory_() for parameter in model.parameters()]
        context = get_context("spawn")
        self._line, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(theirs, model, self._gradients, run, load), name="helper", daemon=True
        )
        self.process.start()
        theirs.close()  # else a lost process would not be noticed
        self._ready = self._lost = False

    def ready(self, timeout: float = 0.0) -> bool:
        """Whether it can take a part, waiting up to `timeout` seconds for its start."""
        if not (self._ready or self._lost) and self._line.poll(timeout):
            self._ready = self._received() is not None
        return self._ready and not self._lost

    def takes(self, part: Part) -> bool:
        """Hand it `part`, if it is ready; `outcome` must be asked for before the next."""
        if not self.ready():
            return False
        try:
            draws = {name: values.numpy() for name, values in part.draws.items()}
            self._line.send((part.split, part.rows.numpy(), draws, part.batch_size))
        except OSError:
            self._lost = True
        return not self._lost

    def outcome(self) -> Outcome | None:
        """Of the part it took last: gradients that hold until the next part; None where it was lost."""
        received = self._received()
        return None if received is None else Outcome(torch.from_numpy(received[0]), self._gradients)

    def close(self) -> None:
        """End it: it leaves when the line goes dead, or is killed where it does not."""
        self._line.close()
        self.process.join(GRACE)
        self.process.kill()
        self.process.join()

    def _received(self) -> Any:
        try:
            return self._line.recv()
        except (EOFError, OSError):
            self._lost = True
            return None


class PartWorkers:
    """Computes parts: here, and every other one in a second process once `open_helper` has given one."""

    def __init__(
        self,
        model: Autoencoder,
        data: dict[str, Data],
        run: TrainingRun,
        open_helper: Callable[[Autoencoder], HelperProcess | None],
    ):
        self.model, self._data, self._run, self._open_helper = model, data, run, open_helper
        self._helper: HelperProcess | None = None

    def __enter__(self) -> "PartWorkers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._helper is not None:
            self._helper.close()

    def look_for_more(self, batches: int) -> None:
        """Ask for a second process, if there is none yet and the `batches` still to come are worth it."""
        if self._helper is not None or batches < WORTH:
            return
        try:
            self._helper = self._open_helper(self.model)
        except (OSError, RuntimeError):  # no memory to share, no process to be had: not asked for again
            self._open_helper = lambda model: None

    def outcomes(self, parts: Sequence[Part]) -> Iterator[Outcome]:
        """The outcome of each part, in order; its gradients hold until the next is asked for (the first one's stay)."""
        helper = self._helper
        for start in range(0, len(parts), 2):
            own, *theirs = parts[start : start + 2]
            taken = helper is not None and bool(theirs) and helper.takes(theirs[0])
            yield self._here(own)
            for part in theirs:
                yield (helper.outcome() if helper and taken else None) or self._here(part)

    def _here(self, part: Part) -> Outcome:
        return outcome(self.model, self._data, part, self._run)


def _serve(
    line: Connection,
    model: Autoencoder,
    gradients: Sequence[Tensor],
    run: TrainingRun,
    load: Callable[[], dict[str, LoadedSplit]],
) -> None:
    """The second process: compute one part after the other until the first hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first is interrupted, and hangs up
    try:
        data = resident(load(), torch.device("cpu"))
        settle()
        line.send("ready")
        while True:
            split, rows, draws, batch_size = line.recv()
            own_draws = {name: torch.from_numpy(values) for name, values in draws.items()}
            part = Part(split, torch.from_numpy(rows), own_draws, batch_size)
            sums, own = outcome(model, data, part, run)
            for shared, gradient in zip(gradients, own, strict=False):  # a part may be without gradients
                shared.copy_(gradient)
            line.send((sums.numpy(),))
    except Exception:
        return  # the first has hung up, or it meets the same trouble and says so
