"""Captions of the figures that only some studies have."""

from latent_audit.report.seed_summary import by_arm, over_seeds
from latent_audit.report.single_studies import SCORES, levels, named_scores
from latent_audit.report.study import Study
from latent_audit.report.tables import number, percent

SHOWN_LEVEL = 0.4
LINES = ("solid", "dashed", "dotted")  # as figures/single_studies.py draws the sets of outsiders


def interpolations(study: Study) -> str:
    """Whose means are joined."""
    return (
        f"From the mean code of one class to that of another in even steps, both ends among them; seed "
        f"{study.first_seed}. A mean is no image’s code: where a class has two clusters, it can lie between them."
    )


def traversals(study: Study) -> str:
    """How many dimensions are silent."""
    silent = {arm: own["silent_dimensions"]["mean"] for arm, own in study.metrics.items() if "silent_dimensions" in own}
    counts = ", ".join(f"{name} {number(silent[arm])}" for arm, name in study.names.items() if arm in silent)
    found = f"Dimensions that change next to nothing, mean over seeds: {counts}. " if counts else ""
    return (
        f"{found}One test image’s code, with one dimension after the other set to −3 (left) to 3 (right), in the order "
        f"of the dimensions’ KL (of an autoencoder: variance); at most twenty, fewer of more than three arms; seed "
        f"{study.first_seed}."
    )


def asked(study: Study) -> str:
    """How often the critic names the class that was asked for."""
    found = {arm: own["asked_accuracy"]["mean"] for arm, own in study.metrics.items() if "asked_accuracy" in own}
    shares = ", ".join(f"{name} {percent(found[arm])}" for arm, name in study.names.items() if arm in found)
    chance = percent(1 / len(study.meta["classes"]))
    said = f"Draws that the critic names as asked, mean over seeds: {shares} (chance {chance}). " if shares else ""
    return (
        f"{said}Ten draws from N(0, I) decoded under each label in turn, the same ten in every row: what changes from "
        f"row to row is the label, along a row the code; seed {study.first_seed}."
    )


def denoised(study: Study) -> str:
    """What is shown."""
    return (
        f"The first eight test images, clean; with Gaussian noise of sd {SHOWN_LEVEL:g}, clipped to [0, 1]; and what "
        f"each arm makes of the noisy ones; seed {study.first_seed}."
    )


def noise(study: Study) -> str:
    """The error at the level that is shown, and without noise."""
    table = study.tables["denoising"]
    rows = table[table["metric"] == "denoised_mse"].assign(sd=lambda found: levels(found["level"]))
    at = {level: by_arm(study, rows[rows["sd"] == level], form=_small) for level in (0.0, SHOWN_LEVEL)}
    return (
        f"Without noise the squared error per pixel is {at[0.0]}; with noise of sd {SHOWN_LEVEL:g}, {at[SHOWN_LEVEL]}. "
        f"Dashed: the noisy image itself. Band: range over seeds. {over_seeds(study)}"
    )


def _small(value: float) -> str:
    return f"{value:.4f}"


def passing(study: Study) -> str:
    """What is shown."""
    return (
        "The worst misses: of each set of outsiders, the eight images with the least reconstruction error, and below "
        f"them their reconstructions; seed {study.first_seed}."
    )


def detection(study: Study) -> str:
    """The best score against each set, by the mean over arms and seeds, and where the ELBO is misled."""
    named, _ = named_scores(study.tables["anomaly"])
    of_row = ["outsiders", "score", "arm"]
    means = named[named["metric"] == "auroc"].groupby(of_row, sort=False)["value"].mean().reset_index()
    lines = ", ".join(f"{line} {name}" for line, name in zip(LINES, dict.fromkeys(named["outsiders"]), strict=False))
    best = means.loc[means.groupby("outsiders", sort=False)["value"].idxmax()]
    told = "; ".join(
        f"{row['outsiders']}: {row['score']} of {study.names[row['arm']]}, {number(row['value'])}"
        for row in best.to_dict("records")
    )
    misled = means[(means["score"] == SCORES["elbo"]) & (means["value"] < 0.5)]
    trap = ", ".join(f"{study.names[row['arm']]} on {row['outsiders']}" for row in misled.to_dict("records"))
    warning = f" The ELBO is misled (below 1/2): {trap}." if trap else " The ELBO is nowhere below 1/2."
    return (
        f"The best AUROC against each set: {told}.{warning} AUROC: the share of pairs in which the outsider scores "
        f"higher; chance is 1/2. Pass: where the threshold lets {percent(0.95)} of the test images pass. Histograms: "
        f"seed {study.first_seed}; filled, test images; outlines, {lines}. {over_seeds(study)}"
    )
