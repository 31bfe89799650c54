"""Captions of the figures that show codes: where they lie, and how far from the prior."""

from latent_audit.figures.dimensions import dimension_name
from latent_audit.report.seed_summary import SHOWN_CODE, by_arm, over_seeds, per_seed, worst_dimension
from latent_audit.report.study import Study
from latent_audit.report.tables import number, percent

P_COLUMNS = ("ks_p", "cvm_p", "ad_p", "shapiro_p", "k2_p", "jb_p")


def codes(study: Study) -> str:
    """Where the codes lie and how wide."""
    far = by_arm(study, worst_dimension(study, "mean"))
    wide = by_arm(study, worst_dimension(study, "std"))
    classes = "coloured by class; numbered discs are class means; " if study.has_classes else ""
    return (
        f"Mean of z furthest from 0: {far}. Largest standard deviation: {wide}; the prior has 0 and 1. "
        f"{number(study.meta['n_test'])} test codes z of seed {study.first_seed} (for an autoencoder z = mu), "
        f"{classes}dashed circles have radius 1, 2, 3. Upper row: one "
        f"scale for all arms; lower row: the part that the prior covers. {over_seeds(study)}"
    )


def histograms(study: Study) -> str:
    """Distance of the marginals from N(0, 1)."""
    n = int(study.tables["per_dim"]["n"].max())
    return (
        f"Largest KS distance of a dimension of z to N(0, 1): {by_arm(study, worst_dimension(study, 'ks_d'))}. Largest "
        f"Wasserstein-1 distance, in code units: {by_arm(study, worst_dimension(study, 'w1'))}. Outlines: density of "
        f"z, n = {number(n)}, seed {study.first_seed}; dashed: N(0, 1). Below, uprights are means, the dashed "
        f"line is the margin set beforehand, grey: where 95% of {number(n)} true draws of N(0, 1) would fall. "
        f"{over_seeds(study)}"
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
        f"Size of each departure of z from N(0, 1), medians over seeds: the stronger the colour, the larger. p-values "
        f"are in the numbers below and not drawn, since nearly all reject: at 5%, after Holm’s adjustment, over seeds, "
        f"dimensions and tests, {', '.join(parts)}. With n = {number(int(rows['n'].max()))} codes a shift too small to "
        "matter is rejected too. KS, CvM and AD ask “is it N(0, 1)?”, Shapiro, K² and JB ask “is it some normal?”."
    )


def joint(study: Study) -> str:
    """All codes together against N(0, I): the KL of q(z), and what of it is dependence."""
    parts = []
    for metric, words in (
        ("marginal_kl", "KL of all codes together, q(z), to N(0, I), in nats"),
        ("total_correlation", "Of it total correlation, the dependence between dimensions"),
    ):
        above, below = (per_seed(study, "joint", name) for name in (metric, f"{metric}_loo"))
        if len(above):
            other = f"; by the estimate that errs below: {by_arm(study, below)}" if len(below) else ""
            parts.append(f"{words}: {by_arm(study, above)}{other}.")
    return (
        f"{' '.join(parts)} The truth lies between the two estimates; a verdict is read off the interval that holds "
        f"both. An autoencoder has no q(z|x) and so no such number. {over_seeds(study)}"
    )


def p_space(study: Study) -> str:
    """Unequal areas on the unit square."""
    points = (
        f"each test code z as (Φ({dimension_name(0)}), Φ({dimension_name(1)})), seed {study.first_seed}; codes that "
        f"follow N(0, I) fill the square evenly, others pile up at its edges."
    )
    if not study.has_classes:
        return points[0].upper() + points[1:]
    classes = study.tables["classes"]
    classes = classes[classes["code"] == SHOWN_CODE]
    extremes = []
    for arm, name in study.names.items():
        mean = classes[classes["arm"] == arm].groupby("class_name", sort=False)["area"].mean()
        if mean.isna().any():
            extremes.append(f"{name}: not given, no density of the classes fits")
            continue
        extremes.append(f"{name}: “{mean.idxmax()}” {percent(mean.max())}, “{mean.idxmin()}” {percent(mean.min())}")
    return (
        f"Largest and smallest area, mean over seeds: {'; '.join(extremes)}. Upper row: {points} Lower row: the class "
        f"that owns each place, by the vote of its nearest codes."
    )


def areas(study: Study) -> str:
    """Total variation between the areas and equal shares."""
    classes = study.tables["classes"]
    classes = classes[(classes["code"] == SHOWN_CODE) & classes["area"].notna()]
    n_classes = classes["label"].nunique()
    narrow = study.tables["per_dim"]["dim"].nunique() <= 2
    by = "the vote of the nearest test codes" if narrow else "a Gaussian density of each class"
    distance = (
        classes.assign(value=(classes["area"] - 1 / n_classes).abs() / 2)
        .groupby(["arm", "seed"], sort=False, as_index=False)["value"]
        .sum()
    )
    return (
        f"Share of the unit square's area to be moved for equal areas (total variation): "
        f"{by_arm(study, distance, percent)}. Dashed: an equal share, 1/{n_classes}. Codes z, by {by}. "
        f"{over_seeds(study)}"
    )


def holes(study: Study) -> str:
    """Prior mass that no code supports, against the null of true prior draws."""
    table = per_seed(study, "joint", study.holes)
    null = table[["null_low", "null_high"]].mean()
    by_chance = (
        f" (true draws of the prior, as many: {percent(null['null_low'])} to {percent(null['null_high'])})"
        if null.notna().all()
        else ""
    )
    if study.holes == "hole_mass":
        return (
            f"Share of N(0, I) where fewer than half the codes are found that it would put there, in the emptiest "
            f"of the planes looked at: {by_arm(study, table, percent)}{by_chance}. Grey band: what chance gives; "
            f"dashed: the limit set beforehand. {over_seeds(study)}"
        )
    return (
        f"Of draws from N(0, I), this share lands where no test code z is near: "
        f"{by_arm(study, table, percent)}{by_chance}. {_training_holes(study)}Shaded, the stronger the denser the "
        f"prior: places further from every test code than all but 1% of true prior draws are from one another; "
        f"grey dots: codes, seed {study.first_seed}. {_whitened_holes(study)}Grey band: what chance gives; "
        f"dashed: the limit set beforehand. {over_seeds(study)}"
    )


def _training_holes(study: Study) -> str:
    """The decoder learned from the training codes: how much of the prior is without those."""
    table = per_seed(study, "joint", "hole_fraction_train")
    if table.empty:
        return ""
    return f"Among as many codes of training images, from which the decoder learned: {by_arm(study, table, percent)}. "


def _whitened_holes(study: Study) -> str:
    table = per_seed(study, "joint", "hole_fraction_whitened")
    if table.empty or table["value"].isna().all():
        return ""
    return f"Once the codes' own mean and covariance are taken out (whitened): {by_arm(study, table, percent)}. "
