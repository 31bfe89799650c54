"""Figures need no window: what the environment says of one does not matter to them, and is left as it is."""

import os
import subprocess
import sys

import pytest

LINES = """
import os, sys
import latent_audit.figures.canvas
import matplotlib
assert os.environ.get("MPLBACKEND") == (sys.argv[1] or None), os.environ.get("MPLBACKEND")
assert os.environ.get("MATPLOTLIBRC") == (sys.argv[2] or None), os.environ.get("MATPLOTLIBRC")
print(matplotlib.rcParams._get("backend") if sys.argv[1] == "svg" else "drawn")
"""


@pytest.mark.parametrize(
    ("asked", "rc", "said"),
    [("nonsense", b"", "drawn"), ("module://nothing.here", b"", "drawn"), ("svg", b"", "svg"), ("", b"\xff", "drawn")],
)
def test_neither_a_backend_nor_settings_that_cannot_be_read_stop_a_figure(tmp_path, asked: str, rc: bytes, said: str):
    (tmp_path / "matplotlibrc").write_bytes(rc)
    file = str(tmp_path / "matplotlibrc") if rc else ""
    environment = {key: value for key, value in os.environ.items() if key not in ("MPLBACKEND", "MATPLOTLIBRC")}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path)}
    environment |= {key: value for key, value in (("MPLBACKEND", asked), ("MATPLOTLIBRC", file)) if value}
    ran = subprocess.run(
        [sys.executable, "-c", LINES, asked, file], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [said]
