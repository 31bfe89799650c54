"""Training speed side by side: Keras, plain PyTorch, pythae, ours, and the machine's ceiling.

Every contender runs in a process of its own, all of them once a round, round after round: absolute rates drift on
shared machines, ratios within a round hold. An epoch has the study's 60,000 images: over a short one plain PyTorch
looks faster than it is. Memory is watched in a round of its own, of fewer images, because looking costs time. Writes
results/training.json.

    pip install -e '.[bench]' && python benchmarks/training.py
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from contenders import CONTENDERS
from measured import rate_in, run, save, spread

SCRIPT = str(Path(__file__).resolve().parent / "contenders.py")


def main(
    rounds: int = 2,
    images: int = 60_000,
    watched: Annotated[int, typer.Option(help="images of the round in which memory is watched")] = 12_000,
    only: Annotated[list[str] | None, typer.Option(help="contenders, by the start of their names")] = None,
) -> None:
    """Measure and write results/training.json."""
    names = [name for name in CONTENDERS if only is None or any(name.startswith(start) for start in only)]
    rates: dict[str, list[float]] = {name: [] for name in names}
    for number in range(1, rounds + 1):
        for name in names:
            rates[name].append(rate_in(run(sys.executable, SCRIPT, name, str(images), watch=False).output))
            print(f"round {number}/{rounds} {name}: {rates[name][-1]:,.0f} images/s", flush=True)
    peaks = {name: run(sys.executable, SCRIPT, name, str(watched)).peak.pss for name in names}
    result = {
        name: {
            "images_per_s": spread(rates[name]),
            "peak_mib": peaks[name],
            **{
                f"over_{other}": spread([ours / theirs for ours, theirs in zip(rates[name], rates[rival], strict=True)])
                for other in ("keras", "plain")
                if (rival := f"{other} {name.split()[1]}") in rates and name.startswith("ours")
            },
        }
        for name in names
    }
    save("training", f"python benchmarks/training.py --rounds {rounds} --images {images}", {"contenders": result})


if __name__ == "__main__":
    typer.run(main)
