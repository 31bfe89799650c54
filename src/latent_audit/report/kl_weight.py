"""What a larger weight on the KL buys and what it costs: the arms that differ in it alone, in its order."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from latent_audit.figures.canvas import Band, sketch
from latent_audit.figures.runs import plot_against_weight, plot_tradeoff
from latent_audit.figures.style import arm_colours
from latent_audit.report.seed_summary import hole_limit
from latent_audit.report.study import Study
from latent_audit.report.tables import percent_span, span

OWN = {"arm", "beta", "beta_kl", "role"}  # of an arm's description: what arms may differ in here
RATE, DISTORTION = "kl_closed_form", "recon_nll"


def by_weight(study: Study) -> list[str]:
    """Arms alike in all but the weight on the KL, the smallest weight first; none unless two weights were measured."""
    measured = [
        arm
        for arm, described in study.arms.items()
        if described["beta_kl"] is not None and all(_measured(study, arm, name) for name in _names(study))
    ]
    alike = [arm for arm in measured if _rest(study.arms[arm]) == _rest(study.arms[measured[0]])]
    weight = {arm: float(study.arms[arm]["beta_kl"]) for arm in alike}
    return sorted(alike, key=weight.__getitem__) if len(set(weight.values())) > 1 else []


def kl_weight_bands(study: Study) -> list[Band]:
    """Prior draws in holes against the weight, with the limit; rate against distortion, with arms that have no KL."""
    arms = by_weight(study)
    if not arms:
        return []
    colours, limit = arm_colours(study.arms), hole_limit(study)
    holes = _points(study, arms, y=study.holes, scale=100)
    traded = _points(study, arms, y=DISTORTION, x=RATE)
    floor = {arm: _measured(study, arm, DISTORTION)["mean"] for arm in study.arms if _without_kl(study, arm)}
    panels = [
        sketch(
            lambda ax: plot_against_weight(
                holes, colours=colours, margin=None if limit is None else 100 * limit, ax=ax
            ),
            title="Prior draws in a hole",
            note="%; dashed: the limit",
            alt=f"Line chart: share of prior draws in a hole by weight on the KL. {bought_and_cost(study)}",
            size=(360, 220),
        ),
        sketch(
            lambda ax: plot_tradeoff(traded, colours=colours, floor=floor, ax=ax),
            title="Rate and distortion",
            note="a point per weight on the KL",
            alt=f"Line chart: reconstruction error against KL, a point per weight. {bought_and_cost(study)}",
            size=(360, 220),
        ),
    ]
    return [Band("pair", "", panels)]


def bought_and_cost(study: Study) -> str:
    """What changes from the smallest weight to the largest."""
    arms = by_weight(study)
    first, last = arms[0], arms[-1]

    def ends(name: str) -> list[float]:
        return [_measured(study, arm, name)["mean"] for arm in (first, last)]

    names = ", ".join(f"{study.names[arm]} {study.arms[arm]['beta_kl']:.4g}" for arm in arms)
    floor = [study.names[arm] for arm in study.arms if _without_kl(study, arm)]
    dashed = f" Dashed, on the right: {', '.join(floor)}, without a KL." if floor else ""
    few = " Two weights are two points: a sweep of beta gives the curve." if len(arms) == 2 else ""
    weight = [f"{study.arms[arm]['beta_kl']:.4g}" for arm in (first, last)]
    holes = percent_span(*ends(study.holes))
    return (
        f"From β_KL {' to '.join(weight)} the share of prior draws in holes goes from {holes}, "
        f"the reconstruction error from {span(*ends(DISTORTION))} nats and the KL of the codes to the prior from "
        f"{span(*ends(RATE))} nats per image. Arms that differ in this weight alone: {names}. Points: means over "
        f"seeds; bars: 95% intervals.{dashed}{few}"
    )


def _names(study: Study) -> tuple[str, ...]:
    return study.holes, RATE, DISTORTION


def _rest(described: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in described.items() if key not in OWN}


def _measured(study: Study, arm: str, name: str) -> Mapping[str, Any]:
    """Mean and ends of a measure of an arm; empty where it was not measured."""
    found = study.metrics.get(arm, {}).get(name, {})
    return found if found.get("mean") is not None else {}


def _without_kl(study: Study, arm: str) -> bool:
    return study.arms[arm]["beta_kl"] is None and bool(_measured(study, arm, DISTORTION))


def _points(study: Study, arms: list[str], *, y: str, x: str = "", scale: float = 1.0) -> pd.DataFrame:
    """Columns arm, label, x, x_low, x_high, y, y_low, y_high; x is the weight unless a measure is named."""
    rows = []
    for arm in arms:
        weight = float(study.arms[arm]["beta_kl"])
        across = _measured(study, arm, x) if x else {"mean": weight}
        row: dict[str, Any] = {"arm": arm, "label": f"β_KL {weight:.4g}"}
        for axis, found, unit in (("x", across, 1.0), ("y", _measured(study, arm, y), scale)):
            ends = {"": found["mean"], "_low": found.get("low"), "_high": found.get("high")}
            row |= {f"{axis}{end}": float("nan") if value is None else unit * value for end, value in ends.items()}
        rows.append(row)
    return pd.DataFrame(rows)
