"""Hold finished studies to the literature: reports/reproduction.csv and docs/reproduction.md from published.csv.

Each row of published.csv is a number that somebody printed; ours is over all seeds of the study: a term of the last
epoch, as `latent-audit study NAME` left it in .workspaces/NAME, or else a measure of the test images in the study's
metrics.json, there or in reports/NAME. Studies that were not run keep their earlier rows. A study that was run on less
than its overlay asks for is not judged, and says what it was run on.

    latent-audit study mnist_mlp20 && python benchmarks/reproduction.py
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from latent_audit.base.plain_yaml import read_yaml
from latent_audit.runs.studies import merge, read_overlay

ROOT = Path(__file__).parents[1]
PUBLISHED, FOUND = ROOT / "benchmarks/published.csv", ROOT / "reports/reproduction.csv"
DOCS = ROOT / "docs/reproduction.md"
START, END = "<!-- written by benchmarks/reproduction.py -->", "<!-- to here -->"
KEY = ["study", "arm", "split", "term"]
SDS = 3  # standard deviations of ours within which a published number agrees
FEWEST_SEEDS = 3  # below which nothing is judged
NOT_JUDGED = "not judged"


class Ours(NamedTuple):
    """A term by seed, in the study's own units, and the parameters of the run that it is of."""

    values: pd.Series
    params: Mapping[str, Any]


def ours(root: Path, study: str, arm: str, split: str, term: str) -> Ours | None:
    """The term of a study that was run, from its history or else from its measures; None where neither has it."""
    workspace, kept = root / ".workspaces" / study, root / "reports" / study
    history = workspace / "models" / arm / "history.csv"
    if history.exists() and term in (table := pd.read_csv(history)):
        return Ours(last_epoch(table, split, term), _params(workspace))
    for folder, metrics in ((kept, kept / "metrics.json"), (workspace, workspace / "reports/metrics.json")):
        if split == "test" and metrics.exists():
            params = _params(folder)
            found = measured(json.loads(metrics.read_text(encoding="utf-8")).get(arm, {}), term, params, arm)
            if found is not None:
                return Ours(pd.Series(found, index=sorted(params["seeds"])), params)
    return None


def measured(metrics: Mapping[str, Any], term: str, params: Mapping[str, Any], arm: str) -> list[float] | None:
    """The term's seeds in an arm's part of metrics.json: the objective of a plain ELBO is the ELBO but for its sign."""
    if term == "objective" and params["arms"][arm].get("beta_kl") == 1 and "elbo" in metrics:
        return [-value for value in metrics["elbo"]["values"]]
    return metrics[term]["values"] if term in metrics else None


def _params(folder: Path) -> dict[str, Any]:
    return read_yaml((folder / "params.yaml").read_bytes(), str(folder / "params.yaml"))


def reduced(asked: Mapping[str, Any], had: Mapping[str, Any], arm: str) -> Iterator[str]:
    """On how much less than `asked` (parameters) the study was run, in words."""
    if (limit := had["data"]["limit"]) is not None and asked["data"]["limit"] != limit:
        yield f"at most {limit:,} images of each split"
    wanted, given = (_epochs(params, arm) for params in (asked, had))
    if given < wanted:
        yield f"{given} of {wanted} epochs"
    if len(had["seeds"]) < FEWEST_SEEDS:
        yield f"{len(had['seeds'])} seed{'s' if len(had['seeds']) > 1 else ''}"


def _epochs(params: Mapping[str, Any], arm: str) -> int:
    return params["arms"][arm].get("epochs") or params["train"]["epochs"]


def asked_of(root: Path, study: str) -> dict[str, Any]:
    """The parameters that the study's overlay asks for."""
    params = read_yaml((root / "params.yaml").read_bytes(), "params.yaml")
    merge(params, read_overlay(root, study))
    return params


def last_epoch(history: pd.DataFrame, split: str, term: str) -> pd.Series:
    """The term of the last epoch by seed."""
    rows = history[(history["split"] == split) & (history["epoch"] == history["epoch"].max())]
    return rows.set_index("seed")[term]


def agrees(values: pd.Series, published: float, tolerance: float) -> bool:
    """Whether the mean of `values` is within three of their standard deviations, or within `tolerance`."""
    spread = SDS * float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return bool(abs(values.mean() - published) <= max(spread, tolerance))


def row_of(published: pd.Series, found: Ours, asked: Mapping[str, Any]) -> dict:
    """A row of reproduction.csv; `scale`: what ours is divided by to be in the units of the source."""
    values = found.values / published["scale"]
    less = list(reduced(asked, found.params, published["arm"]))
    judged = "yes" if agrees(values, published["published"], published["tolerance"]) else "no"
    return {
        **{key: published[key] for key in (*KEY, "quantity", "published", "published_sd")},
        "ours": float(f"{values.mean():.6g}"),
        "ours_sd": float(f"{values.std(ddof=1):.3g}"),
        "n_seeds": len(values),
        "tolerance": published["tolerance"],
        "agrees": NOT_JUDGED if less else judged,
        "why": f"reduced: {', '.join(less)}" if less else "",
        "source": published["source"],
        "note": published["note"],
        "command": f"latent-audit study {published['study']}",
    }


def table(found: pd.DataFrame) -> str:
    """The rows as Markdown."""
    header = ["quantity", "published", "ours, mean ± sd", "seeds", "agrees", "command"]
    lines = [header, ["---"] * len(header)]
    for row in found.to_dict("records"):
        spread = f" ± {row['published_sd']:g}" if pd.notna(row["published_sd"]) else ""
        note, why = (f" ({words})" if isinstance(words := row[key], str) and words else "" for key in ("note", "why"))
        lines.append([
            f"{row['quantity']}{note}", f"{row['published']:g}{spread}",
            f"{row['ours']:.5g}" + (f" ± {row['ours_sd']:.2g}" if pd.notna(row["ours_sd"]) else ""),
            str(row["n_seeds"]), f"{row['agrees']}{why}", f"`{row['command']}`",
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Fill both files with the studies that were run here, beside the rows that are there already; none: no file."""
    published = pd.read_csv(PUBLISHED)
    earlier = pd.read_csv(FOUND) if FOUND.exists() else pd.DataFrame(columns=[*KEY])
    rows = []
    for _, one in published.iterrows():
        own = ours(ROOT, *one[KEY])
        if own is not None:
            rows.append(row_of(one, own, asked_of(ROOT, one["study"])))
        else:
            same = earlier[(earlier[KEY] == one[KEY].tolist()).all(axis=1)]
            rows += same.to_dict("records")
    if not rows:
        return
    found = pd.DataFrame(rows)
    found.to_csv(FOUND, index=False, lineterminator="\n")
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(START)
    DOCS.write_text(f"{before}{START}\n\n{table(found)}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
