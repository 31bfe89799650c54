"""What the page's explorer reads: codes, a sprite of test images, quantiles, holes, and each arm's decoder."""

import base64
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from markupsafe import Markup

from latent_audit.base.layers import Layer, n_weights
from latent_audit.diagnostics.fitted import FittedPrior
from latent_audit.report.data_uri import contact_sheet, webp_uri
from latent_audit.report.page_weights import packed_layers

SPRITE_COLUMNS = 40
N_QUANTILES = 65  # of each dimension, at even probabilities: enough for a smooth quantile map
MAX_WEIGHTS = 3_000_000  # bytes of one arm's weights at half precision: beyond it they are not even packed
LARGEST_HALF = 65504.0


class HoleMap(NamedTuple):
    """Where no code is near: true cells of the square [-span, span]^2, row 0 = bottom."""

    cells: Bool[np.ndarray, "row column"]
    span: float


class ArmCodes(NamedTuple):
    """One arm's share of the explorer, of its first seed.

    codes : z of the sampled test images; recon_nll : nats per image, of the same images.
    plane : the two dimensions that the plane shows. order : all code dimensions, the most informative first.
    quantiles : (dimension, N_QUANTILES) of all test codes.
    layers : of the decoder, from z to pixels in [0, 1]; None where it cannot be run in a page. refusal : then, why.
    encoder : its layers, from pixels to the code or to the mean of q(z|x); None where it cannot be run in a page.
    reconstruction : `bce` or `mse`, the error that recon_nll is made of.
    holes : maps of the plane, the finest first; none where codes have more than two dimensions. hole_share : of draws
    from N(0, I) that land in one, as it was measured. laws : name -> what was fitted to the codes, to draw from.
    critic_map : what the critic sees in the picture of each cell of the unit square of Phi(z), row 0 = bottom.
    """

    name: str
    colour: str
    codes: Float[np.ndarray, "sample latent"]
    recon_nll: Float[np.ndarray, " sample"]
    plane: Sequence[int]
    order: Int[np.ndarray, " latent"]
    quantiles: Float[np.ndarray, "latent level"]
    layers: Sequence[Layer] | None
    refusal: str = ""
    encoder: Sequence[Layer] | None = None
    reconstruction: str = "bce"
    holes: Sequence[HoleMap] = ()
    hole_share: float | None = None
    laws: Mapping[str, FittedPrior] = MappingProxyType({})
    critic_map: Int[np.ndarray, "row column"] | None = None


class ExplorerData(NamedTuple):
    """Ready for the template: JSON, the sprite's data URI (or empty), and per arm its weights or why it has none.

    weights : packed, of the arms that decode live. not_live : why the others do not, "its decoder ...".
    encoders : packed, of arms among them that place a drawing. n_weights : how many numbers the decoders hold.
    """

    json: Markup
    sprite: str
    weights: Mapping[str, str]
    encoders: Mapping[str, str]
    not_live: Mapping[str, str]
    n_weights: Mapping[str, int]
    n_codes: int
    seed: int
    arms: Mapping[str, str]
    latent_dim: int
    shows_photos: bool
    has_laws: bool

    @property
    def not_encoding(self) -> list[str]:
        """Names of the arms that place no drawing."""
        return [name for arm, name in self.arms.items() if arm not in self.encoders]


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
    native: tuple[int, int] | None = None,
    seed: int,
) -> ExplorerData:
    """Pack everything the script needs.

    Parameters
    ----------
    images : the sampled test images, or None where photos may not be shown. indices : their places in the test split.
    shape : channels, height, width of a decoded image. native : height and width before it was padded; None: those.
    """
    refusals = {arm: reason for arm, data in arms.items() if (reason := _refusal(data))}
    live = [arm for arm in arms if arm not in refusals]
    decoders = {arm: packed_layers(arms[arm].layers or ()) for arm in live}
    encoders = {arm: packed_layers(layers) for arm in live if (layers := _fit(arms[arm].encoder))}
    content = {
        "shape": list(shape),
        "native": list(native or shape[1:]),
        "seed": seed,
        "classes": classes,
        "classColours": class_colours,
        "labels": labels.tolist(),
        "indices": indices.tolist(),
        "spriteColumns": SPRITE_COLUMNS,
        "photos": images is not None,
        "sprite": images is not None,
        "arms": {
            arm: _arm_json(data)
            | {
                name: packed[arm].layers
                for name, packed in (("layers", decoders), ("encoder", encoders))
                if arm in packed
            }
            for arm, data in arms.items()
        },
    }
    return ExplorerData(
        json=script_json(content),
        sprite="" if images is None else sprite(images),
        weights={arm: packed.text for arm, packed in decoders.items()},
        encoders={arm: packed.text for arm, packed in encoders.items()},
        not_live=refusals,
        n_weights={arm: n_weights(data.layers or ()) for arm, data in arms.items()},
        n_codes=len(labels),
        seed=seed,
        arms={arm: data.name for arm, data in arms.items()},
        latent_dim=next(iter(arms.values())).codes.shape[1],
        shows_photos=images is not None,
        has_laws=all(data.laws for data in arms.values()),
    )


def without_largest(data: ExplorerData) -> ExplorerData:
    """The same explorer with the decoded lattice in place of the largest weights, and the words for it.

    An arm that does not decode live has no use for its encoder: what a drawing loses is a matter of both.
    """
    arm = max(data.weights, key=lambda name: len(data.weights[name]))
    return data._replace(
        weights={name: packed for name, packed in data.weights.items() if name != arm},
        encoders={name: packed for name, packed in data.encoders.items() if name != arm},
        not_live=dict(data.not_live) | {arm: _too_large(data.n_weights[arm], len(data.weights[arm]))},
    )


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
        "holes": [
            {"bits": _base64(np.packbits(one.cells)), "side": len(one.cells), "span": one.span} for one in data.holes
        ],
        "holeShare": data.hole_share,
        "critic": None if data.critic_map is None else _critic_json(data.critic_map),
        "laws": {name: _law_json(law) for name, law in data.laws.items()},
        "reconstruction": data.reconstruction,
    }


def _critic_json(cells: Int[np.ndarray, "row column"]) -> dict[str, Any]:
    """Classes as bytes; a place that the critic was not asked about (-1) becomes 255."""
    return {"cells": _base64(cells.astype(np.uint8)), "side": len(cells)}


def _law_json(law: FittedPrior) -> dict[str, Any]:
    """Weights, means, and per component a matrix L with L L^T its covariance, to four digits."""

    def short(values: np.ndarray) -> Any:
        return [short(one) for one in values] if np.ndim(values) else float(f"{values:.4g}")

    roots = np.stack([_root(covariance) for covariance in law.covariances])
    return {"weights": short(law.weights), "means": short(law.means), "roots": short(roots)}


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def _refusal(data: ArmCodes) -> str:
    """Why the page cannot hold the arm's decoder, whatever else is in it; empty where it can."""
    if data.layers is None:
        return data.refusal
    number = n_weights(data.layers)
    if 2 * number > MAX_WEIGHTS:
        return _too_large(number, 2 * number)
    if not _can_be_packed(data.layers):
        return "some weights of its decoder are infinite, or too large for the half precision of the page"
    return ""


def _fit(layers: Sequence[Layer] | None) -> Sequence[Layer]:
    """The layers of an encoder where a page can hold them, else none."""
    fine = layers and 2 * n_weights(layers) <= MAX_WEIGHTS and _can_be_packed(layers)
    return layers if layers and fine else ()


def _can_be_packed(layers: Sequence[Layer]) -> bool:
    return all(np.all(np.abs(array) <= LARGEST_HALF) for layer in layers for array in layer.weights.values())


def _too_large(number: int, n_bytes: int) -> str:
    words = f"{number / 1e6:.1f} million" if number >= 1e6 else f"{number:,}"
    return f"its decoder has {words} weights, {n_bytes / 1e6:.2g} MB, more than the page holds"


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
