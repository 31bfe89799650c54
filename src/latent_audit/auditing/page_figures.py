"""Which figures a set of codes has, drawn: from what its page leads with to the areas of its classes."""

import numpy as np
from scipy.stats import kstwobign

from latent_audit.diagnostics.audit import AuditTables
from latent_audit.figures import audit as drawn
from latent_audit.figures import audit_lead as lead
from latent_audit.figures.canvas import Band
from latent_audit.figures.compose import WINDOW
from latent_audit.figures.dimensions import dimension_label, dimension_words, names_of
from latent_audit.figures.p_value_panels import TESTS, p_value_maps
from latent_audit.report.audit_words import KS_MATTERS, View
from latent_audit.report.page_panels import hole_map
from latent_audit.report.tables import number

COLOURED = {"fig-codes", "fig-pspace"}
Glance = tuple[str, str, str, lead.Draw]  # title, note, what it shows in words, how it is drawn


def bands_of(view: View, tables: AuditTables) -> dict[str, list[Band]]:
    """Anchor -> drawn panels, in the order of the page."""
    assert tables.audited is not None
    latent_dim, dims, z = view.about["latent_dim"], list(tables.dims), tables.audited.z
    n_classes = 0 if view.classes is None else len(view.classes)
    axes = [dimension_label(dim, names_of(view.per_dim)) for dim in dims]
    given = tables.audited.labels
    labels = None if given is None or view.classes is None else np.unique(given, return_inverse=True)[1]
    bands: dict[str, list[Band]] = {}
    if latent_dim > 2:
        bands["fig-lead"] = lead.glance(glances(view, z))
    if latent_dim > 1:
        hole = hole_map(z, view.about["seed"], window=WINDOW) if latent_dim == 2 else None
        bands["fig-codes"] = drawn.code_plane(z[:, dims], labels, n_classes, axes=axes, hole=hole)
    bands["fig-histograms"] = drawn.histograms(z, view.per_dim)
    if len(view.drawn) < latent_dim:
        low, high = kstwobign.ppf([0.025, 0.975]) / np.sqrt(len(z))
        bands["fig-profile"] = drawn.profile(view.per_dim, null=(float(low), float(high)), margin=KS_MATTERS)
    as_arm = view.per_dim.assign(arm="z", code="z")
    bands["fig-pvalues"] = p_value_maps(as_arm, family=len(TESTS) * latent_dim)
    if "index_code_mi" in view.joint:
        values = {metric: float(row["value"]) for metric, row in view.joint.items()}
        bands["fig-kl"] = drawn.kl_parts(values, view.per_dim)
    if latent_dim > 1:
        bands["fig-pspace"] = drawn.unit_square(z[:, dims], labels, n_classes, tables.class_map, axes=axes)
    if view.classes is not None and view.classes["area"].notna().all():
        bands["fig-areas"] = drawn.areas(view.classes)
    return bands


def glances(view: View, z: np.ndarray) -> list[Glance]:
    """What the page and a notebook lead with: KL or spread, radius, the worst dimension, the worst pair."""
    panels = [_radius(view, z), _worst(view, z)]
    if len(view.per_dim) > 1:
        panels.insert(0, _kl(view) if "kl_nats" in view.per_dim else _spread(view))
        pair = worst_pair(view)
        panels.append(_pair(view, z, pair))
    return panels


def worst_pair(view: View) -> tuple[int, int]:
    """The most correlated two dimensions; the two that are shown where there is no such test."""
    rows = view.verdict.reasons
    where = rows.loc[rows["metric"] == "correlation_max", "where"].astype(str).tolist()
    pair = [int(dim) for dim in where[0].split(", ")] if where and "," in where[0] else view.about["shown_dims"]
    return (pair[0], pair[1])


def _kl(view: View) -> Glance:
    kl, active = (view.per_dim[name].to_numpy() for name in ("kl_nats", "is_active"))
    alt = f"KL of {len(kl)} dimensions in falling order; {int(active.sum())} are active."
    return (
        "KL of each dimension", "grey: not active", alt, lambda ax: lead.plot_kl(kl, active.astype(bool), ax=ax)
    )  # fmt: skip


def _spread(view: View) -> Glance:
    of = view.axes
    alt = f"Standard deviation along {len(of.sd)} principal axes, from {number(of.sd[0])} to {number(of.sd[-1])}."
    return "Spread", "grey: true draws", alt, lambda ax: lead.plot_spread(of.sd, band=(of.low, of.high), ax=ax)


def _radius(view: View, z: np.ndarray) -> Glance:
    own, prior = view.radius
    alt = f"Histogram of the codes’ distances from 0, median {number(own)}; of N(0, I) {number(prior)}."
    return "Radius", "dashed: N(0, I)", alt, lambda ax: lead.plot_radius(z, ax=ax)


def _worst(view: View, z: np.ndarray) -> Glance:
    dim, names = int(view.worst["dim"]), names_of(view.per_dim)
    alt = f"Histogram of {dimension_words(dim, names)} with the density of N(0, 1)."
    name = dimension_label(dim, names)
    return (
        "The worst dimension", f"KS D {number(view.worst['ks_d'])}; dashed: N(0, 1)", alt,
        lambda ax: lead.plot_dimension(z[:, dim], name, ax=ax),
    )  # fmt: skip


def _pair(view: View, z: np.ndarray, pair: tuple[int, int]) -> Glance:
    names = [dimension_label(dim, names_of(view.per_dim)) for dim in pair]
    alt = f"Scatter plot of {names[0]} and {names[1]} with circles of radius 1, 2 and 3."
    return (
        "The most correlated pair", "circles: radius 1, 2, 3", alt,
        lambda ax: lead.plot_pair(z[:, list(pair)], names, ax=ax),
    )  # fmt: skip


def class_names(view: View) -> list[str]:
    """The classes in the order of their colours."""
    return [] if view.classes is None else view.classes["class_name"].astype(str).tolist()


def few_classes(view: View) -> bool:
    """Whether colours tell the classes apart."""
    return view.classes is not None and len(view.classes) <= drawn.MOST_CLASSES
