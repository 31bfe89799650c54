"""Convolutions with gradients of their own, as oneDNN computes them fastest on a CPU; the same values as torch's.

What is won, on one thread: gradients of bias, weight and input are taken one by one, as a transposed convolution's are
slow in one call; ReLU works in place and keeps one activation instead of two; in bfloat16 the gradient of a wide
layer's weight is a matrix product; a convolution to few channels, which leave a vector unit idle, becomes a product
with its nine taps, which are then shifted and added.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

TAPS = 3  # of every kernel here, along each side
FEW = 8  # channels up to which a convolution is computed as a product with its taps
WIDE = 64  # channels of the larger map, from which on a bfloat16 weight's gradient is a matrix product of patches


class Geometry(NamedTuple):
    """How a convolution moves over its input, in the order in which `aten::convolution` takes it."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    transposed: bool
    output_padding: tuple[int, ...]
    groups: int

    @classmethod
    def of(cls, layer: nn.Conv2d | nn.ConvTranspose2d) -> "Geometry":
        """That of a layer made by torch."""
        assert isinstance(layer.padding, tuple)  # torch also knows "same" and "valid"
        return cls(layer.stride, layer.padding, layer.dilation, layer.transposed, layer.output_padding, layer.groups)


POINTWISE = Geometry((1, 1), (0, 0), (1, 1), transposed=False, output_padding=(0, 0), groups=1)


def is_conv_relu(module: nn.Module, after: Sequence[nn.Module]) -> bool:
    """Whether `module` and the first of those `after` it are what `conv_relu` computes."""
    return (
        isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
        and bool(after)
        and isinstance(after[0], nn.ReLU)
        and _is_of(module, stride=2)
        and module.output_padding == ((1, 1) if module.transposed else (0, 0))
    )


def is_same_conv(module: nn.Module) -> bool:
    """Whether `module` is what `same_conv` computes: a convolution to few channels that keeps height and width."""
    return isinstance(module, nn.Conv2d) and module.out_channels <= FEW and _is_of(module, stride=1)


def _is_of(layer: nn.Conv2d | nn.ConvTranspose2d, *, stride: int) -> bool:
    square = (layer.kernel_size, layer.stride, layer.padding, layer.dilation) == (
        (TAPS, TAPS), (stride, stride), (1, 1), (1, 1),
    )  # fmt: skip
    return square and layer.groups == 1 and layer.bias is not None and layer.padding_mode == "zeros"


def conv_relu(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """relu(layer(x)) of a 3x3 kernel, stride 2; differentiable once, in reverse mode only."""
    return _ConvReLU.apply(_autocast(x), layer.weight, layer.bias, Geometry.of(layer))


def same_conv(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """layer(x) of a 3x3 kernel, stride 1, padding 1, in float32 or more; differentiable once, in reverse mode only."""
    return _SameConv.apply(_autocast(x), layer.weight, layer.bias)


class _ConvReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, geometry: Geometry) -> Tensor:
        low = weight.to(x.dtype)
        y = torch.ops.aten.convolution.default(x, low, bias.to(x.dtype), *geometry).relu_()
        ctx.save_for_backward(x, low, y)
        ctx.geometry, ctx.dtype = geometry, weight.dtype
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, y = ctx.saved_tensors
        gradient = gradient_of_relu(gradient, y)
        of_x = gradient_of_input(gradient, x, weight, ctx.geometry) if ctx.needs_input_grad[0] else None
        of_weight = gradient_of_weight(gradient, x, weight, ctx.geometry)
        return of_x, of_weight.to(ctx.dtype), gradient.sum((0, 2, 3)).to(ctx.dtype), None


class _SameConv(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        n_out, n_in, *_ = weight.shape
        taps = weight.permute(0, 2, 3, 1).reshape(n_out * TAPS**2, n_in, 1, 1).to(x.dtype)
        ctx.save_for_backward(x, taps)
        ctx.dtype = weight.dtype
        n, _, height, width = x.shape
        products = _products(x, taps)
        y = bias[:, None, None].expand(n, -1, height + 2, width + 2).clone()  # float32 under autocast too
        for tap, (rows, columns) in enumerate(_shifts(height, width)):
            y[:, :, rows, columns] += products[:, tap :: TAPS**2]
        return y[:, :, 1:-1, 1:-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        x, taps = ctx.saved_tensors
        _, channels, height, width = gradient.shape
        padded = F.pad(gradient, (1, 1, 1, 1)).to(x.dtype)
        of_products = _empty_products(x, channels * TAPS**2)
        for tap, (rows, columns) in enumerate(_shifts(height, width)):
            of_products[:, tap :: TAPS**2] = padded[:, :, rows, columns]
        of_x, of_taps = _gradients_of_products(of_products, x, taps)
        of_weight = of_taps.reshape(channels, TAPS, TAPS, -1).permute(0, 3, 1, 2)
        return of_x, of_weight.to(ctx.dtype), gradient.sum((0, 2, 3)).to(ctx.dtype)


def _products(x: Tensor, taps: Tensor) -> Tensor:
    """Each of `taps` (tap, channel, 1, 1) times every pixel of `x`. In bfloat16 a tap's products lie side by side."""
    if x.dtype is not torch.bfloat16:
        return torch.ops.aten.convolution.default(x, taps, None, *POINTWISE)
    n, _, height, width = x.shape
    return (taps.flatten(1) @ _pixels(x).t()).view(-1, n, height, width).transpose(0, 1)


def _empty_products(x: Tensor, n_taps: int) -> Tensor:
    """Room for (image, tap, height, width), in memory as `_products` has it."""
    n, _, height, width = x.shape
    if x.dtype is not torch.bfloat16:
        return x.new_empty(n, height, width, n_taps).permute(0, 3, 1, 2)
    return x.new_empty(n_taps, n, height, width).transpose(0, 1)


def _gradients_of_products(gradient: Tensor, x: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of `_products` by x and by the taps."""
    if x.dtype is not torch.bfloat16:
        of_taps = _gradients(gradient, x, taps, POINTWISE, (False, True, False))[1]
        return gradient_of_input(gradient, x, taps, POINTWISE), of_taps
    n, _, height, width = x.shape
    planes = gradient.transpose(0, 1).flatten(1)
    of_x = (planes.t() @ taps.flatten(1)).view(n, height, width, -1).permute(0, 3, 1, 2)
    return of_x, planes @ _pixels(x)


def _shifts(height: int, width: int) -> list[tuple[slice, slice]]:
    """Where each tap's products belong in the output with a border of one pixel: the kernel's first tap looks up and
    to the left, so its product is due one pixel further down and to the right.
    """
    offsets = range(TAPS - 1, -1, -1)
    return [(slice(down, down + height), slice(right, right + width)) for down in offsets for right in offsets]


def gradient_of_relu(gradient: Tensor, y: Tensor) -> Tensor:
    """`gradient` where y = relu(x) is above 0, and 0 elsewhere."""
    if y.dtype is not torch.bfloat16:
        return torch.ops.aten.threshold_backward.default(gradient, y, 0)
    bits, kept = gradient.view(torch.int16), y.view(torch.int16)  # a number's sign is its bits'; twice as fast
    return torch.ops.aten.threshold_backward.default(bits, kept, 0).view(torch.bfloat16)


def gradient_of_input(gradient: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """The gradient of a convolution's input `x` from that of its output."""
    return _gradients(gradient, x, weight, geometry, (True, False, False))[0]


def gradient_of_weight(gradient: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """The gradient of the weight of a stride-2 3x3 convolution with padding 1, from that of its output."""
    small, large = (x, gradient) if geometry.transposed else (gradient, x)
    halved = large.shape[2:] == (2 * small.shape[2], 2 * small.shape[3])  # not a map of odd sides
    if x.dtype is torch.bfloat16 and large.shape[1] >= WIDE and halved:
        return product_of_patches(small, large)
    return _gradients(gradient, x, weight, geometry, (False, True, False))[1]


def product_of_patches(small: Tensor, large: Tensor) -> Tensor:
    """The weight's gradient (channels of `small`, channels of `large`, 3, 3) as one matrix product over all pixels.

    Of the layer's input and its output's gradient, pixel (i, j) of the smaller map meets (2i + k - 1, 2j + l - 1) of
    the larger one at tap (k, l); so each pixel of the smaller one has its patch, copied out beside its neighbours'.
    """
    n, channels, height, width = small.shape
    bordered = F.pad(large, (1, 0, 1, 0)).permute(0, 2, 3, 1).contiguous()
    image, row, pixel, _ = bordered.stride()
    along = TAPS * large.shape[1]  # the pixels of a patch's row lie side by side
    patches = bordered.as_strided((n, height, width, TAPS, along), (image, 2 * row, 2 * pixel, row, 1))
    pixels = _pixels(small)
    product = pixels.t() @ patches.reshape(len(pixels), -1)
    return product.view(channels, TAPS, TAPS, -1).permute(0, 3, 1, 2)


def _pixels(x: Tensor) -> Tensor:
    """(image, channel, height, width) as (pixel of any image, channel)."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, geometry: Geometry, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of input, weight and bias that are `wanted`: one in a call, as oneDNN is fastest."""
    return torch.ops.aten.convolution_backward.default(gradient, x, weight, None, *geometry, wanted)


def _autocast(x: Tensor) -> Tensor:
    device = x.device.type
    return x.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else x
