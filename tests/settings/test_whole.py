"""latent_audit.settings.whole and data.sizes: what must fit together, across sections and with the data."""

from copy import deepcopy

import pytest
from ruamel.yaml import YAML

from import_graph import ROOT
from latent_audit.base.errors import InputError
from latent_audit.base.settings import LARGEST_SEED
from latent_audit.base.stage_item import item_of_stage
from latent_audit.claims.ledger import CLAIMS
from latent_audit.data.prepared import Meta
from latent_audit.data.sizes import check_sizes
from latent_audit.data.sources.registry import DATASETS
from latent_audit.settings.study import check_params
from latent_audit.settings.whole import check_whole, load_whole

RAW = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def changed(**changes):
    """params.yaml with `a__b=value` put at a.b; `...` removes the key."""
    raw = deepcopy(RAW)
    for key, value in changes.items():
        place = raw
        *parents, last = key.split("__")
        for parent in parents:
            place = place[parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return raw


def test_the_studys_own_parameters_fit_together():
    assert set(load_whole(ROOT / "params.yaml").diagnostics.margins) == {claim.margin for claim in CLAIMS}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset": "cifar"}, "dataset: there is no 'cifar'; there are digits, fashion_mnist"),
        ({"arms__ae__family": "gan"}, r"arms\.ae: family: there is no 'gan'; there are ae, cvae, vae, vqvae"),
        ({"model__architecture": "unet"}, r"model\.architecture: there is no 'unet'; there are conv, dense"),
        ({"model__architecture": "dense", "model__kernel": 3}, r"model\.kernel: the architecture 'dense' has no such"),
        ({"model__kernel": 2}, r"model\.kernel: 2; the conv architecture takes 3, 4, 5"),
        ({"model__widths": [8] * 8}, r"model\.widths: 8 stages .* data\.pad_to"),
        ({"arms__ae__beta": 500}, r"arms\.ae: the family 'ae' has no KL term: remove beta / beta_kl"),
        ({"arms__ae__beta_kl": 1}, r"arms\.ae: the family 'ae' has no KL term"),
        ({"arms__ae__classes": ["Sandals"]}, r"arms\.ae\.classes: there is no class 'Sandals'; there are T-shirt/top"),
        ({"arms__ae__classes": [*range(10)]}, r"arms\.ae\.classes: all 10 classes: none is left"),
        ({"arms__ae__classes": ["bag"], "data__leave_out": 8}, r"arms\.ae\.classes: there is no class 'bag'"),
        ({"data__leave_out": "Sandals"}, r"data\.leave_out: there is no class 'Sandals'"),
        ({"arms__ae__classes": []}, r"arms\.ae\.classes: Tuple should have at least 1 item"),
    ],
)
def test_names_and_settings_that_do_not_exist_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        check_whole(changed(**changes), "params.yaml")


def test_images_of_28_pixels_need_no_border_of_ones_own():
    check_whole(changed(data__pad_to=28), "params.yaml")


def sized(params):
    """Check the counts of `params` as the stages do, against Fashion-MNIST's splits."""
    meta = Meta(**(dict.fromkeys(Meta._fields) | {"n_train": 60_000, "n_test": 10_000}))
    check_sizes(
        meta,
        of_train={
            "train.batch_size": params.train.batch_size, "critic.batch_size": params.critic.batch_size
        },
        of_both={"diagnostics.neighbors": params.diagnostics.neighbors},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"diagnostics__margins__ks_d": ...}, r"margins: missing: ks_d;"),
        ({"diagnostics__margins": {}}, r"margins: missing: area_gain, area_tv,"),
        ({"diagnostics__margins__ksd": 0.1}, r"margins: unknown: ksd; there are .*ks_d"),
        ({"data__pad_to": 16}, r"data\.pad_to: 16 is less than the 28 pixels a side of fashion_mnist"),
        ({"dataset": "celeba"}, r"data\.pad_to: 32 is less than the 64 pixels"),
        ({"data__image_size": 48}, r"data\.pad_to: 32 is less than data\.image_size 48"),
        ({"data__limit": 200, "diagnostics__neighbors": 201}, r"diagnostics\.neighbors: 201 is more than data"),
        ({"data__limit": 200, "train__batch_size": 300}, r"train\.batch_size: 300 is more than data\.limit 200"),
        ({"data__limit": 200, "critic__batch_size": 300}, r"critic\.batch_size: 300 is more than data\.limit 200"),
        ({"data__limit": 200, "arms__vae__batch_size": 300}, r"arms\.vae\.batch_size: 300 is more than data"),
        ({"diagnostics__neighbors": 10_001}, r"10,001 is more than the 10,000 test images of fashion_mnist; set"),
        ({"data__limit": 20_000, "diagnostics__neighbors": 10_001}, "more than the 10,000 test images"),
        ({"dataset": "mnist", "train__batch_size": 60_001}, r"train\.batch_size: 60,001 .* 60,000 training images"),
        (
            {"dataset": "celeba", "data__pad_to": 64, "diagnostics__neighbors": 100_000},
            "100,000 is more than the 39,829 test images of celeba",
        ),
        ({"dataset": "digits", "diagnostics__neighbors": 361}, r"361 is more than the 360 test images of digits"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(changes, words):
    with pytest.raises(InputError, match=words):
        check_whole(changed(**changes), "params.yaml")


def test_what_the_data_can_give_passes(tmp_path):
    check_whole(changed(diagnostics__neighbors=10_000, train__batch_size=60_000), "params.yaml")
    check_whole(changed(data__join_splits=True, train__batch_size=70_000), "params.yaml")
    folder = {"dataset": "folder", "data__path": str(tmp_path)}
    check_whole(changed(**folder, diagnostics__neighbors=99_999), "params.yaml")  # no picture there: said later
    for i in range(700):
        (tmp_path / f"{i}.png").touch()
    check_whole(changed(**folder, diagnostics__neighbors=105), "params.yaml")
    with pytest.raises(InputError, match=r"neighbors: 106 is more than the 105 test images of folder"):
        check_whole(changed(**folder, diagnostics__neighbors=106), "params.yaml")


@pytest.mark.parametrize("name", ["digits", "sprites"])
def test_the_counts_that_are_expected_are_those_that_are_read(name, tmp_path):
    DATASETS[name].fetch(tmp_path, mirror=None, path=None)
    source = DATASETS[name].read(tmp_path, label=None, image_size=None)
    assert DATASETS[name].expect(None) == (len(source.train.labels), len(source.test.labels))


def test_all_that_does_not_fit_is_named_at_once():
    raw = changed(diagnostics__margins__ks_d=..., diagnostics__margins__odd=1, data__pad_to=8)
    with pytest.raises(InputError, match=r"(?s)has 3 wrong value.*missing: ks_d.*unknown: odd.*data\.pad_to"):
        check_whole(raw, "params.yaml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"diagnostics__neighbors": 100_000}, r"neighbors: 100,000 is more than the 10,000 test images"),
        ({"train__batch_size": 60_001}, r"train\.batch_size: 60,001 is more than the 60,000 training images"),
        ({"critic__batch_size": 10**9}, r"critic\.batch_size: 1,000,000,000 is more than"),
    ],
)  # fmt: skip
def test_counts_of_images_that_are_not_there_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        sized(check_params(changed(**changes), "params.yaml"))


def test_counts_that_are_there_pass():
    params = check_params(changed(diagnostics__neighbors=10_000, train__batch_size=60_000), "params.yaml")
    sized(params)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seeds", [2**63]),
        ("seeds", list(range(1001))),
        ("diagnostics__seed", 2**63),
        ("diagnostics__seed", True),
        ("diagnostics__null_draws", 10**9),
        ("diagnostics__null_rows", 10**9),
        ("diagnostics__grid", 10**6),
        ("train__epochs", 10**9),
        ("critic__epochs", 10**9),
        ("arms__ae__epochs", 10**9),
        ("data__pad_to", 10**6),
        ("data__image_size", 10**6),
        ("diagnostics__margins__ks_d", True),
        ("dataset", "../../x"),
        ("dataset", "digits; touch x"),
        ("arms__ae__watch", "beta; touch x"),
        ("arms__ae__watch", "other.yaml:x"),
        ("arms", {"a; touch x": RAW["arms"]["ae"]}),
        ("arms", {"a" * 300: RAW["arms"]["ae"]}),
        ("arms", {3: RAW["arms"]["ae"]}),
    ],
)
def test_values_that_end_nowhere_are_refused(key, value):
    with pytest.raises(InputError) as caught:
        check_params(changed(**{key: value}), "params.yaml")
    assert key.split("__")[0] in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_the_largest_seed_is_one_that_every_generator_takes():
    from latent_audit.base.randomness import generator_for, rng_for

    check_params(changed(seeds=[LARGEST_SEED], diagnostics__seed=LARGEST_SEED), "params.yaml")
    generator_for(LARGEST_SEED, "x")
    rng_for(LARGEST_SEED, "x")


def test_a_stages_arm_is_the_one_given_or_the_one_of_dvcs_stage(monkeypatch):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    assert item_of_stage("vae") == "vae"
    with pytest.raises(InputError, match="say which"):
        item_of_stage(None)
    monkeypatch.setenv("DVC_STAGE", "train@beta_vae")
    assert item_of_stage(None) == "beta_vae"
    assert item_of_stage("ae") == "ae"
    monkeypatch.setenv("DVC_STAGE", "critic")
    with pytest.raises(InputError, match="say which"):
        item_of_stage(None)


def test_no_command_of_the_pipeline_holds_a_parameter():
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert not [name for name, stage in stages.items() if "$" in stage.get("do", stage)["cmd"]]


def test_classes_of_a_folder_are_not_known_before_it_is_read(tmp_path):
    given = {"dataset": "folder", "data__path": str(tmp_path), "arms__ae__classes": ["cat"], "data__leave_out": "dog"}
    assert check_whole(changed(**given), "params.yaml").arms["ae"].classes == ("cat",)


@pytest.mark.parametrize(
    ("name", "published"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST"), ("kmnist", "KMNIST")]
)
def test_the_classes_that_are_known_beforehand_are_torchvisions(name, published):
    import torchvision

    words = getattr(torchvision.datasets, published).classes
    assert DATASETS[name].classes == tuple(word.split(" - ")[0] for word in words)
