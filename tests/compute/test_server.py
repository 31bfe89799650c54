"""latent_audit.compute.server: what a worker finds imported, and what stays as it was."""

import os
import subprocess
import sys

from latent_audit.compute.server import ALLOCATOR, environment

SCRIPT = """
import os
import sys

from latent_audit.compute import server


def look(line):
    line.send(("wave" in sys.modules, os.environ.get("MALLOC_TRIM_THRESHOLD_"), os.environ.get("OMP_NUM_THREADS")))


if __name__ == "__main__":
    before = dict(os.environ)
    server.start(["wave"])
    server.start()  # runs already
    assert "torch" not in sys.modules
    assert dict(os.environ) == before
    context = server.context()
    line, theirs = context.Pipe()
    process = context.Process(target=look, args=(theirs,))
    process.start()
    print(*line.recv())
    process.join()
"""


def test_a_worker_finds_what_the_server_imported_and_its_allocators_settings(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", ALLOCATOR["MALLOC_TRIM_THRESHOLD_"], "1"]
    assert done.stderr == ""


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("A_SETTING", "mine")
    monkeypatch.delenv("ANOTHER", raising=False)
    with environment({"A_SETTING": "theirs", "ANOTHER": "1"}):
        assert (os.environ["A_SETTING"], os.environ["ANOTHER"]) == ("theirs", "1")
    assert os.environ["A_SETTING"] == "mine"
    assert "ANOTHER" not in os.environ
