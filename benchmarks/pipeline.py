"""Seconds of the smoke study, of a `dvc repro` with nothing to do, and of each stage's imports.

Runs in a scratch copy of the committed project on scikit-learn's digits. Writes results/pipeline.json.

    python benchmarks/pipeline.py
"""

import sys
import tempfile
from pathlib import Path

from measured import ROOT, Measured, run, save, spread

ROUNDS = 5
HEAVY = ("torch", "scipy", "sklearn", "matplotlib", "pandas")
IMPORTS = "import runpy, sys; runpy.run_path(sys.argv[1]); print(*(name for name in {heavy} if name in sys.modules))"


def main() -> None:
    """Measure and write results/pipeline.json."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        run("git", "clone", "-q", str(ROOT), str(copy))
        source = {"PYTHONPATH": str(copy / "src")}
        overlay = "from latent_audit.runs.studies import apply_overlay, read_overlay; from pathlib import Path; "
        overlay += "apply_overlay(Path('params.yaml'), {**read_overlay(Path(), 'smoke'), 'dataset': 'digits'})"
        run(sys.executable, "-c", overlay, cwd=copy, **source)
        dvc = (sys.executable, "-m", "dvc", "repro")
        smoke = run(*dvc, cwd=copy, **source)
        nothing = [run(*dvc, cwd=copy, watch=False, **source) for _ in range(ROUNDS)]
    imports = {}
    for script in sorted((ROOT / "stages").glob("*.py")):
        command = (sys.executable, "-c", IMPORTS.format(heavy=HEAVY), str(script))
        rounds = [run(*command, watch=False) for _ in range(ROUNDS)]
        imports[script.stem] = {"seconds": seconds(rounds), "loads": rounds[0].output.split()}
    bare = [run(sys.executable, "-m", "dvc", "--version", watch=False) for _ in range(ROUNDS)]
    save(
        "pipeline",
        "python benchmarks/pipeline.py",
        {
            "smoke_seconds": smoke.seconds, "smoke_peak_mib": smoke.peak.pss, "nothing_to_do_seconds": seconds(nothing),
            "dvc_version_seconds": seconds(bare), "imports": imports,
        },
    )  # fmt: skip


def seconds(rounds: list[Measured]) -> dict[str, float]:
    """Median and range of the wall seconds."""
    return spread([one.seconds for one in rounds])


if __name__ == "__main__":
    main()
