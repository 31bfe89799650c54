"""latent_audit.diagnostics.dependence: what correlation does not see."""

import itertools

import numpy as np
import pytest

from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.dependence import dependence, worst


def rows(x, **options):
    return dependence(x, draws=99, null_rows=300, **options).set_index("metric")


def test_the_worst_pair_and_triple_are_those_of_brute_force(rng):
    x = rng.standard_normal((80, 6))
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    pairs = {p: abs(np.corrcoef(standard[:, p[0]] ** 2, standard[:, p[1]] ** 2)[0, 1])
             for p in itertools.combinations(range(6), 2)}  # fmt: skip
    triples = {t: abs(standard[:, t].prod(axis=1).mean()) for t in map(list, itertools.combinations(range(6), 3))
               for t in [tuple(t)]}  # fmt: skip
    triples = {t: abs(standard[:, list(t)].prod(axis=1).mean()) for t in triples}
    found = worst(Codes(x))
    pair, triple = max(pairs, key=pairs.get), max(triples, key=triples.get)
    assert found["square_correlation_max"] == (pytest.approx(pairs[pair]), pair)
    assert found["triple_moment_max"] == (pytest.approx(triples[triple]), triple)


def test_the_parity_of_three_is_found(rng):
    x = rng.standard_normal((1000, 8))
    x[:, 6] = np.abs(x[:, 6]) * np.sign(x[:, 1] * x[:, 4])
    row = rows(x).loc["triple_moment_max"]
    assert row["where"] == "1, 4, 6" and row["p_value"] < 1e-4
    assert row["value"] == pytest.approx((2 / np.pi) ** 1.5, abs=0.1)  # E|x|^3 of independent factors


def test_codes_of_one_length_are_found_and_normal_ones_are_not(rng):
    x = rng.standard_normal((800, 3))
    assert rows(x)["p_value"].min() > 0.01
    assert rows(x / np.linalg.norm(x, axis=1, keepdims=True)).loc["square_correlation_max", "p_value"] < 1e-4


def test_few_dimensions_have_fewer_rows_of_it(rng):
    assert len(dependence(rng.standard_normal((50, 1)))) == 0
    assert rows(rng.standard_normal((50, 2))).index.tolist() == ["square_correlation_max"]
    assert len(rows(np.column_stack([rng.standard_normal(50), np.ones(50)]))) == 0
