"""README's numbers are those of the committed result: each cell of its table, against reports/metrics.json."""

import json
import re

import pytest

from import_graph import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
METRICS = {
    "KS distance to N(0, 1), worst dimension": ("ks_d_max", 1),
    "prior draws that land in a hole": ("hole_fraction", 100),
    "the same after whitening the codes": ("hole_fraction_whitened", 100),
    "KL of all codes together to N(0, I), nats": ("marginal_kl", 1),
    "class areas: total variation to equal": ("area_tv", 1),
    "class from code, 15-NN": ("knn_accuracy", 100),
    "reconstruction, BCE nats per image": ("recon_nll", 1),
    "FD-clf of draws from N(0, I)": ("fd_clf_prior", 1),
    "FD-clf of draws from a fitted mixture": ("fd_clf_gmm", 1),
    "FD-clf of the arm's own reconstructions": ("fd_clf_reconstruction", 1),
}


def rows() -> dict[str, list[str]]:
    """Label -> cells of the answer's table, without the margin."""
    lines = [line for line in README.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:4] for row in cells if row[0] in METRICS}


@pytest.mark.parametrize("label", METRICS)
def test_a_row_of_the_answer_is_the_committed_result(label):
    metrics = json.loads((ROOT / "reports/metrics.json").read_text(encoding="utf-8"))
    metric, scale = METRICS[label]
    for arm, cell in zip(("ae", "vae", "beta_vae"), rows()[label], strict=True):
        found = metrics[arm].get(metric)
        if found is None:
            assert cell == "–"
            continue
        if listed := re.fullmatch(r"((?:[\d.]+, )+[\d.]+)%?", cell):
            _assert_are_the_seeds([float(shown) / scale for shown in listed[1].split(", ")], found)
            continue
        number = re.match(r"(-?[\d.]+)%? \((-?[\d.]+)–(-?[\d.]+)%?\)$", cell)
        assert number, cell
        for shown, key in zip(number.groups(), ("mean", "low", "high"), strict=True):
            digits = len(shown.partition(".")[2])
            assert float(shown) == pytest.approx(found[key] * scale, abs=0.5001 * 10**-digits), (label, arm, key)


def _assert_are_the_seeds(shown: list[float], found: dict) -> None:
    """The seeds in order, of which a result made before it kept them has the mean alone."""
    assert len(shown) == found["n_seeds"]
    if "values" in found:
        assert shown == pytest.approx(sorted(found["values"]), abs=0.0051)
    assert sum(shown) / len(shown) == pytest.approx(found["mean"], abs=0.0051)


def test_the_commands_of_the_first_screen_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in ("demo", "test"):
        assert f"make {command}" in README[:3000]
        assert f"\n{command}:" in makefile
