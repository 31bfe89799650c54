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
print(matplotlib.rcParams._get("backend") if sys.argv[1] == "svg" else "drawn")
"""


@pytest.mark.parametrize(
    ("asked", "said"), [("nonsense", "drawn"), ("module://nothing.here", "drawn"), ("svg", "svg"), ("", "drawn")]
)
def test_a_backend_that_there_is_not_does_not_stop_a_figure(asked: str, said: str):
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path)} | ({"MPLBACKEND": asked} if asked else {})
    ran = subprocess.run(
        [sys.executable, "-c", LINES, asked], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [said]
