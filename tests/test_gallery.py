"""README's table of studies: what came out of each is what lies in reports/NAME/, and every study has a row."""

import json
import re

import pandas as pd
import pytest
from docs import gallery

from import_graph import ROOT
from latent_audit.base.plain_yaml import read_yaml
from latent_audit.runs.studies import merge, read_overlay

README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLE = README.partition(gallery.START)[2].partition(gallery.END)[0]
ROWS = {name: line for line in TABLE.strip().splitlines()[2:] for name in gallery.studies(line)}
COMMITTED = sorted(path.parent.name for path in (ROOT / "reports").glob("*/metrics.json"))
PAGE = f"""before
{gallery.START}
| study | words | what came out |
|---|---|---|
| `fashion_mse` | squared `error` | old |
| `mnist_cvae`, `fashion_cvae` | two |  |
| `beta_only` | tally | |
{gallery.END}
after"""


def test_the_table_is_what_the_command_writes():
    assert gallery.filled(README, ROOT / "reports") == README, "run python docs/gallery.py"


def test_every_study_that_is_committed_has_a_row():
    others = {"book", "mnist", "demo", "smoke"}  # not systems of their own: README says elsewhere what they are
    assert set(COMMITTED) - others <= set(ROWS)
    assert {path.stem for path in (ROOT / "params").glob("*.yaml")} - others == set(ROWS)


@pytest.mark.parametrize("name", COMMITTED)
def test_a_number_of_a_row_is_the_committed_tables(name):
    """Read independently of the command: each number of the row is the mean of a metric of that study, as rounded."""
    if name not in ROWS:
        pytest.skip("README tells of it elsewhere")
    metrics = json.loads((ROOT / f"reports/{name}/metrics.json").read_text(encoding="utf-8"))
    said = re.search(rf"\[([^]]*)\]\(reports/{name}\.html\)", ROWS[name])
    assert said
    for one in gallery.FIGURES.get(name, ()):
        shown = re.search(rf"{re.escape(one.words)}: ([−\d.,\u202f]+)(%?)", said[1])
        assert shown, one.words
        digits = re.sub(r"[,\u202f]", "", shown[1]).rstrip(".").replace("−", "-")
        scale = 100 if shown[2] else 1
        half = 0.5001 * 10 ** -len(digits.partition(".")[2])
        assert float(digits) == pytest.approx(scale * metrics[one.arm][one.metric]["mean"], abs=half)


@pytest.mark.parametrize("name", gallery.FIGURES)
def test_a_figure_is_of_an_arm_and_of_a_metric_that_there_are(name):
    params = read_yaml((ROOT / "params.yaml").read_bytes(), "params.yaml")
    merge(params, read_overlay(ROOT, name))
    for one in gallery.FIGURES[name]:
        assert params["arms"].get(one.arm) is not None, one
        assert one.metric in gallery.METRICS, one


@pytest.fixture
def reports(tmp_path):
    def leave(name, metrics, *, limit="null", seeds="[0, 1, 2]"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps(metrics))
        pd.DataFrame({"verdict": ["supported", "supported", "negligible"]}).to_csv(folder / "claims.csv", index=False)
        (folder / "params.yaml").write_text(f"dataset: mnist\ndata:\n  limit: {limit}\nseeds: {seeds}\n")

    leave("fashion_mse", {"vae": {"sharpness": {"mean": 0.12345}}, "vae_bce": {"sharpness": {"mean": 0.5}}})
    leave("mnist_cvae", {"cvae": {"asked_accuracy": {"mean": 0.876}}}, limit=1500)
    leave("beta_only", {"vae": {}}, seeds="[0]")
    return tmp_path


def test_a_row_says_what_came_out_or_that_nothing_did(reports):
    rows = gallery.filled(PAGE, reports).splitlines()
    assert rows[0] == "before" and rows[-1] == "after" and rows[2] == PAGE.splitlines()[2]
    assert rows[4] == (
        "| `fashion_mse` | squared `error` | [sharpness under squared error, VAE: 0.123, under BCE: 0.500]"
        "(reports/fashion_mse.html) |"
    )
    assert rows[5] == (
        "| `mnist_cvae`, `fashion_cvae` | two | `mnist_cvae`: [the critic sees the class asked for, 2 dimensions: 88%]"
        "(reports/mnist_cvae.html), on reduced data: not evidence; `fashion_cvae`: not committed yet |"
    )
    assert "[of 3 claims 2 supported, 1 negligible](reports/beta_only.html), on reduced data" in rows[6]
    assert gallery.filled("\n".join(rows), reports).splitlines() == rows


def test_a_page_without_marks_or_a_row_without_a_study_is_refused(reports):
    with pytest.raises(ValueError, match="lacks"):
        gallery.filled("no mark", reports)
    with pytest.raises(ValueError, match="names none"):
        gallery.filled(PAGE.replace("`beta_only`", "beta"), reports)
