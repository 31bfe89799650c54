"""Stage `compare`: effects between arms with intervals over seeds, and the verdict on each claim."""

from pathlib import Path

import pandas as pd

from latent_audit.base.errors import reported
from latent_audit.base.measures import FILE, read_described, write_described
from latent_audit.base.settings import load_sections
from latent_audit.base.tables import read_json, read_table, write_json, write_table
from latent_audit.claims.effects import claims_table, effects_by_unit
from latent_audit.claims.observations import headline, intervals, learning_curves
from latent_audit.diagnostics.settings import DiagnosticsRun

SIGNIFICANT = 6  # digits kept in metrics.json


def main() -> None:
    """Write reports/{metrics,measures,headline}.json, reports/{claims,curves}.csv and reports/effects/."""
    params = load_sections(Path("params.yaml"), DiagnosticsRun)
    arms = list(params.arms)
    summaries = {arm: read_table(Path("diagnostics") / arm / "summary.csv") for arm in arms}
    observations = pd.concat([table.assign(arm=arm) for arm, table in summaries.items()], ignore_index=True)
    observations = observations[observations["seed"].isin(params.seeds)]
    arm_files = {arm: read_json(Path("models") / arm / "arm.json") for arm in arms}
    critic = read_json(Path("critic/critic.json"))
    histories = {arm: read_table(Path("models") / arm / "history.csv") for arm in arms}
    described = {name: m for arm in arms for name, m in read_described(Path("diagnostics") / arm / FILE).items()}
    claims = claims_table(observations, arm_files, params.diagnostics.margins, described)
    metrics = intervals(observations, described, digits=SIGNIFICANT)
    write_table(Path("reports/claims.csv"), claims)
    write_table(Path("reports/curves.csv"), learning_curves(histories))
    for unit, effects in effects_by_unit(claims, described).items():
        write_table(Path("reports/effects") / f"{unit}.csv", effects)
    write_json(Path("reports/metrics.json"), {"critic": {"accuracy": critic["accuracy"]}, **metrics})
    write_described(Path("reports/measures.json"), described)
    write_json(Path("reports/headline.json"), headline(metrics))


if __name__ == "__main__":
    with reported():
        main()
