"""Training speed side by side: Keras, plain PyTorch, pythae, ours, and the machine's ceiling.

Every contender runs in a process of its own, all of them once a round, round after round: absolute rates drift on
shared machines, ratios within a round hold. An epoch has the study's 60,000 images: over a short one plain PyTorch
looks faster than it is. Memory is watched in a round of its own, of fewer images, because looking costs time. Writes
results/training.json, or results/training-NAME.json with `--name NAME` (another machine's).

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
    name: Annotated[str, typer.Option(help="of the result, if it is not to be training.json")] = "",
) -> None:
    """Measure and write results/training.json, or training-NAME.json."""
    names = [one for one in CONTENDERS if only is None or one.startswith(tuple(only))]
    rates: dict[str, list[float]] = {one: [] for one in names}
    for number in range(1, rounds + 1):
        for one in names:
            rates[one].append(rate_in(run(sys.executable, SCRIPT, one, str(images), watch=False).output))
            print(f"round {number}/{rounds} {one}: {rates[one][-1]:,.0f} images/s", flush=True)
    peaks = {one: run(sys.executable, SCRIPT, one, str(watched)).peak.pss for one in names}
    result = {
        one: {
            "images_per_s": spread(rates[one]),
            "peak_mib": peaks[one],
            **{
                f"over_{other}": spread([ours / theirs for ours, theirs in zip(rates[one], rates[rival], strict=True)])
                for other in ("keras", "plain")
                if (rival := f"{other} {one.split()[1]}") in rates and one.startswith("ours")
            },
        }
        for one in names
    }
    options = [f"--rounds {rounds} --images {images}", *(f"--only '{start}'" for start in only or ())]
    file = "training"
    if name:
        options.append(f"--name {name}")
        file = f"training-{name}"
    save(file, " ".join(["python benchmarks/training.py", *options]), {"contenders": result})


if __name__ == "__main__":
    typer.run(main)
