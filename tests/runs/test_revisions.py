"""Runs side by side: what is read at a revision without a checkout, what differs, and the page that says so."""

import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from browsers import assert_fit_to_be_seen
from latent_audit.base.errors import InputError
from latent_audit.base.measures import Metric
from latent_audit.claims.intervals import mean_interval
from latent_audit.cli import main
from latent_audit.figures.runs import plot_against_weight, plot_runs, plot_tradeoff
from latent_audit.report.render import fits
from latent_audit.runs import per_seed as seedwise
from latent_audit.runs import revisions
from latent_audit.runs.compared import beta_series, difference, n_pixels, parameters, verdict_rows, weight
from latent_audit.runs.figures import letters
from latent_audit.runs.findings import banners
from latent_audit.runs.forms import form_for
from latent_audit.runs.page import render_runs
from latent_audit.runs.revisions import Run, read_runs, stale_parameters

HOSTILE = "<script>alert(1)</script>"
ALIASES = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 18))
PARAMS = """\
dataset: fashion_mnist
beta: {beta}
seeds:
- 0
- 1
- 2
arms:
  ae:
    family: ae
    watch: arms.ae
  vae:
    family: vae
    beta_kl: 1
    watch: arms.vae
  beta_vae:
    family: vae
    watch: beta
data:
  limit: null
model:
  reconstruction: bce
train:
  epochs: 5
  learning_rate: 0.0005
diagnostics:
  margins:
    ks_d: 0.1
"""
# A study that takes milliseconds: every number is a formula of beta_kl, on images of 32 x 32 pixels.
STUDY = """
import json, math, os, re
beta = float(re.search(r"^beta: (\\S+)", open("params.yaml").read(), re.M)[1])
metrics, claims = {"critic": {"accuracy": 0.9}}, ["claim_id,claim,source,statistic,arms,code,effect,low,high,margin,direction,n_seeds,verdict,figure,values"]

def interval(values):
    mean = sum(values) / 3
    half = 4.302652729696142 * math.sqrt(sum((v - mean) ** 2 for v in values) / 2 / 3)
    return mean, mean - half, mean + half

for arm, kl_weight in (("ae", None), ("vae", 1.0), ("beta_vae", 1024 / beta)):
    w = kl_weight or 0.01
    rows = {
        "recon_nll": [250 + 4 * math.log(1 + w) + 0.5 * s for s in range(3)],
        "bce": [(250 + 4 * math.log(1 + w) + 0.5 * s) / 1024 for s in range(3)],
        "ks_d_max": [0.2 / (1 + w) + 0.01 * s + (0.001 * s * s if arm == "beta_vae" else 0) for s in range(3)],
        "hole_fraction": [0.3 / (1 + w) + 0.002 * s for s in range(3)],
    }
    if kl_weight:
        rows["kl_closed_form"] = [8 / (1 + w) + 0.01 * s for s in range(3)]
        rows["marginal_kl"] = [0.4 / (1 + w) + 0.003 * s for s in range(3)]
    os.makedirs(f"diagnostics/{arm}", exist_ok=True)
    with open(f"diagnostics/{arm}/summary.csv", "w") as file:
        file.write("seed,code,metric,value\\n")
        for metric, values in rows.items():
            for s, value in enumerate(values):
                file.write(f"{s},z,{metric},{value:.10g}\\n{s},mu,{metric},0\\n")
    metrics[arm] = {}
    for metric, values in rows.items():
        mean, low, high = (float(f"{x:.6g}") for x in interval(values))
        metrics[arm][metric] = {"mean": mean, "low": low, "high": high, "n_seeds": 3}
    if kl_weight:
        mean, low, high = interval(rows["ks_d_max"])
        verdict = "supported" if high < 0.1 else "contradicted" if low > 0.1 else "inconclusive"
        values = json.dumps([float(f"{x:.6g}") for x in rows["ks_d_max"]])
        claims.append(f'marginals,Each dimension <script>alert(1)</script> follows,Somebody,ks_d_max,{arm},z,{mean:.10g},{low:.10g},{high:.10g},0.1,<,3,{verdict},fig-histograms,"{values}"')
os.makedirs("reports", exist_ok=True)
json.dump(metrics, open("reports/metrics.json", "w"), sort_keys=True)
open("reports/claims.csv", "w").write("\\n".join(claims) + "\\n")
"""  # noqa: E501
STAGES = """\
stages:
  compare:
    cmd: python study.py
    params:
    - beta
    outs:
    - diagnostics
    metrics:
    - reports/metrics.json:
        cache: false
    plots:
    - reports/claims.csv:
        cache: false
"""


def run(folder: Path, *command: str) -> str:
    own = Path(sys.executable).parent
    identity = {f"GIT_{who}_{what}": "t@t.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = os.environ | identity | {"PATH": f"{own}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commit(folder: Path, tag: str) -> None:
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", tag)
    run(folder, "git", "tag", tag)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Commits `bare` (no results), `strong` (beta 64, not in DVC's cache), `main` (256); experiment `book` (500)."""
    folder = tmp_path_factory.mktemp("project")
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    (folder / ".dvc/.gitignore").write_text("/cache\n/tmp\n/config.local\n")
    (folder / ".gitignore").write_text("/diagnostics\n__pycache__/\n")
    (folder / "study.py").write_text(STUDY)
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "params.yaml").write_text(PARAMS.format(beta=64))
    run(folder, "git", "init", "-q", "-b", "trunk")
    commit(folder, "bare")
    run(folder, sys.executable, "study.py")
    commit(folder, "strong")
    (folder / "params.yaml").write_text(PARAMS.format(beta=256))
    run(folder, sys.executable, "-m", "dvc", "repro", "-q")
    commit(folder, "main")
    run(folder, "git", "tag", HOSTILE)
    run(folder, sys.executable, "-m", "dvc", "exp", "run", "-q", "-n", "book", "-S", "beta=500")
    run(folder, "git", "checkout", "-q", "--", ".")  # diagnostics/ stay those of the experiment
    return folder


@pytest.fixture(scope="module")
def pair(project) -> list[Run]:
    return read_runs(project, ["main", "book"])


@pytest.fixture(scope="module")
def page(pair) -> str:
    return render_runs(pair)


def text_of(page: str) -> str:
    """The words of a page, tags away and blanks as one."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.S))).split())


def made_up(letter: str = "A", *, beta: float = 256, **changes) -> Run:
    """A run without files."""
    params = {
        "dataset": "mnist", "beta": beta, "seeds": [0, 1, 2], "data": {"limit": None},
        "model": {"reconstruction": "bce"}, "train": {"epochs": 5},
        "arms": {"ae": {"family": "ae"}, "vae": {"family": "vae", "beta_kl": 1}, "beta_vae": {"family": "vae"}},
    }  # fmt: skip
    metrics = {
        arm: {
            name: {"mean": mean * (beta if arm == "beta_vae" else 1), "low": None, "high": None, "n_seeds": 1}
            for name, mean in (("recon_nll", 256.0), ("bce", 0.25))
        }
        for arm in params["arms"]
    }
    claims = pd.DataFrame(columns=["claim_id", "claim", "arms", "verdict"])
    return Run(letter, f"run {letter}", "0" * 40, params, metrics, claims, {}, [])._replace(**changes)


def claims_csv(**columns) -> str:
    """A claims.csv as it was when there were three verdicts."""
    old = {"claim_id": "a", "claim": "A", "statistic": "difference of recon_nll", "arms": "vae vs ae", "code": "z",
           "effect": [-0.2, -2.0, 0.5], "low": [-1.2, -3.0, 0.2], "high": [0.8, -1.5, 0.9], "margin": 1.0,
           "direction": [">", ">", "<"], "n_seeds": 5, "verdict": ["contradicted", "contradicted", "supported"],
           "values": "[1.0]"}  # fmt: skip
    return pd.DataFrame(old | columns).to_csv(index=False)


# what is read ---------------------------------------------------------------------------------------------------------


def test_a_revision_and_an_experiment_are_read_without_a_checkout(project):
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file() and ".git" not in path.parts}
    runs = read_runs(project, ["main", "book"])
    assert [(run.letter, run.name, run.params["beta"]) for run in runs] == [("A", "main", 256), ("B", "book", 500)]
    assert all(len(run.commit) == 40 for run in runs)
    assert run(project, "git", "status", "--short") == ""
    changed = [str(path) for path, data in before.items() if path.read_bytes() != data]
    assert [path for path in changed if "/.dvc/" not in path] == []


def test_one_revision_alone_is_put_beside_the_workspace(project):
    runs = read_runs(project, ["book"])
    assert [(run.name, run.commit is None) for run in runs] == [("book", False), ("workspace", True)]
    # diagnostics/ of the workspace are the experiment's, its metrics.json is not: only claims.csv has its seeds
    assert set(runs[1].per_seed["beta_vae"]) == {"ks_d_max"}
    assert set(runs[1].per_seed["vae"]) == {
        "recon_nll",
        "bce",
        "ks_d_max",
        "hole_fraction",
        "kl_closed_form",
        "marginal_kl",
    }


def test_seeds_come_from_dvcs_cache_or_else_from_the_claims(project):
    strong, main_run = read_runs(project, ["strong", "main"])
    assert set(strong.per_seed["beta_vae"]) == {"ks_d_max"}
    assert strong.per_seed["ae"] == {}
    assert main_run.per_seed["ae"]["recon_nll"] == pytest.approx(
        {s: 250 + 4 * np.log(1.01) + 0.5 * s for s in range(3)}
    )


def test_edited_parameters_are_told_from_those_that_were_run():
    lock = {
        "stages": {
            "compare": {"params": {"params.yaml": {"train.epochs": 3, "seeds": [0], "gone": 1}}},
            "train@removed": {"params": {"params.yaml": {"arms.removed": {}}}},
        }
    }
    assert stale_parameters({"train": {"epochs": 5}, "seeds": [0], "arms": {}}, lock) == ["gone", "train.epochs"]
    assert stale_parameters({"train": {"epochs": 3.0}, "seeds": [0], "gone": 1}, lock) == []


# errors ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("revisions", "words"),
    [
        (["boook"], r"no revision or experiment is called 'boook'; near to it: book"),
        (["zzz"], r"no revision or experiment is called 'zzz'; experiments here: book"),
        (["--help"], r"no revision or experiment is called '--help'"),
        (["bare", "main"], r"bare \([0-9a-f]{7}\): no reports/metrics.json there.*dvc repro"),
        (["workspace"], r"workspace alone"),
        (["main", "trunk"], r"'main' and 'trunk' are the same run"),
        (["main", "main"], r"name each run once"),
        (["main"], r"main, workspace: the same parameters and the same results.*dvc exp run"),
        (["x"] * 13, r"at most 12"),
    ],
)
def test_what_cannot_be_compared_is_said_in_words(project, revisions, words):
    with pytest.raises(InputError, match=words):
        read_runs(project, revisions)


def test_a_folder_without_git_or_dvc_has_no_revisions(tmp_path):
    with pytest.raises(InputError, match="in no DVC project"):
        read_runs(tmp_path, ["HEAD"])
    (tmp_path / ".dvc").mkdir()
    with pytest.raises(InputError, match="git"):
        read_runs(tmp_path, ["HEAD"])
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    with pytest.raises(InputError, match="without git"):
        read_runs(tmp_path, ["HEAD"])


def test_a_damaged_file_is_named(project, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    (copy / "reports/metrics.json").write_text("{")
    with pytest.raises(InputError, match=r"workspace: reports/metrics.json cannot be read"):
        read_runs(copy, ["book"])
    (copy / "reports/metrics.json").unlink()
    with pytest.raises(InputError, match=r"workspace: no reports/metrics.json there.*run `dvc repro`"):
        read_runs(copy, ["book"])


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("dvc.lock", "<<<<<<< HEAD\n", "workspace: dvc.lock cannot be read"),
        ("reports/metrics.json", "[]", r"workspace: reports/metrics.json cannot be read \(no mapping\)"),
        ("reports/claims.csv", "a,b\n1,2\n", r"workspace: reports/claims.csv cannot be read \(columns \['arms'"),
        ("params.yaml", b"\xff\xfe", "workspace: params.yaml cannot be read"),
        ("params.yaml", ALIASES, "workspace: params.yaml cannot be read .*with its aliases written out"),
        ("dvc.lock", ALIASES, "workspace: dvc.lock cannot be read .*with its aliases written out"),
    ],
)
def test_a_file_that_is_no_result_is_named(project, tmp_path, file, content, message):
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    (copy / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message):
        read_runs(copy, ["book"])


def test_a_fresh_clone_whose_cache_is_empty_reads_what_git_has(project, tmp_path):
    run(tmp_path, "git", "clone", "-q", str(project), "clone")
    first, second = read_runs(tmp_path / "clone", ["strong", "main"])
    assert first.metrics["vae"]
    assert set(second.per_seed["beta_vae"])  # from claims.csv


def test_what_is_no_commit_is_refused(project):
    with pytest.raises(InputError, match="is no commit"):
        read_runs(project, ["main^{tree}", "book"])


@pytest.mark.parametrize("beta", [0, None, "much"])
def test_a_weight_that_is_no_number_is_unknown(project, beta):
    own = read_runs(project, ["main", "book"])[0]
    strange = own._replace(params=own.params | {"beta": beta})
    assert np.isnan(weight(strange, "beta_vae").beta)


def test_the_command_writes_the_page_and_reports_errors_with_exit_code_2(project, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(project)
    out = tmp_path / "page.html"
    monkeypatch.setattr(sys, "argv", ["latent-audit", "compare-runs", "main", "book", "--out", str(out)])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    monkeypatch.setattr(sys, "argv", ["latent-audit", "compare-runs", "boook"])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 2
    assert "error: no revision or experiment is called 'boook'" in capsys.readouterr().err


def test_verdicts_of_a_table_that_knew_three_are_those_of_today():
    assert revisions._claims(claims_csv())["verdict"].tolist() == ["negligible", "contradicted", "supported"]
    with_p = claims_csv(p_value=0.01, verdict="inconclusive")  # a newer table is taken at its word
    assert set(revisions._claims(with_p)["verdict"]) == {"inconclusive"}


def test_what_only_newer_runs_keep_of_a_measure_makes_no_difference():
    old = {"recon_nll": {"mean": 1.0, "low": 0.5, "high": 1.5, "n_seeds": 3}, "accuracy": 0.9}
    new = {"recon_nll": old["recon_nll"] | {"next_low": 0.0, "next_high": 2.0, "values": [1, 2, 0], "by_values": False}}
    assert revisions._intervals(new) == revisions._intervals(old) == {"recon_nll": old["recon_nll"]}
    per_seed = {"vae": {}}
    seedwise.add_metrics(per_seed, {"vae": new | {"nothing": {"mean": None, "values": [None] * 3}}}, [0, 1, 2])
    assert per_seed == {"vae": {"recon_nll": {0: 1, 1: 2, 2: 0}}}


def test_a_bracket_has_no_seeds_of_its_metric():
    per_seed = {"vae": {}}
    rows = pd.DataFrame(
        {"arms": "vae", "statistic": ["marginal_kl", "ks_d_max"], "code": "z", "values": "[0.1]",
         "bracket": ["marginal_kl_loo", ""]}
    )  # fmt: skip
    seedwise.add_claims(per_seed, rows, [4])
    assert per_seed == {"vae": {"ks_d_max": {4: 0.1}}}


# what differs ---------------------------------------------------------------------------------------------------------


def test_parameters_that_differ_are_found_wherever_they_are():
    other = made_up("B", beta=500)
    other.params["train"] = {"epochs": 5.0, "precision": "float32"}
    differing = {parameter.key: parameter.values for parameter in parameters([made_up(), other]) if parameter.differs}
    assert differing == {"beta": [256, 500], "train.precision": ["(not there)", "float32"]}


def test_differences_are_paired_by_seed(pair):
    first, other = pair
    left, right = first.per_seed["beta_vae"]["recon_nll"], other.per_seed["beta_vae"]["recon_nll"]
    found = difference(first, other, "beta_vae", "recon_nll")
    assert found.interval == mean_interval([right[seed] - left[seed] for seed in (0, 1, 2)])
    assert found.interval.mean == pytest.approx(4 * np.log(3.048 / 5), abs=1e-6)
    assert found.decided
    assert difference(first, other, "ae", "recon_nll").same
    assert not difference(first, other, "ae", "recon_nll").decided
    assert difference(first, other, "ae", "marginal_kl") is None


def test_only_shared_seeds_are_paired_and_one_makes_no_interval(pair):
    first, other = pair
    without = {"beta_vae": {"recon_nll": {1: 250.0, 2: 251.0, 9: 0.0}}}
    found = difference(first, other._replace(per_seed=without), "beta_vae", "recon_nll")
    assert found.interval.n_seeds == 2
    alone = difference(first, other._replace(per_seed={"beta_vae": {"recon_nll": {1: 250.0}}}), "beta_vae", "recon_nll")
    assert alone.interval is None
    assert not alone.decided


def test_a_verdict_that_changed_is_marked(pair, page):
    rows = {row.arms: row for row in verdict_rows(pair)}
    assert [row["verdict"] for row in rows["beta_vae"].rows] == ["supported", "inconclusive"]
    assert rows["beta_vae"].changed
    assert not rows["vae"].changed
    assert "1 of 2 verdicts changed" in text_of(page)
    assert text_of(page).count("β-VAE · changed") == 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 32, 64, 128])
@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_the_count_of_pixels_is_read_off_the_measures(channels, side, loss):
    pixels = channels * side**2
    mean = 0.05
    total = pixels * (mean if loss == "bce" else 0.5 * mean + 0.5 * np.log(2 * np.pi))
    entries = {"recon_nll": {"mean": total * 1.003}, loss: {"mean": mean}}  # as if of other draws
    run = made_up(metrics={"vae": entries})
    run.params["model"] = {"reconstruction": loss}
    assert n_pixels(run) == pixels
    assert weight(run, "vae").beta == pytest.approx(pixels if loss == "bce" else pixels / 2)


def test_weights_follow_the_arm_then_the_top_level():
    run = made_up()
    assert weight(run, "ae") is None
    assert weight(run, "vae") == (1024, 1)
    assert weight(run, "beta_vae") == (256, 4)
    run.params["arms"]["beta_vae"]["beta"] = 512
    assert weight(run, "beta_vae") == (512, 2)
    assert np.isnan(weight(made_up(metrics={"beta_vae": {}}), "beta_vae").beta_kl)


def test_a_sweep_makes_one_curve_in_the_order_of_the_weight(project):
    series = beta_series(read_runs(project, ["strong", "main", "book"]))
    assert [(p.arm, p.letters, round(p.weight.beta_kl, 3)) for p in series.points] == [
        ("vae", "ABC", 1), ("beta_vae", "C", 2.048), ("beta_vae", "B", 4), ("beta_vae", "A", 16),
    ]  # fmt: skip
    assert series.left_out == []


def test_arms_that_differ_in_more_than_the_weight_are_left_out_of_the_curve():
    longer = made_up("C", beta=64)
    longer.params["train"] = {"epochs": 9}
    series = beta_series([made_up(), made_up("B", beta=500), longer])
    assert [point.letters for point in series.points] == ["AB", "B", "A"]
    assert series.left_out == ["vae of C", "beta_vae of C"]
    assert beta_series([made_up()]) is None


# the page -------------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_numbers(page):
    words = text_of(page)
    for expected in (
        "1 parameter differs",
        "beta 256 500",
        "parameters that are the same",
        "β-VAE β = 256, β_KL = 4",
        "β-VAE β = 500, β_KL = 2.048",
        "The same numbers in every run: AE, VAE.",
        "β-VAE, A → B: reconstruction 256.9 → 255.0 nats; prior draws in a hole 6.2% → 10.0%",
        "−2.0 (−2.0 to −2.0)",
        "From β_KL 1 to 4, the rate goes from 4.010 to 1.610 nats, the distortion from 253.3 to 256.9 nats",
        "B 5 of 5",
    ):
        assert expected in words, expected


def test_the_bytes_repeat_and_fit(project, page):
    assert render_runs(read_runs(project, ["main", "book"])) == page
    assert fits(page)


def test_nothing_is_loaded_and_every_picture_has_words(page):
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert "default-src &#39;none&#39;" in page
    for svg in re.findall(r"<svg[^>]*>", page):
        assert "aria-label" in svg or 'aria-hidden="true"' in svg
    assert page.count("<table") == page.count("<caption")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_names_and_claims_are_escaped(project):
    page = render_runs(read_runs(project, [HOSTILE, "book"]))
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5


def test_other_data_are_said_and_no_difference_is_taken(pair):
    first, other = pair
    page = render_runs([first, other._replace(params=other.params | {"dataset": "kmnist"})])
    words = text_of(page)
    assert "Different data. A fashion_mnist, B kmnist" in words
    assert "· changed" not in words
    assert "verdicts changed" not in words
    assert "B − A" not in words
    assert "Rate, distortion, normality" not in words


def test_reduced_stale_and_equal_runs_carry_a_banner():
    small = made_up()
    small.params.update(data={"limit": 300}, seeds=[0])
    titles = [title for title, _ in banners([small, made_up("B", stale=["beta"])], [])]
    assert titles == [
        "A, run A: reduced data, not evidence.", "B, run B: results of other parameters.", "The same parameters.",
    ]  # fmt: skip


def test_one_seed_has_no_interval_and_no_difference():
    words = text_of(render_runs([made_up(), made_up("B", beta=500)]))
    assert "paired by seed, whose" not in words
    assert "β-VAE 65 536 128 000 –" in words


def test_seeds_in_two_groups_stand_one_by_one(pair):
    values = dict(enumerate([0.24, 0.30, 0.45, 0.94, 0.965]))
    own = made_up()
    own.metrics["ae"]["hole_fraction"] = {"mean": 0.579, "low": 0.146, "high": 1.0, "n_seeds": 5}
    known = {"hole_fraction": Metric("hole_fraction", "holes", "share", 0.0, 1.0)}
    words = text_of(
        render_runs([own._replace(per_seed={"ae": {"hole_fraction": values}}, measures=known), made_up("B")])
    )
    assert "AE 24, 30, 45, 94, 96%" in words
    assert "14.6" not in words.split("Measures")[-1]


def test_runs_of_other_arms_stand_beside_one_another(pair):
    first, other = pair
    fewer = other._replace(metrics={arm: own for arm, own in other.metrics.items() if arm != "vae"})
    assert "VAE, A → B: reconstruction 253.3 → – nats" in text_of(render_runs([first, fewer]))


# figures --------------------------------------------------------------------------------------------------------------


def test_letters_are_shortened_where_they_follow_one_another():
    assert [letters(list(names)) for names in ("A", "AB", "ABC", "ABD")] == ["A", "A, B", "A–C", "A, B, D"]


def test_runs_are_drawn_one_row_each_the_first_hollow():
    rows = pd.DataFrame(
        {
            "arm": ["ae", "ae"], "label": ["AE A", "AE B"], "first": [True, False], "mean": [1.0, 2.0],
            "low": [0.5, np.nan], "high": [1.5, np.nan], "values": [[0.9, 1.1], []], "words": ["1.00", "2.00"],
        }
    )  # fmt: skip
    ax = plot_runs(rows, colours={"ae": "#b8430b"}, margin=1.7, ax=Figure().subplots())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["AE A", "AE B"]
    dots = [line for line in ax.get_lines() if line.get_markersize() == 5.5]
    assert [list(dot.get_xdata()) for dot in dots] == [[1.0], [2.0]]
    assert [dot.get_markerfacecolor() for dot in dots] == ["#ffffff", "#b8430b"]
    assert [0.5, 1.5] in [list(line.get_xdata()) for line in ax.get_lines()]
    assert [1.7, 1.7] in [list(line.get_xdata()) for line in ax.get_lines()]


def test_the_curve_joins_the_weights_in_order_on_a_log_axis():
    nan = float("nan")
    points = pd.DataFrame(
        [("vae", "β_KL 1", 1.0, nan, nan, 5.0, 4.0, 6.0), ("beta_vae", "β_KL 4", 4.0, nan, nan, 2.0, nan, nan)],
        columns=["arm", "label", "x", "x_low", "x_high", "y", "y_low", "y_high"],
    )
    colours = {"vae": "#0a64ad", "beta_vae": "#007a5e", "ae": "#b8430b"}
    ax = plot_against_weight(points, colours=colours, margin=None, ax=Figure().subplots())
    assert ax.get_xscale() == "log"
    assert list(ax.get_xticks()) == [1.0, 4.0]
    assert list(ax.get_lines()[0].get_xydata().ravel()) == [1.0, 5.0, 4.0, 2.0]
    curve = plot_tradeoff(points, colours=colours, floor={"ae": 1.0}, ax=Figure().subplots())
    assert {text.get_text() for text in curve.texts} == {"β_KL 1", "β_KL 4", "AE"}


def test_the_page_is_fit_to_be_seen(page, tmp_path):
    assert_fit_to_be_seen(tmp_path, page)


def test_a_number_and_its_difference_have_the_same_decimals():
    first, second = made_up("A"), made_up("B")
    known = {"hole_fraction": Metric("hole_fraction", "holes", "share", 0.0, 1.0)}
    for run, mean in ((first, 0.0396), (second, 0.0232)):
        run.metrics["ae"]["hole_fraction"] = {"mean": mean, "low": mean, "high": mean, "n_seeds": 5}
    runs = [run._replace(measures=known) for run in (first, second)]
    form, signed = (form_for(runs, "hole_fraction", signed=sign) for sign in (False, True))
    assert [form(0.0396), form(0.0232), signed(-0.0164)] == ["3.96%", "2.32%", "−1.64 pp"]
    assert form_for(runs, "not_measured")(0.25) == "0.250"
