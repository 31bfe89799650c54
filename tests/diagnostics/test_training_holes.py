"""latent_audit.diagnostics.training_holes: what the decoder never saw, whatever the codes under audit show."""

import numpy as np
import pytest

from latent_audit.diagnostics.audit import audit
from latent_audit.diagnostics.coverage import hole_fraction
from latent_audit.diagnostics.null import radius_of
from latent_audit.diagnostics.tables_of_code import AuditSettings
from latent_audit.diagnostics.training_holes import training_holes

FAST = {"draws": 39, "null_rows": 300}


def without_disk(rng, n, d=2, share=0.3):
    x = rng.standard_normal((n, d))
    while (inside := (x[:, :2] ** 2).sum(axis=1) < -2 * np.log(1 - share)).any():
        x[inside, :2] = rng.standard_normal((int(inside.sum()), 2))
    return x


def by_metric(table):
    return table.set_index("metric")


def test_a_hole_of_the_training_codes_is_found_with_its_mass(rng):
    rows = by_metric(training_holes(without_disk(rng, 6000), 2000, rng=rng, **FAST))
    assert rows.loc["hole_mass_train", "value"] == pytest.approx(0.3, abs=0.03)
    inside = np.sqrt(-2 * np.log(0.7)) - radius_of(2000, 2, 0)  # of the disk, as far as no ball reaches its edge
    assert rows.loc["hole_fraction_train", "value"] == pytest.approx(1 - np.exp(-(inside**2) / 2) + 0.01, abs=0.03)
    assert (rows["value"] > rows["null_high"]).all() and (rows["p_value"] < 0.01).all()
    assert (rows["n_p"] == 2000).all()


def test_training_codes_of_the_prior_are_within_chance(rng):
    rows = by_metric(training_holes(rng.standard_normal((6000, 2)), 2000, rng=rng, **FAST))
    assert rows["p_value"].min() > 0.01
    assert 0.003 < rows.loc["hole_fraction_train", "value"] < 0.02


def test_ten_times_the_training_codes_give_the_same_number(rng):
    """The balls are counted among as many codes as the test split has: more of them do not make more holes."""
    x = without_disk(rng, 10_000)
    few, many = (by_metric(training_holes(x[:n], 1000, rng=rng, **FAST))["value"] for n in (1000, 10_000))
    assert many["hole_fraction_train"] == pytest.approx(few["hole_fraction_train"], abs=0.05)
    all_of_them = hole_fraction(x, radius_of(10_000, 2, 0), rng=rng)
    assert all_of_them > many["hole_fraction_train"] + 0.02  # what the match of n is for


def test_beyond_three_dimensions_balls_are_not_counted(rng):
    rows = by_metric(training_holes(without_disk(rng, 3000, d=4), 2000, rng=rng, draws=19, null_rows=100))
    assert np.isnan(rows.loc["hole_fraction_train", "value"])
    assert rows.loc["hole_mass_train", "value"] > 0.2 and rows.loc["hole_mass_train", "where"] == "0, 1"


def test_the_audit_measures_the_codes_that_it_is_given_to_fit_on(rng):
    labels = np.arange(400) % 2
    settings = AuditSettings(null_draws=39, null_rows=200)
    normal, holed = rng.standard_normal((400, 2)), without_disk(rng, 800, share=0.4)
    train = {"z": holed, "labels": np.arange(800) % 2}
    found = audit(normal, labels=labels, train=train, settings=settings)
    joint = found.joint.set_index("metric")["value"]
    assert joint["hole_mass_train"] > 0.25 > 0.1 > joint["hole_mass"]
    first = found.judgement.reasons.iloc[0]
    assert first["metric"] == "hole_mass_train" and first["matters"]
    assert "of N(0, I) has less than half its training codes" in found.verdict
    alone = audit(normal, labels=labels, settings=settings).joint["metric"]
    assert not alone.str.endswith("_train").any()
