"""What is no (sample, latent) array that can be audited as it is: latent maps, sequences, codes of too many dimensions.

`formed` makes rows of it; `finished` says in the verdict what these rows are.
"""

from typing import Any, NamedTuple

import numpy as np

from latent_audit.base.errors import InputError
from latent_audit.base.limits import LARGEST_LATENT_DIM
from latent_audit.diagnostics.audit_tables import AuditTables
from latent_audit.diagnostics.blocks import Maps, drawn_maps
from latent_audit.diagnostics.inputs import is_frame, refuse_wide
from latent_audit.diagnostics.latent_maps import ROWS, MapTables, map_rows
from latent_audit.diagnostics.map_verdict import rows_in_words, verdict_of_maps, verdict_of_reduction
from latent_audit.diagnostics.reduce import Reduction, reduced, spec_of


class Form(NamedTuple):
    """Rows to be audited in the place of what was given.

    z, mu, logvar (row, latent), labels (row,) or None. sample : (row,) which of the n samples each row is of. notes :
    what was done. maps, reduction : what is known beside, for latent maps and for reduced codes.
    """

    z: np.ndarray
    mu: np.ndarray | None
    logvar: np.ndarray | None
    labels: np.ndarray | None
    sample: np.ndarray
    n: int
    notes: tuple[str, ...]
    maps: MapTables | None = None
    reduction: Reduction | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what was given."""
        if self.maps is not None:
            return self.maps.shape
        return self.z.shape if self.reduction is None else (self.reduction.n, self.reduction.d)

    def rows_of(self, values: Any, name: str) -> Any:
        """What was given of each sample, an array or a data frame, for each row."""
        if len(values) != self.n:
            raise InputError(f"{name}: {len(values):,} rows for {self.n:,} codes; give one per row, in the same order.")
        rows = values.iloc if hasattr(values, "iloc") else values if is_frame(values) else np.asarray(values)
        return rows[self.sample]


def needs_form(*arrays: Any, reduce: str | None = None) -> bool:
    """Whether any of the arrays is more than codes of at most 2,048 dimensions, or they are to be reduced."""
    shapes = [tuple(array.shape) for array in arrays if array is not None]
    asked = reduce not in (None, "none")
    return any(len(s) > 2 or (len(s) == 2 and (asked or s[1] > LARGEST_LATENT_DIM)) for s in shapes)


def formed(
    z: Any,
    mu: Any,
    logvar: Any,
    *,
    labels: np.ndarray | None = None,
    reduce: str | None = None,
    seed: int = 0,
    one_each: bool = False,
    where: str,
) -> Form:
    """Rows of latent maps (positions, as codes of their channels), sequences, or of codes on fewer dimensions.

    Parameters
    ----------
    z, mu, logvar : as `audit` takes them, of one shape, or `Maps`; None where they are not given, but z or mu is.
    labels : one of each sample. one_each : one position of a map, as labels have it in any case.
    reduce : None, "none", "pca:K" or "random:K"; of what has channels, of these.

    Raises
    ------
    InputError : unequal shapes, other axes, NaN and the like, or a reduction that is not possible.
    """
    given = {name: _maps(array, f"{where}, {name}") for name, array in (("z", z), ("mu", mu), ("logvar", logvar))
             if array is not None}  # fmt: skip
    shapes = {name: one.shape for name, one in given.items()}
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(f"{where}: these must have one shape: {listed}.")
    if "mu" not in given and "logvar" in given:
        raise InputError(f"{where}: logvar was given without mu; give both or neither.")
    if "logvar" in given:
        given["logvar"] = given["logvar"].changed(lambda values: _not_wide(values, where))
    codes, notes = _codes(given, seed)
    if labels is not None and len(labels) != codes.n:
        raise InputError(
            f"{where}: {len(labels):,} labels for {codes.n:,} codes; give one label per row, in the same order."
        )
    beside = {name: given[name] for name in ("mu", "logvar") if name in given}
    if codes.kind == "codes":
        made = _of_codes(codes, beside, labels, reduce, seed, where)
    else:
        made = _of_maps(codes, beside, labels, reduce, seed, where, one_each or labels is not None)
    return made._replace(notes=(*notes, *made.notes))


def _maps(array: Any, where: str) -> Maps:
    return array if isinstance(array, Maps) else Maps.of(array, where=where)


def _not_wide(values: np.ndarray, where: str) -> np.ndarray:
    refuse_wide(values, where)
    return values


def _codes(given: dict[str, Maps], seed: int) -> tuple[Maps, list[str]]:
    """z, or where there is none a draw of it, or mu."""
    if "z" in given:
        return given["z"], []
    if "logvar" in given:
        note = f"no z: one draw of N(mu, exp(logvar)) per row, seed {seed}"
        return drawn_maps(given["mu"], given["logvar"], seed), [note]
    return given["mu"], ["no z and no logvar: the code is deterministic, z = mu"]


def _of_maps(
    codes: Maps,
    beside: dict[str, Maps],
    labels: np.ndarray | None,
    reduce: str | None,
    seed: int,
    where: str,
    one_each: bool,
) -> Form:
    spec_of(reduce, ROWS, codes.channels, where)  # what is impossible is said before anything is read
    found = map_rows(codes, list(beside.values()), seed=seed, one_each=one_each, where=where)
    parts = dict(zip(beside, found.beside, strict=True))
    note = f"{where}: {rows_in_words(found.tables)}, seed {seed}"
    if one_each:
        note += "; one of each, because what stands beside is of a whole one"
    form = Form(
        found.z, parts.get("mu"), parts.get("logvar"), None if labels is None else np.asarray(labels)[found.sample],
        found.sample, codes.n, (note,), found.tables,
    )  # fmt: skip
    n, d = form.z.shape
    if spec_of(reduce, n, d, where) is None:
        return form
    rows = {name: Maps.of(part, where=where) for name, part in parts.items()}
    own = _of_codes(Maps.of(form.z, where=where), rows, form.labels, reduce, seed, where)
    return own._replace(sample=form.sample[own.sample], n=codes.n, notes=(note, *own.notes), maps=form.maps)


def _of_codes(
    codes: Maps, beside: dict[str, Maps], labels: np.ndarray | None, reduce: str | None, seed: int, where: str
) -> Form:
    spec = spec_of(reduce, codes.n, codes.channels, where)
    assert spec is not None  # else they need no form, or were refused
    means = [beside["mu"]] if "mu" in beside else []
    found = reduced(codes, means, spec, seed=seed, where=where)
    notes = [f"{where}: reduced to {found.reduction.words}; reduce chooses ({found.reduction.spec}, seed {seed})"]
    if found.reduction.spec != str(spec):
        notes.append(f"{where}: {spec} was asked for, but the codes do not span more than {found.values.shape[1]:,}")
    if "logvar" in beside:
        notes.append(
            f"{where}: logvar is left out: on other axes a posterior’s dimensions are not independent, so that the KL "
            "cannot be divided among them"
        )
    own = None if labels is None else np.asarray(labels)[found.rows]
    return Form(
        found.values, found.beside[0] if means else None, None, own, found.rows, codes.n, tuple(notes),
        reduction=found.reduction,
    )  # fmt: skip


def finished(tables: AuditTables, form: Form) -> AuditTables:
    """The tables of the rows with what is known beside them, and a verdict that says what the rows are."""
    verdict = tables.judgement
    if form.reduction is not None:
        verdict = verdict_of_reduction(verdict, form.reduction)
    if form.maps is not None:
        verdict = verdict_of_maps(verdict, form.maps)
    return tables._replace(judgement=verdict, maps=form.maps, reduction=form.reduction)
