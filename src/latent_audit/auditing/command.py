"""The work of `latent-audit audit`: a file of codes in, a folder of tables and a page out, whole or not at all."""

import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from latent_audit.auditing.about import about
from latent_audit.auditing.beside import ENTRIES, INDICES, arguments
from latent_audit.auditing.beside_page import codebook_page
from latent_audit.auditing.border import printable, short
from latent_audit.auditing.files import ForeignCodes, read_foreign, read_images
from latent_audit.auditing.page import audit_page
from latent_audit.auditing.paths import at_home
from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.base.file_names import as_text
from latent_audit.base.folder import refuse_foreign, whole_folder
from latent_audit.base.hashing import file_sha256
from latent_audit.base.tables import write_json, write_table
from latent_audit.diagnostics.audit import AuditSettings, AuditTables, audit
from latent_audit.diagnostics.decomposition import NoDrawWarning
from latent_audit.diagnostics.forms import finished
from latent_audit.diagnostics.inputs import with_names
from latent_audit.diagnostics.ties import TiesWarning, why_no_p

MARKER, MADE_BY, PAGE = "audit.json", "latent-audit audit", "index.html"
TABLES = ("per_dim", "joint", "classes", "separability", "transforms", "disentanglement", "directions", "codebook")
OF_INDICES = ("codebook",)
OF_MAPS = ("scaling", "spatial", "positions")  # of latent maps and sequences
MOST_NAMED = 40  # columns listed in the terminal; audit.json has all


class Request(NamedTuple):
    """What was asked for: the file of codes, the folder to write, and what else was given."""

    codes: Path
    out: Path
    labels: str | None = None
    images: Path | None = None
    seed: int = 0
    columns: tuple[str, ...] = ()
    array: str | None = None
    reduce: str | None = None


class Measured(NamedTuple):
    """A file's audit: its tables, those that are written by their names, audit.json, and images for the page."""

    tables: AuditTables
    written: dict[str, pd.DataFrame]
    described: dict[str, Any]
    samples: Mapping[str, np.ndarray]


def say_aloud(line: str) -> None:
    """To the terminal; what a program would read goes to files."""
    print(line, file=sys.stderr, flush=True)


def run_audit(
    request: Request, *, settings: AuditSettings = AuditSettings(), say: Callable[[str], None] = say_aloud
) -> AuditTables:
    """Read the codes, audit them and write the folder: the tables as .csv, audit.json, index.html.

    The same files and seed give the same bytes. On any failure the folder is as it was before.

    Raises
    ------
    InputError : a folder that may not be replaced, or anything wrong with the files; see `read_foreign`.
    """
    request, say = expanded(request), printing(say)
    target = free_folder(request)
    codes, images = read_all(request, say)
    with whole_folder(target) as folder:
        tables, written, described, samples = measured(request, codes, images, settings, say)
        for name, table in written.items():
            write_table(folder / name, table)
        described["files"] = sorted([*written, PAGE])
        page = codebook_page(tables, described) if INDICES in codes.beside else audit_page(tables, described, samples)
        write_text(folder / PAGE, page)
        write_json(folder / MARKER, described)
    for line in (tables.verdict, *tables.judgement.advice):
        say(line)
    say(f"{request.out / PAGE}: {len(written)} tables beside it")
    return tables


def free_folder(request: Request) -> Path:
    """The folder to write, which is free or an earlier audit's."""
    if request.seed < 0:
        raise InputError(f"--seed {request.seed}: a seed must be 0 or more.")
    try:
        target = request.out.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a link to itself, or a null byte
        raise InputError(f"{request.out}: cannot be followed ({error}); choose another folder.") from None
    refuse_foreign(target, marker=MARKER, made_by=MADE_BY)
    return target


def read_all(request: Request, say: Callable[[str], None]) -> tuple[ForeignCodes, np.ndarray | None]:
    """The codes and their images, if there are any; what was taken is said."""
    codes = read_foreign(
        request.codes, labels=request.labels, seed=request.seed, columns=request.columns, array=request.array,
        reduce=request.reduce,
    )  # fmt: skip
    images = None if request.images is None else read_images(request.images, codes.n_samples)
    for line in (_size(request, codes, images), *_columns(codes), *codes.notes):
        say(line)
    return codes, images


def measured(
    request: Request,
    codes: ForeignCodes,
    images: np.ndarray | None,
    settings: AuditSettings,
    say: Callable[[str], None],
) -> Measured:
    """The audit of one file, and everything that is written of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDrawWarning)  # it stands in codes.notes
        warnings.simplefilter("ignore", TiesWarning)  # in the notes below
        tables = _audited(codes, request, settings, say)
    notes = [*codes.notes, *([] if INDICES in codes.beside else why_no_p(tables.per_dim)), *_unscored(tables)]
    for line in notes[len(codes.notes) :]:
        say(line)
    tables = tables._replace(per_dim=with_names(tables.per_dim, codes.columns, codes.z.shape[1]))
    names = OF_INDICES if INDICES in codes.beside else TABLES
    written = {f"{name}.csv": getattr(tables, name) for name in names if getattr(tables, name) is not None}
    judgement = tables.judgement
    written["reasons.csv"] = judgement.reasons.assign(code="z")[["code", *judgement.reasons]]
    if judgement.regions is not None:
        written["regions.csv"] = judgement.regions.assign(code="z")[["code", *judgement.regions]]
    written |= {} if tables.maps is None else {f"{name}.csv": getattr(tables.maps, name) for name in OF_MAPS}
    described = _writable(_description(request, codes, images, tables, settings, notes))
    return Measured(tables, written, described, _samples(codes, images))


def _audited(codes: ForeignCodes, request: Request, settings: AuditSettings, say: Callable[[str], None]) -> AuditTables:
    if INDICES in codes.beside:
        return audit(
            indices=codes.beside[INDICES], entries=codes.beside.get(ENTRIES), seed=request.seed, settings=settings
        )
    tables = audit(
        codes.z, mu=codes.mu, logvar=codes.logvar, labels=codes.labels, seed=request.seed, settings=settings,
        report_step=say, **arguments(codes.beside, request.codes.name),
    )  # fmt: skip
    return tables if codes.form is None else finished(tables, codes.form)


def expanded(request: Request) -> Request:
    """The request with `~` of its paths expanded, which a shell does not do after `--out=`."""
    images = None if request.images is None else at_home(request.images)
    return request._replace(codes=at_home(request.codes), out=at_home(request.out), images=images)


def printing(say: Callable[[str], None]) -> Callable[[str], None]:
    """`say` for lines that hold names and values of a user's file: control characters are spelt out."""
    return lambda line: say(printable(line))


def _size(request: Request, codes: ForeignCodes, images: np.ndarray | None) -> str:
    arrays = " and ".join(_arrays(codes))
    parts = [f"{as_text(request.codes.name)}: {' x '.join(f'{k:,}' for k in codes.shape)} ({arrays})"]
    if codes.labels is not None:
        parts.append(f"{len(np.unique(codes.labels)):,} classes")
    if images is not None:
        parts.append(f"images of {' x '.join(map(str, images.shape[1:]))}")
    return ", ".join(parts)


def _arrays(codes: ForeignCodes) -> list[str]:
    """Of what the audit is, by the names of its arrays."""
    if INDICES in codes.beside:
        return [INDICES]
    return [name for name in ("mu", "logvar", "z") if getattr(codes, name) is not None] + list(codes.beside)


def _columns(codes: ForeignCodes) -> list[str]:
    """A line for z, mu, logvar and the labels each: the columns that it is made of."""
    return [
        f"{role}: column{'s' * (len(names) > 1)} {', '.join(short(printable(name)) for name in names[:MOST_NAMED])}"
        f"{f' and {len(names) - MOST_NAMED:,} more' if len(names) > MOST_NAMED else ''}"
        for role, names in codes.columns.items()
    ]


def _writable(described: Any) -> Any:
    """The same with every text such that it can be printed, and written as UTF-8: names of files need not be."""
    if isinstance(described, Mapping):
        return {printable(str(key)): _writable(value) for key, value in described.items()}
    if isinstance(described, list | tuple):
        return [_writable(value) for value in described]
    return printable(described) if isinstance(described, str) else described


def _unscored(tables: AuditTables) -> list[str]:
    if tables.classes is None or tables.separability is not None:
        return []
    return ["no separability.csv: it needs at least 40 rows, and two classes of two rows"]


def _description(
    request: Request,
    codes: ForeignCodes,
    images: np.ndarray | None,
    tables: AuditTables,
    settings: AuditSettings,
    notes: list[str],
) -> dict[str, Any]:
    """audit.json: what went in, how it was measured and by which versions; no clock, no host, no path."""
    files = {"codes": request.codes, "labels": codes.label_file, "images": request.images}
    return {
        "made_by": MADE_BY,
        "input": {
            role: {"name": as_text(path.name), "sha256": file_sha256(path)}
            for role, path in files.items()
            if path is not None
        },
        "array": request.array,
        "shape": list(codes.shape),
        "reduce": request.reduce if tables.reduction is None else tables.reduction.spec,
        "labels": None if request.labels is None else as_text(Path(request.labels).name),
        **about(
            tables, arrays=_arrays(codes), shape=codes.z.shape, labels=codes.labels, columns=codes.columns,
            images=None if images is None else images.shape, seed=request.seed, settings=settings, notes=notes,
        ),
    }  # fmt: skip


def _samples(codes: ForeignCodes, images: np.ndarray | None) -> Mapping[str, np.ndarray]:
    """Images of the codes that are nearest to 0, where the prior is densest, and of those furthest out."""
    if images is None:
        return {}
    order = np.argsort(np.linalg.norm(codes.z, axis=1), kind="stable")
    order = order if codes.form is None else codes.form.sample[order]
    return {"closest to 0": images[order[:16]], "furthest from 0": images[order[::-1][:16]]}
