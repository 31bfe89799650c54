"""latent_audit.training.describe and write: from params.yaml to a run, and to what models/<arm>/ holds."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML

from latent_audit.base.errors import InputError
from latent_audit.base.tables import read_json
from latent_audit.data.prepared import load_meta
from latent_audit.models.store import load_model
from latent_audit.settings.study import Params, check_params
from latent_audit.training.batch import Corruption
from latent_audit.training.describe import arm_json, describe, kl_weight
from latent_audit.training.fit import fit
from latent_audit.training.write import write_arm

CPU = torch.device("cpu")
N_PIXELS = 256  # of the fixture `prepared`: 16x16 grey


def study(root: Path, arm: dict[str, Any], **model: Any) -> Params:
    raw = YAML(typ="safe", pure=True).load((root / "params.yaml").read_text(encoding="utf-8"))
    raw["arms"] = {"x": {"watch": "arms.x", **arm}}
    raw["model"] |= model
    return check_params(raw, "params.yaml")


def test_an_arm_has_the_studys_values(root, prepared):
    params = study(root, {"family": "vae"})
    run = describe("x", params, load_meta(prepared))
    assert (run.arm, run.model.family, run.model.architecture, run.model.latent_dim) == ("x", "vae", "conv", 2)
    assert (run.epochs, run.batch_size, run.learning_rate) == (5, 100, 0.0005)
    assert run.model.image == (1, 16, 16)
    assert run.model.n_classes == 5
    assert run.corruption is None
    assert run.model.settings == {
        "widths": (32, 64, 128), "kernel": 3, "norm": "none", "activation": "relu", "hidden": (),
        "decoder_hidden": None, "code_activation": "none",
    }  # fmt: skip


def test_an_arm_may_have_everything_otherwise(root, prepared):
    arm = {
        "family": "ae", "latent_dim": 7, "batch_size": 50, "epochs": 3, "learning_rate": 0.01,
        "model": {"architecture": "dense", "widths": [30, 20], "norm": "batch", "reconstruction": "mse"},
        "corruption": {"kind": "masking", "level": 0.25},
    }  # fmt: skip
    run = describe("x", study(root, arm), load_meta(prepared))
    assert (run.model.architecture, run.model.latent_dim, run.reconstruction) == ("dense", 7, "mse")
    assert run.model.settings == {
        "widths": (30, 20), "norm": "batch", "activation": "relu", "code_activation": "none",
    }  # fmt: skip
    assert (run.batch_size, run.epochs, run.learning_rate) == (50, 3, 0.01)
    assert run.corruption == Corruption("masking", 0.25)
    assert run.beta is None


@pytest.mark.parametrize(
    ("arm", "model", "message"),
    [
        ({"family": "vae", "model": {"kernel": 3, "architecture": "dense"}}, {}, r"model\.kernel: the architecture"),
        ({"family": "vae"}, {"architecture": "dense", "hidden": [5]}, r"model\.hidden: the architecture 'dense'"),
        ({"family": "vae"}, {"architecture": "resnet"}, r"model\.architecture: there is no 'resnet'; .* conv, dense"),
        ({"family": "gan"}, {}, r"family: there is no 'gan'; there are ae, cvae, vae, vqvae"),
        ({"family": "vae", "batch_size": 1}, {"norm": "batch"}, r"train\.batch_size: 1; .* \(arm 'x'\)"),
        ({"family": "vae"}, {"widths": []}, r"model\.widths: the conv architecture needs at least one stage"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_in_words(root, prepared, arm, model, message):
    with pytest.raises(InputError, match=message):
        describe("x", study(root, arm, **model), load_meta(prepared))


@pytest.mark.parametrize(
    ("arm", "weight"),
    [
        ({"family": "ae"}, None),
        ({"family": "vae", "beta": 512.0}, (512.0, 0.5)),
        ({"family": "vae", "beta_kl": 4.0}, (64.0, 4.0)),
        ({"family": "vae", "beta_kl": 4.0, "model": {"reconstruction": "mse"}}, (32.0, 4.0)),
    ],
)
def test_the_weight_of_the_kl(root, arm, weight):
    assert kl_weight("x", study(root, arm), N_PIXELS) == weight


def test_what_is_written_rebuilds_the_network_and_says_what_it_is(root, prepared, tiny_splits, tmp_path):
    arm = {"family": "vae", "model": {"widths": [4, 8], "norm": "batch"}, "epochs": 1, "batch_size": 25}
    params = study(root, arm)
    run = describe("x", params, load_meta(prepared))
    replicate = fit(tiny_splits, run, seed=3, device=CPU)
    folder = tmp_path / "models" / "x"
    folder.mkdir(parents=True)
    (folder / "seed-9.safetensors").write_bytes(b"of a killed run")
    write_arm(folder, {3: replicate}, arm_json(run, kl_weight("x", params, N_PIXELS)))
    assert {path.name for path in folder.iterdir()} == {"seed-3.safetensors", "history.csv", "arm.json"}
    assert list(pd.read_csv(folder / "history.csv")["split"]) == ["train", "test"]
    description = read_json(folder / "arm.json")
    assert {key: description[key] for key in ("role", "code", "n_classes", "beta", "beta_kl", "corruption")} == {
        "role": "vae", "code": "gaussian", "n_classes": 5, "beta": 256.0, "beta_kl": 1.0, "corruption": None,
    }  # fmt: skip
    assert description["settings"]["widths"] == [4, 8]
    loaded = load_model(folder, 3, device=CPU)
    assert not loaded.training
    assert all(torch.equal(value, replicate.weights[name]) for name, value in loaded.state_dict().items())


def test_a_familys_settings_reach_the_network_and_come_back_from_its_folder(root, prepared, tmp_path, tiny_splits):
    grid = {"architecture": "grid", "latent_dim": 48}
    own = {"entries": 8, "positions": 16, "update": "loss"}
    arm = {"family": "vqvae", "epochs": 1, "batch_size": 30, "model": grid, "family_settings": own}
    params = study(root, arm)
    run = describe("x", params, load_meta(prepared))
    assert run.model.family_settings == {
        "entries": 8, "positions": 16, "update": "loss", "restart": False, "commitment": 0.25, "weight": 10.0,
    }  # fmt: skip
    trained = fit(tiny_splits, run, seed=0, device=CPU)
    write_arm(tmp_path / "x", {0: trained}, arm_json(run, None))
    model = load_model(tmp_path / "x", 0, device=CPU)
    assert model.spec.family_settings == run.model.family_settings
    assert torch.equal(model.own["codebook"].weight, trained.weights["own.codebook.weight"])


def test_a_setting_that_a_family_has_not(root, prepared):
    params = study(root, {"family": "vae", "family_settings": {"entries": 8}})
    with pytest.raises(InputError, match="the family 'vae' has no such setting; it has none"):
        describe("x", params, load_meta(prepared))


def test_an_arm_without_settings_of_its_family_is_described_as_before(root, prepared):
    params = study(root, {"family": "ae"})
    assert "family_settings" not in arm_json(describe("x", params, load_meta(prepared)), None)


def test_an_arm_of_some_classes_says_so_and_another_does_not(root, prepared):
    params = study(root, {"family": "ae", "classes": ["3", 1]})
    run = describe("x", params, load_meta(prepared))
    assert run.classes == (1, 3) and arm_json(run, None)["classes"] == [1, 3]
    plain = describe("x", study(root, {"family": "ae"}), load_meta(prepared))
    assert plain.classes is None and "classes" not in arm_json(plain, None)
    with pytest.raises(InputError, match=r"arms\.x\.classes: there is no class 9"):
        describe("x", study(root, {"family": "ae", "classes": [9]}), load_meta(prepared))
