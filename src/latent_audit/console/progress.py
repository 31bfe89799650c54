"""How far a long stage has come: one live line on a terminal, plain lines (one per seed and epoch) elsewhere."""

import sys
import time
from typing import TextIO

from tqdm import tqdm

from latent_audit.training.fit import Tick


class TrainingProgress:
    """Shows ticks of several replicates that train side by side: epoch, loss terms, images/s and time left."""

    def __init__(self, label: str, n_seeds: int, *, stream: TextIO = sys.stderr):
        self._label, self._n_seeds, self._stream = label, n_seeds, stream
        self._done: dict[int, int] = {}
        self._resumed: dict[int, int] = {}
        self._start = time.monotonic()
        self._bar = tqdm(unit=" images", unit_scale=True, desc=label, file=stream) if stream.isatty() else None

    def __call__(self, tick: Tick) -> None:
        """Show one tick."""
        before = self._done.get(tick.seed, 0)
        self._resumed.setdefault(tick.seed, tick.images_resumed)
        self._done[tick.seed] = tick.images_done
        if self._bar is not None:
            self._bar.total = tick.images_total * self._n_seeds
            self._bar.set_postfix_str(
                f"seed {tick.seed} epoch {tick.epoch}/{tick.epochs} {_terms(tick)}", refresh=False
            )
            self._bar.update(tick.images_done - before)
        elif tick.images_done % (tick.images_total // tick.epochs) == 0:
            print(self._line(tick), file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the terminal's line as it stands."""
        if self._bar is not None:
            self._bar.close()

    def _line(self, tick: Tick) -> str:
        seconds = max(time.monotonic() - self._start, 1e-9)
        rate = (sum(self._done.values()) - sum(self._resumed.values())) / seconds
        left = (tick.images_total * self._n_seeds - sum(self._done.values())) / max(rate, 1e-9)
        where = f"{self._label}: seed {tick.seed} epoch {tick.epoch}/{tick.epochs}"
        return f"{where} {_terms(tick)} | {rate:.0f} images/s, {left:.0f} s left"


def _terms(tick: Tick) -> str:
    return " ".join(f"{name} {value:.4g}" for name, value in tick.terms.items())
