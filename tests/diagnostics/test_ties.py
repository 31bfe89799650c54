import numpy as np
import pandas as pd
import pytest
from scipy import stats

from latent_audit.diagnostics.ties import CONTINUOUS_TESTS, ties, why_no_p
from latent_audit.diagnostics.univariate import per_dimension


def bfloat16(x: np.ndarray) -> np.ndarray:
    return (x.astype(np.float32).view(np.uint32) + 0x8000 & 0xFFFF0000).astype(np.uint32).view(np.float32)


def kind(x: np.ndarray) -> str:
    return ties(np.sort(np.asarray(x, dtype=np.float64))).kind


STORED = {
    "float32": lambda x: x.astype(np.float32),
    "float16": lambda x: x.astype(np.float16),
    "float16, then standardised": lambda x: (lambda y: (y - y.mean()) / y.std())(x.astype(np.float16).astype(float)),
    "three decimals": lambda x: x.round(3),
}


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("n", [20, 300, 10_000])
def test_a_normal_code_as_it_is_stored_is_continuous(rng, stored, n):
    assert {kind(STORED[stored](rng.standard_normal(n))) for _ in range(20)} == {"continuous"}


def test_float16_of_10000_rows_has_ties_and_its_p_is_still_right(rng):
    x = rng.standard_normal((10_000, 100))
    short = per_dimension(x.astype(np.float16), rng=np.random.default_rng(0))
    assert (short["distinct"] < 9_000).all() and (short["kind"] == "continuous").all()
    exact = per_dimension(x, rng=np.random.default_rng(0))
    assert np.abs(short["ks_p"] - exact["ks_p"]).max() < 0.03
    assert stats.kstest(short["ks_p"], "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("name", "n", "make"),
    [
        ("binary", 50, lambda rng, n: rng.integers(0, 2, n)),
        ("binary", 5000, lambda rng, n: rng.random(n) < 0.02),
        ("discrete", 200, lambda rng, n: rng.integers(0, 10, n)),
        ("discrete", 10_000, lambda rng, n: rng.standard_normal(n).round()),
        ("rounded", 1000, lambda rng, n: rng.standard_normal(n).round(1)),
        ("rounded", 20_000, lambda rng, n: rng.standard_normal(n).round(2)),
        ("rounded", 10_000, lambda rng, n: rng.integers(0, 256, n)),
        ("rounded", 100_000, lambda rng, n: bfloat16(rng.standard_normal(n))),
        ("tied", 1000, lambda rng, n: np.maximum(rng.standard_normal(n), 0)),  # half of the rows are 0
        ("tied", 10_000, lambda rng, n: np.where(rng.random(n) < 0.02, 0, rng.standard_normal(n))),
        ("tied", 10_000, lambda rng, n: np.clip(rng.standard_normal(n), -2, 2)),
        ("tied", 1000, lambda rng, n: np.repeat(rng.standard_normal(n // 2), 2)),  # every row given twice
        ("tied", 2000, lambda rng, n: rng.choice(rng.standard_normal(n), n)),
    ],
)
def test_what_is_no_draw_of_a_continuous_law_is_named(rng, name, n, make):
    assert kind(make(rng, n)) == name


def test_p_of_ks_are_wrong_where_they_are_left_out(rng):
    # N(0, 1) rounded to one decimal, 20,000 rows: D is too large by half the share of a value, and rejects it always.
    x = rng.standard_normal((20_000, 20)).round(1)
    table = per_dimension(x, rng=rng)
    assert (stats.kstwo.sf(table["ks_d"], 20_000) < 0.05).all()
    assert (table["kind"] == "rounded").all()
    absent = [*CONTINUOUS_TESTS, *(f"log10_{name}" for name in CONTINUOUS_TESTS)]
    assert table[absent].isna().all(axis=None)
    assert table.drop(columns=absent).notna().all(axis=None)  # statistics, and p of the moments, stand


def test_distinct_and_effective_distinct_by_hand():
    # shares .5, .25, .25: 1 / (.25 + .0625 + .0625) = 8/3
    found = ties(np.repeat([0.0, 1.0, 2.0], [50, 25, 25]))
    assert (found.kind, found.distinct) == ("discrete", 3)
    assert found.effective_distinct == pytest.approx(8 / 3)
    assert ties(np.arange(30.0)).effective_distinct == pytest.approx(30)


def test_constant_and_duplicate_keep_their_names(rng):
    coin = rng.integers(0, 2, (400, 1)).astype(float)
    table = per_dimension(np.hstack([coin, np.ones((400, 1)), coin, rng.standard_normal((400, 1))]), rng=rng)
    assert table["kind"].tolist() == ["binary", "constant", "duplicate", "continuous"]
    assert table["distinct"].tolist() == [2, 1, 2, 400]
    assert table["ks_p"].isna().tolist() == [True, False, True, False]


def test_the_words_name_the_dimensions_and_what_is_left_out(rng):
    x = np.hstack([rng.standard_normal((300, 1)), rng.integers(0, 2, (300, 7)).astype(float)])
    tables = [per_dimension(part, rng=rng) for part in (x[:, :1], x)]
    assert why_no_p(tables[0].assign(code="z")) == []
    (line,) = why_no_p(pd.concat([tables[0].assign(code="mu"), tables[1].assign(code="z")]))
    assert line.startswith("z: 7 of 8 dimensions not continuous, 1 (binary, 2 different values in 300 rows), 2 (")
    assert " and 2 more; the p of Kolmogorov-Smirnov" in line
