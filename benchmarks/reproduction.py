"""Hold finished studies to the literature: reports/reproduction.csv and docs/reproduction.md from published.csv.

Each row of published.csv is a number that somebody printed; ours is the last epoch of the same term, over all seeds of
the study, as `latent-audit study NAME` left it in .workspaces/NAME. Studies that were not run keep their earlier rows.

    latent-audit study mnist_mlp20 && python benchmarks/reproduction.py
"""

from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
PUBLISHED, FOUND = ROOT / "benchmarks/published.csv", ROOT / "reports/reproduction.csv"
DOCS = ROOT / "docs/reproduction.md"
START, END = "<!-- written by benchmarks/reproduction.py -->", "<!-- to here -->"
KEY = ["study", "arm", "split", "term"]
SDS = 3  # standard deviations of ours within which a published number agrees


def history_of(study: str, arm: str) -> pd.DataFrame | None:
    """The training history of an arm of a study that was run here; None otherwise."""
    path = ROOT / ".workspaces" / study / "models" / arm / "history.csv"
    return pd.read_csv(path) if path.exists() else None


def last_epoch(history: pd.DataFrame, split: str, term: str, scale: float) -> pd.Series:
    """The term of the last epoch by seed, divided by `scale` (pixels, or what a published loss was multiplied by)."""
    rows = history[(history["split"] == split) & (history["epoch"] == history["epoch"].max())]
    return rows.set_index("seed")[term] / scale


def agrees(values: pd.Series, published: float, tolerance: float) -> bool:
    """Whether the mean of `values` is within three of their standard deviations, or within `tolerance`."""
    spread = SDS * float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return bool(abs(values.mean() - published) <= max(spread, tolerance))


def row_of(published: pd.Series, history: pd.DataFrame) -> dict:
    """A row of reproduction.csv."""
    values = last_epoch(history, published["split"], published["term"], published["scale"])
    return {
        **{key: published[key] for key in (*KEY, "quantity", "published", "published_sd")},
        "ours": float(f"{values.mean():.6g}"),
        "ours_sd": float(f"{values.std(ddof=1):.3g}"),
        "n_seeds": len(values),
        "tolerance": published["tolerance"],
        "agrees": agrees(values, published["published"], published["tolerance"]),
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
        note = f" ({row['note']})" if isinstance(row["note"], str) and row["note"] else ""
        lines.append([
            f"{row['quantity']}{note}", f"{row['published']:g}{spread}", f"{row['ours']:.5g} ± {row['ours_sd']:.2g}",
            str(row["n_seeds"]), "yes" if row["agrees"] else "no", f"`{row['command']}`",
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Fill both files with the studies that were run here, beside the rows that are there already."""
    published = pd.read_csv(PUBLISHED)
    earlier = pd.read_csv(FOUND) if FOUND.exists() else pd.DataFrame(columns=[*KEY])
    rows = []
    for _, one in published.iterrows():
        history = history_of(one["study"], one["arm"])
        if history is not None:
            rows.append(row_of(one, history))
        else:
            same = earlier[(earlier[KEY] == one[KEY].tolist()).all(axis=1)]
            rows += same.to_dict("records")
    found = pd.DataFrame(rows)
    found.to_csv(FOUND, index=False, lineterminator="\n")
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(START)
    DOCS.write_text(f"{before}{START}\n\n{table(found)}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
