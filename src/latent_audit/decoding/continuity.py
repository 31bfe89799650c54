"""Probe a trained decoder: derivatives, straight lines, round trips and small steps in its code space."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Measure, Metric, share
from latent_audit.critic.network import Critic
from latent_audit.decoding.jacobian import jacobian_singular_values
from latent_audit.diagnostics import continuity
from latent_audit.models.autoencoder import Autoencoder

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

N_POINTS = 1_000  # at most so many prior draws, and codes, of round trips and jumps, and no more than there are codes
N_PAIRS, ROWS_PER_PAIR = 256, 8  # at most n / 8 pairs, so that three quarters of the split are left as the reference
N_STEPS = 32  # of a line: lengths within about 2% of those of ever finer ones; even, so that one point is the midpoint
N_TANGENTS, LEAST_POINTS, MOST_POINTS = 4_096, 16, 256  # Jacobian at clip(4096 / latent_dim, 16, 256) points, and
ROWS_PER_TANGENT = 4  # at no more than n / 4, but at 16 at least
STEP = 0.1  # length of a jump, in standard deviations
BATCH = 500


class Probe(NamedTuple):
    """The maps under study, each from a batch to a batch of the same device and dtype."""

    decode: Callable[[Tensor], Tensor]  # z (batch, latent) -> mean image, pixels in [0, 1]
    encode: Callable[[Tensor], Tensor]  # image -> mu (batch, latent)
    features: Callable[[Tensor], Tensor]  # image -> the critic's features (batch, feature)
    classify: Callable[[Tensor], Tensor] | None  # features -> class logits (batch, label); None: no classes


def continuity_scores(
    model: Autoencoder,
    critic: Critic,
    codes: Float[np.ndarray, "sample latent"],
    real_features: Float[np.ndarray, "sample feature"],
    *,
    rng: np.random.Generator,
    device: torch.device,
) -> pd.DataFrame:
    """`probe_continuity` of a trained model: rows `metric value`.

    Parameters
    ----------
    codes : of the test split in its order; mu keeps a VAE's posterior noise out of the interpolation.
    real_features : the critic's features of the same images (`judge(...).features`), row by row.
    """
    probe = Probe(
        decode=lambda z: model.decode(z).sigmoid(),
        encode=lambda x: model.encode(x)[0],
        features=critic.features,
        classify=critic.classify,
    )
    z = torch.from_numpy(np.ascontiguousarray(codes, dtype=np.float32)).to(device)
    return probe_continuity(probe, z, real_features, rng=rng)


@torch.no_grad()
def probe_continuity(
    probe: Probe, codes: Float[Tensor, "sample latent"], real_features: np.ndarray, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows `metric value` of how continuous decoding is; everything follows the codes' device and dtype.

    jacobian_{sigma_max,condition}_{median,q95} : of the decoder's Jacobian at prior draws, pixel L2 norm per code unit
        (one prior standard deviation); with the suffix `_codes` at codes, each dimension in units of the codes' own
        standard deviation, which makes arms of different scale comparable.
    path_ratio_pixels, path_ratio_features : mean length / chord of the decoded line between the codes of two images.
    midpoint_confidence, endpoint_confidence : the critic's mean largest probability there.
    midpoint_nn_ratio : mean distance to the nearest real feature, midpoints over end points.
    round_trip_prior, round_trip_codes : E|mu(decode(z)) - z|^2 / latent_dim; `round_trip_codes_relative` over the
        codes' variance (the prior's is 1).
    jump_rate, jump_rate_codes : share of points whose class changes over a step of 0.1 standard deviations in a random
        direction, at prior draws and at codes (each dimension in the codes' own standard deviations).
    Without classes there is neither confidence nor jump.

    The pairs are random and depend on `rng` and the number of codes alone: equal seeds give every arm the same pairs of
    images. Being random, they take every quantile of each arm's own code distances equally often, and the statistics
    are ratios, so arms are compared at matched quantiles, not at equal raw distance.

    Raises
    ------
    InputError : fewer than 16 codes, NaN or infinite codes, or not one row of real features per code.
    """
    _check(codes, real_features)
    for_pairs, for_rows, for_prior, for_steps = rng.spawn(4)
    n, latent_dim = codes.shape
    prior = _like(for_prior.standard_normal((min(N_POINTS, n), latent_dim)), codes)
    own = codes[torch.from_numpy(for_rows.permutation(n)[:N_POINTS]).to(codes.device)]
    spread = codes.double().std(dim=0, correction=0).to(codes)
    most = max(LEAST_POINTS, min(MOST_POINTS, n // ROWS_PER_TANGENT))
    n_jacobians = int(np.clip(N_TANGENTS // latent_dim, LEAST_POINTS, most))
    at_prior = jacobian_singular_values(probe.decode, prior[:n_jacobians], torch.ones_like(spread))
    at_codes = jacobian_singular_values(probe.decode, own[:n_jacobians], spread)
    values = continuity.jacobian_summary(at_prior) | continuity.jacobian_summary(at_codes, suffix="_codes")
    values |= _interpolation(probe, codes, real_features, matched_pairs(n, rng=for_pairs))
    prior_back, own_back = _encoded(probe, prior), _encoded(probe, own)
    values["round_trip_prior"] = continuity.round_trip(_numpy(prior), prior_back)
    values["round_trip_codes"] = continuity.round_trip(_numpy(own), own_back)
    values["round_trip_codes_relative"] = continuity.relative_round_trip(_numpy(own), own_back)
    if probe.classify is not None:
        values["jump_rate"] = jump_rate(probe, prior, torch.ones_like(spread), rng=for_steps)
        values["jump_rate_codes"] = jump_rate(probe, own, spread, rng=for_steps)
    return continuity.tidy(values)


def matched_pairs(n: int, *, rng: np.random.Generator) -> Int[np.ndarray, "pair 2"]:
    """min(256, n / 8) disjoint pairs of row numbers below n."""
    return rng.permutation(n)[: 2 * min(N_PAIRS, n // ROWS_PER_PAIR)].reshape(-1, 2)


def _interpolation(
    probe: Probe, codes: Tensor, real_features: np.ndarray, pairs: Int[np.ndarray, "pair 2"]
) -> dict[str, float]:
    weight = torch.linspace(0, 1, N_STEPS + 1, device=codes.device, dtype=codes.dtype)[:, None]
    ratios, features, confidences = [], [], []
    for some in np.array_split(pairs, -(-len(pairs) * len(weight) // BATCH)):
        start, end = codes[some[:, 0], None], codes[some[:, 1], None]
        image = probe.decode((start + weight * (end - start)).flatten(end_dim=1))
        feature = probe.features(image)
        lines = [_numpy(x.flatten(start_dim=1).unflatten(0, (len(some), -1))) for x in (image, feature)]
        ratios.append([continuity.path_ratio(line) for line in lines])
        features.append(lines[1][:, [0, N_STEPS // 2, N_STEPS]])
        if probe.classify is not None:
            confidence = probe.classify(feature).double().softmax(dim=1).amax(dim=1)
            confidences.append(_numpy(confidence.unflatten(0, (len(some), -1)))[:, [0, N_STEPS // 2, N_STEPS]])
    in_pixels, in_features = np.concatenate(ratios, axis=1)
    feature = np.concatenate(features)
    others = np.delete(real_features, pairs.ravel(), axis=0)  # an end must not find the very image it reconstructs
    sure = {}
    if confidences:
        confidence = np.concatenate(confidences)
        sure = {"midpoint_confidence": confidence[:, 1].mean(), "endpoint_confidence": confidence[:, [0, 2]].mean()}
    return {
        "path_ratio_features": _mean(in_features),
        "path_ratio_pixels": _mean(in_pixels),
        **{name: float(value) for name, value in sure.items()},
        "midpoint_nn_ratio": continuity.nearest_ratio(
            feature[:, 1], feature[:, [0, 2]].reshape(-1, feature.shape[2]), others
        ),
    }


def jump_rate(
    probe: Probe, z: Float[Tensor, "sample latent"], unit: Float[Tensor, " latent"], *, rng: np.random.Generator
) -> float:
    """Share of points whose class changes over a step of 0.1 `unit` in a direction drawn uniformly from the sphere."""
    direction = rng.standard_normal(z.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return continuity.jump_rate(_classes(probe, z), _classes(probe, z + STEP * unit * _like(direction, z)))


def _classes(probe: Probe, z: Tensor) -> np.ndarray:
    assert probe.classify is not None
    labels = [probe.classify(probe.features(probe.decode(points))).argmax(dim=1) for points in z.split(BATCH)]
    return torch.cat(labels).cpu().numpy()


def _encoded(probe: Probe, z: Tensor) -> np.ndarray:
    return _numpy(torch.cat([probe.encode(probe.decode(points)) for points in z.split(BATCH)]))


def _like(values: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(values).to(like)


def _numpy(x: Tensor) -> np.ndarray:
    return x.double().cpu().numpy()


def _mean(ratios: np.ndarray) -> float:
    """Over the pairs with distinct ends; NaN if there is none."""
    defined = ratios[~np.isnan(ratios)]
    return float(defined.mean()) if len(defined) else float("nan")


def _check(codes: Tensor, real_features: np.ndarray) -> None:
    if codes.ndim != 2 or len(codes) < 2 * ROWS_PER_PAIR or not torch.isfinite(codes).all():
        raise InputError(
            f"probe_continuity: needs at least {2 * ROWS_PER_PAIR} rows of finite (sample, latent) codes, got shape "
            f"{tuple(codes.shape)}; encode the whole split, and look for NaN."
        )
    if len(real_features) != len(codes):
        raise InputError(
            f"probe_continuity: needs the real features of the images behind the codes, got {len(real_features)} rows "
            f"of features and {len(codes)} codes."
        )


def _rows(subject: "DecoderSubject") -> pd.DataFrame:
    return continuity_scores(
        subject.model, subject.critic, subject.codes["mu"], subject.reference.test.features,
        rng=subject.rng("continuity"), device=subject.device,
    )  # fmt: skip


def _jacobian() -> list[Metric]:
    """Of the decoder, at prior draws and at codes, each as median and as 95% quantile over points."""
    slopes = (
        Metric("jacobian_sigma_max", "steepest slope of the decoder", "pixel length per sd", 0.0, section="continuity"),
        Metric("jacobian_condition", "steepest over flattest slope of the decoder", low=1.0, section="continuity"),
    )
    of_points = [
        slope.of(name, words) for slope in slopes for name, words in (("median", ", median"), ("q95", ", 95% quantile"))
    ]
    return [*of_points, *(metric.of("codes", ", at codes") for metric in of_points)]


MEASURE = Measure(
    "continuity",
    needs=frozenset({"decoder"}),
    metrics=(
        *_jacobian(),
        *(Metric(f"path_ratio_{where}", f"length of a decoded line over its chord, in {where}", low=1.0, better="lower",
                 section="continuity") for where in ("pixels", "features")),
        share("midpoint_confidence", "the critic’s confidence half-way between two images", better="higher",
              section="continuity"),
        share("endpoint_confidence", "the critic’s confidence at the ends of such a line", better="higher",
              section="continuity"),
        Metric("midpoint_nn_ratio", "distance of midpoints to real images over that of the ends", low=0.0,
               better="lower", section="continuity"),
        *(Metric(f"round_trip_{name}", f"{words} decoded and encoded again: squared error", low=0.0, better="lower",
                 section="continuity")
          for name, words in (("prior", "prior draws"), ("codes", "codes"), ("codes_relative", "codes in their sd"))),
        share("jump_rate", "share of small steps at prior draws that change the class", better="lower",
              section="continuity"),
        share("jump_rate_codes", "share of small steps that change the class", better="lower", section="continuity"),
    ),
    rows=_rows,
    table="continuity",
    order=90,
)  # fmt: skip
