"""What a model makes of noisy images: how far its reconstruction is from the clean image, by the level of noise."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8

from latent_audit.base.measures import Measure, Metric
from latent_audit.models.autoencoder import Autoencoder
from latent_audit.models.image import to_unit_interval

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

SECTION = "denoising"
LEVELS = tuple(round(0.1 * step, 1) for step in range(9))  # sd of Gaussian noise, pixels in [0, 1]
N_IMAGES = 1_000  # the first of the test split
BATCH = 500


def noisy(
    images: UInt8[np.ndarray, "sample channel height width"], level: float, generator: torch.Generator
) -> Float[torch.Tensor, "sample channel height width"]:
    """Pixels in [0, 1] with Gaussian noise of sd `level`, clipped to [0, 1]."""
    x = to_unit_interval(torch.from_numpy(np.array(images)))
    return (x + level * torch.randn(x.shape, generator=generator)).clamp(0, 1)


@torch.no_grad()
def denoised(
    model: Autoencoder, x: Float[torch.Tensor, "sample channel height width"], *, device: torch.device
) -> Float[torch.Tensor, "sample channel height width"]:
    """The decoder's mean image at the mean code of each image, on the CPU."""
    parts = [model.decode(model.encode(batch)[0]).sigmoid().cpu() for batch in x.to(device).split(BATCH)]
    return torch.cat(parts)


def denoising_table(
    model: Autoencoder,
    images: UInt8[np.ndarray, "sample channel height width"],
    *,
    generator: torch.Generator,
    device: torch.device,
) -> pd.DataFrame:
    """Rows `metric value level`: squared error per pixel against the clean image, of the output and of the input.

    denoised_mse : of the reconstruction of the noisy image. noise_mse : of the noisy image itself, which is what doing
    nothing would give.
    """
    clean = to_unit_interval(torch.from_numpy(np.array(images)))
    rows = []
    for level in LEVELS:
        x = noisy(images, level, generator)
        given = {"denoised_mse": denoised(model, x, device=device), "noise_mse": x}
        rows += [(name, float((picture - clean).square().mean()), f"{level:g}") for name, picture in given.items()]
    return pd.DataFrame(rows, columns=["metric", "value", "level"])


def _rows(subject: "DecoderSubject") -> pd.DataFrame | None:
    if not subject.denoises:
        return None
    table = denoising_table(
        subject.model, subject.images["test"][:N_IMAGES], generator=subject.generator("denoising"),
        device=subject.device,
    )  # fmt: skip
    return table.assign(level=[ending(float(level)) for level in table["level"]])


def ending(level: float) -> str:
    """How a level ends a metric's name: 0.4 is `at_40`, hundredths of the pixels' range."""
    return f"at_{round(100 * level)}"


BASE = (
    Metric("denoised_mse", "squared error per pixel against the clean image, of the reconstruction", low=0.0,
           better="lower", section=SECTION),
    Metric("noise_mse", "squared error per pixel of the noisy image itself", low=0.0, section=SECTION,
           sentence="what doing nothing gives"),
)  # fmt: skip

MEASURE = Measure(
    "denoising",
    needs=frozenset({"decoder"}),
    metrics=(*BASE, *(metric.of(ending(level), f", noise of sd {level:g}") for level in LEVELS for metric in BASE)),
    rows=_rows,
    table="denoising",
    qualifier="level",
    order=97,
)
