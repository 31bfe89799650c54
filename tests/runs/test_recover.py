"""latent_audit.runs.recover: what a killed DVC left cut off is mended, and what is whole stays to the byte."""

import json
import os
import subprocess
import sys

import pytest
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from ruamel.yaml import YAML

from import_graph import ROOT
from latent_audit.base.errors import InputError
from latent_audit.runs.recover import recover
from workspaces import run

LOCK = (ROOT / "dvc.lock").read_text(encoding="utf-8")
NAMES = list(YAML(typ="safe", pure=True).load(LOCK)["stages"])


@pytest.fixture
def project(tmp_path):
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    return tmp_path


def stages(text):
    content = YAML(typ="safe", pure=True).load(text)
    COMPILED_LOCKFILE_SCHEMA(content)
    return content["stages"]


def committed(project, text):
    (project / "dvc.lock").write_text(text, encoding="utf-8")
    run(project, "git", "init", "-q")
    run(project, "git", "add", "dvc.lock")
    run(project, "git", "commit", "-qm", "results")


def test_what_is_whole_is_left_alone(project):
    (project / "dvc.lock").write_text(LOCK, encoding="utf-8")
    assert recover(project) == []
    assert (project / "dvc.lock").read_text(encoding="utf-8") == LOCK


def test_nothing_there_is_nothing_to_mend(project):
    assert recover(project) == []
    assert not (project / "dvc.lock").exists()


def test_outside_a_project_is_said(tmp_path):
    with pytest.raises(InputError, match="holds no DVC project"):
        recover(tmp_path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.999])
def test_the_whole_stages_of_a_lock_that_was_cut_off_are_kept(project, share):
    cut = LOCK[: int(len(LOCK) * share)].rstrip("\n")
    (project / "dvc.lock").write_text(cut, encoding="utf-8")
    (words,) = recover(project)
    mended = (project / "dvc.lock").read_text(encoding="utf-8")
    kept = stages(mended)
    assert LOCK.startswith(mended)
    assert list(kept) == NAMES[: len(kept)]
    assert len(kept) == len([name for name in NAMES if f"\n  {name}:\n" in cut]) - 1  # the last was being written
    assert "cut off" in words
    assert f"kept {', '.join(kept)}" in words


@pytest.mark.parametrize("cut", ["", "sch", "schema: '2.0'\nstages:\n  download:\n    cmd: PYTH"])
def test_a_lock_without_a_whole_stage_goes(project, cut):
    (project / "dvc.lock").write_text(cut, encoding="utf-8")
    (words,) = recover(project)
    assert "no stage in it is whole; removed" in words
    assert not (project / "dvc.lock").exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.9])
def test_the_rest_comes_from_the_last_commit_in_its_order(project, share):
    committed(project, LOCK)
    changed = LOCK.replace(stages(LOCK)["download"]["outs"][0]["md5"], "0" * 32 + ".dir")
    (project / "dvc.lock").write_text(changed[: int(len(LOCK) * share)].rstrip("\n"), encoding="utf-8")
    (words,) = recover(project)
    mended = stages((project / "dvc.lock").read_text(encoding="utf-8"))
    assert list(mended) == NAMES
    new = mended["download"]["outs"][0]["md5"].startswith("000")
    assert new == (share >= 0.5)  # what is whole in the file wins over the commit
    assert "from the last commit" in words


def test_bytes_that_are_no_text_are_cut_off_too(project):
    (project / "dvc.lock").write_bytes(LOCK.encode()[:5000] + b"\xc3")
    assert "cut off" in recover(project)[0]


def test_a_merge_conflict_is_left_to_its_owner(project):
    (project / "dvc.lock").write_text(LOCK + "<<<<<<< HEAD\n  x:\n=======\n>>>>>>> other\n", encoding="utf-8")
    with pytest.raises(InputError, match="merge conflict"):
        recover(project)


def test_without_git_what_is_whole_is_kept(project, monkeypatch):
    monkeypatch.setenv("PATH", "")
    (project / "dvc.lock").write_text(LOCK[:9000].rstrip("\n"), encoding="utf-8")
    recover(project)
    assert stages((project / "dvc.lock").read_text(encoding="utf-8"))


def note(pid):
    return json.dumps({"write": {"/x": {"pid": pid, "cmd": "dvc repro"}}, "read": {"/y": [{"pid": pid, "cmd": "z"}]}})


@pytest.mark.parametrize("content", ["", '{"a": ', "[]", '{"write": 3}', '{"write": {"/x": {"cmd": "y"}}}', "[" * 9999])
def test_a_note_that_was_cut_off_is_removed(project, content):
    path = project / ".dvc/tmp/rwlock"
    path.write_text(content)
    (words,) = recover(project)
    assert "cut off" in words
    assert not path.exists()


def test_a_note_of_the_dead_is_removed_and_an_empty_one_stays(project):
    path = project / ".dvc/tmp/rwlock"
    path.write_text("{}")
    assert recover(project) == []
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path.write_text(note(dead.pid))
    assert "killed runs only" in recover(project)[0]
    path.write_text(note(os.getpid()))  # the number is another program's by now
    assert "killed runs only" in recover(project)[0]


def test_a_note_of_a_dvc_at_work_stays(project):
    path = project / ".dvc/tmp/rwlock"
    alive = subprocess.Popen([sys.executable, "-c", "input()", "dvc"], stdin=subprocess.PIPE)
    try:
        path.write_text(note(alive.pid))
        assert recover(project) == []
        assert path.exists()
    finally:
        alive.communicate(b"\n")


def test_the_command_says_what_it_found(project):
    command = (sys.executable, "-m", "latent_audit.cli", "recover")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}

    def said():
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "nothing to mend" in said()
    (project / "dvc.lock").write_text("schema:")
    assert "dvc.lock: cut off" in said()
    assert "nothing to mend" in said()
