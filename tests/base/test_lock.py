"""latent_audit.base.lock, with a second process as the other holder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from latent_audit.base.lock import exclusive

HOLDER = """
import sys
from pathlib import Path
from latent_audit.base.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def start(path: Path) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("end", ["release", "kill"])
def test_the_second_waits_says_so_and_follows_the_first(tmp_path, end):
    path = tmp_path / "deep" / "train.lock"
    with start(path) as first:
        assert first.stdout.readline() == "held\n"
        with start(path) as second:
            # it speaks before it waits, so that by now it either waits or has failed to
            assert "another run is writing these outputs; waiting for it" in second.stderr.readline()
            os.set_blocking(second.stdout.fileno(), False)
            assert not second.stdout.readline()
            os.set_blocking(second.stdout.fileno(), True)
            if end == "kill":
                first.send_signal(signal.SIGKILL)  # the lock falls with its holder
            else:
                first.stdin.write("\n")
                first.stdin.flush()
            assert second.stdout.readline() == "held\n"
            second.communicate("\n", timeout=20)
            assert second.returncode == 0
        first.communicate(timeout=20)


def test_a_free_lock_is_taken_again_and_again_in_silence(tmp_path, capsys):
    for _ in range(2):
        with exclusive(tmp_path / "x.lock"):
            pass
    assert capsys.readouterr() == ("", "")


def test_an_error_inside_frees_the_lock(tmp_path, capsys):
    with pytest.raises(KeyError), exclusive(tmp_path / "x.lock"):
        raise KeyError
    with exclusive(tmp_path / "x.lock"):
        pass
    assert capsys.readouterr() == ("", "")
