import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.transforms import fit_affine


def test_whitened_codes_have_identity_covariance_over_n(rng):
    x = rng.standard_normal((300, 4)) @ rng.standard_normal((4, 4)) + 7
    white = fit_affine(x, "whitened")(x)
    assert white.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-10)
    assert white.T @ white / 300 == pytest.approx(np.eye(4), abs=1e-10)


def test_standardised_codes_have_unit_sd_and_constants_stay_at_zero(rng):
    x = np.hstack([5 + 3 * rng.standard_normal((100, 1)), np.full((100, 1), 0.1)])
    standard = fit_affine(x, "standardised")(x)
    assert standard[:, 0].std() == pytest.approx(1.0)
    assert (standard[:, 1] == 0).all()


def test_whitening_drops_null_directions_whatever_the_units(rng):
    z = rng.standard_normal((200, 3))
    x = np.hstack([z, z[:, :1], np.full((200, 1), 4.0), (z[:, :1] + z[:, 1:2]) * 1e-6]) * [1e6, 1, 1e-6, 1, 1, 1]
    affine = fit_affine(x, "whitened")
    assert affine.rank == 3
    assert fit_affine(np.ones((50, 3)), "whitened").rank == 0


def test_raw_is_the_identity_and_others_are_refused(rng):
    x = rng.standard_normal((30, 2))
    assert np.array_equal(fit_affine(x, "raw")(x), x)
    with pytest.raises(InputError, match="'raw', 'standardised', 'whitened'"):
        fit_affine(x, "sphered")
