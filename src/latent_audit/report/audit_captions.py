"""Captions of an audit: the finding of each figure with its number, and how to read it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from markupsafe import Markup

from latent_audit.figures.dimensions import dimension_label, names_of
from latent_audit.report import kl_words
from latent_audit.report.audit_words import KS_MATTERS, NO_AREAS, View
from latent_audit.report.tables import number, percent, set_number


def codes(view: View) -> str:
    """Where the codes lie, and where they do not."""
    rows = view.per_dim.set_index("dim")
    dims, names = view.about["shown_dims"], names_of(view.per_dim)
    parts = [
        f"{dimension_label(dim, names)} has mean {number(rows['mean'][dim])} and sd {number(rows['std'][dim])}"
        for dim in dims
    ]
    text = f"{'; '.join(parts)}; the prior has 0 and 1. "
    if view.about["latent_dim"] == 2:
        holes = view.joint["hole_fraction"]
        text += (
            f"{percent(holes['value'])} of prior draws land in a hole (chance: {percent(holes['null_low'])} to "
            f"{percent(holes['null_high'])}): a place further from every code than all but 1% of true draws are from "
            "one another, shaded darker where the prior is denser. "
        )
    else:
        text += f"Two of {view.about['latent_dim']} dimensions, {_chosen(view)}. "
    return f"{text}Dashed circles: radius 1, 2, 3 (39, 86 and 99% of the prior in two dimensions)."


def _chosen(view: View) -> str:
    carried = "of largest KL" if "logvar" in view.about["arrays"] else "of largest variance"
    return f"the two {carried}"


def histograms(view: View) -> str:
    """The marginals against N(0, 1)."""
    worst, total = view.worst, len(view.per_dim)
    shown = f"The {len(view.drawn)} worst of {total} dimensions by KS D. " if len(view.drawn) < total else ""
    spread = view.transforms[view.transforms["metric"] == "ks_d_max"].set_index("transform")["value"]
    fair = (
        f" Standardised first, the largest KS D is {number(spread['standardised'])}" if "standardised" in spread else ""
    )
    fair += f", whitened {number(spread['whitened'])}." if "whitened" in spread else "." if fair else ""
    return (
        f"{shown}Largest KS D: {number(worst['ks_d'])}, Wasserstein-1 there {number(worst['w1'])} code units.{fair} "
        f"Outlines: density of z; dashed: N(0, 1)."
    )


def profile(view: View) -> str:
    """KS D over all dimensions."""
    far = int((view.per_dim["ks_d"] >= KS_MATTERS).sum())
    return (
        f"{number(far)} of {number(len(view.per_dim))} dimensions are at a KS D of {set_number(KS_MATTERS)} (dashed) "
        f"or more; median {number(view.per_dim['ks_d'].median())}. Grey: where 95% of single dimensions of true draws "
        "lie."
    )


def p_values(view: View) -> str:
    """How many adjusted p-values reject."""
    p, n = view.per_dim[[f"{column}_holm" for column in view.tests]].to_numpy(), view.about["n"]
    power = "a shift too small to matter is rejected too" if n > 2000 else "a small shift may pass"
    cut = " The 24 worst dimensions by KS D; per_dim.csv has all." if len(view.per_dim) > 24 else ""
    given = np.isfinite(p)
    cut += "" if given.all() else " A dash: no p, because the dimension is constant or no draw of a continuous law."
    tests = f"{number(int((p < 0.05).sum()))} of {number(int(given.sum()))} tests"
    return (
        f"{tests} of z reject at 5% after Holm’s adjustment. With "
        f"n = {number(n)} {power}, so the size of each departure stands beside it. Left: log10 of the adjusted p (−12 "
        f"means 1e−12; pale: above 0.05); KS, CvM and AD ask “is it N(0, 1)?”, Shapiro, K² and JB ask “is it some "
        f"normal?”. Right: darker is larger.{cut}"
    )


def p_space(view: View) -> str:
    """The unit square."""
    classes = view.classes
    if classes is None:
        radius = view.joint["radius_ks"]
        return (
            f"Φ turns each coordinate into a number between 0 and 1; draws from N(0, I) fill the square evenly, others "
            f"pile up at its edges or in its middle. KS D of the codes’ squared distances from 0 to χ²: "
            f"{number(radius['value'])} (chance: {number(radius['null_low'])} to {number(radius['null_high'])})."
        )
    flat = view.about["latent_dim"] == 2
    return (
        f"{_extremes(classes, flat)} "
        "Left: each code by Φ of the two coordinates shown; draws from N(0, I) would fill the square evenly. Right: "
        f"whose codes are nearest to each place{'' if flat else ', by these two coordinates alone'}."
    )


def _extremes(classes: pd.DataFrame, flat: bool) -> str:
    if classes["area"].isna().any():
        return f"{NO_AREAS} no density of the classes fits."
    most, least = classes.loc[classes["area"].idxmax()], classes.loc[classes["area"].idxmin()]
    return (
        f"Largest area: “{most['class_name']}”, {percent(most['area'])} of the prior; smallest: "
        f"“{least['class_name']}”, {percent(least['area'])}{'' if flat else ' (over all dimensions, not these two)'}."
    )


def areas(view: View) -> str:
    """Share of the codes against share of the prior."""
    classes = view.classes
    if classes is None:
        raise ValueError("a caption on class areas needs classes")
    gap = (classes["area"] - classes["share"]).abs().sum() / 2
    narrow = view.about["latent_dim"] <= 2
    by = "by the vote of the nearest codes" if narrow else "by a Gaussian density of each class, in all dimensions"
    row = classes.loc[(classes["area"] - classes["share"]).abs().idxmax()]
    return (
        f"{percent(gap)} of the prior would have to change hands for every class to own as much of it as it has codes "
        f"(total variation). Furthest off: “{row['class_name']}”, with {percent(row['share'])} of the codes and "
        f"{percent(row['area'])} of the prior, {by}."
    )


def kl(view: View) -> str:
    """The decomposition of the KL."""
    return kl_words.caption(view.joint)


def lead(view: View) -> str:
    """What the dimensions carry or how they spread, the radius, the worst of them."""
    (own, prior), rows, of = view.radius, view.per_dim, view.axes
    if "kl_nats" in rows:
        kl = np.sort(rows["kl_nats"].to_numpy(dtype=float))[::-1]
        most = int(np.searchsorted(np.cumsum(kl), 0.9 * kl.sum())) + 1
        first = (
            f"{number(most)} of {number(len(kl))} dimensions carry 90% of the {number(kl.sum())} nats; "
            f"{number(int(rows['is_active'].sum()))} are active. "
        )
    else:
        first = (
            f"Along the principal axes the sd runs from {number(of.sd[0])} to {number(of.sd[-1])}; of true draws it "
            f"lies between {number(of.low)} and {number(of.high)} (grey; Marchenko and Pastur 1967). "
        )
    names = names_of(rows)
    return (
        f"{first}The median distance from 0 is {number(own)}, of draws from N(0, I) {number(prior)}. Then the worst "
        f"dimension, {dimension_label(int(view.worst['dim']), names)}, and the most correlated pair."
    )


CAPTIONS: dict[str, Callable[[View], str]] = {
    "fig-lead": lead,
    "fig-codes": codes,
    "fig-histograms": histograms,
    "fig-profile": profile,
    "fig-pvalues": p_values,
    "fig-pspace": p_space,
    "fig-areas": areas,
    "fig-kl": kl,
}


def caption(anchor: str, view: View) -> Markup:
    """The caption of the figure at `anchor`, escaped."""
    return Markup.escape(CAPTIONS[anchor](view))
