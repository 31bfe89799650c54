"""The audit's answers for all seeds of an arm as one, and what to think of the critic: sentences for a page."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

ANSWERS = {  # in the order of how much they allow
    "prior": "N(0, I) may be sampled",
    "fitted": "not from N(0, I), but from a law fitted to the codes",
    "undecided": "undecided",
    "no": "neither from N(0, I) nor from what was fitted",
}
LAWS = {"diagonal": "one Gaussian per dimension", "gaussian": "one Gaussian", "mixture": "a mixture of Gaussians"}


class ArmJudgement(NamedTuple):
    """What the audits of an arm's seeds say together.

    may_sample : the answer of every seed, or "mixed". answers : answer -> seeds, in the order of ANSWERS. deciding :
    metric -> seeds in which it is the first reason, the most frequent first. laws : what was fitted -> seeds.
    sentence : it in words.
    """

    may_sample: str
    answers: dict[str, int]
    deciding: dict[str, int]
    laws: dict[str, int]
    sentence: str


def arm_judgement(verdicts: pd.DataFrame) -> ArmJudgement:
    """The verdicts of one arm's seeds (diagnostics/ARM/verdict.csv) as one.

    Nothing is averaged: the answer is that of each single training, and where they differ it is "mixed".
    """
    counts = verdicts["may_sample"].value_counts()
    answers = {name: int(counts[name]) for name in ANSWERS if name in counts}
    deciding = _counted(verdicts["metric"])
    laws = _counted(verdicts.loc[verdicts["may_sample"] == "fitted", "law"])
    may_sample = next(iter(answers)) if len(answers) == 1 else "mixed"
    return ArmJudgement(may_sample, answers, deciding, laws, _sentence(verdicts, answers, laws))


def _counted(column: pd.Series) -> dict[str, int]:
    named = column.dropna().astype(str)
    return {str(name): int(count) for name, count in named[named != ""].value_counts(sort=True).items()}


def _sentence(verdicts: pd.DataFrame, answers: Mapping[str, int], laws: Mapping[str, int]) -> str:
    n = len(verdicts)
    if n == 1:
        return str(verdicts["sentence"].iloc[0])
    parts = [f"{ANSWERS[name]} ({count} of {n} seeds)" for name, count in answers.items()]
    said = "; ".join(parts)
    said = said[0].upper() + said[1:] + "."
    if laws:
        fitted = [f"{LAWS[name]} ({count})" if len(laws) > 1 else LAWS[name] for name, count in laws.items()]
        said += f" Fitted: {', '.join(fitted)}."
    because = verdicts.loc[verdicts["why"].notna() & (verdicts["why"] != ""), ["seed", "why"]]
    return f"{said} In seed {because['seed'].iloc[0]}, {because['why'].iloc[0]}." if len(because) else said


def poor_critic(critic: Mapping[str, Any]) -> str:
    """A sentence where the classifier that judges decoded images is poor; "" where it is not, or was not trained.

    critic : critic/critic.json. It is poor where its test accuracy lies less than half of the way from always naming
    the commonest class (a trivial guess) to always being right; stage `critic` decides that.
    """
    if not critic.get("poor"):
        return ""
    accuracy, trivial = float(critic["accuracy"]), float(critic["majority_accuracy"])
    skill = max(0.0, (accuracy - trivial) / (1 - trivial)) if trivial < 1 else 0.0
    return (
        f"The critic is poor: it names the class of {100 * accuracy:.3g}% of the test images, where always naming the "
        f"commonest class is right for {100 * trivial:.3g}%. That is {100 * skill:.2g}% of the way to always being "
        "right, and less than half of it counts as poor: what it says of decoded images (FD-clf, confidence, the "
        "classes drawn) is weak evidence."
    )
