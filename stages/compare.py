"""Stage `compare`: effects between arms with intervals over seeds, and the verdict on each claim."""

from pathlib import Path

import pandas as pd

from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.base.tables import read_json, read_table, write_json, write_table
from latent_audit.claims.effects import claims_table, effects_by_unit
from latent_audit.claims.intervals import mean_interval, within
from latent_audit.claims.observations import headline, learning_curves, range_of
from latent_audit.diagnostics.settings import DiagnosticsRun

SIGNIFICANT = 6  # digits kept in metrics.json


def main() -> None:
    """Write reports/{metrics,headline}.json, reports/{claims,curves}.csv and reports/effects/."""
    params = load_sections(Path("params.yaml"), DiagnosticsRun)
    arms = list(params.arms)
    summaries = {arm: read_table(Path("diagnostics") / arm / "summary.csv") for arm in arms}
    observations = pd.concat([table.assign(arm=arm) for arm, table in summaries.items()], ignore_index=True)
    observations = observations[observations["seed"].isin(params.seeds)]
    weights = {arm: read_json(Path("models") / arm / "arm.json")["beta_kl"] for arm in arms}
    critic = read_json(Path("critic/critic.json"))
    histories = {arm: read_table(Path("models") / arm / "history.csv") for arm in arms}
    claims = claims_table(observations, weights, params.diagnostics.margins)
    metrics = _intervals(observations)
    write_table(Path("reports/claims.csv"), claims)
    write_table(Path("reports/curves.csv"), learning_curves(histories))
    for unit, effects in effects_by_unit(claims).items():
        write_table(Path("reports/effects") / f"{unit}.csv", effects)
    write_json(Path("reports/metrics.json"), {"critic": {"accuracy": critic["accuracy"]}, **metrics})
    write_json(Path("reports/headline.json"), headline(metrics))


def _intervals(observations: pd.DataFrame) -> dict[str, dict[str, dict[str, float | int | None]]]:
    metrics: dict[str, dict[str, dict[str, float | int | None]]] = {}
    of_z = observations[observations["code"] == "z"]
    for (arm, metric), rows in of_z.groupby(["arm", "metric"]):
        interval = within(mean_interval(rows.sort_values("seed")["value"].tolist()), *range_of(str(metric)))
        rounded = {key: _rounded(value) for key, value in interval._asdict().items()}
        metrics.setdefault(str(arm), {})[str(metric)] = rounded
    return metrics


def _rounded(value: float | int) -> float | int | None:
    if isinstance(value, int):
        return value
    return float(f"{value:.{SIGNIFICANT}g}") if pd.notna(value) else None


if __name__ == "__main__":
    with reported():
        main()
