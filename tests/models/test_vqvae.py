"""latent_audit.models.families.vqvae: nearest entries, gradients past the choice, and averages by hand."""

import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.families.vqvae import DECAY, Codebook, codebook_of, vectors_of
from latent_audit.models.family import Batch, Objective
from latent_audit.models.image import ImageShape
from latent_audit.training.fit import fit

BCE = Objective("bce", None)


def spec(**own) -> ModelSpec:
    """16 x 16 images, a grid of 4 x 4 vectors of 3 numbers, 8 entries."""
    settings = {"entries": 8, "positions": 16} | own
    return ModelSpec("vqvae", "grid", ImageShape(1, 16, 16), 48, {}, n_classes=5, family_settings=settings)


def given(n: int = 6) -> tuple[Batch, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(n, 1, 16, 16, generator=generator)
    return Batch(x, x, torch.arange(n) % 5), {"restart": torch.randn(n, 1, generator=generator)}


def book_of(weight: list[list[float]], *, trained: bool = False) -> Codebook:
    book = Codebook(len(weight), len(weight[0]), trained=trained)
    with torch.no_grad():
        book.weight.copy_(torch.tensor(weight))
        book.total.copy_(book.weight)
    return book


def test_the_nearest_entry_and_the_first_of_equals():
    book = book_of([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    vectors = torch.tensor([[[0.2, 0.0], [0.9, 0.1]], [[0.4, 9.0], [0.5, 0.0]]])
    assert book.nearest(vectors).tolist() == [[0, 1], [0, 0]]


def test_moving_averages_by_hand():
    """Appendix A.1 of van den Oord et al.: N <- .99 N + .01 n, m <- .99 m + .01 sum, e = m / N."""
    book = book_of([[0.0], [10.0]])
    book.follow(torch.tensor([[1.0], [3.0], [11.0]]), torch.tensor([0, 0, 1]))
    count = [DECAY * 1 + 0.01 * 2, DECAY * 1 + 0.01 * 1]
    total = [DECAY * 0 + 0.01 * 4, DECAY * 10 + 0.01 * 11]
    assert book.count.tolist() == pytest.approx(count)
    assert book.total[:, 0].tolist() == pytest.approx(total)
    assert book.weight[:, 0].tolist() == pytest.approx([t / n for t, n in zip(total, count, strict=True)], rel=1e-4)


def test_averages_settle_at_the_means_of_the_vectors():
    book = book_of([[0.0], [10.0]])
    for _ in range(2000):
        book.follow(torch.tensor([[1.0], [3.0], [11.0]]), torch.tensor([0, 0, 1]))
    assert book.weight[:, 0].tolist() == pytest.approx([2.0, 11.0], rel=1e-3)


def test_the_decoders_gradient_reaches_the_encoder_as_if_nothing_were_chosen():
    """Straight through: d loss / d vectors is d loss / d chosen entries, where commitment weighs next to nothing."""
    model, (batch, draws) = build(spec(commitment=1e-9), seed=0), given()
    terms = model(batch, draws, BCE)
    (own,) = torch.autograd.grad(terms["objective"].sum(), [model.encoder.heads["mu"][1].weight])
    features = model.encoder.body(batch.x).detach().requires_grad_(True)
    book = codebook_of(model)
    entry = torch.zeros(0)

    def vectors(x: torch.Tensor) -> torch.Tensor:
        return model.encoder.heads["mu"](x.flatten(start_dim=1)).unflatten(1, (-1, 16)).transpose(1, 2)

    with torch.no_grad():
        entry = (
            build(spec(commitment=1e-9), seed=0)
            .own["codebook"]
            .weight[  # the entries before they moved
                build(spec(), seed=0).own["codebook"].nearest(vectors(features))
            ]
        )
    entry.requires_grad_(True)
    logits = model.decode(entry.transpose(1, 2).flatten(start_dim=1))
    loss = 10 * torch.nn.functional.binary_cross_entropy_with_logits(logits, batch.x, reduction="sum") / 256
    (at_entries,) = torch.autograd.grad(loss, [entry])
    (wanted,) = torch.autograd.grad(vectors(features), [model.encoder.heads["mu"][1].weight], at_entries)
    assert torch.allclose(own, wanted, rtol=1e-3, atol=1e-7)
    assert book.weight.requires_grad is False


def test_commitment_pulls_the_encoder_and_the_codebooks_loss_the_entries():
    """d/dv of .25 |v - e|^2 / n and d/de of |v - e|^2 / n, by hand on the mean over positions and width."""
    model, (batch, draws) = build(spec(update="loss", weight=1e-9), seed=0), given(2)
    vectors, book = vectors_of(model, batch.x), codebook_of(model)
    index = book.nearest(vectors.detach())
    terms = model(batch, draws, BCE)
    (of_entries,) = torch.autograd.grad(terms["objective"].sum(), [book.weight], retain_graph=True)
    wanted = torch.zeros_like(book.weight)
    wanted.index_add_(0, index.reshape(-1), (2 * (book.weight[index] - vectors) / 48).reshape(-1, 3).detach())
    assert torch.allclose(of_entries, wanted, atol=1e-6)
    apart = (vectors - book.weight[index]).square().mean(dim=(1, 2))
    assert torch.allclose(terms["quantisation"], apart, atol=1e-7)
    assert torch.allclose(terms["objective"], 1.25 * apart, atol=1e-6)


def test_every_parameter_has_a_gradient():
    model, (batch, draws) = build(spec(update="loss"), seed=0), given()
    model(batch, draws, BCE)["objective"].mean().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_dead_entries_are_restarted_from_the_batch_and_live_ones_are_not():
    book = book_of([[0.0], [10.0], [20.0]])
    book.count.copy_(torch.tensor([5.0, 0.0, 0.0]))
    vectors = torch.arange(30.0).reshape(5, 6, 1) + 100
    book.restart(vectors, torch.randn(5, 1, generator=torch.Generator().manual_seed(0)))
    assert book.weight[0].item() == 0
    fresh = book.weight[1:, 0].tolist()
    assert set(fresh) <= set(vectors.reshape(-1).tolist())
    assert len(set(fresh)) == 2
    assert book.count.tolist() == [5.0, 10.0, 10.0]  # the even share of 30 vectors among 3 entries


def test_evaluation_moves_nothing():
    model, (batch, draws) = build(spec(restart=True), seed=0).eval(), given()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, second = (model(batch, draws, BCE)["objective"] for _ in range(2))
    assert torch.equal(first, second)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_indices_decode_to_what_was_reconstructed():
    model, (batch, draws) = build(spec(), seed=0).eval(), given()
    encoded = model.family.encode(model, batch, draws)
    assert encoded.code.shape == (6, 16)
    assert torch.equal(encoded.code, encoded.arrays["indices"].float())
    images = model.family.decode(model, encoded.code, None)
    vectors, book = vectors_of(model, batch.x), codebook_of(model)
    direct = model.decode(book.weight[book.nearest(vectors)].transpose(1, 2).flatten(start_dim=1))
    assert torch.equal(images, direct)
    assert torch.equal(model.family.decode(model, encoded.code + 0.4, None), images)  # brought to the nearest


@pytest.mark.parametrize("own", [{}, {"restart": True}, {"update": "loss"}, {"update": "loss", "restart": True}])
def test_a_seed_is_a_seed_and_training_helps(tiny_splits, tiny_run, own):
    run = tiny_run("vqvae", model=spec(**own), beta=None, epochs=3)
    first, second = (fit(tiny_splits, run, seed=0, device=torch.device("cpu")) for _ in range(2))
    assert all(torch.equal(value, second.weights[name]) for name, value in first.weights.items())
    losses = [row["recon_nll"] for row in first.history if row["split"] == "test"]
    assert losses[-1] < losses[0]
    assert "own.codebook.weight" in first.weights


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"entries": 0}, "entries: must be a whole number"),
        ({"positions": 7}, "latent_dim 48 is not a multiple of its 7 positions"),
        ({"update": "adam"}, "must be loss or ema"),
        ({"restart": 1}, "must be true or false"),
        ({"commitment": 0}, "must be a number above 0"),
    ],
)
def test_settings_that_are_none_are_refused_in_words(own, message):
    with pytest.raises(InputError, match=message):
        build(spec(**own), seed=0)
