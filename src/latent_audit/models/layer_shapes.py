"""What shape leaves a layer."""

from collections.abc import Iterator
from math import prod

from latent_audit.base.layers import Layer

Shape = tuple[int, ...]  # (n,) or (channel, height, width), without a batch


def shape_after(layer: Layer, shape: Shape | None) -> Shape | None:
    """The shape that leaves `layer`, or None where that takes a shape which is not known."""
    weight, settings = layer.weights.get("weight"), layer.settings
    if layer.kind == "reshape":
        return tuple(settings["shape"])
    if layer.kind == "linear" and weight is not None:
        return (len(weight),)
    if shape is None or layer.kind in {"activation", "affine"}:
        return shape
    if layer.kind == "embed":
        return (prod(shape) * layer.weights["table"].shape[1],)
    if weight is None:
        return (shape[0], settings["height"], settings["width"])
    return (weight.shape[layer.kind == "conv_transpose"], *_sides_after(layer, weight.shape[2:], shape[1:]))


def _sides_after(layer: Layer, kernel: Shape, sides: Shape) -> Iterator[int]:
    settings = layer.settings
    axes = zip(sides, kernel, settings["stride"], settings["padding"], strict=True)
    for (side, taps, stride, padding), more in zip(axes, settings.get("output_padding", [0, 0]), strict=True):
        if layer.kind == "conv":
            yield (side + 2 * padding - taps) // stride + 1
        else:
            yield (side - 1) * stride - 2 * padding + taps + more
