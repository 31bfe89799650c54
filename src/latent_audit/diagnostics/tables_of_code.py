"""The tables of one code, from its values alone and its labels: what needs no posterior."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.base.measures import Applies, Measure, applicable, discover, every_measure
from latent_audit.diagnostics.subject import Subject

TABLES = ("joint", "transforms", "separability")  # what rows of a metric and its value stand in


@dataclass(frozen=True)
class AuditSettings:
    """What an audit may be told: neighbours and grid of the class maps, size of the calibration.

    replicate : which of several trainings the codes are of, so that each has draws of its own (`Subject.rng`); what
        chance gives is drawn from the seed alone and shared.
    unit_counts : rows `active_units` and `collapsed_units` in joint, for codes with mu and logvar. The pipeline counts
        active units over per_dim itself.
    """

    neighbours: int = 15
    grid: int = 200
    null_draws: int = 199
    null_rows: int = 1000
    unit_counts: bool = True
    replicate: int | None = None


class CodeTables(NamedTuple):
    """The tables of one code (mu or z), not yet told which; those that could not be made are None. See AuditTables."""

    per_dim: pd.DataFrame
    joint: pd.DataFrame
    transforms: pd.DataFrame
    classes: pd.DataFrame | None
    separability: pd.DataFrame | None
    class_map: np.ndarray | None


def code_tables(
    subject: Subject, applies: Applies = every_measure, report_step: Callable[[str], None] = lambda line: None
) -> CodeTables:
    """Everything about one code that does not need the posterior; the streams are the same for mu and z.

    Parameters
    ----------
    applies : which measures do. report_step : is told what comes next.
    """
    n, latent_dim = subject.codes.shape
    measures = applicable(registered(), subject.there - {"posterior"}, applies)
    report_step(f"{latent_dim:,} dimension{'s' * (latent_dim > 1)} one by one, {n:,} rows")
    dimensions = subject.per_dim
    settings = subject.settings
    report_step(f"all dimensions together; chance from {settings.null_draws} draws of {min(n, settings.null_rows):,}")
    made = {m.name: m.of(subject) for m in measures if "labels" not in m.needs}
    named = None
    if subject.labels is not None:
        report_step(f"areas of {len(np.unique(subject.labels)):,} classes, and how well they can be told apart")
        named = _named(subject.areas.table)
        made |= {m.name: m.of(subject) for m in measures if "labels" in m.needs}
    tables = {name: _joined([made[m.name] for m in measures if m.table == name]) for name in TABLES}
    return CodeTables(
        dimensions,
        tables["joint"],
        tables["transforms"],
        named,
        tables["separability"] if len(tables["separability"]) else None,
        None if named is None else subject.areas.label_map,
    )


def registered() -> tuple[Measure, ...]:
    """The measures of this room, which need arrays alone."""
    return discover("latent_audit.diagnostics")


def _joined(tables: Sequence[pd.DataFrame | None]) -> pd.DataFrame:
    present = [table for table in tables if table is not None]
    return pd.concat(present, ignore_index=True) if present else pd.DataFrame({"metric": [], "value": []})


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """`label` as an integer and `class_name` as text: whole numbers are their own label, other names are counted."""
    names = table["label"].to_numpy()
    whole = names.dtype.kind in "iu" or (names.dtype.kind == "f" and (names == np.round(names)).all())
    numbers = names.astype(np.int64) if whole else np.arange(len(names))
    texts = [str(number) for number in numbers] if whole else [str(name) for name in names]
    table = table.assign(label=numbers)
    table.insert(1, "class_name", pd.Series(texts, dtype=object))
    return table
