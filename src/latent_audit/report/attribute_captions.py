"""Captions of the figures of attribute vectors."""

from collections.abc import Callable

from latent_audit.base.measures import PLAIN
from latent_audit.figures.attributes import leakage_ratios, words_of
from latent_audit.report.seed_summary import by_arm, over_seeds
from latent_audit.report.study import Study
from latent_audit.report.tables import number, percent


def attributes(study: Study) -> str:
    """How much leaks, onto what most; how many analogies come out; how good the judge is."""
    said = [
        "Leakage onto the other attribute that changes most, o / (a + o), mean over attributes: "
        f"{_of(study, 'leakage')}."
    ]
    if worst := _worst(study):
        said.append(f"Most of all, {worst}.")
    if analogies := _of(study, "analogy_success", percent):
        chance = _of(study, "analogy_chance", percent)
        said.append(f"Analogies that come out: {analogies}; of pictures dealt out anew: {chance}.")
    said.append(
        f"Half-way between two test images the picture lies from its ends, over what lies between two others’ ends: "
        f"{_of(study, 'middle_straight')} on the straight line, {_of(study, 'middle_circle')} on the great circle."
    )
    return (
        f"{' '.join(said)} Solid: differences of means; dashed: a linear probe’s direction of the same length; alpha: "
        f"how often it is added to codes of test images. Maps: change from alpha −2 to 2; all other attributes are in "
        f"attribute_effects.csv. The judge’s AUC on real test pictures: {_judge(study)}. {over_seeds(study)}"
    )


def vectors(study: Study) -> str:
    """What is shown."""
    return (
        f"The mean of all training codes with −2 (left) to 2 times each attribute’s vector added; seed "
        f"{study.first_seed}. No picture of the set is shown: every one here is decoded from an average."
    )


def _of(study: Study, metric: str, form: Callable[[float], str] = number) -> str:
    rows = study.tables["attributes"]
    rows = rows[(rows["metric"] == metric) & (rows["of"] == PLAIN)]
    return by_arm(study, rows, form=form) if len(rows) else ""


def _worst(study: Study) -> str:
    """The arm and pair of shown attributes with the largest share of leakage, either sign."""
    effects, found = study.tables["attribute_effects"], []
    order = list(dict.fromkeys(effects["attribute"]))
    for arm, name in study.names.items():
        ratios = leakage_ratios(effects[effects["arm"] == arm], order).stack()
        off = ratios[ratios.index.get_level_values(0) != ratios.index.get_level_values(1)]
        if len(off):
            found.append(
                (abs(float(off[off.abs().idxmax()])), name, off.abs().idxmax(), float(off[off.abs().idxmax()]))
            )
    if not found:
        return ""
    _, name, (added, on), ratio = max(found)
    return (
        f"in {name} the vector of “{words_of(added)}” changes “{words_of(on)}” {number(ratio)} times as much as its own"
    )


def _judge(study: Study) -> str:
    rows = study.tables["attributes"]
    means = rows[(rows["metric"] == "judge_auc") & (rows["of"] != PLAIN)].groupby("of", sort=False)["value"].mean()
    shown = [name for name in dict.fromkeys(study.tables["attribute_effects"]["attribute"]) if name in means.index]
    return ", ".join(f"{words_of(name)} {number(float(means[name]))}" for name in shown)
