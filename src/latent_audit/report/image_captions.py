"""Captions of the figures that show images or score them: training, reconstruction, generation, continuity."""

from collections.abc import Mapping, Sequence

import pandas as pd

from latent_audit.figures.scores import is_blurred
from latent_audit.report.seed_summary import by_arm, is_finite, over_seeds, per_seed
from latent_audit.report.study import Study
from latent_audit.report.tables import number, percent

SAMPLERS = {
    "prior": "N(0, I)",
    "gaussian": "fitted Gaussian",
    "gmm": "fitted mixture of 10 Gaussians",
    "box": "bounding box",
    "test_floor": "real images (floor)",
}

OF_CLASSES = (  # how smoothly the decoder moves, by the classes that the critic sees on the way
    ("midpoint_confidence", "Confidence of the critic in the class of a picture half-way between two codes:", percent),
    ("jump_rate_codes", "Share of steps of a tenth of the codes’ sd that change the class the critic sees:", percent),
)
OF_FEATURES = (
    (
        "path_ratio_features",
        "Length of a decoded line over its chord, in the features of an untrained network:",
        number,
    ),
)


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
    """Which arm reconstructs best in how many seeds, best first."""
    by_seed = error.pivot(index="seed", columns="arm", values="value")
    if by_seed.shape[1] < 2:
        return ""
    wins = by_seed.idxmin(axis=1).value_counts(sort=False).reindex(list(names)).dropna().astype(int)
    first, *others = wins.sort_values(ascending=False, kind="stable").items()
    also = "".join(f", {names[str(arm)]} in {count}" for arm, count in others)
    return f"{names[str(first[0])]} reconstructs best in {first[1]} of {len(by_seed)} seeds{also}: "


def reconstructions(study: Study) -> str:
    """Reconstruction error over the whole test split."""
    error = per_seed(study, "reconstruction", "recon_nll", code=None)
    n_test = number(study.meta["n_test"])
    return (
        f"{_best(error, study.names)}{by_arm(study, error)} nats per image over the {n_test} test images. "
        f"Decoded from each image's z, seed {study.first_seed}; the arms share the images. {over_seeds(study)}"
    )


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
    return (
        f"Codes drawn from each density and decoded, seed {study.first_seed}; all arms decode the same draws of N(0, "
        f"I). The other densities are fitted to the arm's own training codes."
    )


def generation_words(study: Study, samplers: Sequence[str]) -> str:
    """The Fréchet distance by sampler, or nothing where it was not measured."""
    table = per_seed(study, "generation", study.distance.metric, code=None)
    parts = []
    for sampler in samplers:
        rows = table[table["sampler"] == sampler] if len(table) else table
        if len(rows):
            parts.append(f"{SAMPLERS[sampler]}: {by_arm(study, rows)}")
    return (
        f"Distance of decoded samples to real images ({study.distance.name}, lower is better) from {'; '.join(parts)}."
        if parts
        else ""
    )


def generation(study: Study) -> str:
    """Scores of the samplers."""
    floor = per_seed(study, "generation", study.distance.metric, code=None)
    floor = floor[floor["sampler"] == "test_floor"]["value"]
    ground = f" Real images against real images give {number(floor.mean())}." if len(floor) else ""
    return (
        f"{generation_words(study, ('prior', 'gmm'))}{_blur(study)}{ground} Drawn as multiples of the distance of "
        f"the arm’s own reconstructions; dashed: still as good. The features are those of {study.distance.features}, "
        f"so the numbers compare within this report only. {_coverage(study)}{over_seeds(study)}"
    )


def _coverage(study: Study) -> str:
    """Why density and coverage are not drawn where blur alone decides them."""
    table = study.tables["generation"]
    if not is_blurred(table):
        return ""
    own = table[(table["metric"] == "coverage") & (table["sampler"] == "reconstruction")]
    return (
        f"Density and coverage are not drawn: even the arms’ own reconstructions cover {by_arm(study, own, percent)} "
        "of the real images, because they are blurred, so these two say nothing of the codes. "
    )


def _blur(study: Study) -> str:
    """How much of the distance is the decoder's blur: the score of its own reconstructions."""
    rows = per_seed(study, "generation", study.distance.metric, code=None)
    own = rows[rows["sampler"] == "reconstruction"]
    if own.empty:
        return ""
    both = own.merge(rows[rows["sampler"] == "prior"], on=["arm", "seed"], suffixes=("", "_prior"))
    shares = both.assign(value=both["value"] / both["value_prior"])
    return (
        f" What the decoder blurs, no choice of codes mends: each arm's own reconstructions of test images are at "
        f"{by_arm(study, own)}, which is {by_arm(study, shares, percent)} of what draws from N(0, I) give."
    )


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
    for metric, words, form in OF_CLASSES if study.has_classes else OF_FEATURES:
        rows = per_seed(study, "continuity", metric, code=None)
        if len(rows):
            parts.append(f"{words} {by_arm(study, rows, form)}.")
    return (
        f"{' '.join(parts)} Straight lines between codes mu, decoded. The axes are cut to the values. "
        f"{over_seeds(study)}"
    )
