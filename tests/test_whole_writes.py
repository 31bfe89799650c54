"""latent_audit.whole_writes: a DVC that dies while it writes leaves what was there before."""

import json
import subprocess
import sys

import pytest

from import_graph import ROOT
from workspaces import run

DYING = """
import os, sys
from dvc.fs import LocalFileSystem
from latent_audit.whole_writes import install
if {installed}:
    install()
from dvc.utils.serialize import dump_yaml
def dies_half_way(data, file):
    file.write("schema:")
    file.flush()
    if {dying}:
        os._exit(9)
    file.write(" '2.0'")
import dvc.utils.serialize._yaml as module
module._dump = dies_half_way
dump_yaml({path!r}, {{}}, fs=LocalFileSystem())
"""


@pytest.mark.parametrize(
    ("name", "installed", "dying", "left"),
    [
        ("dvc.lock", True, True, "before"),
        ("dvc.lock", False, True, "schema:"),  # DVC by itself: what the module is for
        ("dvc.lock", True, False, "schema: '2.0'"),
        ("other.lock", True, True, "schema:"),
    ],
)
def test_a_write_that_is_cut_off_leaves_the_file_as_it_was(tmp_path, name, installed, dying, left):
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    path = tmp_path / name
    path.write_text("before")
    program = DYING.format(installed=installed, dying=dying, path=str(path))
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == (9 if dying else 0)
    assert path.read_text() == left
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == [name]  # nothing beside it


def test_a_write_that_fails_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path):
    (tmp_path / "dvc.lock").write_text("before")
    program = f"""
from dvc.fs import LocalFileSystem
from latent_audit.whole_writes import install
install()
with LocalFileSystem().open({str(tmp_path / "dvc.lock")!r}, "w", encoding="utf-8") as file:
    file.write("schema:")
    raise OSError("No space left on device")
"""
    assert "No space left on device" in run(ROOT, sys.executable, "-c", program, expect=1)
    assert (tmp_path / "dvc.lock").read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["dvc.lock"]


def test_dvcs_note_of_who_reads_what_is_written_whole(tmp_path):
    program = f"""
from dvc.fs import LocalFileSystem
from latent_audit.whole_writes import install
install()
from dvc import rwlock
from pathlib import Path
folder, fs = Path({str(tmp_path)!r}), LocalFileSystem()
real = rwlock.json.dump
def looked_at(lock, file):
    real(lock, file)
    file.flush()
    assert not (folder / "rwlock").exists()
rwlock.json.dump = looked_at
with rwlock._edit_rwlock(str(folder), fs, False) as lock:
    pass
"""
    run(ROOT, sys.executable, "-c", program)
    assert json.loads((tmp_path / "rwlock").read_text()) == {"read": {}, "write": {}}


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["python", "/bin/dvc", "repro"], True), (["python", "-m", "dvc"], True), (["python", "x.py"], False)],
)
def test_every_dvc_of_the_environment_writes_so(words, expected):
    """By the file that the Makefile lays beside the packages; other programs are left alone."""
    line = (ROOT / "src/latent_audit/latent_audit_dvc.pth").read_text()
    program = f"""
import sys
sys.orig_argv = {words!r}
exec({line!r})
if {expected}:
    from dvc.fs import LocalFileSystem
    assert LocalFileSystem.open.__name__ == "open_whole"
else:
    assert "dvc" not in sys.modules
"""
    run(ROOT, sys.executable, "-c", program)
