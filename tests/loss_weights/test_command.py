"""The command `latent-audit kl-weight`: lines, JSON, refusals, no torch; and the numbers of docs/kl-weight.md."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable

import pytest

from import_graph import ROOT
from latent_audit import cli

DOCS = (ROOT / "docs/kl-weight.md").read_text(encoding="utf-8")
KEYS = {
    "beta_kl", "beta", "beta_normalised", "sigma", "scale", "direction", "factor", "factors", "mistakes",
    "kl_weight_for_elbo", "n_pixels", "loss", "settings",
}  # fmt: skip
Run = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """run("--image 28x28 --loss bce"): the exit code, and what was printed."""

    def start(options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["latent-audit", "kl-weight", *shlex.split(options)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return start


def table(heading: str) -> list[list[str]]:
    """The cells of the table in docs/kl-weight.md under a heading."""
    part = DOCS.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


LOSSES = table("What public code weighs")


def test_json_has_every_key_and_the_settings(run: Run):
    code, out, err = run("--image 64x64x3 --loss mse --recon-reduction mean --kl-weight 0.5 --latent-dim 128 --json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert set(found) == KEYS
    assert found["beta_kl"] == pytest.approx(3072)
    assert found["n_pixels"] == 12288
    assert found["loss"] == "mse"
    assert found["scale"] is None
    assert found["mistakes"] == []
    assert found["factors"] == {"weights": 0.5, "mean-over-pixels": 12288, "squared-error-without-half": 0.5}
    assert found["settings"] == {
        "image": [64, 64, 3], "pixels": None, "recon_reduction": "mean", "recon_weight": 1, "kl_weight": 0.5,
        "kl_reduction": "sum", "latent_dim": 128, "recon_batch": "mean", "kl_batch": "mean", "batch_size": None,
        "pixel_range": 1,
    }  # fmt: skip


def test_pixels_may_be_given_by_their_number(run: Run):
    by_number = json.loads(run("--pixels 784 --loss bce --recon-reduction mean --json")[1])
    by_size = json.loads(run("--image 28x28 --loss bce --recon-reduction mean --json")[1])
    assert by_number["settings"]["pixels"] == 784
    assert by_number["settings"]["image"] is None
    assert by_number | {"settings": None} == by_size | {"settings": None}


def test_it_says_what_the_documentation_shows(run: Run):
    (line,) = re.findall("```sh\nlatent-audit kl-weight (.*)\n```", DOCS)
    (shown,) = re.findall("```text\n(.*?)```", DOCS, flags=re.DOTALL)
    assert run(line) == (0, shown, "")


REFUSED = {
    "--loss bce": "give --image",
    "--loss bce --image 28x28 --pixels 784": "give one of them",
    "--loss bce --image 28x": "must be HxW or HxWxC",
    "--loss bce --image 0x28": "--image 0: must be a whole number from 1",
    "--loss bce --image 999999999999x999999999999": "--image .*: must be a whole number from 1",
    "--loss bce --pixels 0": "--pixels 0: must be a whole number from 1",
    "--loss bce --pixels -784": "--pixels -784: must be a whole number from 1",
    "--loss huber --image 28x28": "--loss huber: must be bce, mse, half-mse or l1",
    "--loss bce --image 28x28 --recon-reduction none": "--recon-reduction none: must be sum or mean",
    "--loss bce --image 28x28 --kl-batch none": "--kl-batch none: must be sum or mean",
    "--loss bce --image 28x28 --kl-reduction mean": "give --latent-dim",
    "--loss bce --image 28x28 --kl-reduction mean --latent-dim 0": "--latent-dim 0: must be",
    "--loss bce --image 28x28 --kl-batch sum": "give --batch-size",
    "--loss bce --image 28x28 --recon-batch sum": "give --batch-size",
    "--loss bce --image 28x28 --batch-size -1": "--batch-size -1: must be",
    "--loss bce --image 28x28 --kl-weight 0": "without a KL it is an autoencoder",
    "--loss bce --image 28x28 --kl-weight -1": "--kl-weight -1: must be a number from",
    "--loss bce --image 28x28 --kl-weight nan": "--kl-weight nan: must be a number from",
    "--loss bce --image 28x28 --recon-weight inf": "--recon-weight inf: must be a number from",
    "--loss bce --image 28x28 --recon-weight 1e-300": "--recon-weight 1e-300: must be a number from",
    "--loss bce --image 28x28 --pixel-range 2": r"needs pixels in \[0, 1\]",
    "--loss mse --image 28x28 --pixel-range 255": "--pixel-range 255: must be 1 or 2",
}


@pytest.mark.parametrize("options", REFUSED)
def test_bad_input_is_one_message_and_exit_code_2(run: Run, options: str):
    for form in ("", " --json"):
        code, out, err = run(options + form)
        assert (code, out) == (2, "")
        assert re.fullmatch(rf"error: .*{REFUSED[options]}.*\n", err), err


@pytest.mark.parametrize("weights", ["--kl-weight 1e30 --recon-weight 1e-30", "--kl-weight 1e-30 --recon-weight 1e30"])
@pytest.mark.parametrize("loss", ["bce", "mse --pixel-range 2", "l1"])
def test_no_weights_that_are_taken_overflow(run: Run, weights: str, loss: str):
    largest = 10**12
    for reductions in ("--recon-reduction mean --kl-batch sum", "--kl-reduction mean --recon-batch sum"):
        sizes = f"--pixels {largest} --latent-dim {largest} --batch-size {largest}"
        code, out, _ = run(f"{sizes} --loss {loss} {weights} {reductions} --json")
        assert code == 0
        assert "Infinity" not in out
        found = json.loads(out)
        assert min(found["beta_kl"], found["beta"], found["beta_normalised"], found["kl_weight_for_elbo"]) > 0
        assert run(f"{sizes} --loss {loss} {weights} {reductions}")[0] == 0


def test_neither_torch_nor_dvc_is_imported():
    lines = (
        "import sys; from latent_audit.cli import main; sys.argv[1:] = "
        "'kl-weight --image 28x28 --loss mse --recon-reduction mean'.split()\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "print({name.split('.')[0] for name in sys.modules} & {'torch', 'dvc', 'pandas', 'scipy', 'matplotlib'})"
    )
    done = subprocess.run((sys.executable, "-c", lines), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert "beta_kl" in done.stdout


def test_the_documentation_has_thirty_losses_and_a_source_for_each():
    assert len(LOSSES) >= 30
    for source, *_ in LOSSES:
        assert re.match(r"[\w.-]+/[\w.-]+: \S+\.\w+.* \([0-9a-f]{7}\)$", source), source


@pytest.mark.parametrize("row", LOSSES, ids=lambda row: f"{row[0].split(':')[0]}: {row[1][:30]}")
def test_a_loss_of_public_code_weighs_what_the_documentation_says(run: Run, row: list[str]):
    _, _, options, beta_kl, kl_is, mistakes = row
    code, out, _ = run(options.strip("`") + " --json")
    found = json.loads(out)
    assert code == 0
    assert beta_kl == f"{found['beta_kl']:.4g}"
    heaviness = f"{found['factor']:.4g} times {found['direction']}"
    assert kl_is == ("plain" if found["direction"] == "plain" else heaviness)
    assert mistakes == (", ".join(f"`{name}`" for name in found["mistakes"]) or "–")


def test_the_documentation_names_every_factor_and_key(run: Run):
    named = {row[2].strip("`") for row in table("What it computes") if len(row) == 3}
    found: set[str] = set()
    for options in (
        "--recon-reduction mean --kl-reduction mean --latent-dim 2 --kl-weight 3 --kl-batch sum --batch-size 2",
        "--recon-batch sum --batch-size 2 --pixel-range 2",
    ):
        found |= set(json.loads(run(f"--image 2x2 --loss mse {options} --json")[1])["factors"])
    assert named == found
    assert all(f"`{key}`" in DOCS for key in KEYS)
