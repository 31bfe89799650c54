"""The loss of a variational autoencoder as somebody wrote it: which terms, reduced how, weighed by what."""

import math
import re
from dataclasses import dataclass

from latent_audit.base.errors import InputError

LOSSES = ("bce", "mse", "half-mse", "l1")
REDUCTIONS = ("sum", "mean")
RANGES = (1, 2)  # pixels in [0, 1], or in [-1, 1]
LARGEST = 10**12  # of a count; a number beyond it is a slip
HEAVIEST = 1e30  # of a weight, and 1 over it the lightest: no result overflows


@dataclass(frozen=True, kw_only=True)
class WrittenLoss:
    """recon_weight * reconstruction + kl_weight * KL, each reduced over its own axes and over the batch.

    Parameters
    ----------
    loss : `bce` (pixels in [0, 1]), `mse` (the squared error), `half-mse` (half of it) or `l1`; of one pixel value.
    shape : (height, width, channels) of an image, or (n_pixels,): only the product counts.
    recon_reduction, kl_reduction : over the pixels, over the latent dimensions.
    recon_batch, kl_batch : over the images of a batch. Where both are the same, `batch_size` is not needed.
    pixel_range : 1 for pixels in [0, 1], 2 for pixels in [-1, 1].

    Raises
    ------
    InputError : anything else than the above, a weight or size out of range (NaN is), a missing size.
    """

    loss: str
    shape: tuple[int, ...]
    recon_reduction: str = "sum"
    recon_weight: float = 1.0
    kl_weight: float = 1.0
    kl_reduction: str = "sum"
    latent_dim: int | None = None
    recon_batch: str = "mean"
    kl_batch: str = "mean"
    batch_size: int | None = None
    pixel_range: int = 1

    @property
    def n_pixels(self) -> int:
        """Values per image, channels x height x width."""
        return math.prod(self.shape)

    def __post_init__(self) -> None:
        _one_of("--loss", self.loss, LOSSES)
        for name in ("recon_reduction", "kl_reduction", "recon_batch", "kl_batch"):
            _one_of(_option(name), getattr(self, name), REDUCTIONS)
        _one_of("--pixel-range", self.pixel_range, RANGES, " (1: pixels in [0, 1]; 2: pixels in [-1, 1])")
        if not self.shape:
            raise InputError("the size of an image is missing; give --image, as in 28x28 or 64x64x3, or --pixels.")
        for side in (*self.shape, self.n_pixels):
            _count("--pixels" if len(self.shape) == 1 else "--image", side)
        for name in ("recon_weight", "kl_weight"):
            _weight(_option(name), getattr(self, name))
        for name in ("latent_dim", "batch_size"):
            if (value := getattr(self, name)) is not None:
                _count(_option(name), value)
        if self.loss == "bce" and self.pixel_range == 2:
            raise InputError(
                "--loss bce with --pixel-range 2: a binary cross-entropy needs pixels in [0, 1]; scale them to it, or "
                "choose another --loss."
            )
        if self.kl_reduction == "mean" and self.latent_dim is None:
            raise InputError("--kl-reduction mean divides the KL by the latent dimensions: give --latent-dim.")
        if self.recon_batch != self.kl_batch and self.batch_size is None:
            raise InputError(
                f"--recon-batch {self.recon_batch} with --kl-batch {self.kl_batch}: where the two differ, the batch "
                "size weighs one term against the other: give --batch-size."
            )


def read_shape(image: str | None, pixels: int | None) -> tuple[int, ...]:
    """(height, width, channels) from `image`, HxW or HxWxC, or (pixels,), or () from neither; InputError otherwise."""
    if image is not None and pixels is not None:
        raise InputError(f"--image {image} and --pixels {pixels}: give one of them.")
    if image is None:
        return () if pixels is None else (pixels,)
    if not re.fullmatch(r"[0-9]{1,12}([xX][0-9]{1,12}){1,2}", image):
        raise InputError(f"--image {image!r}: must be HxW or HxWxC, as in 28x28 or 64x64x3.")
    sides = tuple(int(side) for side in re.split("[xX]", image))
    return sides if len(sides) == 3 else (*sides, 1)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _one_of(option: str, value: object, allowed: tuple, hint: str = "") -> None:
    if value not in allowed:
        *first, last = map(str, allowed)
        raise InputError(f"{option} {value}: must be {', '.join(first)} or {last}{hint}.")


def _count(option: str, value: int) -> None:
    if not 1 <= value <= LARGEST:
        raise InputError(f"{option} {value}: must be a whole number from 1 to {LARGEST:,}.")


def _weight(option: str, value: float) -> None:
    if not 1 / HEAVIEST <= value <= HEAVIEST:
        why = (
            "; without a KL it is an autoencoder, which has no beta_kl"
            if value == 0 and option == "--kl-weight"
            else ""
        )
        raise InputError(f"{option} {value:g}: must be a number from {1 / HEAVIEST:g} to {HEAVIEST:g}{why}.")
