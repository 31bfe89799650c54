"""What a written loss means: the weight on its KL where the reconstruction is a negative log-likelihood in nats.

Such a likelihood is summed over pixels of range 1: Bernoulli for `bce`, Gaussian of variance 1 for squared error,
Laplace of scale 1 for `l1`. Then beta_kl 1 is the plain ELBO (Kingma & Welling 2014, arXiv:1312.6114, equation 3).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, combinations

from latent_audit.loss_weights.written import WrittenLoss
from latent_audit.models.settings import pixels_per_unit_beta

WEIGHTS = "weights"  # what was chosen; every other factor follows from how the terms are reduced and scaled
GAUSSIAN = ("mse", "half-mse")
PLAIN = 1e-5  # a weight copied with six digits is meant
MATCH = 0.01  # likewise a weight of 0.00128 for 1/784


@dataclass(frozen=True)
class Meaning:
    """A loss, read.

    beta_kl : weight on the KL against the negative log-likelihood (Higgins' beta where that is what was written).
    beta : the same trade-off as a weight on the mean pixel loss, with the KL as it is (Foster 2023, chapter 3);
        the mean squared error for both ways to write it, the mean absolute error for `l1`; of pixels in [0, 1].
    beta_normalised : beta_kl * latent_dim / n_pixels (Higgins et al. 2017, section 4.2); None without latent_dim.
    sigma : standard deviation of the Gaussian decoder whose plain ELBO this is, on pixels in [0, 1]: SE / (2 sigma^2)
        + KL has beta_kl = sigma^2. None but for squared error.
    scale : likewise of the Laplace decoder, |error| / scale + KL. None but for `l1`.
    direction, factor : the KL is `factor` times `heavier` or `lighter` than in the plain ELBO; `plain` has factor 1.
    factors : name -> number; beta_kl is their product. What is not named has factor 1.
    mistakes : names of the factors, other than the weights, that the weights as written leave standing.
    kl_weight_for_elbo : the weight to write on the KL for beta_kl 1, all else as it is.
    """

    beta_kl: float
    beta: float
    beta_normalised: float | None
    sigma: float | None
    scale: float | None
    direction: str
    factor: float
    factors: Mapping[str, float]
    mistakes: tuple[str, ...]
    kl_weight_for_elbo: float


def factors_of(written: WrittenLoss) -> dict[str, float]:
    """What makes the KL heavier (above 1) or lighter (below) than in the plain ELBO, by name; none of them is 1.

    A sum over the batch counts every image once, a mean 1 / batch_size; the two cancel where both terms have the same.
    """
    error = 2 if written.loss in GAUSSIAN else 1
    averaged = {"sum": 0, "mean": 1}
    batch = averaged[written.recon_batch] - averaged[written.kl_batch]
    named = {
        WEIGHTS: written.kl_weight / written.recon_weight,
        "mean-over-pixels": float(written.n_pixels) if written.recon_reduction == "mean" else 1.0,
        "mean-over-latent": 1 / (written.latent_dim or 1) if written.kl_reduction == "mean" else 1.0,
        "kl-summed-over-batch": float(written.batch_size or 1) if batch == 1 else 1.0,
        "kl-averaged-over-batch": 1 / (written.batch_size or 1) if batch == -1 else 1.0,
        "squared-error-without-half": 0.5 if written.loss == "mse" else 1.0,
        "pixels-from-minus-one": float(written.pixel_range) ** -error,
    }
    return {name: factor for name, factor in named.items() if factor != 1}


def mistakes_in(factors: Mapping[str, float]) -> tuple[str, ...]:
    """The fewest factors, weights aside, whose product is that of all: the rest is made up for by the weights.

    All of them where nothing was weighed; none where the product is 1, or where no choice of them explains it.
    """
    structural = [name for name in factors if name != WEIGHTS]
    product = math.prod(factors.values())
    if WEIGHTS not in factors and not math.isclose(product, 1, rel_tol=PLAIN):
        return tuple(structural)
    for chosen in chain.from_iterable(combinations(structural, n) for n in range(len(structural) + 1)):
        if math.isclose(math.prod(factors[name] for name in chosen), product, rel_tol=MATCH):
            return chosen
    return ()


def meaning_of(written: WrittenLoss) -> Meaning:
    """Read a loss; whatever `WrittenLoss` lets through gives finite numbers."""
    factors = factors_of(written)
    beta_kl = math.prod(factors.values(), start=1.0)
    n_pixels, latent_dim = written.n_pixels, written.latent_dim
    plain = math.isclose(beta_kl, 1, rel_tol=PLAIN)
    return Meaning(
        beta_kl=beta_kl,
        beta=pixels_per_unit_beta(n_pixels, "mse" if written.loss in GAUSSIAN else "bce") / beta_kl,
        beta_normalised=None if latent_dim is None else beta_kl * latent_dim / n_pixels,
        sigma=math.sqrt(beta_kl) if written.loss in GAUSSIAN else None,
        scale=beta_kl if written.loss == "l1" else None,
        direction="plain" if plain else "heavier" if beta_kl > 1 else "lighter",
        factor=1.0 if plain else max(beta_kl, 1 / beta_kl),
        factors=factors,
        mistakes=mistakes_in(factors),
        kl_weight_for_elbo=written.kl_weight / beta_kl,
    )
