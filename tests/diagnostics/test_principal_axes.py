"""The spread of codes in every direction, and what is advised of it and of the weight on the KL."""

import numpy as np
import pandas as pd
import pytest

from latent_audit.diagnostics.advice import next_steps
from latent_audit.diagnostics.principal_axes import principal_axes


def test_the_spread_of_a_known_covariance():
    x = np.array([[3, 0, 1], [-3, 0, -1], [0, 2, 1], [0, -2, -1]], dtype=float).repeat(10, axis=0)
    x[:, 2] = 0
    found = principal_axes(x)
    np.testing.assert_allclose(found.sd, [np.sqrt(4.5), np.sqrt(2), 0], atol=1e-12)
    assert (found.widest, found.narrowest) == ((0,), (2,))
    assert (found.low, found.high) == pytest.approx((1 - np.sqrt(3 / 40), 1 + np.sqrt(3 / 40)))


def test_a_direction_is_told_by_the_dimensions_that_make_it():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((4000, 5))
    z[:, 4] = 0.9 * z[:, 1] + np.sqrt(1 - 0.81) * z[:, 4]
    found = principal_axes(z)
    assert set(found.widest) == set(found.narrowest) == {1, 4}
    assert found.sd[[0, -1]] == pytest.approx([np.sqrt(1.9), np.sqrt(0.1)], rel=0.05)
    spread = principal_axes(rng.standard_normal((2000, 50))).sd
    edge = np.sqrt(50 / 2000)
    assert spread[0] == pytest.approx(1 + edge, abs=0.03) and spread[-1] == pytest.approx(1 - edge, abs=0.03)


def joint(**values: float) -> pd.DataFrame:
    return pd.DataFrame(list(values.items()), columns=["metric", "value"])


def per_dim(active: int, idle: int) -> pd.DataFrame:
    return pd.DataFrame({"dim": np.arange(active + idle), "is_active": [True] * active + [False] * idle})


FAR = {"kl_closed_form": 12.0, "marginal_kl": 3.0, "marginal_kl_loo": 2.5}


def test_the_weight_goes_up_where_all_codes_together_are_far_from_the_prior():
    (up,) = next_steps("fitted", joint(**FAR), per_dim(4, 0))
    assert "raise the weight" in up and "the KL is 12 nats, 2.5 to 3 of them" in up
    assert next_steps("no", joint(**FAR | {"marginal_kl": 0.1, "marginal_kl_loo": 0.0}), per_dim(4, 0)) == ()
    (untold,) = next_steps(
        "fitted", joint(kl_closed_form=12.0, marginal_kl=np.nan, marginal_kl_loo=np.nan), per_dim(4, 0)
    )
    assert "12 nats, part of them" in untold


def test_the_weight_goes_down_where_dimensions_are_idle_and_stays_where_all_are_used():
    (down,) = next_steps("prior", joint(kl_closed_form=5.0), per_dim(3, 2))
    assert "lower the weight" in down and "2 of 5 dimensions are idle" in down and "5 nats" in down
    (keep,) = next_steps("prior", joint(kl_closed_form=5.0), per_dim(3, 0))
    assert keep.startswith("Keep the weight on the KL: all 3 dimensions are in use, at 5 nats")
    assert next_steps("no", joint(kl_closed_form=0.0), per_dim(0, 3)) == ()  # the verdict itself says so
    assert next_steps("undecided", joint(**FAR), per_dim(3, 0)) == ()


def test_directions_without_spread_are_to_be_dropped():
    (step,) = next_steps("fitted", joint(rank=3.0, duplicate_dims=1.0), pd.DataFrame({"dim": range(5)}))
    assert step == (
        "Drop 2 directions (1 of them copies of another dimension): the codes spread in 3 of 5 dimensions only."
    )
    assert next_steps("prior", joint(rank=5.0), pd.DataFrame({"dim": range(5)})) == ()
    assert next_steps("no", joint(rank=3.0), pd.DataFrame({"dim": range(5), "n": 4})) == ()  # too few codes to tell
