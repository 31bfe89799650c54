"""The audit of one set of codes, whoever made them: plain arrays in, tidy tables out.

The pipeline's `diagnose` stage and the command `latent-audit audit` call this and nothing else for what they report
about codes.
"""

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from latent_audit.base.densities import kl_to_standard_normal
from latent_audit.base.errors import InputError
from latent_audit.base.measures import Applies, applicable, described, every_measure
from latent_audit.diagnostics import beside
from latent_audit.diagnostics.arguments import (
    checked_codes,
    checked_dims,
    checked_labels,
    checked_train,
    warn_of_no_draw,
)
from latent_audit.diagnostics.audit_tables import Audited, AuditTables
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.inputs import as_array, is_frame, with_names
from latent_audit.diagnostics.multiplicity import adjust
from latent_audit.diagnostics.regions import regions
from latent_audit.diagnostics.subject import Posterior, Subject
from latent_audit.diagnostics.tables_of_code import AuditSettings, CodeTables, code_tables, registered
from latent_audit.diagnostics.ties import TiesWarning, why_no_p
from latent_audit.diagnostics.verdict import DESCRIBED as VERDICT_METRICS
from latent_audit.diagnostics.verdict import Verdict, judge


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
    settings: AuditSettings = AuditSettings(),
    applies: Applies = every_measure,
    report_step: Callable[[str], None] = lambda line: None,
) -> AuditTables:
    """Audit codes against N(0, I): the tables. `latent_audit.audit`, which calls this, says what may be given.

    Arrays, tensors, lists and data frames are taken; maps, files and more than 2,048 dimensions are its matter.

    Parameters
    ----------
    z, mu, logvar : (sample, latent); of mu alone z is mu, of mu and logvar it is drawn (seeded). train : arrays `z`,
        `labels` and, with mu, `mu`. indices, entries : a discrete code, audited alone. dims : two dimensions to show;
        None takes those of largest mean KL (of largest variance without logvar). settings : how much is simulated.
    applies : which of the measures that these arrays allow are made; a family of models may rule some out.
    report_step : is told what comes next, one short line per step.

    Raises
    ------
    InputError : anything that cannot be audited, in words.
    """
    beside.refuse_without_indices(indices, entries)
    if indices is not None:
        return beside.audit_of_indices(indices, entries, seed=seed, settings=settings)
    given, names = arrays_of(z, mu, logvar)
    labels = as_array(labels, "audit, labels")
    train = None if train is None else checked_train(train, with_mu=mu is not None)
    codes = checked_codes(**given, seed=seed)
    posterior = Posterior(codes["mu"], codes.pop("logvar"), codes["z"]) if "logvar" in codes else None
    if posterior is not None:
        warn_of_no_draw(posterior)
    labels = None if labels is None else checked_labels(labels, len(codes["z"]))
    extras = beside.given(factors, attributes, len(codes["z"]))
    dims = _shown(codes.get("mu", codes["z"]), posterior) if dims is None else checked_dims(dims, codes["z"])
    of_z = Subject(codes["z"], settings, dims, seed, labels, None, posterior)
    made = _tables_by_code(codes, train, replace(of_z, posterior=None), applies, report_step)
    per_dim = _stacked({code: own.per_dim for code, own in made.items()})
    for what in why_no_p(per_dim):
        warnings.warn(what, TiesWarning, stacklevel=2)
    rows = [_stacked({code: own.joint for code, own in made.items()})]
    if posterior is not None:
        report_step(f"posterior: decomposition of the KL over all {len(posterior.z):,} rows")
        per_dim = per_dim.merge(posterior.rates, on="dim", how="left")
        rows += _posterior_rows(of_z, applies)
    joint = pd.concat(rows, ignore_index=True)
    main = "mu" if "mu" in codes else "z"  # what factors and attributes are asked of
    found = beside.beside_tables(replace(of_z, codes=codes[main], code=main, **extras), applies, report_step)
    report_step("verdict")
    return AuditTables(
        per_dim=with_names(adjust(per_dim, by="code"), names, codes["z"].shape[1]),
        joint=joint.drop(columns="where"),  # it stands in the reasons
        transforms=_stacked({code: own.transforms for code, own in made.items()}),
        classes=_stacked_if_any({code: own.classes for code, own in made.items()}),
        separability=_stacked_if_any({code: own.separability for code, own in made.items()}),
        class_map=made["z"].class_map,
        dims=dims,
        metrics=described(registered()) | {metric.name: metric for metric in VERDICT_METRICS},
        judgement=_judged(joint, per_dim, of_z),
        audited=_audited(codes, posterior, labels, names),
        **found,
    )


def _tables_by_code(
    codes: Mapping[str, Codes],
    train: Mapping[str, np.ndarray] | None,
    plain: Subject,
    applies: Applies,
    report_step: Callable[[str], None],
) -> dict[str, CodeTables]:
    """The tables of mu and of z, once where both are the same codes; `plain` has what their subjects share."""
    one = "mu" in codes and _same(codes, train)
    made: dict[str, CodeTables] = {}
    for code, values in codes.items():
        if code == "z" and one:
            report_step("z: equal to mu in every value, its tables are the same")
            made[code] = made["mu"]
            continue
        reference = None if train is None else _reference(train, code)
        subject = replace(plain, codes=values, reference=reference, code="z" if one else code)
        made[code] = code_tables(subject, applies, lambda line, code=code: report_step(f"{code}: {line}"))
    return made


def _judged(joint: pd.DataFrame, per_dim: pd.DataFrame, of_z: Subject) -> Verdict:
    """The answer on z, and the regions where its codes and N(0, I) differ."""
    joint_of_z, per_dim_of_z = (table[table["code"] == "z"] for table in (joint, per_dim))
    answer = judge(joint_of_z, per_dim_of_z, of_z.codes, rng=of_z.rng("verdict"), seed=of_z.seed)
    return replace(answer, regions=regions(of_z.codes, rng=of_z.rng("regions")))


def _audited(
    codes: Mapping[str, Codes], posterior: Posterior | None, labels: np.ndarray | None, names: dict[str, list[str]]
) -> Audited:
    """The arrays that the tables are of."""
    mu = codes["mu"].values if "mu" in codes else None
    logvar = None if posterior is None else posterior.logvar.values
    return Audited(codes["z"].values, mu, logvar, labels, names)


def arrays_of(z: Any, mu: Any, logvar: Any) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The arrays by name, and the names of the columns of those that came as data frames."""
    arrays, names = {}, {}
    for role, values in (("z", z), ("mu", mu), ("logvar", logvar)):
        if not is_frame(values):
            arrays[role] = as_array(values, f"audit, {role}")
            continue
        # Loaded where it is needed: the study has no data frames, and does not depend on how their columns are judged.
        found = importlib.import_module("latent_audit.auditing.frames").of_frame(values, f"audit, {role}")
        names |= {role: found.columns.get("z", [])} if found.mu is None else found.columns
        arrays |= {role: found.z} if found.mu is None else {"z": found.z, "mu": found.mu, "logvar": found.logvar}
        if found.mu is not None and not (mu is None and logvar is None):
            raise InputError(f"audit, {role}: has columns of mu and of logvar; give it alone, as z.")
        if found.mu is not None:
            break
    return arrays, names


def _shown(centres: Codes, posterior: Posterior | None) -> tuple[int, int]:
    """The two dimensions of largest mean KL (without logvar: of largest variance), in their own order."""
    carried = centres.values.var(axis=0)
    if posterior is not None:
        carried = kl_to_standard_normal(centres.values, posterior.logvar.values).mean(axis=0)
    largest = sorted(np.argsort(-carried, kind="stable")[:2].tolist())
    return (largest[0], largest[-1])


def _same(codes: Mapping[str, Codes], train: Mapping[str, np.ndarray] | None) -> bool:
    equal = np.array_equal(codes["mu"].values, codes["z"].values)
    return equal and (train is None or np.array_equal(train["mu"], train["z"]))


def _reference(train: Mapping[str, np.ndarray], code: str) -> tuple[Codes, np.ndarray]:
    return Codes.of(train[code], where="separability, train"), np.asarray(train["labels"])


def _posterior_rows(subject: Subject, applies: Applies) -> list[pd.DataFrame]:
    """The rows of what needs the posterior; they stand under z, of which the posterior has a draw."""
    measures = [m for m in applicable(registered(), subject.there, applies) if "posterior" in m.needs]
    rows = [measure.of(subject) for measure in measures]
    return [table.assign(code="z") for table in rows if table is not None]


def _stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The tables of every code below one another, `code` first."""
    coded = []
    for code, table in tables.items():
        coded.append(table.copy())
        coded[-1].insert(0, "code", code)
    return pd.concat(coded, ignore_index=True)


def _stacked_if_any(tables: Mapping[str, pd.DataFrame | None]) -> pd.DataFrame | None:
    present = {code: table for code, table in tables.items() if table is not None}
    return _stacked(present) if present else None
