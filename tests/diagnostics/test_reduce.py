"""Codes of many dimensions on fewer: N(0, I) stays N(0, I), and what is left out is asked about as well."""

import re

import numpy as np
import pytest
from scipy import stats

from latent_audit import AuditSettings, audit
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.blocks import Maps
from latent_audit.diagnostics.reduce import Spec, reduced, spec_of

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
RNG = np.random.default_rng(3)


def fewer(x: np.ndarray, kind: str, k: int, seed: int = 0):
    return reduced(Maps.of(x, where="t"), [], Spec(kind, k), seed=seed, where="t")


@pytest.mark.parametrize("kind", ["pca", "random"])
def test_the_prior_stays_the_prior_although_axes_were_chosen(kind: str):
    """The leading axes of 300 draws in 100 dimensions have variances of up to 2.5 on these draws, and 1 on others."""
    x = RNG.standard_normal((600, 100))
    found = fewer(x, kind, 20)
    n = len(found.values)
    assert n == (300 if kind == "pca" else 600)
    assert stats.kstest(n * (found.values**2).mean(axis=0), stats.chi2(n).cdf).pvalue > 1e-3
    assert stats.kstest(found.values.ravel(), "norm").pvalue > 1e-3
    assert found.reduction.p_value > 1e-3
    assert found.reduction.left_out == pytest.approx(1, abs=5 * np.sqrt(2 / (n * 80)))
    assert found.reduction.kept_share == pytest.approx(0.2, abs=0.02)


def test_principal_axes_find_the_dimensions_that_vary_and_an_offset():
    x = 0.01 * RNG.standard_normal((300, 60))
    x[:, 7] += 3.0  # an offset without spread
    x[:, 11] *= 500
    found = fewer(x, "pca", 2)
    assert found.reduction.kept_share > 0.99
    assert sorted(np.sqrt((found.values**2).mean(axis=0)).tolist()) == pytest.approx([3.0, 5.0], rel=0.2)
    assert abs(found.values.mean(axis=0)).max() == pytest.approx(3.0, rel=0.01)


def test_the_wide_and_the_tall_way_to_axes_agree():
    x = RNG.standard_normal((80, 30)) @ np.diag(np.linspace(1, 4, 30))
    wide = np.hstack([x, np.zeros((80, 30))])  # 40 rows to fit: 60 dimensions go by the rows' products
    tall, long = fewer(x, "pca", 5), fewer(wide, "pca", 5)
    np.testing.assert_array_equal(tall.rows, long.rows)
    np.testing.assert_allclose(np.abs(tall.values), np.abs(long.values), atol=1e-8)


def test_mu_goes_on_the_same_axes_and_codes_that_span_less_give_fewer():
    x = RNG.standard_normal((100, 3)) @ RNG.standard_normal((3, 40))
    both = reduced(Maps.of(x, where="t"), [Maps.of(2 * x, where="t")], Spec("pca", 10), seed=0, where="t")
    assert both.values.shape == (50, 3)
    assert both.reduction.spec == "pca:3"
    np.testing.assert_allclose(both.beside[0], 2 * both.values)
    assert both.reduction.left_out == pytest.approx(0, abs=1e-12)


def test_a_seed_is_a_draw():
    x = RNG.standard_normal((100, 50))
    for kind in ("pca", "random"):
        np.testing.assert_array_equal(fewer(x, kind, 5).values, fewer(x, kind, 5).values)
        assert not np.array_equal(fewer(x, kind, 5).values, fewer(x, kind, 5, seed=1).values)


def test_what_is_chosen_where_nothing_is_said():
    assert spec_of(None, 10_000, 2048, "t") is None
    assert str(spec_of(None, 10_000, 2049, "t")) == "pca:512"
    assert str(spec_of(None, 1000, 5000, "t")) == "pca:250"
    assert str(spec_of(None, 60, 5000, "t")) == "random:15"
    assert spec_of("none", 100, 50, "t") is None
    assert str(spec_of("random:7", 100, 50, "t")) == "random:7"


REFUSED = {
    "none": ("none", 100, 2049, "2,049 dimensions, at most 2,048 are allowed with reduce none; say pca:25"),
    "word": ("labels", 100, 50, "reduce 'labels' must be none, pca:K or random:K"),
    "number": ("pca:many", 100, 50, "must be none, pca:K or random:K"),
    "zero": ("pca:0", 100, 50, "must be none, pca:K or random:K"),
    "more than d": ("pca:51", 200, 50, "asks for 51 dimensions, the codes have 50"),
    "more than n": ("random:100", 100, 500, "asks for 100 dimensions of 100 codes; at most random:99"),
    "more than half of n": ("pca:60", 100, 500, "at most pca:50 is possible here: axes are found on one part"),
    "more than are audited": ("pca:2049", 9000, 5000, "at most 2,048 dimensions can be audited"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_impossible_reductions_are_refused(case: str):
    asked, n, d, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        spec_of(asked, n, d, "t")


def test_the_audit_names_what_it_is_of():
    tables = audit(np.random.default_rng(0).standard_normal((200, 300)), reduce="random:4", settings=FAST)
    assert tables.may_sample == "prior"
    assert re.match(r"In 4 random directions of 300 dimensions, which hold 1\.\d+% .*: as far as 200 ", tables.verdict)
    assert tables.reduction.spec == "random:4"
    assert len(tables.per_dim) == 4
    left_out = tables.judgement.reasons.set_index("metric").loc["left_out_mean_square"]
    assert left_out["value"] == pytest.approx(1, abs=5 * np.sqrt(2 / (200 * 296))) and not left_out["matters"]


def test_codes_that_fill_a_few_dimensions_alone_are_not_the_prior():
    """Normal in the leading axes, and nothing beyond: the axes alone would be called N(0, I)."""
    x = np.hstack([RNG.standard_normal((1600, 4)), np.zeros((1600, 96))])
    tables = audit(x, reduce="pca:4", settings=FAST)
    assert tables.may_sample == "no"
    assert "outside the 4 leading principal components of 100 dimensions" in tables.verdict
    assert "mean square is 0, not 1" in tables.verdict
    assert tables.reasons["metric"].iloc[0] == "left_out_mean_square"


def test_labels_and_mu_follow_and_logvar_is_left_out():
    rng = np.random.default_rng(1)
    mu, labels = rng.standard_normal((200, 30)), np.arange(200) % 2
    tables = audit(mu=mu, logvar=np.full_like(mu, -2.0), labels=labels, reduce="pca:3", settings=FAST)
    assert tables.per_dim["code"].tolist() == ["mu"] * 3 + ["z"] * 3
    assert tables.classes["count"].sum() == 2 * 100
    assert "kl" not in set(tables.joint["metric"])
    with pytest.raises(InputError, match="train goes with codes that are audited as they are"):
        audit(mu, reduce="pca:3", train={"z": mu, "labels": labels}, labels=labels)
