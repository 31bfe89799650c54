"""latent_audit.runs.git_here: why git cannot be asked, and the way on."""

import subprocess

import pytest

from latent_audit.base.errors import InputError
from latent_audit.runs import git_here
from latent_audit.runs.git_here import require_git, tracked
from workspaces import run


def repository(folder, *, commit=True):
    folder.mkdir(exist_ok=True)
    run(folder, "git", "init", "-q")
    (folder / "kept.txt").write_text("x")
    if commit:
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-qm", "one")
    return folder


def test_a_repository_with_a_commit_passes(tmp_path):
    require_git(repository(tmp_path))


def test_no_git_on_path(tmp_path, monkeypatch):
    repository(tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"git is not on PATH.*install it, or add --scratch"):
        require_git(tmp_path, otherwise="add --scratch")
    assert tracked(tmp_path) is None


def test_a_downloaded_zip(tmp_path):
    with pytest.raises(InputError, match=r"in no git repository \(a downloaded ZIP has none\).*git init && git add -A"):
        require_git(tmp_path)
    assert tracked(tmp_path) is None


def test_no_commit_yet(tmp_path):
    with pytest.raises(InputError, match=r"has no commit yet; run `git add -A && git commit"):
        require_git(repository(tmp_path, commit=False))


def test_a_repository_of_somebody_else(tmp_path, monkeypatch):
    repository(tmp_path)
    words = b"fatal: detected dubious ownership in repository at '/x'\n"
    monkeypatch.setattr(git_here, "_git", lambda *_: subprocess.CompletedProcess([], 128, b"", words))
    with pytest.raises(InputError, match=r"belongs to another user.*safe\.directory"):
        require_git(tmp_path)


def test_what_git_keeps_of_a_folder(tmp_path):
    repository(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/a & b.html").write_text("x")
    (tmp_path / "reports/c.html").write_text("x")
    run(tmp_path, "git", "add", "reports/a & b.html")
    assert tracked(tmp_path / "reports") == {"a & b.html"}
    assert tracked(tmp_path / "nowhere") is None
