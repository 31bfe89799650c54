import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.goodness_of_fit import ad_statistic, cvm_statistic, ks_statistic
from latent_audit.diagnostics.multiplicity import adjust, benjamini_hochberg, holm
from latent_audit.diagnostics.univariate import TESTS, per_dimension

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_holm_by_hand():
    # m = 4: .01*4, max(.04, .03*3), max(.09, .04*2), max(.09, .05*1)... of p = .01 .04 .03 .05
    assert holm(np.array([0.01, 0.04, 0.03, 0.05])) == pytest.approx([0.04, 0.09, 0.09, 0.09])


def test_benjamini_hochberg_on_the_published_example():
    # Benjamini & Hochberg (1995), section 4: 15 p-values; at q = .05 exactly the first four are rejected.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.324,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1,
    ]
    assert (benjamini_hochberg(np.array(p)) <= 0.05).sum() == 4
    assert (holm(np.array(p)) <= 0.05).sum() == 3


@settings(derandomize=True, deadline=None)
@given(P_VALUES)
def test_ordering_and_naive_second_opinion(values):
    p = np.array(values)
    m = len(p)
    rank = np.argsort(np.argsort(p, kind="stable"))
    naive = [max(min(1, (m - rank[j]) * p[j]) for j in range(m) if rank[j] <= rank[i]) for i in range(m)]
    assert holm(p) == pytest.approx(naive)
    assert (p <= benjamini_hochberg(p) + 1e-15).all()
    assert (benjamini_hochberg(p) <= holm(p) + 1e-12).all()


def test_nan_stays_and_does_not_count():
    p = np.array([0.01, np.nan, 0.04])
    assert holm(p) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert benjamini_hochberg(p) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert np.isnan(holm(np.array([np.nan]))).all()


def test_the_family_is_all_tests_dims_and_seeds_of_a_group():
    table = pd.DataFrame(
        {
            "code": ["mu", "mu", "z", "z"],
            "ks_p": [0.01, 0.2, 0.01, np.nan],
            "log10_ks_p": [-2.0, -0.7, -2.0, np.nan],
            "jb_p": [0.5, 0.03, 0.5, 0.6],
        },
        index=[3, 1, 7, 7],
    )
    adjusted = adjust(table, by="code")
    assert list(adjusted.columns) == [
        "code",
        "ks_p",
        "ks_p_holm",
        "ks_p_bh",
        "log10_ks_p",
        "jb_p",
        "jb_p_holm",
        "jb_p_bh",
    ]
    assert adjusted["ks_p_holm"].tolist()[0] == pytest.approx(0.04)  # four p-values in the family "mu"
    assert adjusted["ks_p_holm"].tolist()[2] == pytest.approx(0.03)  # three in "z"
    family = np.array([[0.01, 0.5], [0.2, 0.03]])
    assert adjusted[["ks_p_bh", "jb_p_bh"]].to_numpy()[:2] == pytest.approx(
        stats.false_discovery_control(family.ravel()).reshape(2, 2)
    )
    assert "ks_p_holm" not in table.columns
    assert adjusted.index.tolist() == [3, 1, 7, 7]


def test_errors_say_what_to_do():
    table = pd.DataFrame({"code": ["mu"], "ks_p": [0.5]})
    with pytest.raises(InputError, match=r"no column \['arm'\]"):
        adjust(table, by="arm")
    with pytest.raises(InputError, match="ends in _p"):
        adjust(table[["code"]], by="code")
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        holm(np.array([1.5]))


def extremes(x: np.ndarray) -> np.ndarray:
    """The columns with the largest value of one of the six statistics; each p falls with its own: the least is here."""
    ordered = np.sort(x, axis=0)
    largest = [ks_statistic(ordered), cvm_statistic(ordered), ad_statistic(ordered)]
    largest += [stats.jarque_bera(x, axis=0).statistic, stats.normaltest(x).statistic]
    largest += [-np.array([stats.shapiro(column).statistic for column in x.T])]
    return np.unique([values.argmax() for values in largest])


@pytest.mark.parametrize(("n", "d", "sets"), [(100, 50, 200), (1000, 50, 80), (1000, 10, 150), (100, 2, 300)])
def test_one_false_rejection_anywhere_in_5_percent_of_null_sets(n, d, sets):
    rng = np.random.default_rng([n, d])
    kept = []
    for number in range(sets):
        x = rng.standard_normal((n, d))
        kept.append((number, x[:, extremes(x)]))
    columns = np.hstack([x for _, x in kept])
    p = per_dimension(columns, rng=rng)[list(TESTS)].min(axis=1).to_numpy()
    owner = np.repeat([number for number, _ in kept], [x.shape[1] for _, x in kept])
    least = np.full(sets, 1.0)
    np.minimum.at(least, owner, p)
    # Holm rejects something where the least p times the size of the family is below .05.
    rejected = int((least * d * len(TESTS) < 0.05).sum())
    assert rejected <= stats.binom.ppf(0.999, sets, 0.05)


def test_holm_rejects_where_the_least_p_times_the_family_does(rng):
    table = adjust(per_dimension(rng.standard_normal((100, 4)), rng=rng).assign(code="z"), by="code")
    least = min(table[f"{p}_holm"].min() for p in TESTS)
    assert least == pytest.approx(min(1, table[list(TESTS)].min(axis=None) * 4 * len(TESTS)))
