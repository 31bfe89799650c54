"""What the page's explorer reads: codes, a sprite of test images, quantiles, holes, and each arm's decoder."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8
from markupsafe import Markup

from latent_audit.report.data_uri import contact_sheet, webp_uri

SPRITE_COLUMNS = 40
N_QUANTILES = 65  # of each dimension, at even probabilities: enough for a smooth quantile map
MAX_WEIGHTS = 2_100_000  # base64 bytes of all arms; beyond it the decoded lattice serves
PARAMETERS = ("project", "up.0", "up.1", "up.2", "out")
WIDTHS, HALVED = (128, 128, 64, 32), 8  # of decoder.js: channels after each step, and how often the sides are halved
TOO_LARGE = "the weights are too large for this page"


class ArmCodes(NamedTuple):
    """One arm's share of the explorer, of its first seed.

    codes : z of the sampled test images; recon_nll : nats per image, of the same images.
    plane : the two dimensions that the plane shows. order : all code dimensions, the most informative first.
    quantiles : (dimension, N_QUANTILES) of all test codes. holes : above 0 where the prior has no code near, on
    [-span, span]^2, row 0 = bottom; None where codes have more than two dimensions.
    weights : decoder tensors by name. architecture : its name in params.yaml.
    """

    name: str
    colour: str
    codes: Float[np.ndarray, "sample latent"]
    recon_nll: Float[np.ndarray, " sample"]
    plane: Sequence[int]
    order: Int[np.ndarray, " latent"]
    quantiles: Float[np.ndarray, "latent level"]
    holes: Float[np.ndarray, "row column"] | None
    span: float
    weights: Mapping[str, np.ndarray]
    architecture: str = "conv"


class ExplorerData(NamedTuple):
    """Ready for the template: JSON, the sprite's data URI (or empty), and base64 weights per arm (or none).

    why_not_live : in words, why the page does not decode; empty where it does.
    """

    json: Markup
    sprite: str
    weights: Mapping[str, str]
    live: bool
    n_codes: int
    seed: int
    arms: Mapping[str, str]
    latent_dim: int
    shows_photos: bool
    why_not_live: str = ""


def quantile_table(codes: Float[np.ndarray, "sample latent"]) -> Float[np.ndarray, "latent level"]:
    """Quantiles of each dimension at the middles of N_QUANTILES even bins of probability."""
    levels = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    return np.quantile(codes, levels, axis=0).T


def explorer_data(
    arms: Mapping[str, ArmCodes],
    *,
    images: UInt8[np.ndarray, "sample channel height width"] | None,
    labels: Int[np.ndarray, " sample"],
    indices: Int[np.ndarray, " sample"],
    classes: list[str],
    class_colours: list[str],
    shape: tuple[int, int, int],
    seed: int,
) -> ExplorerData:
    """Pack everything the script needs.

    Parameters
    ----------
    images : the sampled test images, or None where photos may not be shown. indices : their places in the test split.
    shape : channels, height, width of a decoded image.
    """
    why_not = cannot_decode(arms, shape)
    weights = None if why_not else _packed_weights({arm: data.weights for arm, data in arms.items()})
    content = {
        "shape": list(shape),
        "seed": seed,
        "classes": classes,  # empty where the images have none
        "classColours": class_colours,
        "labels": labels.tolist(),
        "indices": indices.tolist(),
        "spriteColumns": SPRITE_COLUMNS,
        "photos": images is not None,
        "sprite": images is not None,
        "arms": {arm: _arm_json(data) for arm, data in arms.items()},
    }
    return ExplorerData(
        json=script_json(content),
        sprite="" if images is None else sprite(images),
        weights=weights or {},
        live=weights is not None,
        n_codes=len(labels),
        seed=seed,
        arms={arm: data.name for arm, data in arms.items()},
        latent_dim=next(iter(arms.values())).codes.shape[1],
        shows_photos=images is not None,
        why_not_live=why_not or ("" if weights is not None else TOO_LARGE),
    )


def without_weights(data: ExplorerData) -> ExplorerData:
    """The same explorer on the decoded lattices, for a page that the weights would make too large."""
    return data._replace(weights={}, live=False, why_not_live=TOO_LARGE)


def cannot_decode(arms: Mapping[str, ArmCodes], shape: tuple[int, int, int]) -> str:
    """Why the page's script cannot run these decoders, in words; empty where it can.

    It knows one network: `PARAMETERS`, for sides that are multiples of 8, of exactly the sizes that `decoder.js` takes.
    """
    channels, height, width = shape
    if height % HALVED or width % HALVED:
        return f"the page decodes sides that are multiples of {HALVED}, and these pictures are {width} × {height}"
    for data in arms.values():
        n_flat = WIDTHS[0] * (height // HALVED) * (width // HALVED)
        sizes = {"project": (n_flat * data.codes.shape[1], n_flat), "out": (channels * WIDTHS[-1] * 9, channels)}
        steps = enumerate(pairwise(WIDTHS))
        sizes |= {f"up.{step}": (n_in * n_out * 9, n_out) for step, (n_in, n_out) in steps}
        wanted = {
            f"decoder.{layer}.{kind}": size
            for layer, both in sizes.items()
            for kind, size in zip(("weight", "bias"), both, strict=True)
        }
        found = {name: np.size(part) for name, part in data.weights.items() if name.startswith("decoder.")}
        if data.architecture != "conv" or wanted != found:
            other = f"{data.name} has another: {data.architecture}"
            return f"the page runs decoders of the study’s own conv alone, and {other}"
    return ""


def script_json(content: Any) -> Markup:
    """JSON that is safe inside a script element: no character that could end it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def sprite(images: UInt8[np.ndarray, "sample channel height width"]) -> str:
    """All images in one picture, SPRITE_COLUMNS to a row, as a data URI."""
    n_rows = -(-len(images) // SPRITE_COLUMNS)
    tiles = np.zeros((n_rows * SPRITE_COLUMNS, *images.shape[1:]), dtype=np.uint8)
    tiles[: len(images)] = images
    return webp_uri(contact_sheet(tiles.reshape(n_rows, SPRITE_COLUMNS, *images.shape[1:])), quality=50)


def _arm_json(data: ArmCodes) -> dict[str, Any]:
    dims = data.codes.shape[1]
    return {
        "name": data.name,
        "colour": data.colour,
        "dims": dims,
        "order": data.order.tolist(),
        "plane": list(data.plane),
        "codes": _base64(data.codes.astype("<f2")),
        "nll": _base64(data.recon_nll.astype("<f2")),
        "quantiles": _base64(data.quantiles.astype("<f2")),
        "span": data.span,
        "holes": None if data.holes is None else _base64(np.packbits(data.holes > 0)),
        "holeSide": 0 if data.holes is None else len(data.holes),
    }


def _packed_weights(weights: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, str] | None:
    packed = {
        arm: packed_halves(np.concatenate([part.ravel() for part in _in_order(tensors)]))
        for arm, tensors in weights.items()
    }
    return packed if sum(map(len, packed.values())) <= MAX_WEIGHTS else None


def packed_halves(values: Float[np.ndarray, " parameter"]) -> str:
    """float16, all high bytes before all low bytes (alike, so they compress), deflated, base64: 14% less than plain."""
    halves = np.ascontiguousarray(values, dtype="<f2").view(np.uint8)
    return base64.b64encode(zlib.compress(halves[1::2].tobytes() + halves[::2].tobytes(), 9)).decode()


def _in_order(tensors: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [tensors[f"decoder.{layer}.{kind}"] for layer in PARAMETERS for kind in ("weight", "bias")]


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
