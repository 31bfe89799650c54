"""How sharp decoded images are: the power of their high spatial frequencies, over that of the originals."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8

from latent_audit.base.measures import Measure, Metric
from latent_audit.decoding.decode import decode

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

CUTOFF = 0.25  # cycles per pixel, half of what the grid can carry: what is finer than four pixels
N_IMAGES = 1_000  # the first of the test split


def high_frequency_power(images: Float[np.ndarray, "sample channel height width"]) -> float:
    """Mean power per image at spatial frequencies above `CUTOFF`, of pixels in [0, 1], without the mean.

    By Parseval the sum of |F|^2 / (height * width) over all frequencies is the sum of squares of the pixels.
    """
    height, width = images.shape[-2:]
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    power = np.abs(np.fft.fft2(images)) ** 2 / (height * width)
    return float(power[..., radius > CUTOFF].sum() / len(images))


def sharpness(
    decoded: UInt8[np.ndarray, "sample channel height width"],
    originals: UInt8[np.ndarray, "sample channel height width"],
) -> float:
    """High-frequency power of decoded images over that of the originals: 1 is as sharp, less is blurred, more is noisy.

    NaN where the originals have none.
    """
    real = high_frequency_power(originals / 255)
    return high_frequency_power(decoded / 255) / real if real > 0 else float("nan")


def _rows(subject: "DecoderSubject") -> dict[str, float]:
    originals = np.asarray(subject.images["test"][:N_IMAGES])
    labels = subject.codes["labels"][: len(originals)]
    decoded = decode(subject.model, subject.codes["mu"][: len(originals)], device=subject.device, labels=labels)
    return {"sharpness": sharpness(decoded, originals)}


MEASURE = Measure(
    "sharpness",
    needs=frozenset({"decoder"}),
    metrics=(
        Metric("sharpness", "sharpness of reconstructions", low=0.0, section="reconstructions",
               sentence="their power at spatial frequencies above a quarter cycle per pixel, over the originals’"),
    ),
    rows=_rows,
    table="sharpness",
    order=72,
)  # fmt: skip
