import numpy as np
import pandas as pd
import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.base.tables import write_json
from latent_audit.base.tensors import write_tensors
from latent_audit.critic.network import Critic, build_critic
from latent_audit.decoding import generation as judging
from latent_audit.models.autoencoder import Autoencoder, ModelSpec, build
from latent_audit.models.image import ImageShape, to_unit_interval

CPU = torch.device("cpu")
IMAGE = ImageShape(1, 16, 16)


@pytest.fixture
def critic() -> Critic:
    return build_critic(IMAGE, 4, seed=3).eval()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def pictures(rng, n):
    return rng.integers(0, 256, (n, *IMAGE), dtype=np.uint8)


class Recall(Autoencoder):
    """Decodes the code (i,) to the i-th picture it was given: the perfect reconstruction."""

    def remember(self, images):
        self.images = torch.from_numpy(images).double() / 255
        return self

    def decode(self, z):
        return torch.logit(self.images[z[:, 0].long()])


def test_judge_agrees_with_the_critic_across_batches(critic, rng, monkeypatch):
    monkeypatch.setattr(judging, "BATCH", 7)
    images = pictures(rng, 20)
    judged = judging.judge(critic, images, device=CPU)
    with torch.no_grad():
        logits = critic(to_unit_interval(torch.from_numpy(images)))
    assert judged.features.shape == (20, 64) and judged.features.dtype == np.float64
    assert judged.probabilities is not None and judged.probabilities.dtype == np.float64
    assert judged.probabilities == pytest.approx(logits.double().softmax(dim=1).numpy(), abs=1e-6)
    assert judged.probabilities.sum(axis=1) == pytest.approx(np.ones(20), abs=1e-12)


def test_judge_refuses_what_is_not_a_uint8_image(critic, rng):
    for images in (pictures(rng, 4).astype(np.float32), pictures(rng, 4)[:, 0], pictures(rng, 0)):
        with pytest.raises(InputError, match="images must be uint8"):
            judging.judge(critic, images, device=CPU)


def write_critic(folder, critic, n_classes):
    folder.mkdir()
    write_tensors(folder / "critic.safetensors", {k: v.contiguous() for k, v in critic.state_dict().items()})
    write_json(folder / "critic.json", {"classes": [str(i) for i in range(n_classes)]})


def test_a_written_critic_judges_alike_when_loaded(critic, rng, tmp_path):
    critic.train()(
        to_unit_interval(torch.from_numpy(pictures(rng, 32)))
    )  # moves the batch statistics, which are kept too
    write_critic(tmp_path / "critic", critic.eval(), 4)
    loaded = judging.load_critic(tmp_path / "critic", IMAGE, device=CPU)
    images = pictures(rng, 5)
    assert not loaded.training
    ours, theirs = (judging.judge(one, images, device=CPU).probabilities for one in (loaded, critic))
    assert ours is not None and theirs is not None and np.array_equal(ours, theirs)


def test_a_critic_that_does_not_fit_or_is_not_there_is_refused(critic, tmp_path):
    write_critic(tmp_path / "critic", critic, 4)
    with pytest.raises(InputError, match="not for 4 classes of images"):
        judging.load_critic(tmp_path / "critic", ImageShape(1, 32, 32), device=CPU)
    with pytest.raises(InputError, match="missing"):
        judging.load_critic(tmp_path / "nothing", IMAGE, device=CPU)


def test_generation_scores_hold_every_sampler_the_reconstruction_and_the_floor(critic, rng):
    test, train = pictures(rng, 40), pictures(rng, 90)
    model = build(ModelSpec("vae", "conv", IMAGE, 2), seed=0).eval()
    codes = {"z": rng.standard_normal((40, 2)), "train_z": rng.standard_normal((90, 2)).astype(np.float32)}

    def scores(seed):
        reference = judging.judge_reference(critic, test, train, rng=np.random.default_rng(seed), device=CPU)
        return judging.generation_scores(model, critic, codes, reference, rng=np.random.default_rng(seed), device=CPU)

    table = scores(1)
    assert list(table.columns) == ["sampler", "metric", "value"] and isinstance(table.index, pd.RangeIndex)
    assert table["sampler"].unique().tolist() == ["prior", "box", "gaussian", "gmm", "reconstruction", "test_floor"]
    assert (table.groupby("sampler")["metric"].nunique() == 11).all() and table["value"].notna().all()
    assert table.equals(scores(1)) and not table.equals(scores(2))
    value = table.set_index(["sampler", "metric"])["value"]
    assert value["test_floor", "fd_clf"] < value["prior", "fd_clf"]  # noise is nearer to noise than grey squares are


def test_a_decoder_that_remembers_the_test_images_scores_perfectly(critic, rng):
    test = pictures(rng, 40)
    with torch.random.fork_rng(devices=[]):  # its layers draw weights that nothing uses
        model = Recall(ModelSpec("ae", "conv", IMAGE, 1)).remember(test)
    codes = {"z": np.arange(40.0)[:, None], "train_z": rng.standard_normal((90, 1))}
    reference = judging.judge_reference(critic, test, test, rng=rng, device=CPU)
    table = judging.generation_scores(model, critic, codes, reference, rng=rng, device=CPU, samplers=())
    for sampler in ("reconstruction", "test_floor"):  # the floor here is of the test images themselves
        value = table[table["sampler"] == sampler].set_index("metric")["value"]
        assert value["fd_clf"] == pytest.approx(0, abs=1e-9)
        assert (value["precision"], value["recall"], value["coverage"], value["class_kl"]) == (1, 1, 1, 0)


def test_a_critic_without_classes_scores_by_its_features_and_names_the_distance_so(rng, tmp_path):
    blind = build_critic(IMAGE, 0, seed=3).eval()
    write_critic(tmp_path / "critic", blind, 0)
    loaded = judging.load_critic(tmp_path / "critic", IMAGE, device=CPU)
    assert judging.judge(loaded, pictures(rng, 5), device=CPU).probabilities is None
    model = build(ModelSpec("ae", "conv", IMAGE, 2), seed=0).eval()
    codes = {"z": rng.standard_normal((40, 2)), "train_z": rng.standard_normal((90, 2)).astype(np.float32)}
    reference = judging.judge_reference(loaded, pictures(rng, 40), pictures(rng, 90), rng=rng, device=CPU)
    table = judging.generation_scores(model, loaded, codes, reference, rng=rng, device=CPU)
    measured = ["fd_random", "kid", "kid_sd", "precision", "recall", "density", "coverage"]
    assert table["metric"].unique().tolist() == measured
    assert table["value"].notna().all()
