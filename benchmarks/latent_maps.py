"""Time and peak memory of `latent-audit audit` on latent maps of full size. Writes results/latent_maps.json.

50,000 maps of 16 x 32 x 32 in float32, 3.3 GB: a smooth field and noise, every channel with an offset and a scale of
its own. Read from a .npy, and from a .safetensors.

    python benchmarks/latent_maps.py
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.lib.format import open_memmap

from measured import run, save

SHAPE = (50_000, 16, 32, 32)
BLOCK = 500


def write_maps(path: Path, shape: tuple[int, int, int, int]) -> None:
    """A .npy of maps, written a block at a time: half of the variance in squares of 4 x 4 positions, half noise."""
    n, channels, height, width = shape
    maps = open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    offset, scale = np.linspace(-1, 1, channels)[:, None, None], np.linspace(3, 8, channels)[:, None, None]
    for start in range(0, n, BLOCK):
        rng, rows = np.random.default_rng([0, start]), min(BLOCK, n - start)
        coarse = rng.standard_normal((rows, channels, height // 4, width // 4), dtype=np.float32)
        noise = rng.standard_normal((rows, channels, height, width), dtype=np.float32)
        smooth = coarse.repeat(4, axis=2).repeat(4, axis=3)
        maps[start : start + rows] = offset + scale * np.sqrt(0.5) * (smooth + noise)
    maps.flush()


def as_tensors(path: Path, target: Path) -> None:
    """The same array as the one tensor of a .safetensors, copied a part at a time."""
    maps = np.load(path, mmap_mode="r")
    entry = {"dtype": "F32", "shape": list(maps.shape), "data_offsets": [0, maps.nbytes]}
    header = json.dumps({"z": entry}).encode()
    with target.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for start in range(0, len(maps), BLOCK):
            file.write(maps[start : start + BLOCK].tobytes())


def main(
    n: Annotated[int, typer.Option(help="maps")] = SHAPE[0],
    folder: Annotated[Path | None, typer.Option(help="where 7 GB may be written for a while")] = None,
) -> None:
    """Measure and write results/latent_maps.json."""
    shape, rows = (n, *SHAPE[1:]), []
    with tempfile.TemporaryDirectory(dir=folder) as place:
        npy, tensors = Path(place) / "maps.npy", Path(place) / "maps.safetensors"
        write_maps(npy, shape)
        as_tensors(npy, tensors)
        for path in (npy, tensors):
            out = Path(place) / f"out-{path.suffix[1:]}"
            measured = run(sys.executable, "-m", "latent_audit.cli", "audit", str(path), "--out", str(out))
            size = {"shape": list(shape), "file": path.suffix, "gigabytes": path.stat().st_size / 1e9}
            rows.append({**size, "seconds": measured.seconds, **measured.peak._asdict()})
            print(rows[-1], flush=True)
    save("latent_maps", f"python benchmarks/latent_maps.py{'' if n == SHAPE[0] else f' --n {n}'}", {"points": rows})


if __name__ == "__main__":
    typer.run(main)
