"""requirements.txt pins what pyproject.toml asks for, and is written by one command."""

import tomllib

from packaging.requirements import Requirement
from tools import pins

from import_graph import ROOT

REPORT = {
    "install": [
        {"metadata": {"name": "torch", "version": "2.14.1+cpu"}},
        {"metadata": {"name": "nvidia-nccl", "version": "2.0"}},
        {"metadata": {"name": "triton", "version": "3.0"}},
        {"metadata": {"name": "GitPython", "version": "3.2.1"}},
        {"metadata": {"name": "aiohttp", "version": "3.14.5"}},
        {"metadata": {"name": "aiohttp-retry", "version": "2.9.1"}},
        {"metadata": {"name": "latent-audit", "version": "0.1.0"}, "is_direct": True},
    ]
}


def test_a_report_of_pip_becomes_pins():
    assert pins.pins(REPORT) == ["aiohttp-retry==2.9.1", "aiohttp==3.14.5", "GitPython==3.2.1", "torch==2.14.1"]


def test_every_requirement_has_a_pin_that_fits():
    pinned = {name.lower(): version for name, version in (line.split("==") for line in pins.PINS.read_text().split())}
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, extras = content["project"], content["project"]["optional-dependencies"]
    asked = [*project["dependencies"], *extras["study"], *extras["test"], *content["build-system"]["requires"]]
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement


def test_contributing_names_the_command():
    assert "`make pins` writes `requirements.txt`" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "\npins:" in (ROOT / "Makefile").read_text(encoding="utf-8")
