"""An audit's tables as the words and figures of its page take them: code z with its chance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi, kstwobign

from latent_audit.diagnostics.audit import AuditTables
from latent_audit.diagnostics.principal_axes import principal_axes
from latent_audit.figures.audit import drawn_dims
from latent_audit.figures.p_value_panels import TESTS
from latent_audit.report.audit_words import View

BESIDE = ("disentanglement", "directions", "codebook")  # tables of one code


def view_of(tables: AuditTables, about: Mapping[str, Any]) -> View:
    """Rows of z, and what is worked out of the codes themselves; there must be codes."""
    assert tables.audited is not None
    per_dim, z = of_z(tables.per_dim), tables.audited.z
    latent_dim, scores = len(per_dim), tables.separability
    return View(
        about=about,
        per_dim=per_dim,
        joint={row["metric"]: row for row in of_z(tables.joint).to_dict("records")},
        transforms=of_z(tables.transforms),
        classes=None if tables.classes is None else of_z(tables.classes),
        separability=None if scores is None else of_z(scores).set_index("metric")["value"].to_dict(),
        ks_chance=float(kstwobign.ppf(0.975 ** (1 / latent_dim)) / np.sqrt(len(z))),
        drawn=drawn_dims(per_dim),
        tests=list(TESTS),
        verdict=tables.judgement,
        axes=principal_axes(z),
        radius=(float(np.median(np.linalg.norm(z, axis=1))), float(chi.ppf(0.5, latent_dim))),
    )


def of_z(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of z without the column that says so."""
    return table[table["code"] == "z"].drop(columns="code").reset_index(drop=True)


def has_mu(tables: AuditTables) -> bool:
    """Whether mu has rows of its own."""
    return bool((tables.per_dim["code"] == "mu").any())


def without_twins(tables: AuditTables) -> AuditTables:
    """The tables without the rows of mu where they only repeat those of z."""
    rows = {code: part.drop(columns="code") for code, part in tables.per_dim.groupby("code", sort=False)}
    if "mu" not in rows or not rows["mu"].reset_index(drop=True).equals(rows["z"].reset_index(drop=True)):
        return tables
    kept = {
        name: table[table["code"] == "z"].reset_index(drop=True)
        for name, table in tables._asdict().items()
        if isinstance(table, pd.DataFrame) and name not in BESIDE
    }
    return tables._replace(**kept)
