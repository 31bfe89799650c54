"""Chains of torch modules -> lists of layers that need no torch; and the two modules that torch lacks for them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_audit.base.layers import Layer
from latent_audit.models.layer_shapes import Shape, shape_after
from latent_audit.models.modules import FeatureMap


class UnknownLayer(TypeError):
    """A module that has no counterpart among the layers, or is set in a way that they have not; it says which."""


class Crop(nn.Module):
    """The middle `height` x `width` of a map; an odd row or column more is cut off below or to the right."""

    def __init__(self, height: int, width: int):
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Float[Tensor, "batch channel rows columns"]) -> Float[Tensor, "batch channel height width"]:
        """ValueError where the map is smaller."""
        top, left = _middle(x.shape[-2] - self.height, x.shape[-1] - self.width, self)
        return x[..., top : top + self.height, left : left + self.width]


class Pad(nn.Module):
    """A map in the middle of `height` x `width` zeros; an odd row or column more stands below or to the right."""

    def __init__(self, height: int, width: int):
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Float[Tensor, "batch channel rows columns"]) -> Float[Tensor, "batch channel height width"]:
        """ValueError where the map is larger."""
        below, beside = self.height - x.shape[-2], self.width - x.shape[-1]
        top, left = _middle(below, beside, self)
        return nn.functional.pad(x, (left, beside - left, top, below - top))


def exported(module: nn.Module, shape: Sequence[int] | None = None) -> list[Layer]:
    """The layers that do what `module` does in evaluation mode: a Sequential of known modules, nested as it may be.

    Batch norm becomes an `affine` layer, folded into the layer before it where that is linear or a convolution. A
    module with an `export()` of its own is asked for its layers.

    Parameters
    ----------
    shape : of the input without its batch; needed where `Flatten`, `Crop` or `Pad` meet a size not known otherwise.

    Raises
    ------
    UnknownLayer : a module (it says which and where) that the layers cannot stand for.
    """
    layers: list[Layer] = []
    size = None if shape is None else tuple(shape)
    for name, part in _parts(module, ""):
        own = _own_export(part)
        for layer in _translated(name, part, size) if own is None else own():
            size = shape_after(layer, size)
            layers = _folded(layers, layer)
    return layers


def _own_export(module: nn.Module) -> Callable[[], list[Layer]] | None:
    return getattr(module, "export", None)  # pyright: ignore[reportReturnType] - torch says: a tensor or a module


def _parts(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """The modules in the order in which they run, with their dotted names."""
    if not isinstance(module, nn.Sequential) or _own_export(module) is not None:
        yield name, module
        return
    if type(module).forward is not nn.Sequential.forward:
        raise UnknownLayer(
            f"{_called(name, module)} is a Sequential with a forward of its own: what it does cannot be read off its "
            "parts; give it an `export()`"
        )
    for key, child in module._modules.items():  # named_children() would skip a module that stands there twice
        yield from _parts(child, f"{name}.{key}" if name else key)


def _translated(name: str, module: nn.Module, shape: Shape | None) -> list[Layer]:
    known = next((kind for kind in type(module).__mro__ if kind in TRANSLATIONS), None)
    if known is None:
        raise UnknownLayer(f"{_called(name, module)} has no counterpart among the layers that the page can draw")
    if type(module).forward is not known.forward:
        raise UnknownLayer(
            f"{_called(name, module)} is a {known.__name__} with a forward of its own; give it `export()`"
        )
    return TRANSLATIONS[known](_Part(_called(name, module), module, shape))


def _called(name: str, module: nn.Module) -> str:
    return type(module).__name__ + (f" ({name})" if name else "")


class _Part(NamedTuple):
    """A module, what an error calls it, and the shape of its input where that is known."""

    name: str
    module: Any
    shape: Shape | None

    def refuse_unless(self, fine: bool, words: str) -> None:
        if not fine:
            raise UnknownLayer(f"{self.name} {words}, which the layers of the page have not")

    def known_shape(self, rank: int | None = None) -> Shape:
        if self.shape is None or (rank is not None and len(self.shape) != rank):
            raise UnknownLayer(f"{self.name} meets an input of {self.shape or 'unknown shape'}; export with `shape`")
        return self.shape

    def weights(self, **arrays: Tensor | None) -> dict[str, np.ndarray]:
        return {name: _array(value) for name, value in arrays.items() if value is not None}


def _linear(part: _Part) -> list[Layer]:
    return [Layer("linear", {}, part.weights(weight=part.module.weight, bias=part.module.bias))]


def _conv(part: _Part) -> list[Layer]:
    conv = part.module
    part.refuse_unless(conv.groups == 1, f"has groups={conv.groups}")
    part.refuse_unless(conv.dilation == (1, 1), f"has dilation={conv.dilation}")
    part.refuse_unless(conv.padding_mode == "zeros", f"has padding_mode={conv.padding_mode!r}")
    padding = [0, 0] if conv.padding == "valid" else conv.padding
    if padding == "same":
        part.refuse_unless(all(side % 2 for side in conv.kernel_size), "pads an even kernel to the same size")
        padding = [side // 2 for side in conv.kernel_size]
    settings = {"stride": list(conv.stride), "padding": list(padding)}
    kind = "conv"
    if isinstance(conv, nn.ConvTranspose2d):
        kind, settings = "conv_transpose", settings | {"output_padding": list(conv.output_padding)}
    return [Layer(kind, settings, part.weights(weight=conv.weight, bias=conv.bias))]


def _batch_norm(part: _Part) -> list[Layer]:
    norm = part.module
    part.refuse_unless(norm.running_var is not None, "has no running statistics, so that it depends on a batch")
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.double()
    shift = -norm.running_mean.double() * scale
    if norm.bias is not None:
        shift = shift + norm.bias.double()
    return [Layer("affine", {}, part.weights(scale=scale, shift=shift))]


def _activation(function: str, slope: str | None = None) -> Callable[[_Part], list[Layer]]:
    def translate(part: _Part) -> list[Layer]:
        settings = {} if slope is None else {"slope": float(getattr(part.module, slope))}
        return [Layer("activation", {"function": function} | settings)]

    return translate


def _unflatten(part: _Part) -> list[Layer]:
    sizes = list(part.module.unflattened_size)
    part.refuse_unless(part.module.dim in (1, -1), f"unflattens axis {part.module.dim}")
    if -1 in sizes:
        sizes[sizes.index(-1)] = prod(part.known_shape(1)) // -prod(sizes)
    part.refuse_unless(len(sizes) in (1, 3), f"makes {len(sizes)} axes")
    return [Layer("reshape", {"shape": sizes})]


def _flatten(part: _Part) -> list[Layer]:
    part.refuse_unless((part.module.start_dim, part.module.end_dim) == (1, -1), "flattens some axes only")
    return [Layer("reshape", {"shape": [prod(part.known_shape())]})]


def _window(kind: str, sign: int) -> Callable[[_Part], list[Layer]]:
    def translate(part: _Part) -> list[Layer]:
        window, (_, rows, columns) = part.module, part.known_shape(3)
        top, left = _middle(sign * (rows - window.height), sign * (columns - window.width), window)
        return [Layer(kind, {"top": top, "left": left, "height": window.height, "width": window.width})]

    return translate


def _embedding(part: _Part) -> list[Layer]:
    part.refuse_unless(part.module.max_norm is None, f"has max_norm={part.module.max_norm}")
    return [Layer("embed", {}, part.weights(table=part.module.weight))]


def _nothing(part: _Part) -> list[Layer]:
    return []


TRANSLATIONS: dict[type[nn.Module], Callable[[_Part], list[Layer]]] = {
    nn.Linear: _linear,
    nn.Conv2d: _conv,
    nn.ConvTranspose2d: _conv,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.ReLU: _activation("relu"),
    nn.LeakyReLU: _activation("leaky_relu", "negative_slope"),
    nn.ELU: _activation("elu", "alpha"),
    nn.Tanh: _activation("tanh"),
    nn.Sigmoid: _activation("sigmoid"),
    nn.Unflatten: _unflatten,
    FeatureMap: _unflatten,
    nn.Flatten: _flatten,
    nn.Embedding: _embedding,
    Crop: _window("crop", 1),
    Pad: _window("pad", -1),
    nn.Identity: _nothing,
    nn.Dropout: _nothing,  # as in evaluation mode
    nn.Dropout2d: _nothing,
}


def _folded(layers: list[Layer], layer: Layer) -> list[Layer]:
    """`layers` and then `layer`; an affine one goes into the linear layer or convolution that stands last."""
    last = layers[-1] if layers else None
    if layer.kind != "affine" or last is None or last.kind not in {"linear", "conv", "conv_transpose"}:
        return [*layers, layer]
    scale, weight = layer.weights["scale"].astype(np.float64), last.weights["weight"]
    axis = 1 if last.kind == "conv_transpose" else 0  # of the outputs
    scaled = weight * scale.reshape([-1 if n == axis else 1 for n in range(weight.ndim)])
    bias = last.weights.get("bias", 0.0) * scale + layer.weights["shift"]
    return [*layers[:-1], replace(last, weights={"weight": scaled.astype(np.float32), "bias": bias.astype(np.float32)})]


def _middle(rows: int, columns: int, module: nn.Module) -> tuple[int, int]:
    """Where the smaller window begins in the larger one, which has so many rows and columns more."""
    if rows < 0 or columns < 0:
        raise ValueError(
            f"{type(module).__name__} to {module.height} x {module.width}: its input is {abs(min(rows, 0))} rows and "
            f"{abs(min(columns, 0))} columns too {'small' if isinstance(module, Crop) else 'large'}"
        )
    return rows // 2, columns // 2


def _array(value: Tensor) -> np.ndarray:
    return np.array(value.detach().to("cpu", torch.float32).numpy(), order="C")  # a copy: the module keeps its own
