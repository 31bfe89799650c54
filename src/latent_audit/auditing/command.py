"""The work of `latent-audit audit`: a file of codes in, a folder of tables and a page out, whole or not at all."""

import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from latent_audit.auditing.border import printable, short
from latent_audit.auditing.files import ForeignCodes, read_foreign, read_images
from latent_audit.auditing.page import audit_page
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
TABLES = ("per_dim", "joint", "classes", "separability", "transforms")
OF_MAPS = ("scaling", "spatial", "positions")  # of latent maps and sequences
MOST_NAMED = 40  # columns listed in the terminal; audit.json has all
PACKAGES = ("latent-audit", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "pillow")


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


def run_audit(
    request: Request,
    *,
    settings: AuditSettings = AuditSettings(),
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> AuditTables:
    """Read the codes, audit them and write the folder: the tables as .csv, audit.json, index.html.

    The same files and seed give the same bytes. On any failure the folder is as it was before.

    Raises
    ------
    InputError : a folder that may not be replaced, or anything wrong with the files; see `audit_files`.
    """
    if request.seed < 0:
        raise InputError(f"--seed {request.seed}: a seed must be 0 or more.")
    try:
        target = request.out.resolve()
    except (OSError, RuntimeError) as error:  # a link to itself
        raise InputError(f"{request.out}: cannot be followed ({error}); choose another folder.") from None
    refuse_foreign(target, marker=MARKER, made_by=MADE_BY)
    codes = read_foreign(
        request.codes, labels=request.labels, seed=request.seed, columns=request.columns, array=request.array,
        reduce=request.reduce,
    )  # fmt: skip
    images = None if request.images is None else read_images(request.images, codes.n_samples)
    for line in (_size(request, codes, images), *_columns(codes), *codes.notes):
        say(line)
    with whole_folder(target) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDrawWarning)  # it stands in codes.notes
        warnings.simplefilter("ignore", TiesWarning)  # in the notes below
        tables = audit(
            codes.z, mu=codes.mu, logvar=codes.logvar, labels=codes.labels, seed=request.seed, settings=settings,
            report_step=say,
        )  # fmt: skip
        tables = tables if codes.form is None else finished(tables, codes.form)
        notes = [*codes.notes, *why_no_p(tables.per_dim), *_unscored(tables)]
        for line in notes[len(codes.notes) :]:
            say(line)
        tables = tables._replace(per_dim=with_names(tables.per_dim, codes.columns, codes.z.shape[1]))
        written = {f"{name}.csv": getattr(tables, name) for name in TABLES if getattr(tables, name) is not None}
        written["reasons.csv"] = tables.judgement.reasons.assign(code="z")[["code", *tables.judgement.reasons]]
        written |= {} if tables.maps is None else {f"{name}.csv": getattr(tables.maps, name) for name in OF_MAPS}
        for name, table in written.items():
            write_table(folder / name, table)
        described = _writable(_description(request, codes, images, tables, settings, notes))
        described["files"] = sorted([*written, PAGE])
        write_text(folder / PAGE, audit_page(tables, described, codes, _samples(codes, images)))
        write_json(folder / MARKER, described)
    for line in (tables.verdict, *tables.judgement.advice):
        say(line)
    say(f"{request.out / PAGE}: {len(written)} tables beside it")
    return tables


def _size(request: Request, codes: ForeignCodes, images: np.ndarray | None) -> str:
    arrays = " and ".join(name for name in ("mu", "logvar", "z") if getattr(codes, name) is not None)
    parts = [f"{as_text(request.codes.name)}: {' x '.join(f'{k:,}' for k in _shape(codes))} ({arrays})"]
    if codes.labels is not None:
        parts.append(f"{len(np.unique(codes.labels)):,} classes")
    if images is not None:
        parts.append(f"images of {' x '.join(map(str, images.shape[1:]))}")
    return ", ".join(parts)


def _shape(codes: ForeignCodes) -> tuple[int, ...]:
    """Of what the file holds."""
    form = codes.form
    if form is not None and form.maps is not None:
        return form.maps.shape
    if form is not None and form.reduction is not None:
        return form.reduction.n, form.reduction.d
    return codes.z.shape


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
    n, latent_dim = codes.z.shape
    return {
        "made_by": MADE_BY,
        "input": {
            role: {"name": as_text(path.name), "sha256": file_sha256(path)}
            for role, path in files.items()
            if path is not None
        },
        "arrays": [name for name in ("mu", "logvar", "z") if getattr(codes, name) is not None],
        "n": n,
        "latent_dim": latent_dim,
        "classes": None if codes.labels is None else len(np.unique(codes.labels)),
        "labels": None if request.labels is None else as_text(Path(request.labels).name),
        "array": request.array,
        "shape": list(_shape(codes)),
        "reduce": request.reduce if tables.reduction is None else tables.reduction.spec,
        "columns": {role: list(names) for role, names in codes.columns.items()},
        "images": None if images is None else list(images.shape),
        "shown_dims": list(tables.dims),
        "may_sample": tables.judgement.may_sample,
        "verdict": tables.verdict,
        "advice": list(tables.judgement.advice),
        "fits": _rows(tables.judgement.fits),
        "seed": request.seed,
        "settings": asdict(settings),
        "notes": notes,
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _rows(table: pd.DataFrame | None) -> list[dict[str, Any]] | None:
    """The rows of a table as JSON has them: NaN is null."""
    if table is None:
        return None
    return [{k: None if v != v else v for k, v in row.items()} for row in table.to_dict("records")]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _samples(codes: ForeignCodes, images: np.ndarray | None) -> Mapping[str, np.ndarray]:
    """Images of the codes that are nearest to 0, where the prior is densest, and of those furthest out."""
    if images is None:
        return {}
    order = np.argsort(np.linalg.norm(codes.z, axis=1), kind="stable")
    order = order if codes.form is None else codes.form.sample[order]
    return {"closest to 0": images[order[:16]], "furthest from 0": images[order[::-1][:16]]}
