"""The audit in Python: `latent_audit.audit`, and several sets of codes side by side."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from latent_audit.auditing.about import about
from latent_audit.auditing.decoded import Decode, Encode, decoded
from latent_audit.auditing.frames import ColumnsWarning
from latent_audit.auditing.labels import label_array
from latent_audit.auditing.result import Audit
from latent_audit.auditing.stored import given
from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.base.measures import Applies, every_measure
from latent_audit.diagnostics.audit import AuditSettings, AuditTables, arrays_of
from latent_audit.diagnostics.audit import audit as audited
from latent_audit.diagnostics.checks import OneClassWarning, as_codes
from latent_audit.diagnostics.decomposition import NoDrawWarning
from latent_audit.diagnostics.forms import finished
from latent_audit.diagnostics.inputs import as_array, drawn
from latent_audit.diagnostics.ties import TiesWarning

ARRAYS = {"z", "mu", "logvar", "labels", "factors", "attributes", "indices", "entries"}
OURS = (NoDrawWarning, TiesWarning, ColumnsWarning, OneClassWarning)


def audit(
    z: Any = None,
    *,
    mu: Any = None,
    logvar: Any = None,
    labels: Any = None,
    train: Mapping[str, Any] | None = None,
    factors: Any = None,
    attributes: Any = None,
    indices: Any = None,
    entries: Any = None,
    dims: tuple[int, int] | None = None,
    seed: int = 0,
    array: str | None = None,
    reduce: str | None = None,
    settings: AuditSettings = AuditSettings(),
    applies: Applies = every_measure,
    report_step: Callable[[str], None] = lambda line: None,
    decode: Decode | None = None,
    encode: Encode | None = None,
) -> Audit:
    """Audit codes against N(0, I): may it be sampled, if not what else, and which numbers say so.

    Arrays, memory maps, tensors (also with a gradient, of bfloat16, or on a GPU), lists and data frames are taken, as
    are the path of a file that the command takes, a mapping of arrays (an open .npz) and an AnnData.

    Parameters
    ----------
    z : (sample, latent) codes: one draw from q(z|x) per sample, or a deterministic code. None with mu and logvar
        draws it (seeded, as the command does); with mu alone the code is deterministic, z = mu. Of a data frame the
        columns that can be codes are taken, as of a file; `per_dim` then has their names in the column `name`. Of
        latent maps (sample, channel, height, width) and sequences (sample, token, latent) seeded positions are the
        rows; what is known of all stands in `maps`.
    mu, logvar : (sample, latent) posterior means and log variances of a VAE.
    labels : (sample,) classes, integers or strings, at most 1,000 different ones.
    train : arrays `z`, `labels` (and `mu`) to fit the k-NN and the linear probe on; without it a seeded half of each
        class is used.
    factors : (sample, factor) whole numbers, what the samples were made of: adds `disentanglement`.
    attributes : (sample, attribute) of 0 and 1, or -1 and 1, of a data frame with their names: adds `directions`.
    indices, entries : (sample, position) of a codebook of so many entries: `codebook` alone, since what an index is far
        from is not N(0, I); z and what else is given is not looked at.
    dims : the two dimensions that the unit square shows where there are more.
    seed : of every draw; the same seed gives the same tables.
    array : which of the arrays of a file, a mapping or an AnnData (`obsm/X_scVI`) is z.
    reduce : "pca:K", "random:K" or "none": on how many dimensions the codes are audited. None leaves up to 2,048 as
        they are and takes the leading principal axes of more; `reduction` says what was done.
    applies : which of the measures that these arrays allow are made. report_step : is told what comes next.
    decode : your decoder: float32 codes (n, latent) -> images (n, H, W), (n, C, H, W) or (n, H, W, C), floats in [0, 1]
        or uint8. What it makes of codes, of N(0, I), of a fitted Gaussian and of a fitted mixture, and of lines between
        codes, is in `pictures` and on the page. It is tried before anything is measured.
    encode : your encoder: images as `decode` gives them -> codes (n, latent), or a tuple that begins with them; then
        `round_trip` says how far encode(decode(z)) is from z.

    Returns
    -------
    The tables, with `verdict`, `may_sample`, `reasons`, `recommended_prior()`, `.plot()`, `.to_html(path)`; a notebook
    shows a summary.

    Raises
    ------
    InputError : wrong shapes, NaN or infinite values (which rows and columns), fewer than 20 rows, more than 2,048
        dimensions with reduce "none", missing labels, more than 1,000 classes; a decoder or an encoder that fails or
        gives something else.

    Warns
    -----
    NoDrawWarning : z is not spread about mu as draws of N(mu, exp(logvar)) are.
    TiesWarning : values of a dimension repeat more than rounding explains; tests of a continuous law are left out.
    ColumnsWarning : columns of a data frame were left out, because they are no codes.
    OneClassWarning : the labels are all of one class: what needs two of them is left out.
    FileWarning : notes on a file.
    """
    if encode is not None and decode is None:
        raise InputError("audit: encode was given without decode; a round trip needs both.")
    if train is not None and "labels" in train:
        train = {**train, "labels": _labels(train["labels"])}
    own, form = given(
        {"z": z, "mu": mu, "logvar": logvar, "labels": labels, "train": train, "factors": factors,
         "attributes": attributes, "indices": indices, "entries": entries},
        array=array, reduce=reduce, seed=seed, labels_of=_labels,
    )  # fmt: skip
    pictures = None
    if decode is not None and form is not None:
        raise InputError("audit: decode takes codes as they are audited, not rows of latent maps or reduced codes.")
    if decode is not None and own["indices"] is None:
        report_step("decoder: images of codes and of draws")
        pictures = decoded(_codes(own["z"], own["mu"], own["logvar"], seed), decode, encode, seed=seed)
    with warnings.catch_warnings(record=True) as caught:
        for category in OURS:
            warnings.simplefilter("always", category)
        tables = audited(**own, dims=dims, seed=seed, settings=settings, applies=applies, report_step=report_step)
    tables = tables if form is None else finished(tables, form)
    notes = [*(() if form is None else form.notes), *_warned_again(caught)]
    of_given = _given_of(tables, own["indices"])
    described = about(tables, **of_given, images=None, seed=seed, settings=settings, notes=notes)
    return Audit.of(tables, described, pictures)


def _codes(z: Any, mu: Any, logvar: Any, seed: int) -> np.ndarray:
    """z as it will be audited, before it is: a decoder is tried first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnsWarning)  # it is warned of where the codes are audited
        given, _ = arrays_of(z, mu, logvar)
    if given.get("z") is None and given.get("mu") is None:
        raise InputError("audit, decode: needs codes: z, or mu (and logvar, of which it is drawn)")
    own, centre, spread = given.get("z"), given.get("mu"), given.get("logvar")
    if own is not None:
        return as_codes(own, where="audit, decode")
    assert centre is not None  # of the two, as was asked above
    if spread is None:
        return as_codes(centre, where="audit, decode")
    return drawn(as_codes(centre, where="audit, mu"), as_codes(spread, where="audit, logvar"), seed)


def _given_of(tables: AuditTables, indices: Any) -> dict[str, Any]:
    """The arrays by name, their shape, the labels and the names of columns, as `about` takes them."""
    own = tables.audited
    if own is None:
        shape = np.shape(as_array(indices))
        return {"arrays": ["indices"], "shape": (shape[0], int(np.prod(shape[1:]))), "labels": None, "columns": {}}
    arrays = [name for name in ("mu", "logvar", "z") if getattr(own, name) is not None]
    arrays += [name for name, table in (("factors", tables.disentanglement), ("attributes", tables.directions))
               if table is not None]  # fmt: skip
    return {"arrays": arrays, "shape": own.z.shape, "labels": own.labels, "columns": own.columns}


def _labels(labels: Any) -> np.ndarray | None:
    """Labels judged as those of a file are."""
    return None if labels is None else label_array(np.asarray(as_array(labels)), "audit, labels")


def _warned_again(caught: list[warnings.WarningMessage]) -> list[str]:
    """Warn as the call itself would have; the texts of our own."""
    notes = []
    for one in caught:
        if issubclass(one.category, OURS):
            notes.append(str(one.message))
            warnings.warn(one.message, one.category, stacklevel=3)
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return notes


class SideBySide(dict[str, Audit]):
    """Audits by their names, in the order given."""

    def to_html(self, path: str | PathLike[str]) -> Path:
        """Write one page with an arm for each, as the command does of several files."""
        from latent_audit.auditing.page import Arm, arms_page

        target = Path(path)
        arms = [Arm(name, own, own.about, {}, own.decoded) for name, own in self.items()]
        write_text(target, arms_page(arms))
        return target


def audit_side_by_side(codes: Mapping[str, Any], **options: Any) -> SideBySide:
    """Audit several sets of codes with the same options.

    Parameters
    ----------
    codes : name -> z, or a mapping of what `audit` takes of it alone (z, mu, logvar, labels, decode, ...).
    options : for all of them, as of `audit`.

    Raises
    ------
    InputError : fewer than one, or anything that `audit` refuses, with the name before it.
    """
    if not codes:
        raise InputError("audit_side_by_side: needs at least one set of codes.")
    found = SideBySide()
    for name, own in codes.items():
        given = _arguments(own) if isinstance(own, Mapping) else {"z": own}
        try:
            found[str(name)] = audit(**{**options, **given})
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
    return found


def _arguments(own: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping as arguments of `audit`; where it has other names too, its arrays are a mapping of arrays (an .npz)."""
    allowed = set(inspect.signature(audit).parameters)
    if set(own) <= allowed:
        return dict(own)
    options = {name: own[name] for name in own if name in allowed - ARRAYS}
    return options | {"z": {name: own[name] for name in own if name not in options}}


__all__ = ["Audit", "AuditSettings", "AuditTables", "SideBySide", "audit", "audit_side_by_side"]
