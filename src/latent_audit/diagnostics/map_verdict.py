"""What the verdict on rows means for the latent maps, or the many dimensions, that they are of; in words."""

from dataclasses import replace

import numpy as np
import pandas as pd

from latent_audit.diagnostics.latent_maps import MapTables
from latent_audit.diagnostics.reduce import Reduction
from latent_audit.diagnostics.verdict import LEVEL, Verdict

LEFT_OUT = "left_out_mean_square"
MARGIN = 0.25  # in standard deviations of one code's draw, as of `mean_square` (diagnostics.margins)


def verdict_of_reduction(verdict: Verdict, reduction: Reduction) -> Verdict:
    """The verdict with the dimensions that it is of, and with what the others hold as one more reason.

    Under N(0, I) a coordinate that was left out has mean square 1: codes that fill a few dimensions and no others are
    not from N(0, I), however normal they are in these. Its p is adjusted by as many tests as there are.
    """
    k = int(reduction.spec.split(":")[1])
    advice = verdict.advice
    if verdict.prior is not None:
        advice = (
            *advice,
            f"recommended_prior() is of the {k:,} dimensions that were audited, not of what a decoder takes.",
        )
    said = replace(verdict, sentence=f"In {reduction.words}: {_lower(verdict.sentence)}", advice=advice)
    if np.isnan(reduction.left_out):
        return said
    p = min(1.0, reduction.p_value * (len(verdict.reasons) + 1))
    effect = abs(reduction.left_out - 1) * np.sqrt((reduction.d - k) / 2)
    differs, n = p < LEVEL, reduction.n - reduction.fitted_on
    row = {
        "metric": LEFT_OUT, "where": "", "value": reduction.left_out, "effect": effect, "margin": MARGIN,
        "p_value": reduction.p_value, "p_holm": p, "differs": differs, "matters": differs and effect >= MARGIN,
        "null_high": np.nan, "n_p": n,
    }  # fmt: skip
    reasons = pd.concat([verdict.reasons, pd.DataFrame([row])], ignore_index=True)
    reasons = reasons.sort_values("matters", ascending=False, kind="stable").reset_index(drop=True)
    if verdict.may_sample != "prior" or not row["matters"]:
        return replace(said, reasons=reasons)
    sentence = (
        f"Not from N(0, I): outside the {reduction.words} a coordinate’s mean square is {reduction.left_out:.3g}, not "
        f"1; within them: {_lower(verdict.sentence)}"
    )
    return replace(said, may_sample="no", sentence=sentence, reasons=reasons)


def verdict_of_maps(verdict: Verdict, maps: MapTables) -> Verdict:
    """The verdict on single positions as one on maps.

    Where neighbouring positions correlate, a map of independent draws is no draw of these maps, whatever the law at a
    single position: the answer is "no" then.
    """
    at = f"{rows_in_words(maps)}: {_lower(verdict.sentence)}"
    advice = (*verdict.advice, _unit_scaling(maps))
    varies = bool(np.isfinite(maps.scaling.set_index("scope").loc["pooled", "scale"]))
    if not maps.matter or not varies:
        return replace(verdict, sentence=at, advice=advice)
    found = _correlation(maps)
    advice = (
        *(line for line in advice if "recommended_prior" not in line),
        f"A model of {_whole(maps)} is needed, as latent diffusion is one; recommended_prior() is of one position.",
    )
    if verdict.may_sample == "no":
        sentence = f"{at.rstrip('.')}; besides, {found}."
    else:
        sentence = f"Not by independent draws for each position: {found}; {at}"
    return replace(verdict, may_sample="no", sentence=sentence, advice=advice)


def rows_in_words(maps: MapTables) -> str:
    """The positions that are audited, and of what."""
    n, k = maps.shape[0], maps.grid[0] * maps.grid[1]
    each = "one" if k == 1 else f"{k:,}, as far apart as makes them independent,"
    used = maps.rows // k
    of = f"{each} of each" if used == n else f"{each} of each of {used:,}"
    if maps.kind == "sequences":
        _, tokens, channels = maps.shape
        return (
            f"{maps.rows:,} single tokens of {n:,} sequences of {tokens:,} ({of}), as codes of {channels:,} dimensions"
        )
    _, channels, height, width = maps.shape
    return (
        f"{maps.rows:,} single positions of {n:,} maps of {channels:,} x {height} x {width} ({of}), as codes of "
        f"{channels:,} channels"
    )


def _whole(maps: MapTables) -> str:
    return "the whole map" if maps.kind == "maps" else "the whole sequence"


def _correlation(maps: MapTables) -> str:
    table = maps.spatial
    largest = table[["correlation_down", "correlation_right"]].abs().max(axis=None)
    positions = int(table["height"].iloc[0] * table["width"].iloc[0])
    effective = float(table.loc[table["scope"] == "pooled", "effective_positions"].iloc[0])
    what = "positions of a map" if maps.kind == "maps" else "tokens of a sequence"
    return (
        f"neighbouring {what} correlate (by up to {largest:.2g}, either sign; its {positions:,} are worth "
        f"{effective:.3g} independent ones)"
    )


def _unit_scaling(maps: MapTables) -> str:
    table = maps.scaling.set_index("scope")
    pooled, channels = table.loc["pooled"], table.drop(index="pooled")
    if not np.isfinite(pooled["scale"]):
        return "No scale makes these latents unit: nothing varies."
    sign = "-" if pooled["shift"] >= 0 else "+"
    sds = channels["std"] * pooled["scale"]
    return (
        f"For unit variance take (z {sign} {abs(pooled['shift']):.4g}) * {pooled['scale']:.5g}, all channels together "
        f"(table scaling; the sds of single channels are then {sds.min():.3g} to {sds.max():.3g})."
    )


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
