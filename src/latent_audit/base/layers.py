"""A decoder as a list of layers with their weights: what the page's script interprets. Needs no torch."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from latent_audit.base.atomic import atomic_path
from latent_audit.base.errors import InputError

DECODER, REFUSAL = "decoder.safetensors", "no-decoder.txt"  # of an arm: its layers, or why they cannot be had
ENCODER = "encoder.safetensors"  # an arm without one places no drawing
KINDS = ("linear", "reshape", "conv", "conv_transpose", "affine", "activation", "pad", "crop", "embed")


@dataclass(frozen=True, eq=False)
class Layer:
    """One step from an array to the next; a map is (channel, height, width), a vector (n,), without a batch.

    kind and what it holds (`settings` are what JSON can hold, `weights` float32 arrays; a bias may be absent):

    linear          weight (out, in), bias (out)
    reshape         settings shape: [n] or [channels, height, width]
    conv            weight (out, in, height, width), bias (out); settings stride, padding: [vertical, horizontal]
    conv_transpose  weight (in, out, height, width), bias (out); settings stride, padding, output_padding
    affine          scale (c), shift (c): one of each per channel of a map, or per entry of a vector
    activation      settings function: relu, leaky_relu, elu, tanh or sigmoid; slope of leaky_relu and elu below 0
    pad             settings top, left, height, width: the input stands there in zeros of that height and width
    crop            settings top, left, height, width: that part of the input
    embed           table (entries, dim): n whole numbers become the n rows, end to end
    """

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no layer is called {self.kind!r}; there are {', '.join(KINDS)}")


def n_weights(layers: Sequence[Layer]) -> int:
    """How many numbers the layers hold."""
    return sum(array.size for layer in layers for array in layer.weights.values())


def write_layers(path: Path, layers: Sequence[Layer]) -> None:
    """One safetensors file: tensors `INDEX.NAME`, and the list as JSON in its metadata."""
    described = [{"kind": one.kind, "settings": dict(one.settings), "weights": list(one.weights)} for one in layers]
    tensors = {
        f"{index}.{name}": np.ascontiguousarray(array, dtype=np.float32)  # save_file writes other strides wrongly
        for index, one in enumerate(layers)
        for name, array in one.weights.items()
    }
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata={"layers": json.dumps(described)})
        except SafetensorError as error:  # its writer wraps the system's error in a text of its own
            raise OSError(str(error)) from None


def read_layers(path: Path) -> list[Layer]:
    """What `write_layers` wrote; InputError where the file is missing, damaged or another one."""
    try:
        with safe_open(path, framework="numpy") as file:
            described = json.loads((file.metadata() or {})["layers"])
            return [
                Layer(one["kind"], one["settings"], {name: file.get_tensor(f"{i}.{name}") for name in one["weights"]})
                for i, one in enumerate(described)
            ]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"cannot read the layers of a decoder in {path} ({error}); run `dvc repro`") from None


def read_decoder(folder: Path) -> tuple[list[Layer] | None, str]:
    """The layers of the decoder in `folder` and no words; or None, and why it has none: "its decoder ..."."""
    refusal = folder / REFUSAL
    if not refusal.exists():
        return read_layers(folder / DECODER), ""
    return None, refusal.read_text(encoding="utf-8").strip()
