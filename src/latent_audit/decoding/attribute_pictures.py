"""Pictures of attribute vectors: the average code, with each vector added to it. None is a picture of the set."""

from collections.abc import Mapping

import numpy as np
import torch

from latent_audit.decoding.attribute_arithmetic import ALPHAS, MEANS, directions_of
from latent_audit.decoding.attribute_directions import chosen_of
from latent_audit.decoding.attribute_judge import Attributes, enough
from latent_audit.decoding.conditioned import is_conditional, is_discrete
from latent_audit.decoding.decode import decode
from latent_audit.models.autoencoder import Autoencoder

N_ALONG = 9  # pictures of a vector, from the least to the most of it


def attribute_pictures(
    model: Autoencoder, codes: Mapping[str, np.ndarray], attributes: Attributes | None, *, device: torch.device
) -> dict[str, np.ndarray]:
    """attribute_strips (attribute, 9, image) of the attributes `attribute_names`: the mean of the training codes plus
    -2 to 2 times each difference of means. Nothing where there are no attributes, or a code alone has no image."""
    if attributes is None or is_conditional(model) or is_discrete(model):
        return {}
    attributes = enough(attributes)
    if not attributes.names:
        return {}
    chosen = chosen_of(attributes.names)
    mu = codes["train_mu"].astype(np.float64)
    has = attributes.has["train"][:, [attributes.names.index(name) for name in chosen]]
    steps = np.linspace(min(ALPHAS), max(ALPHAS), N_ALONG)
    along = mu.mean(axis=0) + steps[None, :, None] * directions_of(mu, has)[MEANS][:, None, :]
    flat = decode(model, along.reshape(-1, mu.shape[1]), device=device)
    return {
        "attribute_names": np.array(chosen),
        "attribute_strips": flat.reshape(len(chosen), N_ALONG, *flat.shape[1:]),
    }
