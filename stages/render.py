"""Stage `render`: tables, pictures and codes -> reports/<dataset>.html, one page that loads nothing, and one figure."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer
from ruamel.yaml import YAML
from scipy.stats import kstwobign

from latent_audit.base.atomic import write_text
from latent_audit.base.codes import read_codes
from latent_audit.base.errors import reported
from latent_audit.base.layers import read_decoder
from latent_audit.base.measures import FILE, read_described
from latent_audit.base.randomness import rng_for
from latent_audit.base.tables import read_json, read_table
from latent_audit.data.prepared import Meta, load_meta, load_split, told_apart
from latent_audit.figures import compose, scores
from latent_audit.figures import p_value_panels as pvalue_maps
from latent_audit.figures.canvas import Band
from latent_audit.figures.headline import headline_panels, headline_svg
from latent_audit.figures.style import CSS_VARIABLES, arm_colours, arm_order, class_colours, display_name
from latent_audit.report.explorer import ArmCodes, ExplorerData, explorer_data, quantile_table
from latent_audit.report.page_budget import fitted_page
from latent_audit.report.page_panels import hole_map, page_rows
from latent_audit.report.pictures import reconstruction_rows, sample_rows
from latent_audit.report.seed_summary import hole_limit
from latent_audit.report.study import Study
from latent_audit.settings.study import Params, load_params

TABLES = ("per_dim", "joint", "reconstruction")
OPTIONAL_TABLES = ("classes", "separability", "generation", "continuity", "transforms")
N_EXPLORED = 1000
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "pillow", "jinja2", "dvc")


def main() -> None:
    """Write reports/<dataset>.html, and its headline figure as .svg, from what the other stages left here."""
    with reported():
        params = load_params(Path("params.yaml"))
        prepared = Path("data/prepared") / params.dataset
        meta = load_meta(prepared)._replace(classes=told_apart(prepared))
        study = read_study(params, meta)
        codes = {arm: read_codes(Path("codes") / arm / f"seed-{study.first_seed}.npz") for arm in study.arms}
        pictures = {arm: dict(np.load(Path("pictures") / arm / "pictures.npz")) for arm in study.arms}
        dims = {arm: own["dims"].tolist() for arm, own in pictures.items()}
        bands, hole_maps = draw(study, codes, dims)
        rows = {
            anchor: page_rows(anchor, parts) for anchor, parts in bands.items() if any(band.sketches for band in parts)
        }
        if meta.images_may_be_shown:
            rows["fig-reconstructions"] = reconstruction_rows(pictures, study.names)
        rows["fig-samples"] = sample_rows(pictures, study.names)
        explorer = explore(study, meta, codes, hole_maps, dims)
        page = fitted_page(study, rows, pictures, explorer)
        target = Path("reports") / f"{params.dataset}.html"
        write_text(target, page)
        weights = {arm: described["beta_kl"] for arm, described in study.arms.items()}
        margins = params.diagnostics.margins | {"hole_fraction": hole_limit(study)}
        panels = headline_panels(study.metrics, weights, margins)
        write_text(target.with_suffix(".svg"), headline_svg(panels))
        print(f"{target}: {len(page.encode()) / 1e6:.2f} MB")


def read_study(params: Params, meta: Meta) -> Study:
    """Every table of every arm, and what the page says about where they come from."""
    arms = {arm: read_json(Path("models") / arm / "arm.json") for arm in arm_order(params.arms)}
    tables = {name: _of_all_arms(arms, Path("diagnostics"), name) for name in TABLES}
    history = _of_all_arms(arms, Path("models"), "history")
    no_kl = history["arm"].isin([arm for arm, described in arms.items() if described["beta_kl"] is None])
    tables["history"] = history.assign(**{term: history[term].mask(no_kl) for term in ("kl", "elbo")})
    for name in OPTIONAL_TABLES:
        if all((Path("diagnostics") / arm / f"{name}.csv").exists() for arm in arms):
            tables[name] = _of_all_arms(arms, Path("diagnostics"), name)
    n_pixels = meta.channels * meta.height * meta.width
    weighed = [arm for arm, described in arms.items() if described["beta_kl"] is not None]
    notes = [f"{display_name(arm)}: {words}." for arm in weighed if (words := params.weight_words(arm, n_pixels))]
    return Study(
        meta=meta._asdict() | {"notes": [*meta.notes, *notes]},
        params=params.model_dump(mode="json"),
        metrics=read_json(Path("reports/metrics.json")),
        arms=arms,
        names={arm: display_name(arm) for arm in arms},
        colours={arm: CSS_VARIABLES[colour] for arm, colour in arm_colours(arms).items()},
        class_colours=class_colours(len(meta.classes)),
        seeds=params.seeds,
        tables=tables,
        claims=read_table(Path("reports/claims.csv")),
        critic=read_json(Path("critic/critic.json")),
        provenance=_provenance(meta, list(arms)),
        measures={name: m for arm in arms for name, m in read_described(Path("diagnostics") / arm / FILE).items()},
    )


def draw(
    study: Study, codes: Mapping[str, Mapping[str, np.ndarray]], dims: Mapping[str, list[int]]
) -> tuple[dict[str, list[Band]], dict]:
    """Every figure that matplotlib makes, by anchor; and the maps of holes per arm (none beyond two dimensions)."""
    tables, z = study.tables, {arm: own["z"] for arm, own in codes.items()}
    labels = next(iter(codes.values()))["labels"]
    n_classes = len(study.meta["classes"])
    per_dim, joint = tables["per_dim"], tables["joint"]
    margins = study.params["diagnostics"]["margins"]
    flat = next(iter(z.values())).shape[1] == 2
    hole_maps = (
        {arm: hole_map(values, study.first_seed, window=compose.WINDOW) for arm, values in z.items()} if flat else {}
    )
    null = _null_of(joint, study.holes)
    bands = {
        "fig-training": scores.training(tables["history"]),
        "fig-codes": compose.code_planes(z, labels, n_classes=n_classes, dims=dims),
        "fig-histograms": compose.marginals(
            z, per_dim, tables.get("transforms"), null=_null_of_normal(len(labels)), margins=margins
        ),
        "fig-pvalues": pvalue_maps.p_value_maps(
            per_dim, family=len(pvalue_maps.TESTS) * len(per_dim.groupby(["dim", "seed"]))
        ),
        "fig-holes": compose.holes(z, hole_maps, joint, null=null, margin=hole_limit(study)),
    }
    maps = {}
    if study.has_classes:
        if tables["classes"]["area"].notna().any():
            bands["fig-areas"] = scores.areas(tables["classes"])
        bands["fig-separability"] = scores.separability(tables["separability"], study.headings)
        maps = {arm: np.load(Path("diagnostics") / arm / "class_map.npz")["label_map"] for arm in study.arms}
    bands["fig-pspace"] = compose.p_space(z, labels, maps, n_classes=n_classes, dims=dims)
    if "generation" in tables:
        bands["fig-generation"] = scores.generation(tables["generation"], study.headings)
    if "continuity" in tables:
        bands["fig-continuity"] = scores.continuity(tables["continuity"], study.headings)
    return bands, hole_maps


def explore(
    study: Study,
    meta: Meta,
    codes: Mapping[str, Mapping[str, np.ndarray]],
    hole_maps: Mapping[str, np.ndarray],
    dims: Mapping[str, list[int]],
) -> ExplorerData:
    """The explorer's data: the same sampled test images in every arm, first seed."""
    test = load_split(Path("data/prepared") / meta.dataset, "test")
    n = min(N_EXPLORED, len(test.labels))
    picked = np.sort(rng_for(study.first_seed, "report", "explorer").permutation(len(test.labels))[:n])
    arms = {}
    for arm, own in codes.items():
        layers, refusal = read_decoder(Path("pictures") / arm)
        arms[arm] = ArmCodes(
            name=study.names[arm],
            colour=study.colours[arm],
            codes=own["z"][picked],
            recon_nll=own["recon_nll"][picked],
            plane=dims[arm],
            order=_by_kl(study, arm),
            quantiles=quantile_table(own["z"]),
            holes=hole_maps.get(arm),
            span=compose.WINDOW,
            layers=layers,
            refusal=refusal,
        )
    return explorer_data(
        arms,
        images=np.asarray(test.images[picked]) if meta.images_may_be_shown else None,
        labels=test.labels[picked] if study.has_classes else np.zeros(n, dtype=np.int64),
        indices=picked,
        classes=meta.classes,
        class_colours=class_colours(max(len(meta.classes), 1)),
        shape=(meta.channels, meta.height, meta.width),
        seed=study.first_seed,
    )


def _of_all_arms(arms: Mapping[str, Any], folder: Path, name: str) -> pd.DataFrame:
    parts = [read_table(folder / arm / f"{name}.csv").assign(arm=arm) for arm in arms]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _null_of(joint: pd.DataFrame, metric: str) -> tuple[float, float] | None:
    rows = joint[(joint["metric"] == metric) & (joint["code"] == "z")]
    low, high = rows["null_low"].mean(), rows["null_high"].mean()
    return None if np.isnan(low) or np.isnan(high) else (float(low), float(high))


def _null_of_normal(n: int) -> dict[str, tuple[float, float]]:
    """95% of KS D under the null, from Kolmogorov's limit law."""
    low, high = kstwobign.ppf([0.025, 0.975]) / np.sqrt(n)
    return {"ks_d": (float(low), float(high))}


def _by_kl(study: Study, arm: str) -> np.ndarray:
    rows = study.tables["per_dim"]
    rows = rows[(rows["arm"] == arm) & (rows["code"] == "z")]
    column = "kl_nats" if "kl_nats" in rows and rows["kl_nats"].notna().any() else "std"
    return rows.groupby("dim")[column].mean().sort_values(ascending=False, kind="stable").index.to_numpy()


def _provenance(meta: Meta, arms: list[str]) -> dict[str, dict[str, str]]:
    lock = Path("dvc.lock")
    stages = (YAML(typ="safe", pure=True).load(lock) or {}).get("stages", {}) if lock.exists() else {}
    outputs = {
        out["path"]: out.get("md5", "")
        for name, stage in stages.items()
        if name != "render"  # its own outputs of an earlier run would make the page depend on that run
        if "@" not in name or name.split("@")[1] in arms  # arms that were removed stay in dvc.lock
        for out in stage.get("outs", [])
    }
    return {
        "Raw data, sha256": dict(meta.raw_sha256),
        "Outputs of the pipeline, md5 from dvc.lock": outputs,
        "Packages": {name: version(name) for name in PACKAGES},
    }


if __name__ == "__main__":
    typer.run(main)
