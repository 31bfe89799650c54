"""Damaged files of codes, labels and images: each is read, or refused in words; anything else is a fault.

`python tests/fuzz_arrays.py --n 5000` prints the faults of 5,000 mutations and ends with their number.
"""

import argparse
import io
import sys
import tempfile
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from latent_audit.auditing.files import read_foreign, read_images
from latent_audit.base.errors import InputError

ROWS = 30
HEADERS = (  # of a .npy: what may stand for a shape, for a dtype, for the order
    ["(30, 3)", "(-30, 3)", "(30, -3)", "(True, 90)", "(30, False)", "(100000000000000000000, 3)", "(0, 10**20)", "()",
     f"({', '.join(['1'] * 40)})", "(30,)", "(90,)", "(0,)", "(0, 3)", "(30, 0)", "'30, 3'", "[30, 3]", "(30.0, 3)",
     "(None, 3)", "(30, 3, 1)", "(3, 30)", "{}", "(30, (3,))", "(2**62, 2**62)", "(9223372036854775807, 0)"],
    ["'<f8'", "'>f8'", "'<f4'", "'<f2'", "'|O'", "'<c16'", "'|b1'", "'<U8'", "'|S8'", "'<U0'", "'|V0'", "'<V2'",
     "'bfloat16'", "'<M8[ns]'", "[('a', '<f8')]", "[('a', '<f8', (3,))]", "('<f8', (3,))", "('<f8', (2, 3))",
     "'nonsense'", "1", "None", "[]", "[('a', 'O')]", "[('', '<f8')]", "'<f16'", "'<i8'", "'<u1'",
     "['<f8']", "{'names': []}"],
    ["False", "True", "1", "None", "'yes'"],
)  # fmt: skip
MARKS = "([{'\"\x00~é"
CELLS = ("", "NA", "nan", "inf", "-inf", "1e999", "0,5", '"', "a", "1_0", "[1, 2]", "\x00", "é", "1" * 400, " 1 ",
         "0x1F", ",", ";", "\t", "\n", "\r", "True", "1e-400", "\ufeff", "٣", "#", "--", "'")  # fmt: skip


def seeds(rng: np.random.Generator) -> dict[str, bytes]:
    """Whole files, by their names: the suffix says what reads them."""
    z, labels = rng.standard_normal((ROWS, 3)), np.arange(ROWS) % 3
    table = pd.DataFrame(z, columns=["a", "b", "c"]).assign(label=labels, kind=np.array(["x", "y", "z"])[labels])
    posterior = pd.DataFrame(np.hstack([z, -abs(z)]), columns=[f"{r}_{k}" for r in ("mu", "logvar") for k in range(3)])
    lists = pd.DataFrame({"embedding": z.tolist(), "label": labels})
    return {
        "codes.npy": _npy(z),
        "labels.npy": _npy(np.array(["bag", "coat", "shoe"])[labels]),
        "images.npy": _npy(rng.integers(0, 255, (ROWS, 4, 4), dtype=np.uint8)),
        "plain.npz": _npz(z=z, mu=z, logvar=-abs(z), labels=labels),
        "sigma.npz": _npz(mu=z, sigma=abs(z) + 0.1, y=labels),
        "lzma.npz": _zip(zipfile.ZIP_LZMA, z=z, labels=labels),
        "bzip.npz": _zip(zipfile.ZIP_BZIP2, z=z),
        "deflated.npz": _zip(zipfile.ZIP_DEFLATED, z=z, note=labels.astype(str)),
        "codes.csv": table.drop(columns="kind").to_csv(index=False).encode(),
        "index.csv": table.to_csv().encode(),
        "decimal.csv": table.to_csv(index=False, sep=";", decimal=",").encode(),
        "posterior.csv": posterior.to_csv(index=False).encode(),
        "labels.csv": "\n".join(["label", *map(str, labels)]).encode(),
        "labels.txt": "\n".join(map(str, labels)).encode(),
        "codes.parquet": _parquet(table.drop(columns="kind")),
        "text.parquet": _parquet(table.set_index(np.arange(ROWS) * 2)),
        "lists.parquet": _parquet(lists),
        "plain.parquet": _parquet(posterior, compression="none", use_dictionary=False),
    }


def mutations(name: str, whole: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """Damaged forms of the file, without end: of its header where it has one, of its cells, of its bytes."""
    while True:
        if name.endswith(".npy") and rng.random() < 0.6:
            yield _lying_npy(whole, rng)
        elif name.endswith(".npz") and rng.random() < 0.4:
            yield _lying_npz(whole, rng)
        elif name.endswith((".csv", ".txt")) and rng.random() < 0.7:
            yield _odd_cells(whole, rng)
        else:
            yield _odd_bytes(whole, rng)


def _lying_npy(whole: bytes, rng: np.random.Generator) -> bytes:
    shape, dtype, order = (part[rng.integers(len(part))] for part in HEADERS)
    header = f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}"
    if rng.random() < 0.2:
        header = header[: rng.integers(1, len(header))] + MARKS[rng.integers(len(MARKS))]
    raw = header.encode("latin-1", "replace") + b" " * int(rng.integers(0, 64)) + b"\n"
    length = len(raw) if rng.random() < 0.9 else int(rng.integers(0, 2**16))
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + raw + whole[128:]


def _lying_npz(whole: bytes, rng: np.random.Generator) -> bytes:
    """The archive again with a lying member, an odd name, or two members of one name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(buffer, "w") as new, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a name twice is what is asked for
        for member in old.namelist():
            content = _lying_npy(old.read(member), rng) if rng.random() < 0.5 else old.read(member)
            names = (member, member, member, "../z.npy", "é\x01.npy", ".npy", "z", "sigma.npy", "z.npy")
            new.writestr(names[rng.integers(len(names))], content)
    packed = buffer.getvalue()
    return packed.replace("é".encode(), b"\xff\xfe") if rng.random() < 0.3 else packed


def _odd_cells(whole: bytes, rng: np.random.Generator) -> bytes:
    rows = whole.decode().split("\n")
    for _ in range(rng.integers(1, 4)):
        row = int(rng.integers(0, 3)) if rng.random() < 0.4 else int(rng.integers(len(rows)))
        mark = ";" if ";" in rows[row] else ","
        cells = rows[row].split(mark)
        cells[rng.integers(len(cells))] = CELLS[rng.integers(len(CELLS))]
        rows[row] = mark.join(cells)
    return "\n".join(rows).encode(*(("utf-16",) if rng.random() < 0.05 else ("utf-8",)))


def _odd_bytes(whole: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed (more of them where the headers are: at the start and the end), left out, or put in."""
    changed = bytearray(whole)
    for _ in range(rng.integers(1, 6)):
        edge = int(rng.integers(0, min(200, len(changed))))
        place = (edge, len(changed) - 1 - edge, int(rng.integers(len(changed))))[rng.integers(3)]
        kind = rng.integers(4)
        if kind == 0:
            changed[place] = int(rng.integers(256))
        elif kind == 1:
            changed[place] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            del changed[place : place + int(rng.integers(1, 9))]
        else:
            changed[place:place] = rng.bytes(int(rng.integers(1, 9)))
        if len(changed) < 2:
            break
    return bytes(changed)


def read(folder: Path, name: str, content: bytes) -> str:
    """How the file fares: "read", "refused", or the traceback of whatever else it raised."""
    path = folder / name
    path.write_bytes(content)
    try:
        if name.startswith("images"):
            read_images(path, ROWS)
        elif name.startswith("labels"):
            read_foreign(folder / "good.npy", labels=str(path))
        else:
            labels = "kind" if name == "text.parquet" else None
            read_foreign(path, labels=labels)
    except InputError as error:
        assert str(error).strip()
        return "refused"
    except Exception:
        return traceback.format_exc()
    return "read"


def fuzz(n: int, folder: Path, *, seed: int = 0, say: Callable[[str], Any] = lambda line: None) -> Counter[str]:
    """How often `n` damaged files were "read", "refused", or a fault, which is said with the file's name."""
    rng = np.random.default_rng(seed)
    whole = seeds(rng)
    np.save(folder / "good.npy", rng.standard_normal((ROWS, 2)))
    streams = {name: mutations(name, content, rng) for name, content in whole.items()}
    fared: Counter[str] = Counter()
    names = sorted(streams)
    for number in range(n):
        name = names[number % len(names)]
        content = next(streams[name])
        found = read(folder, name, content)
        if found not in ("read", "refused"):
            (folder / f"fault-{number}-{name}").write_bytes(content)
            say(f"{number} {name}\n{found}")
            found = "fault"
        fared[found] += 1
    return fared


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def _zip(kind: int, **arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as file:
        for name, array in arrays.items():
            file.writestr(f"{name}.npy", _npy(array))
    return buffer.getvalue()


def _parquet(table: pd.DataFrame, **options: Any) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, **options)
    return buffer.getvalue()


def main() -> None:
    """Print every fault and how the files fared; exit code 1 where there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for the files that were faults")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        fared = fuzz(asked.n, asked.keep or Path(temporary), seed=asked.seed, say=print)
    print(dict(fared))
    sys.exit(1 if fared["fault"] else 0)


if __name__ == "__main__":
    main()
