"""latent_audit.diagnostics.empty_mass: the empty share of the prior, whatever the number of codes."""

import numpy as np
import pytest

from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.empty_mass import emptiest, empty_mass


def without_disk(rng, n, d=2, share=0.139):
    x = rng.standard_normal((n, d))
    radius2 = -2 * np.log(1 - share)
    while (inside := (x[:, :2] ** 2).sum(axis=1) < radius2).any():
        x[inside, :2] = rng.standard_normal((int(inside.sum()), 2))
    return x


@pytest.mark.parametrize(("n", "tolerance"), [(300, 0.05), (1000, 0.025), (3000, 0.015), (20_000, 0.01)])
def test_a_disk_counts_with_its_mass_whether_there_are_300_codes_or_20000(n, tolerance, rng):
    found = np.mean([emptiest(Codes(without_disk(rng, n)), rng=rng)[0] for _ in range(5)])
    assert found == pytest.approx(0.139, abs=tolerance)


@pytest.mark.parametrize(("n", "d"), [(300, 1), (1000, 2), (1000, 3), (1000, 10), (3000, 30)])
def test_normal_codes_have_no_holes_to_speak_of(n, d, rng):
    assert np.mean([emptiest(Codes(rng.standard_normal((n, d))), rng=rng)[0] for _ in range(3)]) < 0.06


def test_codes_at_one_point_leave_everything_empty(rng):
    for d in (1, 2, 3, 10, 100):
        assert emptiest(Codes(1e-3 * rng.standard_normal((500, d))), rng=rng)[0] > 0.9


def test_a_hole_in_a_plane_of_ten_dimensions_is_found_and_named(rng):
    row = empty_mass(without_disk(rng, 5000, d=10, share=0.3), rng=rng, null_rows=500).iloc[0]
    assert row["p_value"] < 1e-3 and row["value"] > 0.2
    assert row["where"] == "0, 1"
    assert row["value"] > row["null_high"]


def test_half_a_line_is_half_of_the_prior(rng):
    assert emptiest(Codes(np.abs(rng.standard_normal((2000, 1)))), rng=rng)[0] == pytest.approx(0.5, abs=0.02)
