"""An arm's networks as the page runs them: layers from a code to pixels in [0, 1], and from pixels to a code."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import nn

from latent_audit.base.atomic import write_text
from latent_audit.base.layers import DECODER, ENCODER, REFUSAL, Layer, write_layers
from latent_audit.decoding.conditioned import why_no_explorer
from latent_audit.decoding.stepped import stepped, through
from latent_audit.models.architecture import Encoder
from latent_audit.models.autoencoder import Autoencoder
from latent_audit.models.layers import UnknownLayer, exported

TO_PIXELS = Layer("activation", {"function": "sigmoid"})  # a decoder gives logits
PIXEL_TOLERANCE = 1.5e-3  # of the range of a pixel: less than half a grey level of 256
CODE_TOLERANCE = 0.01  # of the standard deviation of the codes: far less than the dot that stands for one
N_TRIED = 64  # codes and images on which the page's weights are held against the trained ones


def write_decoder_of(folder: Path, model: Autoencoder, *, codes: Float[np.ndarray, "sample latent"]) -> None:
    """`write_decoder` of a model whose code the page can move through; else the reason why it cannot."""
    if words := why_no_explorer(model):
        (folder / DECODER).unlink(missing_ok=True)
        write_text(folder / REFUSAL, f"{words}\n")
        return
    write_decoder(folder, model.decoder, codes=codes)


def write_decoder(folder: Path, decoder: nn.Module, *, codes: Float[np.ndarray, "sample latent"]) -> None:
    """Write the layers of `decoder` and the sigmoid; where it has one that the page has not, a text that says so.

    codes : that the decoder is made for; on the first of them it is seen how coarse its weights may be.
    """
    try:
        layers = [*exported(decoder, codes.shape[1:]), TO_PIXELS]
    except UnknownLayer as error:
        (folder / DECODER).unlink(missing_ok=True)
        write_text(folder / REFUSAL, f"its decoder cannot be run in a page: {error}\n")
        return
    (folder / REFUSAL).unlink(missing_ok=True)
    write_layers(folder / DECODER, stepped(layers, codes[:N_TRIED], tolerance=PIXEL_TOLERANCE))


def write_encoder_of(
    folder: Path, model: Autoencoder, images: Float[np.ndarray, "sample channel height width"]
) -> None:
    """Write the layers from pixels in [0, 1] to the first head: the code, or the mean of q(z|x).

    Nothing is written where the code has no plane to be placed on, or where the page lacks one of the layers.

    images : in [0, 1], on the first of which it is seen how coarse the weights may be.
    """
    path, encoder = folder / ENCODER, model.encoder
    path.unlink(missing_ok=True)
    if why_no_explorer(model) or type(encoder) is not Encoder:  # a subclass may do something else with the same parts
        return
    chain = (encoder.body, nn.Flatten(), encoder.top, next(iter(encoder.heads.values())), encoder.activate)
    try:
        layers = exported(nn.Sequential(*chain), images.shape[1:])
    except UnknownLayer:
        return
    spread = float(through(layers, images[:N_TRIED]).std(dim=0).mean())
    write_layers(path, stepped(layers, images[:N_TRIED], tolerance=CODE_TOLERANCE * spread))
