"""Figures that only some studies have: interpolations, traversals, denoising, outsiders, as rows of panels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from latent_audit.figures.attributes import attribute_curves, leakage_maps
from latent_audit.figures.attributes import words_of as words_of_attribute
from latent_audit.figures.canvas import Band
from latent_audit.figures.dimensions import dimension_name
from latent_audit.figures.single_studies import detection_strips, noise_curves, score_histograms
from latent_audit.report.pictures import Pictures, picture, strip
from latent_audit.report.study import Panel, Row, Study

PASSING, DECODED = "passing_", "_decoded"
MOST_TRAVERSED = 60  # rows of pictures: twenty dimensions of three arms
HISTOGRAMS = ("elbo", "reconstruction")  # the first of them that every arm has
SCORES = {  # in the order of the figure
    "reconstruction": "reconstruction error",
    "kl": "KL",
    "elbo": "negative ELBO",
    "mahalanobis": "Mahalanobis distance",
    "mixture": "fitted mixture",
}
SETS = {"left_out": "class left out", "mnist": "MNIST", "kmnist": "KMNIST", "fashion_mnist": "Fashion-MNIST"}


def single_study_rows(study: Study, pictures: Pictures) -> dict[str, list[Row]]:
    """Anchor -> rows of the figures of pictures, as far as the study has what they show."""
    made = {
        "fig-interpolations": interpolation_rows(pictures, study.names, study.meta["classes"]),
        "fig-traversals": traversal_rows(pictures, study.names),
        "fig-vectors": vector_rows(pictures, study.names),
        "fig-asked": asked_rows(pictures, study.names, study.meta["classes"]),
    }
    if study.meta["images_may_be_shown"]:
        made["fig-denoised"] = denoising_rows(pictures, study.names)
        made["fig-passing"] = passing_rows(pictures, study.names)
    return {anchor: rows for anchor, rows in made.items() if rows}


def single_study_bands(study: Study, pictures: Pictures) -> dict[str, list[Band]]:
    """Anchor -> figures of numbers, as far as the study has them."""
    made = {}
    if "attribute_effects" in study.tables:
        table = study.tables["attribute_effects"]
        order = list(dict.fromkeys(table["attribute"]))
        made["fig-attributes"] = [*attribute_curves(table, order), *leakage_maps(table, order)]
    if "denoising" in study.tables:
        table = study.tables["denoising"]
        made["fig-noise"] = noise_curves(table.assign(sd=levels(table["level"])))
    if "anomaly" in study.tables:
        table, order = named_scores(study.tables["anomaly"])
        titles = {"auroc": "AUROC, higher is better", "fpr95": "Outsiders that pass, lower is better"}
        made["fig-detection"] = [*detection_strips(table, titles, order), *_histograms(study, pictures)]
    return made


def levels(column: pd.Series) -> pd.Series:
    """`at_40` as the sd of the noise, 0.4."""
    return column.str.removeprefix("at_").astype(float) / 100


def named_scores(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table with `outsiders`, `score` and `row` in words, and the rows in their order: set by set."""
    parts = table["of"].str.split("_", n=1, expand=True)
    outsiders, scores = parts[1].map(words_of), parts[0].map(lambda name: SCORES.get(name, name))
    named = table.assign(outsiders=outsiders, score=scores, row=outsiders + ": " + scores)
    there = set(named["row"])
    order = [
        f"{one}: {score}" for one in dict.fromkeys(outsiders) for score in (*SCORES.values(), *dict.fromkeys(scores))
    ]
    return named, [row for row in dict.fromkeys(order) if row in there]


def words_of(outsiders: str) -> str:
    """A set of outsiders for readers."""
    return SETS.get(outsiders, outsiders.replace("_", " "))


def _histograms(study: Study, pictures: Pictures) -> list[Band]:
    for score in HISTOGRAMS:
        key = f"scores_{score}"
        if all(key in own for own in pictures.values()):
            inside = {arm: own[key] for arm, own in pictures.items()}
            outside = {
                arm: {
                    name.removeprefix(f"{key}_"): values for name, values in own.items() if name.startswith(f"{key}_")
                }
                for arm, own in pictures.items()
            }
            words = {"elbo": "negative ELBO, nats", "reconstruction": "reconstruction error, nats"}[score]
            return score_histograms(inside, outside, words=words)
    return []


def interpolation_rows(pictures: Pictures, names: Mapping[str, str], classes: Sequence[str]) -> list[Row]:
    """A block per pair of classes: each arm decodes even steps from the mean code of the one to that of the other."""
    arms = {arm: own for arm, own in pictures.items() if "interpolations" in own}
    if not arms:
        return []
    rows = []
    for index, (first, second) in enumerate(next(iter(arms.values()))["interpolated"].tolist()):
        words = f"{classes[first]} to {classes[second]}"
        strips = [
            strip(names[arm], own["interpolations"][index], f"{names[arm]}: from {words}") for arm, own in arms.items()
        ]
        rows.append(Row([Panel("", Markup("").join(strips))], "one", words))
    return rows


def traversal_rows(pictures: Pictures, names: Mapping[str, str]) -> list[Row]:
    """A sheet per arm of more than two dimensions: a row per dimension, from -3 on the left to 3 on the right.

    Of many arms the first dimensions alone, `MOST_TRAVERSED` rows in all.
    """
    panels, traversed = [], [arm for arm, own in pictures.items() if "traversals" in own]
    most = MOST_TRAVERSED // max(1, len(traversed))
    for arm, own in pictures.items():
        if "traversals" in own:
            dims = ", ".join(dimension_name(int(dim)) for dim in own["traversed"][:most])
            alt = f"{names[arm]}: what each dimension changes, from −3 to 3, from the top: {dims}"
            panels.append(Panel(names[arm], picture(own["traversals"][:most], alt), f"from the top: {dims}"))
    return [Row(panels, "arms")] if panels else []


def vector_rows(pictures: Pictures, names: Mapping[str, str]) -> list[Row]:
    """A sheet per arm: a row per attribute, the average code with less (left) and more of its vector."""
    panels = []
    for arm, own in pictures.items():
        if "attribute_strips" in own:
            listed = ", ".join(words_of_attribute(str(name)) for name in own["attribute_names"])
            alt = f"{names[arm]}: the average code plus −2 to 2 times each attribute’s vector, from the top: {listed}"
            panels.append(Panel(names[arm], picture(own["attribute_strips"], alt), f"from the top: {listed}"))
    return [Row(panels, "arms")] if panels else []


def asked_rows(pictures: Pictures, names: Mapping[str, str], classes: Sequence[str]) -> list[Row]:
    """A sheet per conditional arm: a row per class that was asked for, the same draws in every row."""
    panels = [
        Panel(
            names[arm],
            picture(own["asked"], f"{names[arm]}: ten draws under each label, from the top: {', '.join(classes)}"),
        )
        for arm, own in pictures.items()
        if "asked" in own
    ]
    return [Row(panels, "arms")] if panels else []


def denoising_rows(pictures: Pictures, names: Mapping[str, str]) -> list[Row]:
    """Clean images, the same with noise, and what each arm makes of these."""
    arms = {arm: own for arm, own in pictures.items() if "denoised" in own}
    if not arms:
        return []
    first = next(iter(arms.values()))
    lines = {"clean": first["clean"], "noisy": first["noisy"]} | {names[a]: own["denoised"] for a, own in arms.items()}
    strips = [strip(name, images, f"{name}: eight test images") for name, images in lines.items()]
    return [Row([Panel("", Markup("").join(strips))], "one")]


def passing_rows(pictures: Pictures, names: Mapping[str, str]) -> list[Row]:
    """For each set of outsiders the eight that each arm reconstructs with the least error, and its reconstructions."""
    first = next(iter(pictures.values()))
    sets = [name[len(PASSING) : -len(DECODED)] for name in first if name.startswith(PASSING) and name.endswith(DECODED)]
    rows = []
    for outsiders in sets:
        panels = []
        for arm, own in pictures.items():
            pair = np.stack([own[f"{PASSING}{outsiders}"], own[f"{PASSING}{outsiders}{DECODED}"]])
            alt = f"Outsiders ({outsiders}) that {names[arm]} reconstructs best, and below them its reconstructions"
            panels.append(Panel(names[arm], picture(pair, alt)))
        rows.append(Row(panels, "arms", words_of(outsiders)))
    return rows
