"""latent_audit.models.families.cvae: the label reaches encoder and decoder, and the objective is the VAE's under it."""

import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.models.autoencoder import ModelSpec, build, one_hot
from latent_audit.models.elbo import cross_entropy
from latent_audit.models.family import Batch, Objective
from latent_audit.models.image import ImageShape
from latent_audit.training.fit import fit

SPEC = ModelSpec("cvae", "conv", ImageShape(1, 16, 16), 2, {}, n_classes=5)


def given(n: int = 6) -> tuple[Batch, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(n, 1, 16, 16, generator=generator)
    return Batch(x, x, torch.arange(n) % 5), {"eps": torch.randn(n, 2, generator=generator)}


def test_the_objective_by_hand():
    """beta x mean cross-entropy + the closed-form KL of q(z|x, y), from the parts."""
    model, (batch, draws) = build(SPEC, seed=0), given()
    terms = model(batch, draws, Objective("bce", 64.0))
    label = one_hot(batch.labels, 5)
    mu, logvar = model.heads(batch.x, label)["mu"], model.heads(batch.x, label)["logvar"]
    logits = model.decode(mu + (0.5 * logvar).exp() * draws["eps"], label)
    kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)
    nll = cross_entropy(logits, batch.x)
    assert torch.allclose(terms["kl"], kl, atol=1e-6)
    assert torch.allclose(terms["objective"], 64 * nll / 256 + kl, rtol=1e-5)
    assert torch.allclose(terms["elbo"], -(nll + kl), rtol=1e-6)


def test_the_label_reaches_both_ends():
    model, (batch, draws) = build(SPEC, seed=0), given()
    other = batch._replace(labels=(batch.labels + 1) % 5)
    first, second = (model.family.encode(model, b, draws).arrays["mu"] for b in (batch, other))
    assert not torch.equal(first, second)
    code = torch.zeros(6, 2)
    images = [model.family.decode(model, code, b.labels) for b in (batch, other)]
    assert not torch.equal(*images)


def test_every_parameter_has_a_gradient():
    model, (batch, draws) = build(SPEC, seed=0), given()
    model(batch, draws, Objective("bce", 64.0))["objective"].mean().backward()
    silent = [
        name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert silent == []


def test_without_a_label_or_classes_it_is_refused():
    model = build(SPEC, seed=0)
    with pytest.raises(InputError, match="under a label"):
        model.family.decode(model, torch.zeros(1, 2), None)
    with pytest.raises(InputError, match="at least two classes"):
        build(ModelSpec("cvae", "conv", ImageShape(1, 16, 16), 2, {}, n_classes=1), seed=0)


def test_a_seed_is_a_seed(tiny_splits, tiny_run):
    run = tiny_run("cvae", model=SPEC)
    first, second, other = (fit(tiny_splits, run, seed=s, device=torch.device("cpu")).weights for s in (0, 0, 1))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert any(not torch.equal(value, other[name]) for name, value in first.items())
