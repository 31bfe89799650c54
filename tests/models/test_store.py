"""latent_audit.models.store: a network comes back from its folder as it was."""

import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.base.tables import write_json
from latent_audit.base.tensors import write_tensors
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape
from latent_audit.models.store import load_model, read_weights, weights_path

CPU = torch.device("cpu")


def describe(folder, family: str, image: ImageShape, latent_dim: int) -> None:
    arm = {"arm": "x", "family": family, "architecture": "conv", "latent_dim": latent_dim}
    write_json(folder / "arm.json", arm | {"settings": {}, "n_classes": 3, **image._asdict()})


@pytest.mark.parametrize(("family", "image", "latent_dim"), [("ae", (1, 16, 16), 2), ("vae", (3, 16, 24), 5)])
def test_round_trip(tmp_path, family, image, latent_dim):
    image = ImageShape(*image)
    model = build(ModelSpec(family, "conv", image, latent_dim, n_classes=3), seed=4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01)  # trained: no longer what the seed alone gives
    describe(tmp_path, family, image, latent_dim)
    write_tensors(weights_path(tmp_path, 4), {name: value.contiguous() for name, value in model.state_dict().items()})
    loaded = load_model(tmp_path, 4, device=CPU)
    assert loaded.spec == model.spec
    assert not loaded.training
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    x = torch.rand(3, *image, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(loaded.encode(x)[0], model.encode(x)[0])


def test_weights_are_tensors_by_name(tmp_path):
    weights = {"decoder.out.bias": torch.tensor([0.5]), "encoder.x": torch.arange(6.0).reshape(2, 3)}
    write_tensors(tmp_path / "w", weights)
    read = read_weights(tmp_path / "w")
    assert set(read) == set(weights)
    assert all(torch.equal(read[name], weights[name]) for name in weights)


def test_equal_weights_give_equal_bytes_whatever_the_file_is_called(tmp_path):
    for name in ("a", "b"):
        write_tensors(tmp_path / name, {"x": torch.ones(3)})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_missing_arm(tmp_path):
    with pytest.raises(InputError, match=r"arm\.json is missing; run `dvc repro`"):
        load_model(tmp_path, 0, device=CPU)


def test_missing_seed(tmp_path):
    describe(tmp_path, "ae", ImageShape(1, 16, 16), 2)
    with pytest.raises(InputError, match=r"cannot read the weights .*seed-3\.safetensors.*run `dvc repro`"):
        load_model(tmp_path, 3, device=CPU)


@pytest.mark.parametrize("keep", [0, 7, 100])
def test_damaged_weights(tmp_path, keep):
    write_tensors(tmp_path / "w", {"x": torch.ones(100)})
    (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes()[:keep])
    with pytest.raises(InputError, match=r"cannot read the weights .*run `dvc repro`"):
        read_weights(tmp_path / "w")
