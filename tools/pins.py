"""Writes requirements.txt: what pip resolves the project with its extras `study` and `test`, and what builds it, to.

    make pins              keeps every version that still fits pyproject.toml
    make pins NEWEST=1     takes the newest of each

Nothing is installed: pip says what it would. Names and versions are written, no address of a package index.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements.txt"
PIP = (sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-")
OF_TORCH = ("cuda-", "nvidia-", "triton")  # torch's wheel pins them itself, and on Linux alone


def pins(report: dict[str, Any]) -> list[str]:
    """name==version of everything in pip's report but this project and what torch's wheel pins itself."""
    found = [one["metadata"] for one in report["install"] if not one.get("is_direct")]
    kept = [one for one in found if not one["name"].lower().startswith(OF_TORCH)]
    # a local label (+cpu) names one index's build of the version
    return sorted((f"{one['name']}=={one['version'].partition('+')[0]}" for one in kept), key=str.lower)


def resolved(keep: bool) -> dict[str, Any]:
    """pip's report; `keep` holds it to the pins that there are."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    held = ["--constraint", str(PINS)] if keep else []
    done = subprocess.run([*PIP, *held, f"{ROOT}[study,test]", *build], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def main(arguments: Sequence[str]) -> None:
    """Write requirements.txt."""
    PINS.write_text("\n".join(pins(resolved(keep="--newest" not in arguments))) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
