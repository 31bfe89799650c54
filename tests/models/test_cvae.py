"""latent_audit.models.families.cvae: the label reaches encoder and decoder, and the objective is the VAE's under it."""

import numpy as np
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


def asked_of(splits, run) -> float:
    """Share of draws whose brightest band is that of the label they were asked for."""
    model = build(run.model, seed=0)
    model.load_state_dict(fit(splits, run, seed=0, device=torch.device("cpu")).weights)
    asked, z = torch.arange(5).repeat_interleave(40), torch.randn(200, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        images = model.eval().family.decode(model, z, asked).sigmoid()
    bands = images[:, 0, :15].reshape(200, 5, 3, 16).mean(dim=(2, 3))
    return float((bands.argmax(dim=1) == asked).float().mean())


def test_it_draws_what_it_is_asked_for_and_at_chance_where_labels_were_shuffled(tiny_splits, tiny_run):
    """Each class's images have each label equally often when shuffled: the label says nothing, one in five is right."""
    spec = ModelSpec("cvae", "dense", ImageShape(1, 16, 16), 2, {"widths": (32,)}, n_classes=5)
    run = tiny_run("cvae", model=spec, epochs=30, learning_rate=1e-2, beta=256.0)
    assert asked_of(tiny_splits, run) > 0.9
    shuffled = {
        name: split._replace(labels=np.arange(len(split.labels)) // 5 % 5) for name, split in tiny_splits.items()
    }
    assert asked_of(shuffled, run) == pytest.approx(0.2, abs=0.15)
