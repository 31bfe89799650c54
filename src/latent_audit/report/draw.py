"""What was gathered -> every figure of the page as rows of panels, and the data of its explorer."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import kstwobign

from latent_audit.base.layers import ENCODER, read_decoder, read_layers
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.fitted import FittedPrior, fit_gaussian, fit_mixture
from latent_audit.figures import compose, scores
from latent_audit.figures.canvas import Band
from latent_audit.figures.p_value_panels import effect_maps
from latent_audit.figures.style import class_colours
from latent_audit.report.explorer import ArmCodes, ExplorerData, HoleMap, explorer_data, quantile_table
from latent_audit.report.gather import PICTURES, Gathered, few
from latent_audit.report.kl_weight import kl_weight_bands
from latent_audit.report.page_panels import empty_cells, hole_map, page_rows
from latent_audit.report.pictures import GRID_SAMPLERS, reconstruction_rows, sample_rows
from latent_audit.report.seed_summary import hole_limit, per_seed
from latent_audit.report.single_studies import single_study_bands, single_study_rows
from latent_audit.report.study import Row, Study

N_EXPLORED, N_OF_OVERLAY = 1000, 500  # test images, the same in every arm: of the main page, of others
WIDE_SIDE = 160  # cells along each side of the map that holds every code
FITTED_ROWS = 15_000  # training codes that a mixture is fitted to
MOST_LAWS = 8  # dimensions: ten covariances of more would fill the page


class Drawn(NamedTuple):
    """rows : anchor (fig-...) -> the figure's rows of panels. hole_maps : of the arms with two dimensions."""

    rows: Mapping[str, list[Row]]
    hole_maps: Mapping[str, np.ndarray]


def draw(given: Gathered) -> Drawn:
    """Every figure but the decoded planes, whose size depends on what else the page holds."""
    given = few(given)
    first = given.study.first_seed
    flat = {arm: z for arm, z in given.z.items() if z.shape[1] == 2}
    hole_maps = {arm: hole_map(z, first, window=compose.WINDOW) for arm, z in flat.items()}
    bands = {**_of_codes(given, hole_maps), **_of_tables(given.study)}
    bands |= single_study_bands(given.study, given.pictures)
    rows = {anchor: page_rows(anchor, parts) for anchor, parts in bands.items() if any(band.sketches for band in parts)}
    if given.study.meta["images_may_be_shown"]:
        every = {**given.pictures, **given.discrete_pictures}
        rows["fig-reconstructions"] = reconstruction_rows(every, given.study.all_names, of_each=given.study.restricted)
    rows["fig-samples"] = sample_rows(given.pictures, given.study.names)
    rows["fig-samples"] += sample_rows(given.discrete_pictures, given.study.discrete, GRID_SAMPLERS)
    rows |= single_study_rows(given.study, given.pictures)
    return Drawn(rows, hole_maps)


def _of_codes(given: Gathered, hole_maps: Mapping[str, np.ndarray]) -> dict[str, list[Band]]:
    """The figures that show codes."""
    study, z, dims = given.study, given.z, given.dims
    labels, n_classes = next(iter(given.codes.values()))["labels"], len(study.meta["classes"])
    per_dim, joint = study.tables["per_dim"], study.tables["joint"]
    return {
        "fig-codes": compose.code_planes(z, labels, n_classes=n_classes, dims=dims),
        "fig-histograms": compose.marginals(
            z, per_dim, study.tables.get("transforms"), null=_null_of_normal(len(labels)),
            margins=study.params["diagnostics"]["margins"],
        ),
        "fig-holes": compose.holes(
            z, hole_maps, joint, measure=study.holes, null=_null_of(joint, study.holes), margin=hole_limit(study)
        ),
        "fig-pspace": compose.p_space(z, labels, given.label_maps, n_classes=n_classes, dims=dims),
    }  # fmt: skip


def _of_tables(study: Study) -> dict[str, list[Band]]:
    """The figures that show numbers alone."""
    tables = study.tables
    margins = study.params["diagnostics"]["margins"]
    bands = {
        "fig-training": scores.training(tables["history"]),
        "fig-pvalues": effect_maps(tables["per_dim"]),
        "fig-joint": scores.joint(tables["joint"], margins),
        "fig-kl-weight": kl_weight_bands(study),
    }
    if study.has_classes:
        if tables["classes"]["area"].notna().any():
            bands["fig-areas"] = scores.areas(tables["classes"])
        bands["fig-separability"] = scores.separability(tables["separability"], study.headings)
    if "generation" in tables:
        bands["fig-generation"] = scores.generation(
            tables["generation"], study.headings, margin=float(np.exp(margins["fd_log_ratio"]))
        )
    if "continuity" in tables:
        bands["fig-continuity"] = scores.continuity(tables["continuity"], study.headings)
    return bands


def explore(given: Gathered, hole_maps: Mapping[str, np.ndarray]) -> ExplorerData | None:
    """The explorer's data: the same sampled test images in every arm, first seed; None where they share none."""
    given = few(given)
    study, test = given.study, given.test
    if study.restricted:
        return None
    n = min(N_EXPLORED if study.overlay is None else N_OF_OVERLAY, len(test.labels))
    picked = np.sort(rng_for(study.first_seed, "report", "explorer").permutation(len(test.labels))[:n])
    return explorer_data(
        {arm: _explored(given, arm, picked, hole_maps.get(arm)) for arm in given.codes},
        images=np.asarray(test.images[picked]) if study.meta["images_may_be_shown"] else None,
        labels=test.labels[picked] if study.has_classes else np.zeros(n, dtype=np.int64),
        indices=picked,
        classes=study.meta["classes"],
        class_colours=class_colours(max(len(study.meta["classes"]), 1)),
        shape=given.shape,
        native=(study.meta["native_height"], study.meta["native_width"]),
        seed=study.first_seed,
    )


def _explored(given: Gathered, arm: str, picked: np.ndarray, holes: np.ndarray | None) -> ArmCodes:
    study, own = given.study, given.codes[arm]
    layers, refusal = read_decoder(PICTURES / arm)
    encoder = PICTURES / arm / ENCODER
    return ArmCodes(
        name=study.names[arm],
        colour=study.colours[arm],
        codes=own["z"][picked],
        recon_nll=own["recon_nll"][picked],
        plane=given.dims[arm],
        order=_by_kl(study, arm),
        quantiles=quantile_table(own["z"]),
        layers=layers,
        refusal=refusal,
        encoder=read_layers(encoder) if encoder.exists() else None,
        reconstruction=study.arms[arm]["reconstruction"],
        holes=_hole_maps(own["z"], study.first_seed, holes),
        hole_share=_hole_share(study, arm),
        laws=_laws(own["train_z"], study.first_seed),
        critic_map=given.critic_maps.get(arm) if own["z"].shape[1] == 2 else None,
    )


def _hole_maps(z: np.ndarray, seed: int, holes: np.ndarray | None) -> list[HoleMap]:
    """The map under the prior, and one of everything that has codes; none beyond two dimensions."""
    if holes is None:
        return []
    reach = max(compose.WINDOW, float(np.abs(z).max()))
    wide = empty_cells(z, seed, window=reach, side=WIDE_SIDE)
    return [HoleMap(holes > 0, compose.WINDOW), HoleMap(wide, reach)]


def _hole_share(study: Study, arm: str) -> float | None:
    """The measured share of prior draws in holes, of the seed that is shown."""
    rows = per_seed(study, "joint", study.holes)
    found = rows.loc[(rows["arm"] == arm) & (rows["seed"] == study.first_seed), "value"]
    return float(found.iloc[0]) if len(found) else None


def _laws(train_z: np.ndarray, seed: int) -> dict[str, FittedPrior]:
    """What the explorer draws from beside N(0, I), fitted to the training codes; none beyond MOST_LAWS dimensions."""
    if train_z.shape[1] > MOST_LAWS:
        return {}
    codes = subsample(train_z.astype(np.float64), FITTED_ROWS, rng=rng_for(seed, "report", "laws"))
    mixture = fit_mixture(codes, seed=seed)
    return {"gaussian": fit_gaussian(codes)} | ({} if mixture is None else {"mixture": mixture})


def _null_of(joint: pd.DataFrame, metric: str) -> tuple[float, float] | None:
    rows = joint[(joint["metric"] == metric) & (joint["code"] == "z")]
    low, high = rows["null_low"].mean(), rows["null_high"].mean()
    return None if np.isnan(low) or np.isnan(high) else (float(low), float(high))


def _null_of_normal(n: int) -> dict[str, tuple[float, float]]:
    """95% of KS D under the null, from Kolmogorov's limit law."""
    low, high = kstwobign.ppf([0.025, 0.975]) / np.sqrt(n)
    return {"ks_d": (float(low), float(high))}


def _by_kl(study: Study, arm: str) -> np.ndarray:
    """The arm's dimensions, the most informative first."""
    rows = study.tables["per_dim"]
    rows = rows[(rows["arm"] == arm) & (rows["code"] == "z")]
    column = "kl_nats" if "kl_nats" in rows and rows["kl_nats"].notna().any() else "std"
    return rows.groupby("dim")[column].mean().sort_values(ascending=False, kind="stable").index.to_numpy()
