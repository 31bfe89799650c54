"""Whether a model notices images that it was not trained on: scores of outsiders against those of its test images.

The known trap: a VAE can give simpler outsiders a *higher* likelihood than its own data (Nalisnick et al. 2019,
arXiv:1810.09136), so that AUROC of the ELBO falls below 1/2. The scores that look at the code do not share it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from latent_audit.base.densities import kl_to_standard_normal
from latent_audit.base.measures import Measure, Metric, share
from latent_audit.data.outsiders import OTHER_CLASSES
from latent_audit.data.prepared import LoadedSplit
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.detection import detection
from latent_audit.diagnostics.fitted import COMPONENTS, FittedPrior, fit_mixture
from latent_audit.diagnostics.parallel import single_threaded
from latent_audit.encoding.encode import encode_split
from latent_audit.models.autoencoder import Autoencoder

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

SECTION = "anomalies"
FITTED_ROWS = 20_000  # training codes that the mixture is fitted to
SCORES = {  # each higher for what is less like the training data
    "reconstruction": ("reconstruction error", "-log p(x|z) of one draw z, in nats"),
    "kl": ("KL of the posterior", "KL(q(z|x) || N(0, I))"),
    "elbo": ("negative ELBO", "reconstruction error plus KL: what a VAE takes for minus the log-likelihood"),
    "mahalanobis": ("Mahalanobis distance", "of mu from the training codes' mean, in their covariance"),
    "mixture": ("fitted mixture", f"-log density of mu under {COMPONENTS} Gaussians fitted to the training codes"),
}  # fmt: skip
OUTSIDERS = {  # by the name that `preprocess` gives them
    "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "kmnist": "KMNIST", "digits": "scikit-learn’s digits",
    "celeba": "CelebA", "sprites": "sprites", "left_out": "the class that was left out",
    OTHER_CLASSES: "the other classes",
}  # fmt: skip


def image_scores(codes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The scores that an image has by itself, (sample,), in nats: reconstruction and, of a VAE, kl and elbo.

    Parameters
    ----------
    codes : recon_nll (sample,) in nats and, of a VAE, mu and logvar (sample, latent).
    """
    scores = {"reconstruction": codes["recon_nll"].astype(np.float64)}
    if "logvar" in codes:
        mu, logvar = (codes[name].astype(np.float64) for name in ("mu", "logvar"))
        scores["kl"] = kl_to_standard_normal(mu, logvar).sum(axis=1)
        scores["elbo"] = scores["reconstruction"] + scores["kl"]
    return scores


def code_scores(mu: np.ndarray, train_mu: np.ndarray, law: FittedPrior | None) -> dict[str, np.ndarray]:
    """The scores of codes (sample, latent) beside those of the training images: mahalanobis and, with a law, mixture.

    Where the law has no density (a direction without spread), there is no such score.
    """
    scores = {"mahalanobis": mahalanobis(mu.astype(np.float64), train_mu.astype(np.float64))}
    density = None if law is None else law.log_density(mu.astype(np.float64))
    return scores if density is None or np.isnan(density).any() else scores | {"mixture": -density}


def mahalanobis(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Distance of each row from the mean of `reference` (row, column) in its covariance; directions without spread,
    below 1e-9 of the widest, do not count.
    """
    centre = reference.mean(axis=0)
    _, spread, axes = np.linalg.svd((reference - centre) / np.sqrt(len(reference)), full_matrices=False)
    wide = spread > 1e-9 * spread[0]
    return np.linalg.norm((values - centre) @ axes[wide].T / spread[wide], axis=1)


def encoded(
    model: Autoencoder, images: np.ndarray, *, reconstruction: str, generator: torch.Generator, device: torch.device
) -> dict[str, np.ndarray]:
    """The scored codes of images without labels, as `encode` makes those of a split."""
    split = LoadedSplit(images, np.zeros(len(images), dtype=np.int64))
    return encode_split(model, split, reconstruction=reconstruction, device=device, generator=generator)


def anomaly_scores(subject: "DecoderSubject") -> pd.DataFrame:
    """Rows `metric value of`: auroc, auprc and fpr95 of every score against every set of outsiders."""
    codes = subject.codes
    few = subsample(codes["train_z"].astype(np.float64), FITTED_ROWS, rng=subject.rng("anomaly", "rows"))
    law = fit_mixture(few, seed=subject.seed)

    def scored(own: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        with single_threaded():
            return image_scores(own) | code_scores(own["mu"], codes["train_mu"], law)

    inside, rows = scored(codes), []
    for name, images in subject.outsiders.items():
        outside = scored(
            encoded(
                subject.model, images, reconstruction=subject.reconstruction, device=subject.device,
                generator=subject.generator("anomaly", name),
            )
        )  # fmt: skip
        for score in (score for score in SCORES if score in inside and score in outside):
            found = detection(inside[score], outside[score])
            rows += [(metric, value, f"{score}_{name}") for metric, value in found.items()]
    return pd.DataFrame(rows, columns=["metric", "value", "of"])


BASE = (
    share("auroc", "AUROC", unit="", better="higher", section=SECTION,
          sentence="the share of pairs in which the outsider has the higher score; 1/2 is chance"),
    share("auprc", "area below precision and recall", unit="", better="higher", section=SECTION,
          sentence="outsiders are the positives; chance is their share of all images"),
    share("fpr95", "outsiders that pass where 95% of the test images do", better="lower", section=SECTION),
)  # fmt: skip


def _described() -> tuple[Metric, ...]:
    """Every metric of every score against every set that there may be."""
    return tuple(
        metric.of(f"{score}_{outsider}", f": {SCORES[score][0]}, {words}")
        for outsider, words in OUTSIDERS.items()
        for score in SCORES
        for metric in BASE
    )


MEASURE = Measure(
    "anomaly",
    needs=frozenset({"decoder", "train", "outsider"}),
    metrics=(*BASE, *_described()),
    rows=anomaly_scores,
    table="anomaly",
    qualifier="of",
    order=96,
)
