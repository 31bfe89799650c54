"""Captions: the finding of each figure in a sentence, every number taken from the tables."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from latent_audit.report.spread import SHOWN_CODE, by_arm, is_finite, over_seeds, per_seed, worst_dimension
from latent_audit.report.study import Study
from latent_audit.report.tables import number, percent

P_COLUMNS = ("ks_p", "cvm_p", "ad_p", "shapiro_p", "k2_p", "jb_p")
SAMPLERS = {
    "prior": "N(0, I)",
    "gaussian": "fitted Gaussian",
    "gmm": "fitted mixture of 10 Gaussians",
    "box": "bounding box",
    "test_floor": "real images (floor)",
}


def training(study: Study) -> str:
    """Test loss after the last epoch."""
    history = study.tables["history"]
    last = history[
        (history["split"] == "test") & (history["epoch"] == history.groupby("arm")["epoch"].transform("max"))
    ]
    epochs = ", ".join(str(n) for n in sorted({arm["epochs"] for arm in study.arms.values()}))
    kl = last[last["kl"].notna()].rename(columns={"kl": "value"})
    text = (
        f"After {epochs} epochs the test images cost {by_arm(study, last.rename(columns={'recon_nll': 'value'}))} nats "
        f"each to reconstruct"
    )
    text += f", at a KL of {by_arm(study, kl)} nats. " if len(kl) else ". "
    return (
        text
        + f"Solid: whole test split at the end of each epoch. Dashed: mean over the training epoch, while the weights "
        f"move. Band: range over seeds. {over_seeds(study)}"
    )


def _best(error: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Which arm reconstructs best, and in how many seeds."""
    by_seed = error.pivot(index="seed", columns="arm", values="value")
    if by_seed.shape[1] < 2:
        return ""
    best = by_seed.mean().idxmin()
    wins = int((by_seed.idxmin(axis=1) == best).sum())
    return f"{names[str(best)]} reconstructs best, in {wins} of {len(by_seed)} seeds: "


def reconstructions(study: Study) -> str:
    """Reconstruction error over the whole test split."""
    error = per_seed(study, "reconstruction", "recon_nll", code=None)
    n_test = number(study.meta["n_test"])
    return (
        f"{_best(error, study.names)}{by_arm(study, error)} nats per image over the {n_test} test images. "
        f"Decoded from each image's z, seed {study.first_seed}; the arms share the images. {over_seeds(study)}"
    )


def codes(study: Study) -> str:
    """Where the codes lie and how wide."""
    far = by_arm(study, worst_dimension(study, "mean"))
    wide = by_arm(study, worst_dimension(study, "std"))
    return (
        f"Mean of z furthest from 0: {far}. Largest standard deviation: {wide}; the prior has 0 and 1. "
        f"{number(study.meta['n_test'])} test codes z of seed {study.first_seed} (for an autoencoder z = mu), "
        f"coloured by class; numbered discs are class means; dashed circles have radius 1, 2, 3. Upper row: one "
        f"scale for all arms; lower row: the part that the prior covers. {over_seeds(study)}"
    )


def histograms(study: Study) -> str:
    """Distance of the marginals from N(0, 1)."""
    n = int(study.tables["per_dim"]["n"].max())
    return (
        f"Largest KS distance of a dimension of z to N(0, 1): {by_arm(study, worst_dimension(study, 'ks_d'))}. Largest "
        f"Wasserstein-1 distance, in code units: {by_arm(study, worst_dimension(study, 'w1'))}. Outlines: density of "
        f"z, n = {number(n)}, seed {study.first_seed}; dashed: N(0, 1). Below, dots are seeds and uprights their "
        f"mean; the dashed line is the margin set beforehand; grey: where {number(n)} true draws of N(0, 1) would "
        f"fall (95%). {over_seeds(study)}"
    )


def p_values(study: Study) -> str:
    """How many adjusted p-values reject, and why that alone says little."""
    rows = study.tables["per_dim"]
    rows = rows[rows["code"] == SHOWN_CODE]
    parts = []
    for arm, name in study.names.items():
        p = rows.loc[rows["arm"] == arm, [f"{column}_holm" for column in P_COLUMNS]].to_numpy()
        parts.append(f"{name} {int((p < 0.05).sum())} of {p.size}")
    return (
        f"Rejected at 5% after Holm's adjustment, over seeds, dimensions and tests of z: {', '.join(parts)}. With "
        f"n = {number(int(rows['n'].max()))} codes a shift too small to matter is rejected too, so the right-hand "
        "map shows how large each departure is. Left: log10 of the adjusted p (−12 means 1e−12; pale: above 0.05), "
        "median over seeds; KS, CvM and AD ask “is it N(0, 1)?”, Shapiro, K² and JB ask “is it some normal?”. Right: "
        "medians over seeds; darker is larger."
    )


def p_space(study: Study) -> str:
    """Unequal areas on the unit square."""
    classes = study.tables["classes"]
    classes = classes[classes["code"] == SHOWN_CODE]
    extremes = []
    for arm, name in study.names.items():
        mean = classes[classes["arm"] == arm].groupby("class_name", sort=False)["area"].mean()
        extremes.append(f"{name}: “{mean.idxmax()}” {percent(mean.max())}, “{mean.idxmin()}” {percent(mean.min())}")
    return (
        f"Largest and smallest area, mean over seeds: {'; '.join(extremes)}. Upper row: each test code z as "
        f"(Φ(z₁), Φ(z₂)), seed {study.first_seed}; codes that follow N(0, I) fill the square evenly, others pile up "
        f"at its edges. Lower row: the class that owns each place, by the vote of its nearest codes."
    )


def areas(study: Study) -> str:
    """Total variation between the areas and equal shares."""
    classes = study.tables["classes"]
    classes = classes[classes["code"] == SHOWN_CODE]
    n_classes = classes["label"].nunique()
    distance = (
        classes.assign(value=(classes["area"] - 1 / n_classes).abs() / 2)
        .groupby(["arm", "seed"], sort=False, as_index=False)["value"]
        .sum()
    )
    return (
        f"Share of the unit square's area to be moved for equal areas (total variation): "
        f"{by_arm(study, distance, percent)}. Dashed: an equal share, 1/{n_classes}. Codes z, by the vote of the "
        f"nearest test codes. {over_seeds(study)}"
    )


def holes(study: Study) -> str:
    """Prior mass that no code supports, against the null of true prior draws."""
    table = per_seed(study, "joint", "hole_fraction")
    null = table[["null_low", "null_high"]].mean()
    by_chance = (
        f" (true draws of the prior, as many: {percent(null['null_low'])} to {percent(null['null_high'])})"
        if null.notna().all()
        else ""
    )
    return (
        f"Of draws from N(0, I), this share lands where no test code z is near: "
        f"{by_arm(study, table, percent)}{by_chance}. Shaded, darker where the prior is denser: places further from "
        f"every code than all but 1% of true prior draws are from one another; grey dots: codes, seed "
        f"{study.first_seed}. {_whitened_holes(study)}Grey band: what chance gives; dashed: the margin beyond it. "
        f"{over_seeds(study)}"
    )


def _whitened_holes(study: Study) -> str:
    table = per_seed(study, "joint", "hole_fraction_whitened")
    if table.empty:
        return ""
    return f"Once the codes' own mean and covariance are taken out (whitened): {by_arm(study, table, percent)}. "


def lattice(study: Study) -> str:
    """What the decoder draws over the plane."""
    extra = ""
    classes = study.tables.get("classes")
    if classes is not None and classes["critic_area"].notna().any():
        shares = classes.dropna(subset="critic_area").groupby(["arm", "class_name"], sort=False)["critic_area"].mean()
        most = []
        for arm, name in study.names.items():
            if arm in shares.index:
                most.append(f"{name} “{shares[arm].idxmax()}” {percent(shares[arm].max())}")
        extra = f"To the critic the most common class over the prior's square is: {', '.join(most)}. "
    return (
        f"{extra}Every place of the plane decoded, seed {study.first_seed}. Upper row: an even grid on [−3, 3]² in "
        f"code units. Lower row: an even grid of the unit square carried back by Φ⁻¹, so that each picture stands "
        f"for an equal share of the prior."
    )


def samples(study: Study) -> str:
    """Where the drawn samples come from."""
    best = generation_words(study, ("prior",))
    return (f"{best} " if best else "") + (
        f"Codes drawn from each density and decoded, seed {study.first_seed}; all arms decode the same draws of N(0, "
        f"I). The other densities are fitted to the arm's own training codes."
    )


def generation_words(study: Study, samplers: Sequence[str]) -> str:
    """FD-clf by sampler, or nothing where it was not measured."""
    table = per_seed(study, "generation", "fd_clf", code=None)
    parts = []
    for sampler in samplers:
        rows = table[table["sampler"] == sampler] if len(table) else table
        if len(rows):
            parts.append(f"{SAMPLERS[sampler]}: {by_arm(study, rows)}")
    return (
        f"Distance of decoded samples to real images (FD-clf, lower is better) from {'; '.join(parts)}."
        if parts
        else ""
    )


def generation(study: Study) -> str:
    """Scores of the samplers."""
    floor = per_seed(study, "generation", "fd_clf", code=None)
    floor = floor[floor["sampler"] == "test_floor"]["value"]
    ground = f" Real images against real images give {number(floor.mean())}." if len(floor) else ""
    return (
        f"{generation_words(study, ('prior', 'gmm'))}{_blur(study)}{ground} The features are those of this study's own "
        f"critic, so the numbers compare within this report only. {over_seeds(study)}"
    )


def _blur(study: Study) -> str:
    """How much of FD-clf is the decoder's blur: the score of its own reconstructions."""
    rows = per_seed(study, "generation", "fd_clf", code=None)
    own = rows[rows["sampler"] == "reconstruction"]
    if own.empty:
        return ""
    both = own.merge(rows[rows["sampler"] == "prior"], on=["arm", "seed"], suffixes=("", "_prior"))
    shares = both.assign(value=both["value"] / both["value_prior"])
    words = f"each arm's own reconstructions of test images are at {by_arm(study, own)}"
    if shares["value"].mean() > 0.5:
        return (
            f" Most of this is blur, not the choice of codes: {words}, which is {by_arm(study, shares, percent)} of "
            f"what draws from N(0, I) give."
        )
    return f" For comparison, {words}."


def separability(study: Study) -> str:
    """How well the classes can be told from the codes."""
    knn = by_arm(study, per_seed(study, "separability", "knn_accuracy"), percent)
    probe = by_arm(study, per_seed(study, "separability", "linear_probe_accuracy"), percent)
    majority = per_seed(study, "separability", "majority_accuracy")["value"].mean()
    chance = f" Always naming the commonest class: {percent(majority)}." if is_finite(majority) else ""
    return (
        f"Classes read from z by nearest neighbours: {knn}; by a linear probe: {probe}.{chance} The axes are cut "
        f"to the values. {over_seeds(study)}"
    )


def continuity(study: Study) -> str:
    """How smoothly the decoder moves."""
    parts = []
    for metric, words, form in (
        ("midpoint_confidence", "Half-way between the codes of two images the critic is sure to", percent),
        ("jump_rate_codes", "A step of a tenth of the codes’ sd changes the class in", percent),
    ):
        rows = per_seed(study, "continuity", metric, code=None)
        if len(rows):
            parts.append(f"{words} {by_arm(study, rows, form)}.")
    return (
        f"{' '.join(parts)} Straight lines between codes mu, decoded. The axes are cut to the values. "
        f"{over_seeds(study)}"
    )


CAPTIONS: dict[str, Callable[[Study], str]] = {
    "fig-training": training,
    "fig-reconstructions": reconstructions,
    "fig-codes": codes,
    "fig-histograms": histograms,
    "fig-pvalues": p_values,
    "fig-pspace": p_space,
    "fig-areas": areas,
    "fig-holes": holes,
    "fig-lattice": lattice,
    "fig-samples": samples,
    "fig-generation": generation,
    "fig-continuity": continuity,
    "fig-separability": separability,
}


def caption(anchor: str, study: Study) -> Markup:
    """The caption of the figure at `anchor`, escaped.

    Raises
    ------
    ValueError : a number in it is missing (NaN), so the sentence would be empty of its finding.
    """
    text = CAPTIONS[anchor](study)
    if "nan" in text.lower().split():
        raise ValueError(f"the caption of {anchor} lacks a number: {text!r}")
    return Markup.escape(text)
