"""latent_audit.models.layers: what a chain of modules becomes, and what is refused by name."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from latent_audit.base.layers import Layer
from latent_audit.models.layers import Crop, Pad, UnknownLayer, exported


@pytest.fixture(autouse=True)
def own_stream():
    """Modules draw their weights from the global stream when they are made."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def kinds(layers: list[Layer]) -> list[str]:
    return [layer.kind for layer in layers]


def test_chains_in_chains_in_their_order():
    inner = nn.Sequential(OrderedDict(relu=nn.ReLU(), again=nn.Sequential(nn.Linear(3, 8))))
    layers = exported(nn.Sequential(nn.Linear(2, 3), inner, nn.Unflatten(1, (2, 2, 2)), nn.Conv2d(2, 1, 1)))
    assert kinds(layers) == ["linear", "activation", "linear", "reshape", "conv"]
    assert {name: array.shape for name, array in layers[0].weights.items()} == {"weight": (3, 2), "bias": (3,)}
    assert layers[3].settings == {"shape": [2, 2, 2]}
    assert layers[4].settings == {"stride": [1, 1], "padding": [0, 0]}
    assert all(array.dtype == np.float32 for layer in layers for array in layer.weights.values())


def test_a_module_that_stands_twice_runs_twice():
    relu, norm = nn.ReLU(), nn.BatchNorm1d(2)
    assert kinds(exported(nn.Sequential(norm, relu, norm, relu))) == ["affine", "activation"] * 2


def test_a_single_module_is_a_chain_of_one():
    (layer,) = exported(nn.LeakyReLU(0.25))
    assert (layer.kind, layer.settings) == ("activation", {"function": "leaky_relu", "slope": 0.25})


def with_statistics(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> nn.Module:
    """mean 3, variance 4, gamma 6, beta 1, eps 0: y = 6 (x - 3) / 2 + 1 = 3 x - 8."""
    norm.eps = 0.0
    for values, number in ((norm.running_mean, 3.0), (norm.running_var, 4.0), (norm.weight, 6.0), (norm.bias, 1.0)):
        assert values is not None
        nn.init.constant_(values, number)
    return norm


def test_a_batch_norm_alone_is_affine():
    (layer,) = exported(with_statistics(nn.BatchNorm2d(2)))
    assert layer.kind == "affine"
    np.testing.assert_allclose(layer.weights["scale"], [3, 3])
    np.testing.assert_allclose(layer.weights["shift"], [-8, -8])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("make", "norm"),
    [(nn.Linear, nn.BatchNorm1d), (nn.Conv2d, nn.BatchNorm2d), (nn.ConvTranspose2d, nn.BatchNorm2d)],
)
def test_a_batch_norm_goes_into_the_layer_before_it(make, norm, bias):
    before = make(5, 4, bias=bias) if make is nn.Linear else make(5, 4, 3, bias=bias)
    (layer,) = exported(nn.Sequential(before, nn.Identity(), with_statistics(norm(4))))
    np.testing.assert_allclose(layer.weights["weight"], 3 * before.weight.detach().numpy(), rtol=1e-6)
    own = before.bias.detach().numpy() if bias else np.zeros(4)
    np.testing.assert_allclose(layer.weights["bias"], 3 * own - 8, rtol=1e-6)


def test_a_batch_norm_behind_an_activation_or_a_reshape_stays():
    behind = nn.Sequential(nn.Linear(2, 8), nn.Unflatten(1, (2, 2, 2)), nn.BatchNorm2d(2), nn.ReLU(), nn.BatchNorm2d(2))
    assert kinds(exported(behind)) == ["linear", "reshape", "affine", "activation", "affine"]


def test_exporting_leaves_the_module_as_it_was():
    model = nn.Sequential(nn.Linear(2, 3), with_statistics(nn.BatchNorm1d(3))).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    exported(model)[0].weights["weight"][:] = 0
    exported(nn.Sequential(model[0]))[0].weights["weight"][:] = 0
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_middle_is_cut_out_and_set_in():
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    assert Crop(2, 2)(x).flatten().tolist() == [1, 2, 5, 6]  # of the odd row, the one below goes
    padded = Pad(6, 4)(x)
    assert padded.shape == (1, 1, 6, 4)
    assert torch.equal(padded[:, :, 1:4], x)
    assert padded.sum() == x.sum()
    assert torch.equal(Crop(3, 4)(padded), x)
    with pytest.raises(ValueError, match="Crop to 4 x 4: its input is 1 rows and 0 columns too small"):
        Crop(4, 4)(x)
    with pytest.raises(ValueError, match="Pad to 3 x 3: its input is 0 rows and 1 columns too large"):
        Pad(3, 3)(x)


def test_windows_know_where_they_begin():
    up = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1)
    chain = nn.Sequential(nn.Unflatten(1, (1, 4, 4)), up, nn.ReLU(), Crop(7, 6), nn.Conv2d(1, 1, 3), Pad(10, 9))
    crop, pad = (layer for layer in exported(chain) if layer.kind in {"crop", "pad"})
    assert crop.settings == {"top": 0, "left": 1, "height": 7, "width": 6}
    assert pad.settings == {"top": 2, "left": 2, "height": 10, "width": 9}  # of 5 x 4


class Shouting(nn.Sequential):
    """A chain that does something else than its parts."""

    def forward(self, x):
        """Twice what the chain gives."""
        return 2 * super().forward(x)


class Doubled(nn.Linear):
    """A known module that does something else."""

    def forward(self, x):
        """Twice what the layer gives."""
        return 2 * super().forward(x)


class Explained(Shouting):
    """One that says what it does."""

    def export(self) -> list[Layer]:
        """A sigmoid, whatever it holds."""
        return [Layer("activation", {"function": "sigmoid"})]


def test_a_module_may_export_itself():
    assert kinds(exported(nn.Sequential(nn.Linear(1, 1), Explained(nn.Linear(1, 1))))) == ["linear", "activation"]
    assert kinds(exported(Explained())) == ["activation"]


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.GELU())), r"GELU \(1\.0\) has no counterpart"),
        (nn.GroupNorm(1, 2), "GroupNorm has no counterpart"),
        (Shouting(nn.Linear(2, 2)), "Shouting is a Sequential with a forward of its own"),
        (Doubled(2, 2), "Doubled is a Linear with a forward of its own"),
        (nn.Conv2d(4, 4, 3, groups=2), "Conv2d has groups=2"),
        (nn.Sequential(nn.ConvTranspose2d(4, 4, 3, dilation=2)), r"ConvTranspose2d \(0\) has dilation=\(2, 2\)"),
        (nn.Conv2d(4, 4, 3, padding_mode="circular", padding=1), "has padding_mode='circular'"),
        (nn.Conv2d(4, 4, 2, padding="same"), "an even kernel"),
        (nn.BatchNorm1d(3, track_running_stats=False), "no running statistics"),
        (nn.Embedding(3, 2, max_norm=1.0), "has max_norm=1.0"),
        (nn.Unflatten(1, (2, 2)), "makes 2 axes"),
        (nn.Unflatten(2, (1, 2, 2)), "unflattens axis 2"),
        (nn.Flatten(2), "flattens some axes only"),
        (nn.Flatten(), "unknown shape"),
        (Crop(2, 2), "unknown shape"),
        (nn.Sequential(nn.Linear(2, 2), Pad(2, 2)), r"Pad \(1\) meets an input of \(2,\)"),
    ],
)
def test_what_the_layers_cannot_stand_for_is_refused_by_name(module, words):
    with pytest.raises(UnknownLayer, match=words):
        exported(module)
