"""An arm's decoder as the page runs it: layers from a code to pixels in [0, 1]."""

from pathlib import Path

from torch import nn

from latent_audit.base.atomic import write_text
from latent_audit.base.layers import DECODER, REFUSAL, Layer, write_layers
from latent_audit.decoding.conditioned import why_no_explorer
from latent_audit.models.autoencoder import Autoencoder
from latent_audit.models.layers import UnknownLayer, exported

TO_PIXELS = Layer("activation", {"function": "sigmoid"})  # a decoder gives logits


def write_decoder_of(folder: Path, model: Autoencoder, *, latent_dim: int) -> None:
    """`write_decoder` of a model whose code the page can move through; else the reason why it cannot."""
    if words := why_no_explorer(model):
        (folder / DECODER).unlink(missing_ok=True)
        write_text(folder / REFUSAL, f"{words}\n")
        return
    write_decoder(folder, model.decoder, latent_dim=latent_dim)


def write_decoder(folder: Path, decoder: nn.Module, *, latent_dim: int) -> None:
    """Write the layers of `decoder` and the sigmoid; where it has one that the page has not, a text that says so."""
    try:
        layers = exported(decoder, (latent_dim,))
    except UnknownLayer as error:
        (folder / DECODER).unlink(missing_ok=True)
        write_text(folder / REFUSAL, f"its decoder cannot be run in a page: {error}\n")
        return
    (folder / REFUSAL).unlink(missing_ok=True)
    write_layers(folder / DECODER, [*layers, TO_PIXELS])
