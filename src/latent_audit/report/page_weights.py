"""The weights of a network as text of a page: whole steps where an array was cut to them, half precision elsewhere."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from latent_audit.base.layers import Layer

UNREAD = str.maketrans("<>&", ".,:")  # letters that base 85 has not got, for those that HTML reads


class PackedLayers(NamedTuple):
    """layers : as the script reads them. text : the weights of all, one after the other."""

    layers: list[dict[str, Any]]
    text: str


def packed_layers(layers: Sequence[Layer]) -> PackedLayers:
    """Layers for a page: kind, settings, and of each array of weights its name, its shape, and the step that it is in.

    The step is the one under the array's name in `settings["steps"]`; an array without one becomes float16.
    """
    described, whole, halves = [], [np.empty(0, dtype=np.int16)], [np.empty(0, dtype="<f2")]
    for layer in layers:
        settings = dict(layer.settings)
        steps, shapes = settings.pop("steps", {}), []
        for name, array in layer.weights.items():
            shapes.append([name, list(array.shape), *([steps[name]] if name in steps else [])])
            if name in steps:
                whole.append(np.rint(array.ravel() / steps[name]).astype(np.int16))
            else:
                halves.append(array.ravel().astype("<f2"))
        described.append({"kind": layer.kind, "settings": settings, "weights": shapes})
    parts = (*_planes_of_steps(np.concatenate(whole)), *_planes_of_halves(np.concatenate(halves)))
    return PackedLayers(described, _text(b"".join(part.tobytes() for part in parts)))


def _planes_of_steps(steps: Int[np.ndarray, " number"]) -> tuple[UInt8[np.ndarray, " number"], ...]:
    """256 high + low - 128: all high bytes, most of them 0, before all low ones."""
    moved = steps.astype(np.int32) + 128
    return (moved >> 8).astype(np.uint8), (moved & 255).astype(np.uint8)


def _planes_of_halves(halves: np.ndarray) -> tuple[UInt8[np.ndarray, " number"], ...]:
    """All high bytes, which are alike, before all low ones."""
    pairs = halves.view(np.uint8)
    return pairs[1::2], pairs[::2]


def _text(content: bytes) -> str:
    """Deflated, in base 85: RFC 1924's letters, but for the three that HTML reads."""
    return base64.b85encode(zlib.compress(content, 9)).decode().translate(UNREAD)
