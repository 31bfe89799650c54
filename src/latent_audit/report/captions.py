"""Captions: the finding of each figure in a sentence, every number taken from the tables."""

from collections.abc import Callable

from markupsafe import Markup

from latent_audit.report import attribute_captions, image_captions, kl_weight, latent_captions, single_captions
from latent_audit.report.study import Study

CAPTIONS: dict[str, Callable[[Study], str]] = {
    "fig-kl-weight": kl_weight.bought_and_cost,
    "fig-training": image_captions.training,
    "fig-reconstructions": image_captions.reconstructions,
    "fig-codes": latent_captions.codes,
    "fig-histograms": latent_captions.histograms,
    "fig-joint": latent_captions.joint,
    "fig-pvalues": latent_captions.p_values,
    "fig-pspace": latent_captions.p_space,
    "fig-areas": latent_captions.areas,
    "fig-holes": latent_captions.holes,
    "fig-lattice": image_captions.lattice,
    "fig-samples": image_captions.samples,
    "fig-generation": image_captions.generation,
    "fig-continuity": image_captions.continuity,
    "fig-interpolations": single_captions.interpolations,
    "fig-traversals": single_captions.traversals,
    "fig-attributes": attribute_captions.attributes,
    "fig-vectors": attribute_captions.vectors,
    "fig-asked": single_captions.asked,
    "fig-denoised": single_captions.denoised,
    "fig-noise": single_captions.noise,
    "fig-passing": single_captions.passing,
    "fig-detection": single_captions.detection,
    "fig-separability": image_captions.separability,
}


def caption(anchor: str, study: Study) -> Markup:
    """The caption of the figure at `anchor`, escaped.

    Raises
    ------
    ValueError : a number in it is missing (NaN), so the sentence would be empty of its finding.
    """
    text = CAPTIONS[anchor](study)
    if "nan" in text.lower().split():
        raise ValueError(f"the caption of {anchor} lacks a number: {text!r}")
    return Markup.escape(text)
