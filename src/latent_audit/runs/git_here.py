"""Whether git can be asked about a folder; if not, why, and the way on."""

import os
import shutil
import subprocess
from pathlib import Path

from latent_audit.base.errors import InputError


def require_git(root: Path, *, otherwise: str = "") -> None:
    """Nothing where `root` lies in a repository with a commit.

    Parameters
    ----------
    otherwise : what works without git, for the end of the message.

    Raises
    ------
    InputError : git is not installed, no repository is here (a downloaded ZIP has none), it belongs to somebody else,
        or it has no commit.
    """
    also = f", or {otherwise}" if otherwise else ""
    if shutil.which("git") is None:
        raise InputError(f"git is not on PATH, and runs are kept in git; install it{also}")
    asked = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    words = asked.stderr.decode(errors="replace")
    if "dubious ownership" in words:
        raise InputError(
            f"{root} belongs to another user, so git does not read it; if you trust it, run "
            f"`git config --global --add safe.directory '{root}'`{also}"
        )
    if asked.returncode == 1:
        raise InputError(f"{root} has no commit yet; run `git add -A && git commit -m start`{also}")
    if asked.returncode != 0:
        raise InputError(
            f"{root} is in no git repository (a downloaded ZIP has none), so it has no revisions; clone the study with "
            f"git, or run `git init && git add -A && git commit -m start`{also}"
        )


def tracked(folder: Path) -> set[str] | None:
    """Names of the files of `folder` that git keeps; None where git cannot be asked."""
    if shutil.which("git") is None or not folder.is_dir():
        return None
    listed = _git(folder, "ls-files", "-z", "--", ".")
    return {os.fsdecode(name) for name in listed.stdout.split(b"\0") if name} if listed.returncode == 0 else None


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"LC_ALL": "C"}  # its words are looked at
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False, env=environment)
