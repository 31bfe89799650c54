"""A loss and its meaning in words, one line for each thing to know, and as JSON."""

from dataclasses import asdict
from typing import Any

from latent_audit.loss_weights.meaning import WEIGHTS, Meaning
from latent_audit.loss_weights.written import WrittenLoss

ERRORS = {"bce": "BCE", "mse": "squared error", "half-mse": "half the squared error", "l1": "absolute error"}
LIKELIHOOD = {
    "bce": "Bernoulli decoder",
    "mse": "Gaussian decoder of variance 1",
    "half-mse": "Gaussian decoder of variance 1",
    "l1": "Laplace decoder of scale 1",
}
FACTORS = {
    WEIGHTS: "the weights as written",
    "mean-over-pixels": "the reconstruction is a mean over pixels, not their sum",
    "mean-over-latent": "the KL is a mean over latent dimensions, not their sum",
    "kl-summed-over-batch": "the KL is summed over the batch, the reconstruction averaged",
    "kl-averaged-over-batch": "the KL is averaged over the batch, the reconstruction summed",
    "squared-error-without-half": "the squared error without the half that a Gaussian has",
    "pixels-from-minus-one": "pixels in [-1, 1], where errors are larger than in [0, 1]",
}


def in_words(written: WrittenLoss, meaning: Meaning) -> list[str]:
    """The lines that a person reads, a label before each."""
    labelled = [
        ("loss as written", _as_written(written)),
        ("beta_kl", f"{number(meaning.beta_kl)} (on the KL; 1 is the plain ELBO of a {LIKELIHOOD[written.loss]})"),
        ("beta", f"{number(meaning.beta)} (on the mean {_mean_error(written)} of pixels in [0, 1], as in the book)"),
        ("normalised", _normalised(meaning)),
        ("decoder", _decoder(meaning)),
        ("direction", _direction(meaning)),
        *(("factor", f"{number(value)}: {FACTORS[name]}") for name, value in meaning.factors.items()),
        ("usual mistake", _mistake(meaning)),
        ("line to change", _change(written, meaning)),
    ]
    return [f"{label:<16} {text}" for label, text in labelled]


def as_json(written: WrittenLoss, meaning: Meaning) -> dict[str, Any]:
    """The same for machines: every number unrounded, null where it is not defined, and the settings."""
    found = asdict(meaning) | {"mistakes": list(meaning.mistakes), "factors": dict(meaning.factors)}
    settings = asdict(written)
    shape = settings.pop("shape")
    image, pixels = (list(shape), None) if len(shape) == 3 else (None, shape[0])
    return {
        **found,
        "n_pixels": written.n_pixels,
        "loss": settings.pop("loss"),
        "settings": {"image": image, "pixels": pixels, **settings},
    }


def number(value: float) -> str:
    """Six digits, and the fraction where it is one over a whole number: 0.00127551 (1/784)."""
    inverse = round(1 / value)
    exact = 2 <= inverse < 10**7 and abs(inverse * value - 1) < 1e-9
    return f"{value:.6g} (1/{inverse})" if exact and inverse > 10 else f"{value:.6g}"


def _as_written(written: WrittenLoss) -> str:
    shape = "x".join(map(str, written.shape))
    size = f"{shape} = {written.n_pixels:,} pixel values" if len(written.shape) > 1 else f"{shape} pixel values"
    d = "" if written.latent_dim is None else f"{written.latent_dim} "
    if written.recon_batch == written.kl_batch:
        batch = f"both terms {written.kl_batch} over the batch"
    else:
        reductions = f"{written.recon_batch} of the first, {written.kl_batch} of the second"
        batch = f"over the batch of {written.batch_size}, {reductions}"
    return (
        f"{written.recon_weight:g} x {written.recon_reduction} of {ERRORS[written.loss]} over {size} "
        f"+ {written.kl_weight:g} x KL, {written.kl_reduction} over {d}latent dimensions; {batch}"
    )


def _mean_error(written: WrittenLoss) -> str:
    return ERRORS["mse" if written.loss == "half-mse" else written.loss]


def _normalised(meaning: Meaning) -> str:
    if meaning.beta_normalised is None:
        return "needs --latent-dim (Higgins et al. 2017: beta_kl x latent dimensions / pixel values)"
    return f"{number(meaning.beta_normalised)} (Higgins et al. 2017: beta_kl x latent dimensions / pixel values)"


def _decoder(meaning: Meaning) -> str:
    if meaning.sigma is not None:
        return f"sigma {number(meaning.sigma)} on pixels in [0, 1]: the plain ELBO of such a Gaussian decoder"
    if meaning.scale is not None:
        return f"scale {number(meaning.scale)} on pixels in [0, 1]: the plain ELBO of such a Laplace decoder"
    return "sigma is not defined: a Bernoulli decoder has no noise of its own to choose"


def _direction(meaning: Meaning) -> str:
    if meaning.direction == "plain":
        return "plain ELBO"
    risk = {
        "heavier": "over-regularised: latent dimensions may collapse to the prior",
        "lighter": "towards an autoencoder: N(0, I) may have holes where no code is",
    }[meaning.direction]
    return f"the KL is {number(meaning.factor)} times {meaning.direction} than in the plain ELBO; {risk}"


def _mistake(meaning: Meaning) -> str:
    if meaning.mistakes:
        return "; ".join(FACTORS[name] for name in meaning.mistakes)
    return "none" if meaning.direction == "plain" else "none that explains it alone: see the factors"


def _change(written: WrittenLoss, meaning: Meaning) -> str:
    if meaning.direction == "plain":
        return "none"
    weight = meaning.kl_weight_for_elbo
    return f"multiply the KL by {number(weight)} instead of {number(written.kl_weight)} (--kl-weight {weight:.6g})"
