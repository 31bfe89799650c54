"""latent_audit.models.autoencoder: initialisation, its streams, and the reparameterised sample."""

import math

import pytest
import torch
from torch import nn

from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.elbo import reparameterise
from latent_audit.models.image import ImageShape, to_unit_interval

IMAGE = ImageShape(1, 16, 16)


def make(family: str = "vae", *, seed: int = 0, latent_dim: int = 2):
    return build(ModelSpec(family, "conv", IMAGE, latent_dim), seed=seed)


def fans(module: nn.Module) -> tuple[int, int]:
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    assert isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    return 9 * module.in_channels, 9 * module.out_channels


def layers(model: nn.Module) -> dict[str, nn.Module]:
    return {name: module for name, module in model.named_modules() if hasattr(module, "weight")}


def test_weights_are_glorot_uniform_and_biases_zero():
    for name, layer in layers(make(seed=3)).items():
        bound = math.sqrt(6 / sum(fans(layer)))  # Glorot & Bengio (2010), equation 16
        weight = layer.get_parameter("weight").detach().double()
        n = weight.numel()
        assert weight.abs().max() <= bound, name
        assert weight.abs().max() > bound * (1 - 10 / n), name  # P(all n below) < exp(-10)
        assert weight.mean().abs() < 5 * bound / math.sqrt(3 * n), name
        # the variance of U(-b, b) is b^2/3, and that of its square b^4 * (1/5 - 1/9)
        assert (weight.square().mean() - bound**2 / 3).abs() < 5 * bound**2 * math.sqrt(4 / 45 / n), name
        assert not layer.get_parameter("bias").any(), name


def test_the_same_seed_gives_the_same_network_and_another_another():
    first, again, other = (make(seed=seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if name.endswith("weight"))


def differing(first: nn.Module, second: nn.Module) -> set[str]:
    ours, theirs = first.state_dict(), second.state_dict()
    return {name for name in ours if name in theirs and not torch.equal(ours[name], theirs[name])}


def test_the_encoders_of_two_arms_start_alike_but_for_the_logvar_head():
    ae, vae = make("ae"), make("vae")
    assert not differing(ae.encoder, vae.encoder)
    assert set(vae.state_dict()) - set(ae.state_dict()) == {"encoder.heads.logvar.weight", "encoder.heads.logvar.bias"}


def test_the_decoders_of_two_arms_start_alike():
    assert not differing(make("ae").decoder, make("vae").decoder)


def test_two_vaes_start_alike():
    assert not differing(make("vae"), make("vae"))


def test_no_two_layers_share_their_draws():
    weights = [layer.get_parameter("weight").flatten()[:8] for layer in layers(make()).values()]
    scaled = [weight / weight.norm() for weight in weights]
    assert not any(torch.allclose(a, b) for i, a in enumerate(scaled) for b in scaled[:i])


def test_build_leaves_the_global_stream_where_it_was():
    before = torch.random.get_rng_state()
    make()
    assert torch.equal(before, torch.random.get_rng_state())


def test_build_does_not_depend_on_the_global_stream():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first = make().state_dict()
        torch.manual_seed(2)
        second = make().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_reparameterise_by_hand():
    z = reparameterise(torch.tensor([[1.0, -1.0]]), torch.tensor([[math.log(4.0), 0.0]]), torch.tensor([[0.5, 3.0]]))
    torch.testing.assert_close(z, torch.tensor([[2.0, 2.0]]))  # 1 + 2 * 0.5, -1 + 1 * 3


def test_reparameterised_samples_have_the_posteriors_mean_and_variance():
    n = 100_000
    mu, logvar = torch.full((n, 1), 0.7).double(), torch.full((n, 1), math.log(0.25)).double()
    z = reparameterise(mu, logvar, torch.randn(n, 1, generator=torch.Generator().manual_seed(0)).double())
    assert abs(z.mean().item() - 0.7) < 5 * 0.5 / math.sqrt(n)
    assert abs(z.var().item() - 0.25) < 5 * 0.25 * math.sqrt(2 / n)


def test_reparameterise_passes_gradients_to_mu_and_logvar():
    mu, logvar = torch.tensor([[0.0]], requires_grad=True), torch.tensor([[math.log(4.0)]], requires_grad=True)
    reparameterise(mu, logvar, torch.tensor([[3.0]])).sum().backward()
    assert mu.grad is not None and logvar.grad is not None
    assert mu.grad.item() == 1
    assert logvar.grad.item() == pytest.approx(3.0)  # d/dlogvar = sigma * eps / 2


@torch.no_grad()
def test_forward_of_a_vae_decodes_the_sample_it_was_handed():
    model, x = make("vae"), torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    eps = torch.ones(3, 2)
    mu, logvar, logits = model(x, eps)
    assert torch.equal(logits, model.decode(mu + (0.5 * logvar).exp()))
    assert torch.equal(model(x, torch.zeros(3, 2))[2], model.decode(mu))


@torch.no_grad()
def test_forward_of_an_autoencoder_is_deterministic():
    model, x = make("ae"), torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    mu, logvar, logits = model(x, torch.full((3, 2), torch.nan))
    assert logvar is None
    assert torch.equal(logits, model.decode(mu))
    assert torch.equal(mu, model.encode(x)[0])


@torch.no_grad()
def test_nothing_samples_by_itself_in_either_mode():
    model, x = make("vae"), torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    eps = torch.ones(2, 2)
    assert torch.equal(model.train()(x, eps)[2], model.eval()(x, eps)[2])


def test_to_unit_interval():
    images = torch.tensor([0, 51, 255, 128], dtype=torch.uint8).reshape(1, 1, 2, 2).expand(2, 3, 2, 2)
    x = to_unit_interval(images)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(x[1, 2], torch.tensor([[0.0, 0.2], [1.0, 128 / 255]]))
    assert images[0, 0, 0, 1] == 51  # the pixels themselves were not divided
