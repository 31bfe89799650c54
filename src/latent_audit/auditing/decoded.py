"""A decoder of the user's own: draws and codes made images, and whether what it makes comes back through an encoder."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.fitted import MOST_USED, FittedPrior, fit_gaussian, fit_mixture, standard_normal
from latent_audit.diagnostics.inputs import as_array

N_SHOWN = 24  # images of each law
N_LINES, N_STEPS = 4, 8  # straight lines between two codes, images on each
N_RETURNED = 256  # codes, and draws of each law, that go through decoder and encoder
BATCH = 64
SLACK = 1e-3  # by which a float may leave [0, 1]: the rounding of a sigmoid or of a short float
INTERPOLATION = "interpolation"

Decode = Callable[[np.ndarray], Any]  # (sample, latent) float32 -> images
Encode = Callable[[Any], Any]  # images as `decode` gave them -> (sample, latent), or a tuple that begins with it


class Decoded(NamedTuple):
    """What a decoder made.

    pictures : codes, prior, gaussian, mixture (where one could be fitted), interpolation (N_LINES lines of N_STEPS
    images, line by line) -> uint8 (sample, channel, height, width). round_trip : rows of, n, distance, relative; None
    without an encoder.
    """

    pictures: Mapping[str, np.ndarray]
    round_trip: pd.DataFrame | None


def decoded(z: np.ndarray, decode: Decode, encode: Encode | None, *, seed: int) -> Decoded:
    """Images of codes, of draws from N(0, I), a fitted Gaussian and a fitted mixture, and of lines between codes.

    round_trip : `distance` is the mean of |encode(decode(z)) - z|, code units; `relative` is it over the mean distance
    of those z from their own mean: 0 where they come back, about 1 where all come back as their mean.

    Parameters
    ----------
    z : (sample, latent) codes. decode : of float32 codes (sample, latent) gives images (sample, height, width),
        (sample, channel, height, width) or (sample, height, width, channel), floats in [0, 1] or uint8, as an array or
        a tensor. encode : of images as `decode` gives them gives codes, or a tuple (mu, ...).

    Raises
    ------
    InputError : what the decoder or the encoder raises, images of another shape or range, NaN.
    """
    laws, n = _laws(z, seed), max(N_SHOWN, N_RETURNED)
    points = {"codes": subsample(z, n, rng=rng_for(seed, "decoded", "codes"))}
    points |= {name: law.sample(n, rng_for(seed, "decoded", name)) for name, law in laws.items()}
    pictures = {name: pictures_of(decode, codes[:N_SHOWN], name) for name, codes in points.items()}
    pictures[INTERPOLATION] = pictures_of(decode, lines(z, seed), INTERPOLATION)
    if len({images.shape[1:] for images in pictures.values()}) > 1:
        shapes = ", ".join(f"{name} {images.shape[1:]}" for name, images in pictures.items())
        raise InputError(f"audit, decode: images must be of one size, got {shapes}.")
    trip = None if encode is None else _round_trip(points, decode, encode)
    return Decoded(pictures, trip)


def _laws(z: np.ndarray, seed: int) -> dict[str, FittedPrior]:
    used = subsample(z, MOST_USED, rng=rng_for(seed, "decoded", "fit"))
    laws = {"prior": standard_normal(z.shape[1]), "gaussian": fit_gaussian(used)}
    mixture = fit_mixture(used, seed=seed)
    return laws if mixture is None else laws | {"mixture": mixture}


def lines(z: np.ndarray, seed: int) -> np.ndarray:
    """(N_LINES * N_STEPS, latent): codes on straight lines between two different codes each, ends included."""
    rng = rng_for(seed, "decoded", INTERPOLATION)
    ends = np.stack([z[rng.permutation(len(z))[:2]] for _ in range(N_LINES)])
    weight = np.linspace(0, 1, N_STEPS)[None, :, None]
    return ((1 - weight) * ends[:, :1] + weight * ends[:, 1:]).reshape(-1, z.shape[1])


def pictures_of(decode: Decode, codes: np.ndarray, of: str) -> np.ndarray:
    """uint8 (sample, channel, height, width) of codes; `of` says in an error what they were."""
    made = [as_images(_called(decode, part, "decode", of), len(part), of) for part in _batches(codes)]
    return np.concatenate(made)


def as_images(raw: Any, n: int, of: str) -> np.ndarray:
    """What a decoder gave, as uint8 (sample, channel, height, width); where both ends could be channels, the first are.

    Raises
    ------
    InputError : another shape, another number of images, NaN, values outside [0, 1].
    """
    where = f"audit, decode ({_WORDS.get(of, of)})"
    try:
        images = np.asarray(as_array(raw))
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: gave {type(raw).__name__}, which is no array of images ({error}).") from None
    if images.dtype.kind not in "fiub" or images.dtype.kind == "O":
        raise InputError(f"{where}: images must be numbers, got dtype {images.dtype} of {type(raw).__name__}.")
    images = _channels_first(images, n, where)
    if images.dtype == np.uint8:
        return images
    values = images.astype(np.float64)
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).reshape(n, -1).any(axis=1).sum())
        raise InputError(f"{where}: {bad} of {n} images hold NaN or infinite values; is the decoder a diverged run?")
    low, high = float(values.min()), float(values.max())
    if low < -SLACK or high > 1 + SLACK:
        hint = "apply the sigmoid that the loss applies" if low < -1 - SLACK else "scale them, as (x + 1) / 2"
        hint = "divide them by 255, or give uint8" if low >= 0 and high > 2 else hint
        raise InputError(f"{where}: images must lie in [0, 1] or be uint8, got {low:.3g} to {high:.3g}; {hint}.")
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)


_WORDS = {"codes": "of codes", "prior": "of draws of N(0, I)", "gaussian": "of draws of a fitted Gaussian",
          "mixture": "of draws of a fitted mixture", INTERPOLATION: "between two codes"}  # fmt: skip


def _channels_first(images: np.ndarray, n: int, where: str) -> np.ndarray:
    shape = images.shape
    told = "(n, H, W), (n, C, H, W) or (n, H, W, C) with 1 or 3 channels"
    if images.ndim == 2:
        raise InputError(f"{where}: images must be {told}, got {shape}; reshape the pixels to their height and width.")
    if images.ndim == 4 and shape[1] not in (1, 3) and shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    elif images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in shape:
        raise InputError(f"{where}: images must be {told}, got {shape}.")
    if len(images) != n:
        raise InputError(f"{where}: {len(images)} images for {n} codes; give one for each, in their order.")
    return images


def _round_trip(points: Mapping[str, np.ndarray], decode: Decode, encode: Encode) -> pd.DataFrame:
    rows = []
    for of, codes in points.items():
        back = np.concatenate([_returned(part, decode, encode, of) for part in _batches(codes[:N_RETURNED])])
        z = codes[:N_RETURNED]
        distance = float(np.linalg.norm(back - z, axis=1).mean())
        spread = float(np.linalg.norm(z - z.mean(axis=0), axis=1).mean())
        rows.append((of, len(z), distance, distance / spread if spread > 0 else np.nan))
    return pd.DataFrame(rows, columns=["of", "n", "distance", "relative"])


def _returned(part: np.ndarray, decode: Decode, encode: Encode, of: str) -> np.ndarray:
    raw = _called(encode, _called(decode, part, "decode", of), "encode", of)
    back = np.asarray(as_array(raw[0] if isinstance(raw, tuple | list) else raw))
    where = f"audit, encode ({_WORDS[of]})"
    if back.shape != part.shape or back.dtype.kind not in "fiu":
        raise InputError(f"{where}: must give codes of shape {part.shape}, got {back.dtype} of shape {back.shape}.")
    if not np.isfinite(back).all():
        raise InputError(f"{where}: gave NaN or infinite codes.")
    return back.astype(np.float64)


def _called(function: Callable[[Any], Any], argument: Any, name: str, of: str) -> Any:
    """What the user's function gives; whatever it raises as one sentence."""
    if not callable(function):
        raise InputError(f"audit: {name} must be a function, got {type(function).__name__}.")
    try:
        return function(argument)
    except Exception as error:
        what = f"an array {np.shape(argument)} of float32" if name == "decode" else "the decoder’s images"
        first = (str(error).splitlines() or [""])[0]
        raise InputError(
            f"audit, {name} ({_WORDS.get(of, of)}): raised {type(error).__name__}: {first or 'no message'}, given "
            f"{what}."
        ) from error


def _batches(codes: np.ndarray) -> list[np.ndarray]:
    """Contiguous float32 parts, which a torch decoder takes by torch.from_numpy."""
    plain = np.ascontiguousarray(codes, dtype=np.float32)
    return [plain[start : start + BATCH].copy() for start in range(0, len(plain), BATCH)]
