"""Overlays on params.yaml, and what they become on DVC's command line."""

from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from import_graph import ROOT
from latent_audit.base.errors import InputError
from latent_audit.base.plain_yaml import read_yaml
from latent_audit.runs import studies
from latent_audit.runs.studies import (
    apply_overlay,
    merge,
    overlay_names,
    parse_settings,
    read_overlay,
)
from latent_audit.settings.study import load_params
from latent_audit.settings.whole import check_whole, load_whole
from workspaces import committed_copy


def test_a_mapping_merges_and_anything_else_replaces():
    base = {"a": {"b": 1, "c": 2}, "seeds": [0, 1]}
    merge(base, {"a": {"c": 3, "d": 4}, "seeds": [5]})
    assert base == {"a": {"b": 1, "c": 3, "d": 4}, "seeds": [5]}


def test_an_arm_that_an_overlay_sets_to_null_is_taken_out(tmp_path):
    target = tmp_path / "params.yaml"
    target.write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    params = apply_overlay(target, {"arms": {"ae": None, "beta_vae": None}})
    assert list(params.arms) == list(load_params(target).arms) == ["vae"]
    with pytest.raises(InputError, match=r"arms: Dictionary should have at least 1 item"):
        apply_overlay(target, {"arms": {"vae": None}})
    assert list(load_params(target).arms) == ["vae"]


def test_the_study_of_one_class_each_has_ten_arms_of_one_digit():
    params = check_whole_of("mnist_oneclass")
    assert [arm.classes for arm in params.arms.values()] == [(digit,) for digit in range(10)]


def check_whole_of(name):
    params = read_yaml((ROOT / "params.yaml").read_bytes(), "params.yaml")
    merge(params, read_overlay(ROOT, name))
    params["arms"] = {arm: given for arm, given in params["arms"].items() if given is not None}
    return check_whole(params, name)


def test_settings_parse_as_yaml_into_a_nested_overlay():
    assert parse_settings(["train.epochs=3", "seeds=[1, 2]", "train.precision=bfloat16"]) == {
        "train": {"epochs": 3, "precision": "bfloat16"},
        "seeds": [1, 2],
    }


@pytest.mark.parametrize(
    "text",
    [
        "/x/run #2", "/a, b", "/x (1)", "/x=y", "/it's", "/R&D", "~/ü", "#1", "&a", "*a", "@a", "%a", "`a`", "a: b",
        "- a", "/x{y}", "/x[1]", "/x${HOME}", "/100%", 'say "x"', "!a", "|", "?", "a\\b", " /x ",
    ],
)  # fmt: skip
def test_a_path_is_taken_as_it_stands(text):
    assert parse_settings([f"data.path={text}"]) == {"data": {"path": text}}


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("1e-3", 1e-3), ("null", None), ("true", True), ("[1, a]", [1, "a"]), ('"[x]"', "[x]"), ("'3'", "3")],
)
def test_numbers_switches_lists_and_quoted_words_are_yaml(text, value):
    assert parse_settings([f"+a.b={text}"]) == {"a": {"b": value}}


@pytest.mark.parametrize("text", ["/x/run #2", "/a, b", "~/ü (1) = 'it''s' & \"so\"", "- x: {y}", "#", "a\nb"])
def test_a_path_arrives_in_params_yaml(tmp_path, text):
    target = tmp_path / "params.yaml"
    target.write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    apply_overlay(target, {"dataset": "folder", "data": {"path": text}})
    assert load_params(target).data.path == Path(text)


def results_of(workspace, dataset):
    """What a run leaves in a workspace, each file with its name for content."""
    made = [f"reports/{name}" for name in (f"{dataset}.html", f"{dataset}.svg", "metrics.json", "claims.csv")]
    for path in (workspace / name for name in (*made, "dvc.lock")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)


def test_a_study_does_not_take_the_place_of_the_checkouts_own_page(tmp_path):
    root = committed_copy(tmp_path / "one")
    with pytest.raises(InputError, match=r"reports/digits\.html is the page of `dvc repro`"):
        studies.run_scratch(root, "digits", {})
    assert not (root / ".workspaces").exists()


@pytest.mark.parametrize("name", ["100%", """a, b #2 ü it's "x" %(x)s $HOME a=b;c [x]"""])
def test_a_scratch_workspace_finds_the_cache_wherever_the_clone_lies(tmp_path, monkeypatch, name):
    """As DVC itself reads the workspace's configuration."""
    root = committed_copy(tmp_path / name)
    asked = []
    monkeypatch.setattr(studies, "_dvc", lambda folder, *arguments, **_: asked.append(folder))
    results_of(root / ".workspaces/smoke", "digits")
    assert studies.run_scratch(root, "smoke", {"seeds": [3]}) == root / "reports/smoke.html"
    assert (root / "reports/smoke.html").read_text() == "digits.html"
    assert (root / "reports/smoke/params.yaml").read_bytes() == (root / ".workspaces/smoke/params.yaml").read_bytes()
    (root / ".dvc/cache").mkdir(exist_ok=True)
    (repo,) = [Repo(str(folder)) for folder in asked]
    assert Path(repo.cache.local.path).resolve() == (root / ".dvc/cache/files/md5").resolve()
    repo.close()
    assert load_params(asked[0] / "params.yaml").seeds == (3,)


def test_a_relative_folder_of_pictures_is_meant_from_the_checkout(tmp_path, monkeypatch):
    root = committed_copy(tmp_path / "one")
    monkeypatch.setattr(studies, "_dvc", lambda *_, **__: None)
    results_of(root / ".workspaces/smoke", "folder")
    studies.run_scratch(root, "smoke", {"dataset": "folder", "data": {"path": "my pictures"}})
    assert load_params(root / ".workspaces/smoke/params.yaml").data.path == root / "my pictures"


def test_a_checkout_that_cannot_be_written_is_named(tmp_path):
    root = committed_copy(tmp_path / "one")
    (root / ".workspaces").write_text("in the way")
    with pytest.raises(InputError, match=r"\.workspaces/smoke cannot be written .*git clone"):
        studies.run_scratch(root, "smoke", {})


def test_aliases_that_stand_for_billions_of_values_are_refused_before_dvc_reads_them(tmp_path, monkeypatch):
    root = committed_copy(tmp_path / "one")
    nested = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 18))
    with (root / "params.yaml").open("a", encoding="utf-8") as file:
        file.write(f"a0: &a0 [x, x]\n{nested}")
    monkeypatch.setattr(studies, "_dvc", lambda *_, **__: pytest.fail("DVC was asked"))
    for run in (studies.run_experiment, studies.run_scratch):
        with pytest.raises(InputError, match=r"params\.yaml: more than .* with its aliases written out"):
            run(root, "mine", {})
    with pytest.raises(InputError, match="with its aliases written out"):  # what stages/check.py asks
        load_whole(root / "params.yaml")


def test_refused_parameters_leave_params_yaml_and_a_failed_run_says_how_to_undo(tmp_path, monkeypatch):
    root = committed_copy(tmp_path / "one")
    before = (root / "params.yaml").read_bytes()

    def fails(*_, **__):
        raise InputError("`dvc exp run` failed")

    monkeypatch.setattr(studies, "_dvc", fails)
    with pytest.raises(InputError, match="margins: unknown: x"):
        studies.run_experiment(root, "mine", {"diagnostics": {"margins": {"x": 1}}})
    assert (root / "params.yaml").read_bytes() == before
    with pytest.raises(InputError, match=r"`git checkout params\.yaml` undoes that"):
        studies.run_experiment(root, "mine", {"beta": 3})
    assert load_params(root / "params.yaml").beta == 3


@pytest.mark.parametrize("setting", ["beta", "=3", "~beta=3", "a..b=3", "a b=3"])
def test_a_setting_without_a_value_is_refused(setting):
    with pytest.raises(InputError, match="write key=value"):
        parse_settings([setting])


def test_an_unknown_study_names_those_that_exist():
    with pytest.raises(InputError, match=r"no study is called 'imagenet'.*book.*demo.*smoke"):
        read_overlay(ROOT, "imagenet")


@pytest.mark.parametrize("name", overlay_names(ROOT))
def test_every_overlay_gives_valid_parameters_and_keeps_the_comments(name, tmp_path):
    target = tmp_path / "params.yaml"
    target.write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    params = apply_overlay(target, read_overlay(ROOT, name))
    text = target.read_text(encoding="utf-8")
    assert "# The book's convention" in text
    assert YAML(typ="safe", pure=True).load(text)["dataset"] == params.dataset


def test_a_wrong_overlay_leaves_the_file_as_it_was(tmp_path):
    target: Path = tmp_path / "params.yaml"
    before = (ROOT / "params.yaml").read_text(encoding="utf-8")
    target.write_text(before, encoding="utf-8")
    with pytest.raises(InputError, match="beta"):
        apply_overlay(target, {"beta": -1})
    assert target.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("content", [b"train:\n\tepochs: 1\n", b"- a\n", b"a: [1", b"\xff", b"a: 1\na: 2\n"])
def test_an_overlay_that_holds_no_parameters_is_named(tmp_path, content):
    (tmp_path / "params").mkdir()
    (tmp_path / "params/mine.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"mine\.yaml"):
        read_overlay(tmp_path, "mine")


def test_a_setting_that_is_no_yaml_is_named():
    with pytest.raises(InputError, match=r"-S a=\[1"):
        parse_settings(["a=[1"])
