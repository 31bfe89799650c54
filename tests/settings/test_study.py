"""latent_audit.settings.study: the beta conventions, every refusal, and the overlays."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from import_graph import ROOT
from latent_audit.base.errors import InputError
from latent_audit.models.settings import pixels_per_unit_beta
from latent_audit.settings.study import Params, check_params, load_params

OVERLAYS = sorted((ROOT / "params").glob("*.yaml"))


def read(path: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def merged(base: Any, overlay: Any) -> Any:
    """Mappings key by key, anything else (lists too) replaced."""
    if not (isinstance(base, dict) and isinstance(overlay, dict)):
        return overlay
    return {**base, **{key: merged(base.get(key), value) for key, value in overlay.items()}}


def changed(**changes: Any) -> dict[str, Any]:
    """params.yaml with `a__b=value` put at a.b."""
    raw = deepcopy(read(ROOT / "params.yaml"))
    for key, value in changes.items():
        place = raw
        *parents, last = key.split("__")
        for parent in parents:
            place = place[parent]
        place[last] = value
    return raw


def valid(**changes: Any) -> Params:
    return check_params(changed(**changes), "params.yaml")


def test_params_yaml_is_valid():
    params = load_params(ROOT / "params.yaml")
    assert list(params.arms) == ["ae", "vae", "beta_vae"]
    assert len(set(params.seeds)) == len(params.seeds)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_every_overlay_merges_into_valid_params(overlay):
    raw = merged(read(ROOT / "params.yaml"), read(overlay))
    raw["arms"] = {name: arm for name, arm in raw["arms"].items() if arm is not None}  # null takes an arm out
    params = check_params(raw, str(overlay))
    assert params != load_params(ROOT / "params.yaml")  # an overlay that changes nothing is a mistake


def test_there_are_overlays():
    assert {"book", "demo", "smoke"} <= {path.stem for path in OVERLAYS}


def test_the_books_overlay_is_the_books_model():
    params = check_params(merged(read(ROOT / "params.yaml"), read(ROOT / "params" / "book.yaml")), "book")
    # Foster (2023), chapter 3: beta 500; Adam's default 1e-3 for the autoencoder, 3 epochs; the VAE 5e-4, 5 epochs
    assert params.weight("beta_vae", 1024) == pytest.approx((500, 2.048))
    assert (params.schedule("ae").epochs, params.schedule("ae").learning_rate) == (3, 1e-3)
    assert (params.schedule("beta_vae").epochs, params.schedule("beta_vae").learning_rate) == (5, 5e-4)


# --- the two conventions of beta -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("beta", "reconstruction", "n_pixels", "beta_kl"),
    [
        (500, "bce", 32 * 32, 2.048),  # the book's Fashion-MNIST model
        (2000, "mse", 64 * 64 * 3, 3.072),  # its CelebA model: 12288 / (2 * 2000)
        (256, "bce", 32 * 32, 4.0),  # Higgins' 4
        (1024, "bce", 32 * 32, 1.0),
        (512, "mse", 32 * 32, 1.0),
    ],
)
def test_top_level_beta_becomes_higgins_weight(beta, reconstruction, n_pixels, beta_kl):
    weight = valid(beta=beta, model__reconstruction=reconstruction).weight("beta_vae", n_pixels)
    assert weight is not None
    assert weight.beta == beta
    assert weight.beta_kl == pytest.approx(beta_kl, rel=1e-12)


@pytest.mark.parametrize(("reconstruction", "beta"), [("bce", 1024), ("mse", 512)])
def test_the_plain_elbo_has_the_books_beta_of_all_pixels(reconstruction, beta):
    params = valid(model__reconstruction=reconstruction)
    assert params.weight("vae", 1024) == (beta, 1)


def test_an_arms_own_beta_wins_over_the_top_level():
    weight = valid(arms__beta_vae={"family": "vae", "watch": "x", "beta": 500}).weight("beta_vae", 1024)
    assert weight == pytest.approx((500, 2.048))


def test_both_conventions_name_the_same_model():
    by_beta = valid(beta=200).weight("beta_vae", 784)
    assert by_beta is not None
    by_kl = valid(arms__vae__beta_kl=by_beta.beta_kl).weight("vae", 784)
    assert by_kl == pytest.approx(by_beta)


@pytest.mark.parametrize(("reconstruction", "expected"), [("bce", 784), ("mse", 392)])
def test_pixels_per_unit_beta(reconstruction, expected):
    assert pixels_per_unit_beta(784, reconstruction) == expected


def test_schedule_puts_the_arms_own_numbers_in():
    params = valid(arms__ae__epochs=9, train__epochs=5, train__learning_rate=0.01)
    assert params.schedule("ae").epochs == 9
    assert params.schedule("ae").learning_rate == 0.01
    assert params.schedule("vae").epochs == 5
    assert params.train.epochs == 5


def test_unknown_arm_names_those_there_are():
    with pytest.raises(InputError, match=r"unknown arm 'gan'; params.yaml has the arms ae, vae, beta_vae"):
        valid().schedule("gan")


# --- refusals --------------------------------------------------------------------------------------------------------

VAE = {"family": "vae", "watch": "x"}
REFUSED = [
    ("unknown key", {"bata": 3}, r"bata: unknown key"),
    ("unknown key below", {"train__lr": 0.1}, r"train\.lr: unknown key"),
    ("unknown key of an arm", {"arms__ae__gamma": 1}, r"arms\.ae\.gamma: unknown key"),
    ("unknown device", {"device": "tpu"}, r"device: .*'cuda'.*\(found 'tpu'\)"),
    ("unknown precision", {"train__precision": "float16"}, r"train\.precision: .*\(found 'float16'\)"),
    ("unknown reconstruction", {"model__reconstruction": "l1"}, r"model\.reconstruction: "),
    ("beta zero", {"beta": 0}, r"beta: .*greater than 0 \(found 0\)"),
    ("beta negative", {"beta": -4.0}, r"beta: .*greater than 0 \(found -4\.0\)"),
    ("beta infinite", {"beta": float("inf")}, r"beta: must be a finite number \(found inf\)"),
    ("beta NaN", {"beta": float("nan")}, r"beta: .*\(found nan\)"),
    ("beta in words", {"beta": "large"}, r"beta: .*number.*\(found 'large'\)"),
    ("beta_kl zero", {"arms__vae__beta_kl": 0}, r"arms\.vae\.beta_kl: .*greater than 0"),
    ("learning rate infinite", {"train__learning_rate": float("inf")}, r"train\.learning_rate: must be a finite"),
    ("an arm called critic", {"arms": {"critic": {"family": "ae", "watch": "x"}}}, r"arms: an arm cannot be called"),
    ("no seeds", {"seeds": []}, r"seeds: .*at least 1"),
    ("repeated seeds", {"seeds": [0, 3, 3, 1, 1]}, r"seeds: seeds \[1, 3\] are repeated"),
    ("negative seed", {"seeds": [0, -1]}, r"seeds\.1: .*greater than or equal to 0 \(found -1\)"),
    ("seed not whole", {"seeds": [0, 0.5]}, r"seeds\.1: .*integer.*\(found 0\.5\)"),
    ("latent_dim zero", {"model__latent_dim": 0}, r"model\.latent_dim: .*greater than or equal to 1 \(found 0\)"),
    ("latent_dim too large", {"model__latent_dim": 2049}, r"model\.latent_dim: .*less than or equal to 2048"),
    ("latent_dim not whole", {"model__latent_dim": 2.0}, r"model\.latent_dim: .*integer"),
    ("no epochs", {"train__epochs": 0}, r"train\.epochs: "),
    ("limit small", {"data__limit": 99}, r"data\.limit: must be null or at least 100.*\(found 99\)"),
    ("limit not whole", {"data__limit": 600.5}, r"data\.limit: .*integer"),
    ("two weights", {"arms__vae": {**VAE, "beta": 500, "beta_kl": 4}}, r"arms\.vae: give beta or beta_kl, not both"),
    ("arm named badly", {"arms": {"My Arm": VAE}}, r"arms: arm names \['My Arm'\] become folders"),
    ("arm climbing out", {"arms": {"../x": VAE}}, r"arm names \['\.\./x'\] become folders"),
    ("no arms", {"arms": {}}, r"arms: .*at least 1"),
    ("folder without path", {"dataset": "folder"}, r"dataset: folder needs data\.path"),
    ("margin in words", {"diagnostics__margins__ks_d": "small"}, r"diagnostics\.margins\.ks_d: .*number"),
    ("unknown fit", {"data__fit": "squash"}, r"data\.fit: .*'pad', 'crop' or 'stretch' \(found 'squash'\)"),
    ("background no colour", {"data__background": "mauve"}, r"data\.background: .*white\|black.*\(found 'mauve'\)"),
    ("strict in words", {"data__strict": "maybe"}, r"data\.strict: .*boolean"),
    ("grid too small", {"diagnostics__grid": 9}, r"diagnostics\.grid: "),
]


@pytest.mark.parametrize(("changes", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused_in_words(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        valid(**changes)
    assert str(caught.value).startswith("params.yaml has 1 wrong value(s):\n  ")


def test_every_wrong_value_is_named_at_once():
    with pytest.raises(InputError, match=r"(?s)3 wrong value.*seeds: .*beta: .*model\.latent_dim: "):
        valid(beta=0, seeds=[], model__latent_dim=0)


def test_a_missing_key_is_named():
    raw = changed()
    del raw["train"]["epochs"]
    with pytest.raises(InputError, match=r"train\.epochs: missing; every parameter is written out"):
        check_params(raw, "params.yaml")


def test_an_error_of_the_whole_file_reads_as_a_sentence():
    with pytest.raises(InputError, match=r"\n  dataset: folder needs data\.path"):
        valid(dataset="folder")


def test_a_bad_only_seed_is_one_wrong_value():
    with pytest.raises(InputError, match=r"has 1 wrong value"):
        valid(seeds=[0.5])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_margin_must_be_finite(value):
    with pytest.raises(InputError, match=r"margins\.ks_d"):
        valid(diagnostics__margins__ks_d=value)


@pytest.mark.parametrize("limit", [None, 100, 60_000])
def test_limits_that_are_allowed(limit):
    assert valid(data__limit=limit).data.limit == limit


def test_folder_with_a_path():
    assert valid(dataset="folder", data__path="~/photos").data.path == Path("~/photos")


def test_params_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        valid().beta = 3  # type: ignore[misc]


# --- files -----------------------------------------------------------------------------------------------------------


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"no .*params\.yaml here; run from the project's root"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["beta: [1, 2\n", "a: b: c\n", "beta: 1\nbeta: 2\n", "\tbeta: 1\n"])
def test_yaml_syntax_error(tmp_path, text):
    with pytest.raises(InputError, match=r"params\.yaml is not valid YAML: (?s:.*)line \d"):
        load_params(write(tmp_path, text))


@pytest.mark.parametrize(("text", "found"), [("", "NoneType"), ("- 1\n", "list"), ("beta\n", "str")])
def test_not_a_mapping(tmp_path, text, found):
    with pytest.raises(InputError, match=f"must be a mapping of parameters, found {found}"):
        load_params(write(tmp_path, text))


@pytest.mark.parametrize(("written", "value"), [("1e-3", 1e-3), ("5.0e-4", 5e-4), ("1E-3", 1e-3), (".002", 0.002)])
def test_scientific_notation_is_a_number(tmp_path, written, value):
    """YAML 1.1 reads 1e-3 as text; DVC, and we, read YAML 1.2."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert text.count("learning_rate: 0.0005") == 1
    path = write(tmp_path, text.replace("learning_rate: 0.0005", f"learning_rate: {written}"))
    assert load_params(path).train.learning_rate == value
    assert isinstance(read(path)["train"]["learning_rate"], float)


@pytest.mark.parametrize(
    ("reconstruction", "n_pixels", "became", "usual"),
    [("bce", 3072, "12", "4"), ("mse", 3072, "6", "2"), ("bce", 784, "3.062", "4")],
)
def test_beta_on_other_pixels_than_those_it_was_chosen_on_is_said(reconstruction, n_pixels, became, usual):
    words = valid(model__reconstruction=reconstruction).weight_words("beta_vae", n_pixels)
    assert f"on these {n_pixels:,} pixels it is beta_kl {became} (on 1,024 pixels: {usual})" in words


def test_a_weight_that_means_the_same_everywhere_needs_no_words():
    params = valid()
    assert params.weight_words("beta_vae", 1024) == ""
    assert params.weight_words("vae", 3072) == ""
