"""Weights in whole steps: coarse enough for a page, fine enough that what leaves the network stays the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from latent_audit.base.layers import Layer

SMALL = 1024  # numbers: an array of fewer is not worth steps
LARGE = 2**17  # numbers: from here on an array has the coarsest steps
BITS = np.arange(3.0, 12.0, 0.5)  # of a step: 2^-bits of the root mean square of an array


def stepped(layers: Sequence[Layer], given: Float[np.ndarray, "sample ..."], *, tolerance: float) -> list[Layer]:
    """`layers` in the coarsest steps that change no output for `given` by more than `tolerance`.

    Returns
    -------
    Layers whose large weights are multiples of a step, which stands under their name in `settings["steps"]`; the layers
    themselves where no steps will do.
    """
    wanted = through(layers, given)
    for bits in BITS:
        found = in_steps(layers, float(bits))
        if (through(found, given) - wanted).abs().max() <= tolerance:
            return found
    return list(layers)


def in_steps(layers: Sequence[Layer], bits: float) -> list[Layer]:
    """Large arrays rounded to steps of 2^-bits of their root mean square, finer ones where an array is smaller.

    With relative noise of variance s_i on the n_i numbers of array i, the error of what leaves the network grows with
    the sum of s_i, and the length of the rounded numbers with that of -n_i log(s_i) / 2: of all with one error, the
    shortest has s_i proportional to n_i.
    """
    found = []
    for layer in layers:
        steps = {name: step for name, array in layer.weights.items() if (step := _step(array, bits))}
        weights = {
            name: (np.rint(array / steps[name]) * steps[name]).astype(np.float32) if name in steps else array
            for name, array in layer.weights.items()
        }
        found.append(replace(layer, settings={**layer.settings, "steps": steps}, weights=weights) if steps else layer)
    return found


def _step(array: np.ndarray, bits: float) -> float:
    """The step of an array, to six digits; 0 where it is small, or has outliers that 16 bits of steps do not reach."""
    if array.size < SMALL or not np.isfinite(array).all():
        return 0.0
    size = float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))
    step = float(f"{size * 2.0**-bits * min(1.0, (array.size / LARGE) ** 0.5):.6g}")
    return step if step > 0 and np.abs(array).max() / step < 2**15 - 1 else 0.0


@torch.no_grad()
def through(layers: Sequence[Layer], given: Float[np.ndarray, "sample ..."]) -> Tensor:
    """What leaves the layers, in float32 on the CPU."""
    x = torch.from_numpy(np.array(given, dtype=np.float32))
    for layer in layers:
        x = _RUN[layer.kind](x, layer.settings, {name: torch.from_numpy(w) for name, w in layer.weights.items()})
    return x


def _window(x: Tensor, of: Mapping[str, Any]) -> Tensor:
    top, left, height, width = (of[name] for name in ("top", "left", "height", "width"))
    return functional.pad(x, (left, width - x.shape[-1] - left, top, height - x.shape[-2] - top))


def _crop(x: Tensor, of: Mapping[str, Any]) -> Tensor:
    return x[..., of["top"] : of["top"] + of["height"], of["left"] : of["left"] + of["width"]]


def _affine(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    sides = [-1] + [1] * (x.ndim - 2)
    return x * scale.reshape(sides) + shift.reshape(sides)


def _activation(x: Tensor, of: Mapping[str, Any]) -> Tensor:
    slope = (of["slope"],) if "slope" in of else ()
    return getattr(functional if slope else torch, of["function"])(x, *slope)


_RUN: dict[str, Callable[[Tensor, Mapping[str, Any], Mapping[str, Tensor]], Tensor]] = {
    "linear": lambda x, of, w: functional.linear(x, w["weight"], w.get("bias")),
    "reshape": lambda x, of, w: x.reshape(len(x), *of["shape"]),
    "conv": lambda x, of, w: functional.conv2d(x, w["weight"], w.get("bias"), of["stride"], of["padding"]),
    "conv_transpose": lambda x, of, w: functional.conv_transpose2d(
        x, w["weight"], w.get("bias"), of["stride"], of["padding"], of["output_padding"]
    ),
    "affine": lambda x, of, w: _affine(x, w["scale"], w["shift"]),
    "activation": lambda x, of, w: _activation(x, of),
    "pad": lambda x, of, w: _window(x, of),
    "crop": lambda x, of, w: _crop(x, of),
    "embed": lambda x, of, w: w["table"][x.long()].flatten(start_dim=1),
}
