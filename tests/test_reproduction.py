"""What is held to the literature: when a number agrees, and that the document is what the table says."""

import json
import shutil

import pandas as pd
import pytest

from import_graph import ROOT


@pytest.fixture
def reproduction(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import reproduction

    return reproduction


def test_the_last_epoch_of_a_split_counts(reproduction):
    rows = [
        (seed, epoch, split, 10.0 * epoch + seed) for seed in (0, 1) for epoch in (1, 2) for split in ("train", "test")
    ]
    history = pd.DataFrame(rows, columns=["seed", "epoch", "split", "objective"])
    assert reproduction.last_epoch(history, "test", "objective").tolist() == [20.0, 21.0]


def test_a_number_agrees_within_three_sd_or_within_its_tolerance(reproduction):
    values = pd.Series([1.0, 2.0, 3.0])  # sd 1
    assert reproduction.agrees(values, 4.9, 0.0)
    assert not reproduction.agrees(values, 5.1, 0.0)
    assert reproduction.agrees(values, 6.0, 4.0)
    assert not reproduction.agrees(pd.Series([2.0]), 2.1, 0.0)  # one seed has no spread to hide in


PUBLISHED = {
    "study": "digits_vae", "arm": "vae", "split": "test", "term": "recon_nll", "scale": 64, "published": 0.25,
    "published_sd": None, "tolerance": 0.01, "quantity": "BCE per pixel", "source": "somebody", "note": "",
}  # fmt: skip


@pytest.fixture
def run_here(reproduction, tmp_path, monkeypatch):
    """A study `digits_vae` of 10 epochs and three seeds, as its overlay asks, and a function that leaves its result."""
    (tmp_path / "params").mkdir()
    shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")
    (tmp_path / "params/digits_vae.yaml").write_text("seeds: [0, 1, 2]\ntrain:\n  epochs: 10\n")
    (tmp_path / "docs.md").write_text(f"before\n{reproduction.START}\n{reproduction.END}\nafter\n")
    pd.DataFrame([PUBLISHED]).to_csv(tmp_path / "published.csv", index=False)
    for name, path in {"ROOT": "", "PUBLISHED": "published.csv", "FOUND": "found.csv", "DOCS": "docs.md"}.items():
        monkeypatch.setattr(reproduction, name, tmp_path / path)

    def leave(folder: str, metrics_at: str, *, seeds=(0, 1, 2), limit="null", epochs=10):
        home = tmp_path / folder
        (home / metrics_at).parent.mkdir(parents=True, exist_ok=True)
        arms = "arms:\n  vae:\n    family: vae\n    beta_kl: 1\n"
        (home / "params.yaml").write_text(
            f"seeds: {list(seeds)}\ndata:\n  limit: {limit}\ntrain:\n  epochs: {epochs}\n{arms}"
        )
        values = {"recon_nll": [16.0 + seed for seed in seeds], "elbo": [-20.0 for _ in seeds]}
        metrics = {"vae": {name: {"values": found} for name, found in values.items()}}
        (home / metrics_at).write_text(json.dumps(metrics))

    return leave


def row(reproduction) -> dict:
    reproduction.main()
    return pd.read_csv(reproduction.FOUND).to_dict("records")[0]


def test_a_committed_study_is_held_to_what_was_published(reproduction, run_here):
    run_here("reports/digits_vae", "metrics.json")
    found = row(reproduction)
    assert (found["ours"], found["n_seeds"], found["agrees"]) == (pytest.approx(17 / 64, abs=1e-6), 3, "yes")
    assert pd.isna(found["why"])
    text = reproduction.DOCS.read_text()
    assert (
        text.startswith("before") and text.endswith("after\n") and "| yes | `latent-audit study digits_vae` |" in text
    )


def test_a_reduced_study_is_not_judged_and_says_on_what_it_ran(reproduction, run_here):
    run_here(".workspaces/digits_vae", "reports/metrics.json", seeds=(0,), limit=1500, epochs=1)
    found = row(reproduction)
    assert found["agrees"] == "not judged" and found["ours"] == 0.25
    assert found["why"] == "reduced: at most 1,500 images of each split, 1 of 10 epochs, 1 seed"
    assert "| 0.25 | 1 | not judged (reduced: at most" in reproduction.DOCS.read_text()


def test_a_history_counts_before_measures_and_is_all_that_the_training_split_has(reproduction, run_here):
    run_here(".workspaces/digits_vae", "reports/metrics.json")
    assert reproduction.ours(reproduction.ROOT, "digits_vae", "vae", "train", "objective") is None
    plain = reproduction.ours(reproduction.ROOT, "digits_vae", "vae", "test", "objective")
    assert plain.values.tolist() == [20.0, 20.0, 20.0]  # the ELBO but for its sign
    folder = reproduction.ROOT / ".workspaces/digits_vae/models/vae"
    folder.mkdir(parents=True)
    rows = [{"seed": seed, "epoch": 1, "split": "train", "objective": 30.0 + seed} for seed in range(3)]
    pd.DataFrame(rows).to_csv(folder / "history.csv", index=False)
    assert reproduction.ours(reproduction.ROOT, "digits_vae", "vae", "train", "objective").values.tolist() == [
        30,
        31,
        32,
    ]


def test_what_was_not_run_keeps_its_row_and_nothing_found_writes_nothing(reproduction, run_here):
    reproduction.main()
    assert not reproduction.FOUND.exists()
    run_here("reports/digits_vae", "metrics.json")
    before = row(reproduction)
    shutil.rmtree(reproduction.ROOT / "reports")
    assert str(row(reproduction)) == str(before)


def test_the_document_has_the_rows_of_the_table(reproduction):
    if not reproduction.FOUND.exists():
        pytest.skip("no study that is held to the literature has been committed")
    found = pd.read_csv(reproduction.FOUND)
    assert reproduction.table(found) in reproduction.DOCS.read_text(encoding="utf-8")


def test_every_published_number_is_of_a_study_and_an_arm_that_there_are(reproduction):
    from latent_audit.settings.study import load_params

    names = {path.stem for path in (ROOT / "params").glob("*.yaml")}
    published = pd.read_csv(reproduction.PUBLISHED)
    assert set(published["study"]) <= names
    own = set(load_params(ROOT / "params.yaml").arms)
    for study, arms in published.groupby("study")["arm"]:
        text = (ROOT / f"params/{study}.yaml").read_text(encoding="utf-8")
        assert all(arm in own or f"\n  {arm}:" in text for arm in arms)
