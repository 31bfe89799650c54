"""Fetch one file from the first source that has it, check it, and put it in its place whole or not at all."""

import hashlib
import queue
import threading
from collections.abc import Sequence
from http.client import HTTPException
from io import BufferedIOBase
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, url2pathname, urlopen

from latent_audit.base.atomic import atomic_path
from latent_audit.base.errors import InputError

ANSWER_SECONDS = 5  # for name, connection and headers of one source: an offline machine learns it soon
STALL_SECONDS = 30  # without a single byte once the file is on its way
CHUNK = 1 << 20  # bytes


class Resource(NamedTuple):
    """A file of a data set; `md5` None where no checksum is published for what a mirror may hold."""

    name: str
    md5: str | None


class _NoAnswer(Exception):
    """A source did not give the file; `absent`: it answered, and does not have it."""

    def __init__(self, reason: str, *, absent: bool = False) -> None:
        super().__init__(reason)
        self.absent = absent


class _Damaged(Exception):
    """A source gave another file than the one wanted, or a part of it."""


def md5_of(path: Path) -> str:
    """MD5 of a file as 32 hexadecimal digits: the kind that is published; against damage, not malice."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def fetch(
    dataset: str,
    alternatives: Sequence[Resource],
    raw_dir: Path,
    *,
    mirror: str | None,
    public: Sequence[str] = (),
    required: bool = True,
    by_hand: str = "",
) -> Path | None:
    """Put one of `alternatives` into `raw_dir`, unless it is there: the mirror first, then the `public` addresses.

    Parameters
    ----------
    alternatives : files of which one is enough, the preferred one first.
    mirror : folder or http(s)/file URL; the file is `<mirror>/<dataset>/<name>`. None or "": not set.
    public : base URLs; the file is `<base><name>`.
    required : False: return None where every source answers that it has none of them.
    by_hand : a sentence for the error: how a person gets the file where there is no public address.

    Raises
    ------
    InputError
        A file there already, or the mirror's, is not what its checksum says; or no source has it (each is named).
    """
    for resource in alternatives:
        if (raw_dir / resource.name).is_file():
            check(raw_dir / resource.name, resource, origin="already there; delete it to fetch it again")
            return raw_dir / resource.name
    tried: list[str] = [] if mirror else ["LATENT_AUDIT_MIRROR: not set"]
    all_absent = True
    for location, resource, from_mirror in _locations(dataset, alternatives, mirror, public):
        try:
            _take(location, resource, raw_dir / resource.name)
            return raw_dir / resource.name
        except _NoAnswer as error:
            tried.append(f"{location}: {error}")
            all_absent &= error.absent
        except _Damaged as error:
            if from_mirror:  # the user chose this file: going on to another source would hide that it is bad
                raise InputError(
                    f"{resource.name}: {error}. It came from {location}, and was not kept. "
                    "Replace it by the original, or unset LATENT_AUDIT_MIRROR to use the public sources."
                ) from error
            tried.append(f"{location}: {error}")
            all_absent = False
    if all_absent and not required:
        return None
    raise InputError(_no_source(dataset, alternatives, tried, by_hand))


def check(path: Path, resource: Resource, *, origin: str) -> None:
    """Raise InputError where the file at `path` has not the MD5 of `resource`; `origin` tells where it is from."""
    if resource.md5 is None:
        return
    found = md5_of(path)
    if found != resource.md5:
        raise InputError(
            f"{path}: expected md5 {resource.md5}, found {found}: damaged, truncated or another file ({origin})."
        )


def location_in(mirror: str, dataset: str, name: str) -> Path | str:
    """Where `<mirror>/<dataset>/<name>` is: a Path for folders and file URLs, a string for http(s)."""
    if "://" not in mirror:
        return Path(mirror).expanduser() / dataset / name
    try:
        parts = urlsplit(mirror)
    except ValueError as error:
        raise InputError(f"LATENT_AUDIT_MIRROR: no address ({error}); give a folder or a URL.") from None
    if parts.scheme == "file":
        return Path(url2pathname(parts.path)) / dataset / name
    if parts.scheme not in ("http", "https"):
        raise InputError(
            f"LATENT_AUDIT_MIRROR: cannot read {parts.scheme}:// addresses; "
            "give a folder, or an http(s):// or file:// URL."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:  # not shown: it may hold a password or a token
        raise InputError(
            f"LATENT_AUDIT_MIRROR: the address at {parts.hostname} has a user, a query or a fragment in it; "
            "give a plain http(s) address, or copy the files to a folder."
        )
    return f"{mirror.rstrip('/')}/{dataset}/{name}"


def state_of_url(url: str) -> str | None:
    """Length, tag and date that a server names for a file, without its content; None where it gives none."""
    try:
        response, length = _open_url(url)
    except _NoAnswer:
        return None
    with response:
        headers: Any = getattr(response, "headers", {})
        return f"{length} {headers.get('ETag', '')} {headers.get('Last-Modified', '')}"


def _locations(
    dataset: str, alternatives: Sequence[Resource], mirror: str | None, public: Sequence[str]
) -> list[tuple[Path | str, Resource, bool]]:
    in_mirror = [(location_in(mirror, dataset, one.name), one, True) for one in alternatives] if mirror else []
    return in_mirror + [(base + one.name, one, False) for base in public for one in alternatives]


def _no_source(dataset: str, alternatives: Sequence[Resource], tried: Sequence[str], by_hand: str) -> str:
    names = " or ".join(resource.name for resource in alternatives)
    listing = "\n".join(f"  tried {one}" for one in tried)
    return (
        f"{dataset}: no source gave {names}.\n{listing}\n{by_hand}{' ' if by_hand else ''}"
        f"Set LATENT_AUDIT_MIRROR to a folder (or an http(s) address) that holds {dataset}/{alternatives[0].name}, "
        "or run `make demo`, which needs no download."
    )


def _take(location: Path | str, resource: Resource, target: Path) -> None:
    """Copy `location` to `target`; raises _NoAnswer where nothing came and _Damaged where it came wrong."""
    stream, length = _open_file(location) if isinstance(location, Path) else _open_url(location)
    with stream, atomic_path(target) as temporary:
        _receive(stream, length, resource.md5, temporary)


def _receive(stream: BufferedIOBase, length: int | None, md5: str | None, temporary: Path) -> None:
    digest, size, broken = hashlib.md5(usedforsecurity=False), 0, ""
    with temporary.open("wb") as file:
        while True:
            try:
                chunk = stream.read(CHUNK)
            except (OSError, HTTPException) as error:  # the network's; a full disk raises below and is not caught
                broken = f" ({error or type(error).__name__})"
                break
            if not chunk:
                break
            digest.update(chunk)
            size += file.write(chunk)
    if broken or (length is not None and size != length):
        of_length = "" if length is None else f" of {length}"
        raise _Damaged(
            f"truncated after {size}{of_length} bytes{broken}; "
            f"expected md5 {md5 or 'unknown'}, found {digest.hexdigest()}"
        )
    if md5 is not None and digest.hexdigest() != md5:
        raise _Damaged(f"expected md5 {md5}, found {digest.hexdigest()} ({size} bytes): damaged or another file")


def _open_file(location: Path) -> tuple[BufferedIOBase, int | None]:
    try:
        if not location.is_file():
            missing = next((parent for parent in [*location.parents][::-1] if not parent.exists()), location)
            raise _NoAnswer(f"{missing} does not exist" if not missing.exists() else "not a file", absent=True)
        return location.open("rb"), location.stat().st_size
    except OSError as error:
        raise _NoAnswer(error.strerror or type(error).__name__) from error


def _open_url(url: str) -> tuple[BufferedIOBase, int | None]:
    """Open `url` within ANSWER_SECONDS: a name server that is silent has no timeout of its own, hence the thread."""
    answer: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def connect() -> None:
        try:
            answer.put(urlopen(Request(url, headers={"User-Agent": "latent-audit"}), timeout=STALL_SECONDS))
        except (OSError, HTTPException, ValueError) as error:
            answer.put(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        response = answer.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise _NoAnswer(f"no answer within {ANSWER_SECONDS} s") from None
    if isinstance(response, HTTPError):
        response.close()
        raise _NoAnswer(f"answered {response.code} {response.reason}", absent=response.code in (404, 410))
    if isinstance(response, Exception):
        reason = getattr(response, "reason", response)
        raise _NoAnswer(str(getattr(reason, "strerror", None) or reason)) from response
    length = response.headers.get("Content-Length", "")
    return response, int(length) if length.isdigit() else None
