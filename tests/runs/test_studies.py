"""Overlays on params.yaml, and what they become on DVC's command line."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from import_graph import ROOT
from latent_audit.base.errors import InputError
from latent_audit.runs.studies import (
    apply_overlay,
    flat,
    flat_keys,
    mend_lock,
    merge,
    overlay_names,
    parse_settings,
    read_overlay,
)


def test_a_mapping_merges_and_anything_else_replaces():
    base = {"a": {"b": 1, "c": 2}, "seeds": [0, 1]}
    merge(base, {"a": {"c": 3, "d": 4}, "seeds": [5]})
    assert base == {"a": {"b": 1, "c": 3, "d": 4}, "seeds": [5]}


def test_an_overlay_becomes_settings_in_hydras_grammar():
    overlay = {"beta": 500, "seeds": [0, 1], "data": {"limit": None}, "flag": True}
    assert flat(overlay) == ["beta=500", "seeds=[0,1]", "data.limit=null", "flag=true"]


def test_settings_parse_as_yaml_into_a_nested_overlay():
    assert parse_settings(["train.epochs=3", "seeds=[1, 2]", "train.precision=bfloat16"]) == {
        "train": {"epochs": 3, "precision": "bfloat16"},
        "seeds": [1, 2],
    }


@pytest.mark.parametrize("setting", ["beta", "=3"])
def test_a_setting_without_a_value_is_refused(setting):
    with pytest.raises(InputError, match="write key=value"):
        parse_settings([setting])


def test_every_leaf_has_a_dotted_name():
    assert flat_keys({"a": {"b": 1, "c": {"d": 2}}, "e": [1]}) == ["a.b", "a.c.d", "e"]


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


@pytest.mark.parametrize(("content", "mended"), [("", True), ('{"a": ', True), ("{}", False), (None, False)])
def test_only_a_lock_that_was_cut_off_is_removed(tmp_path, content, mended):
    lock = tmp_path / ".dvc/tmp/rwlock"
    lock.parent.mkdir(parents=True)
    if content is not None:
        lock.write_text(content)
    assert mend_lock(tmp_path) is mended
    assert lock.exists() == (content == "{}")
