"""latent_audit.models.autoencoder: initialisation, its streams, and the reparameterised sample."""

import math

import pytest
import torch
from torch import nn

from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.elbo import cross_entropy, reparameterise
from latent_audit.models.family import Batch, Objective
from latent_audit.models.image import ImageShape, to_unit_interval

IMAGE = ImageShape(1, 16, 16)


BCE = Objective("bce", 64.0)


def make(family: str = "vae", *, seed: int = 0, latent_dim: int = 2, architecture: str = "conv", **settings):
    return build(ModelSpec(family, architecture, IMAGE, latent_dim, settings), seed=seed)


def as_batch(n: int) -> Batch:
    x = torch.rand(n, *IMAGE, generator=torch.Generator().manual_seed(0))
    return Batch(x, x, torch.zeros(n, dtype=torch.int64))


def fans(module: nn.Module) -> tuple[int, int]:
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    assert isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    return 9 * module.in_channels, 9 * module.out_channels


def layers(model: nn.Module) -> dict[str, nn.Module]:
    return {name: module for name, module in model.named_modules() if hasattr(module, "weight")}


@pytest.mark.parametrize("architecture", ["conv", "dense"])
def test_weights_are_glorot_uniform_and_biases_zero(architecture):
    for name, layer in layers(make(seed=3, architecture=architecture)).items():
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
def test_a_vae_decodes_the_draw_it_was_handed():
    model, batch = make("vae"), as_batch(3)
    mu, logvar = model.encode(batch.x)
    terms = model(batch, {"eps": torch.ones(3, 2)}, BCE)
    expected = cross_entropy(model.decode(mu + (0.5 * logvar).exp()), batch.x)
    torch.testing.assert_close(terms["recon_nll"], expected)
    torch.testing.assert_close(terms["objective"], 64 * expected / 256 + terms["kl"])
    encoded = model.family.encode(model, batch, {"eps": torch.zeros(3, 2)})
    assert torch.equal(encoded.code, mu)
    assert set(encoded.arrays) == {"mu", "logvar"}


@torch.no_grad()
def test_an_autoencoder_is_deterministic():
    model, batch = make("ae"), as_batch(3)
    mu, logvar = model.encode(batch.x)
    assert logvar is None
    assert model.family.draws(2) == {}
    terms = model(batch, {}, Objective("bce", None))
    assert set(terms) == {"objective", "recon_nll"}
    torch.testing.assert_close(terms["recon_nll"], cross_entropy(model.decode(mu), batch.x))
    torch.testing.assert_close(terms["objective"], terms["recon_nll"] / 256)


@torch.no_grad()
def test_what_the_encoder_is_shown_is_not_what_is_to_be_reconstructed():
    batch = as_batch(3)
    shown = batch._replace(inputs=torch.zeros_like(batch.x))
    model = make("ae")
    expected = cross_entropy(model.decode(model.encode(shown.inputs)[0]), batch.x)
    torch.testing.assert_close(model(shown, {}, Objective("bce", None))["recon_nll"], expected)


@torch.no_grad()
def test_nothing_samples_by_itself_in_either_mode():
    model, batch, draws = make("vae"), as_batch(2), {"eps": torch.ones(2, 2)}
    ours, theirs = (one(batch, draws, BCE)["objective"] for one in (model.train(), model.eval()))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(("architecture", "n"), [("conv", 6), ("dense", 4)])
def test_norms_start_without_effect(architecture, n):
    model = make(architecture=architecture, norm="batch")
    norms = {name: m for name, m in model.named_modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)}
    assert len(norms) == n
    for name, norm in norms.items():
        assert torch.equal(norm.weight, torch.ones_like(norm.weight)), name
        assert torch.equal(norm.running_var, torch.ones_like(norm.running_var)), name
        assert not norm.bias.any() and not norm.running_mean.any() and norm.num_batches_tracked == 0, name
        assert (norm.eps, norm.momentum) == (1e-3, 0.01)  # Keras' epsilon, and 1 minus its momentum
    assert not any(value.any() for name, value in model.named_parameters() if name.endswith("bias"))


def test_a_norm_shifts_no_other_layers_draws():
    plain, normed = make(architecture="dense"), make(architecture="dense", norm="batch")
    assert torch.equal(plain.encoder.heads["mu"].weight, normed.encoder.heads["mu"].weight)


def test_to_unit_interval():
    images = torch.tensor([0, 51, 255, 128], dtype=torch.uint8).reshape(1, 1, 2, 2).expand(2, 3, 2, 2)
    x = to_unit_interval(images)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(x[1, 2], torch.tensor([[0.0, 0.2], [1.0, 128 / 255]]))
    assert images[0, 0, 0, 1] == 51  # the pixels themselves were not divided
