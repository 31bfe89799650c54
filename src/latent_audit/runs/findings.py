"""What a reader of runs side by side is told in words: warnings first, then what differs."""

from collections.abc import Sequence

from latent_audit.figures.style import arm_order, display_name
from latent_audit.report.render import MIN_SEEDS
from latent_audit.report.tables import number
from latent_audit.runs.compared import Parameter, VerdictRow, arms_of, difference, entry
from latent_audit.runs.figures import MEASURES
from latent_audit.runs.forms import form_for
from latent_audit.runs.revisions import Run

CHANCE = 0.05  # of a 95% interval to leave out the truth


def banners(runs: Sequence[Run], changed: Sequence[Parameter]) -> list[tuple[str, str]]:
    """What a reader must know before believing the page: title and words of each warning."""
    found = []
    datasets = {run.letter: str(run.params.get("dataset")) for run in runs}
    if len(set(datasets.values())) > 1:
        each = ", ".join(f"{letter} {name}" for letter, name in datasets.items())
        found.append(("Different data.", f"{each}: the numbers stand side by side, but no difference is taken."))
    losses = {run.params.get("model", {}).get("reconstruction") for run in runs}
    if len(losses) > 1:
        words = "Reconstruction and ELBO of `bce` and `mse` runs are different quantities: do not compare their nats."
        found.append(("Different losses.", words))
    for run in runs:
        reasons = _reduced(run)
        if reasons:
            found.append(
                (f"{run.letter}, {run.name}: reduced data, not evidence.", f"{'; '.join(reasons).capitalize()}.")
            )
    for run in runs:
        if run.stale:
            words = f"{', '.join(run.stale)}: edited in params.yaml after these results were made. Run `dvc repro`."
            found.append((f"{run.letter}, {run.name}: results of other parameters.", words))
    if not changed:
        words = "What differs comes from the code, the platform or the data, not from params.yaml."
        found.append(("The same parameters.", words))
    return found


def _reduced(run: Run) -> list[str]:
    reasons = []
    if (limit := run.params.get("data", {}).get("limit")) is not None:
        reasons.append(f"at most {number(limit)} images of each split were used")
    if run.params.get("dataset") == "digits":
        reasons.append("the digits are a small demonstration set of 8 by 8 pixels")
    if len(seeds := run.params.get("seeds", [])) < MIN_SEEDS:
        reasons.append(f"{len(seeds)} seed(s) give no usable interval")
    return reasons


def answer(
    runs: Sequence[Run], changed: Sequence[Parameter], rows: Sequence[VerdictRow], comparable: bool
) -> list[str]:
    """What differs, in sentences: parameters, verdicts, arms, and the paired differences that leave 0 out."""
    n_changed = len(changed)
    parts = [f"{n_changed} parameter{'s differ' if n_changed != 1 else ' differs'}"]
    if comparable:
        moved, shared = sum(row.changed for row in rows), sum(sum(map(bool, row.rows)) > 1 for row in rows)
        parts.append(f"{moved} of {shared} verdicts changed" if moved else f"none of {shared} verdicts changed")
    sentences = [f"{'; '.join(parts)}."]
    same = [arm for arm in arms_of(runs) if all(run.metrics.get(arm) == runs[0].metrics.get(arm) for run in runs[1:])]
    if same:
        names = [display_name(arm) for arm in arm_order(same)]
        sentences.append(f"The same numbers in every run: {', '.join(names)}.")
    sentences += [_moves(runs, arm) for arm in arm_order(arms_of(runs)) if arm not in same]
    if comparable:
        sentences += _counted(runs)
    return sentences


def _moves(runs: Sequence[Run], arm: str) -> str:
    parts = []
    for metric, words in (
        ("recon_nll", "reconstruction {} nats"),
        ("hole_fraction", "prior draws in a hole {}"),
        ("ks_d_max", "KS distance to N(0, 1) {}"),
    ):
        found, form = [entry(run, arm, metric) for run in runs], form_for(runs, metric)
        if any(found):
            parts.append(words.format(" → ".join(form(own["mean"]) if own else "–" for own in found)))
    return f"{display_name(arm)}, {' → '.join(run.letter for run in runs)}: {'; '.join(parts)}."


def _counted(runs: Sequence[Run]) -> list[str]:
    """How many of the paired differences to the first run leave 0 out, beside what chance would give."""
    parts = []
    for run in runs[1:]:
        found = [difference(runs[0], run, arm, m.metric) for m in MEASURES for arm in runs[0].metrics]
        paired = [own for own in found if own is not None and own.interval is not None]
        if paired:
            parts.append(f"{run.letter} {sum(own.decided for own in paired)} of {len(paired)}")
    if not parts:
        return []
    return [
        f"Differences to {runs[0].letter}, paired by seed, whose 95% interval leaves 0 out: {', '.join(parts)}. Where "
        f"nothing differs, chance gives {CHANCE:.0%} of them."
    ]
