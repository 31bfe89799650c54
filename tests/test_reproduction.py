"""What is held to the literature: when a number agrees, and that the document is what the table says."""

import pandas as pd
import pytest

from import_graph import ROOT


@pytest.fixture
def reproduction(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import reproduction

    return reproduction


def test_the_last_epoch_of_a_split_counts_in_the_units_of_the_source(reproduction):
    rows = [
        (seed, epoch, split, 10.0 * epoch + seed) for seed in (0, 1) for epoch in (1, 2) for split in ("train", "test")
    ]
    history = pd.DataFrame(rows, columns=["seed", "epoch", "split", "objective"])
    assert reproduction.last_epoch(history, "test", "objective", 2.0).tolist() == [10.0, 10.5]


def test_a_number_agrees_within_three_sd_or_within_its_tolerance(reproduction):
    values = pd.Series([1.0, 2.0, 3.0])  # sd 1
    assert reproduction.agrees(values, 4.9, 0.0)
    assert not reproduction.agrees(values, 5.1, 0.0)
    assert reproduction.agrees(values, 6.0, 4.0)
    assert not reproduction.agrees(pd.Series([2.0]), 2.1, 0.0)  # one seed has no spread to hide in


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
