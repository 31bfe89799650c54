"""Digests of the raw files that a prepared data set was made from."""

import hashlib
from pathlib import Path


def raw_sha256(raw_dir: Path) -> dict[str, str]:
    """SHA-256 of each file of `raw_dir`; of a folder in it, one for the sorted names and digests of its files."""
    digests = {}
    for entry in sorted(raw_dir.iterdir()):
        if entry.name.startswith("."):
            continue  # a .part left by a killed run, a .gitignore
        if entry.is_file():
            digests[entry.name] = _sha256(entry)
        else:
            files = sorted(path for path in entry.rglob("*") if path.is_file())
            listing = "".join(f"{_sha256(path)}  {path.relative_to(entry).as_posix()}\n" for path in files)
            digests[f"{entry.name}/"] = hashlib.sha256(listing.encode()).hexdigest()
    return digests


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
