"""The tables of what stands beside codes: factors, attributes; and the audit of a discrete code, which has no codes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Applies, applicable, described
from latent_audit.diagnostics import codebook, directions, disentanglement
from latent_audit.diagnostics.audit_tables import AuditTables
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.ground_truth import NO_NORMALITY, Attributes, Factors, Indices
from latent_audit.diagnostics.inputs import as_array, is_frame
from latent_audit.diagnostics.subject import Subject
from latent_audit.diagnostics.tables_of_code import registered
from latent_audit.diagnostics.verdict import REASONS, Verdict

UNIFORM_MATTERS, NEIGHBOUR_MATTERS = 0.1, 0.05  # nats per position, as the KL of all codes and their dependence


def given(factors: Any, attributes: Any, n: int, *, where: str = "audit") -> dict[str, Any]:
    """`factors` and `attributes` for a Subject of n codes, checked; see `ground_truth` for what is refused."""
    found: dict[str, Any] = {}
    if factors is not None:
        table = factors if is_frame(factors) else as_array(factors)
        found["factors"] = Factors.of(table, n=n, where=f"{where}, factors")
    if attributes is not None:
        table = attributes if is_frame(attributes) else as_array(attributes)
        found["attributes"] = Attributes.of(table, n=n, where=f"{where}, attributes")
    return found


def beside_tables(
    subject: Subject, applies: Applies, report_step: Callable[[str], None] = lambda line: None
) -> dict[str, pd.DataFrame]:
    """`disentanglement` and `directions`, as far as the subject has factors and attributes.

    Parameters
    ----------
    subject : its codes are mu where there is one, z otherwise; the posterior is that of z.
    """
    measures = [m for m in applicable(registered(), subject.there, applies) if m.needs & {"factors", "attributes"}]
    tables: dict[str, pd.DataFrame] = {}
    rows = []
    for measure in measures:
        if measure.table == directions.TABLE:
            report_step(f"directions of {len(subject.attributes.names):,} attributes")  # type: ignore[union-attr]
            tables[directions.TABLE] = directions.of_subject(subject)
            continue
        report_step(f"factors against dimensions: {measure.name}")
        rows.append(measure.of(subject))
    if present := [table for table in rows if table is not None]:
        tables[disentanglement.TABLE] = pd.concat(present, ignore_index=True)
    return tables


def audit_of_indices(indices: Any, entries: Any, *, seed: int, settings: Any) -> AuditTables:
    """The audit of a discrete code: `codebook`, and the verdict; what is of normality is empty.

    Parameters
    ----------
    indices : (sample, position), or a grid (sample, row, column). entries : of the codebook.
    """
    checked = Indices.of(as_array(indices), as_array(entries), where="audit, indices")
    nothing = Codes(np.zeros((len(checked.values), 0)))
    subject = Subject(nothing, settings, (0, 0), seed, indices=checked)
    table = codebook.MEASURE.of(subject)
    assert table is not None
    values = dict(zip(table["metric"], table["value"], strict=True)) | _of_places(indices, checked, subject)
    empty = pd.DataFrame(columns=["code", "metric", "value"])
    return AuditTables(
        per_dim=pd.DataFrame(columns=["code", "dim"]), joint=empty, transforms=empty, classes=None, separability=None,
        class_map=None, dims=(0, 0), metrics=described([codebook.MEASURE]), judgement=_judged(values, len(nothing)),
        codebook=table,
    )  # fmt: skip


def _of_places(indices: Any, checked: Indices, subject: Subject) -> dict[str, float]:
    """What decides besides the table: what a position says of its entry beyond chance, and, of a grid, what an entry
    says of the one below it, if that is more than what it says of the next in its row."""
    rng = subject.rng(codebook.TABLE, "places")
    found = {"position_nats": codebook.beyond_chance_by_position(checked, rng=rng)}
    grid = np.asarray(as_array(indices))
    if grid.ndim < 3 or min(grid.shape[1:]) < 2:
        return found
    down = checked.values.reshape(grid.shape).transpose(0, 2, 1).reshape(len(grid), -1)
    across = codebook.neighbours(checked.values, subject.rng(codebook.TABLE, "across"))
    return found | {"neighbour_nats": max(across, codebook.neighbours(down, rng))}


def refuse_without_indices(indices: Any, entries: Any) -> None:
    """InputError where there are entries of no indices."""
    if indices is None and entries is not None:
        raise InputError("audit: `entries` is the size of a codebook; give the indices too, or leave it out.")


def _judged(values: dict[str, float], n: int) -> Verdict:
    """May entries be drawn evenly (prior), each position from its own frequencies (fitted), or neither (no)?"""
    uneven, placed, tied = values["uniform_gap_nats"], values["position_nats"], values["neighbour_nats"]
    sizes = [
        ("neighbour_nats", tied, NEIGHBOUR_MATTERS), ("uniform_gap_nats", uneven, UNIFORM_MATTERS),
        ("position_nats", placed, UNIFORM_MATTERS),
    ]  # fmt: skip
    rows = [
        {"metric": name, "where": "", "value": value, "effect": value, "margin": margin, "p_value": np.nan,
         "p_holm": np.nan, "differs": value >= margin, "matters": value >= margin}
        for name, value, margin in sizes
    ]  # fmt: skip
    reasons = pd.DataFrame(rows, columns=list(REASONS))
    use = (
        f"{values['perplexity']:.3g} of {values['entries']:,.0f} entries by perplexity, "
        f"{values['dead_codes']:,.0f} never used"
    )
    note = (f"Normality is left out: {NO_NORMALITY}.",)
    if tied >= NEIGHBOUR_MATTERS:
        sentence = (
            f"Not from the codebook evenly, nor position by position: an entry says {tied:.3g} nats about the next one "
            f"({use})."
        )
        return Verdict("no", sentence, reasons, ("Fit a prior that draws one entry after another.", *note))
    if max(uneven, placed) >= UNIFORM_MATTERS:
        why = (
            f"the entries’ frequencies are {uneven:.3g} nats per position from even"
            if uneven >= UNIFORM_MATTERS else f"a position says {placed:.3g} nats about its entry"
        )  # fmt: skip
        sentence = (
            f"Not from the codebook evenly: {why} ({use}). Draw each position from its own frequencies: neighbours are "
            "independent as far as pairs tell."
        )
        return Verdict("fitted", sentence, reasons, note)
    sentence = f"As far as pairs of {n:,} samples can tell, yes: entries may be drawn evenly ({use})."
    return Verdict("prior", sentence, reasons, note)
