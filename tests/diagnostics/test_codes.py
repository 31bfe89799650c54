"""Codes are checked once, stay as they are, and are transformed once."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.diagnostics import codes as module
from latent_audit.diagnostics.audit import AuditSettings, audit
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.transforms import TRANSFORMS, fit_affine


@pytest.fixture
def x(rng):
    return np.column_stack([rng.standard_normal((200, 2)) @ [[2.0, 1.0], [0.0, 0.5]] + 3, np.full(200, 4.0)])


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_every_form_is_what_its_map_gives(x, transform):
    codes = Codes.of(x, where="here")
    np.testing.assert_array_equal(codes.transformed(transform), fit_affine(x, transform)(x))
    np.testing.assert_array_equal(codes.affine(transform).matrix, fit_affine(x, transform).matrix)


def test_an_unknown_form_is_refused(x):
    with pytest.raises(InputError, match="'raw', 'standardised', 'whitened'"):
        Codes(x).transformed("sphered")


def test_codes_pass_unchecked_and_arrays_do_not(x):
    codes = Codes.of(x, where="first")
    assert Codes.of(codes, where="second") is codes
    with pytest.raises(InputError, match="second: needs at least 20 rows"):
        Codes.of(x[:5], where="second")
    assert codes.rows(np.arange(5)).shape == (5, 3)


def test_nothing_can_be_changed(x):
    codes = Codes.of(x, where="here")
    x[0, 0] = 99  # a copy was taken
    assert codes.values[0, 0] != 99
    for array in (codes.values, codes.standardised, codes.whitened):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0
    with pytest.raises(FrozenInstanceError):
        codes.values = x  # pyright: ignore[reportAttributeAccessIssue]


def test_an_audit_checks_each_array_once_and_whitens_it_once(rng, monkeypatch):
    checked: list[str] = []
    fitted: list[tuple[str, int]] = []
    check, fit = module.as_codes, module.fit_affine
    monkeypatch.setattr(module, "as_codes", lambda x, *, where: checked.append(where) or check(x, where=where))
    monkeypatch.setattr(module, "fit_affine", lambda x, name: fitted.append((name, len(x))) or fit(x, name))
    mu = rng.standard_normal((61, 2))
    z = mu + rng.standard_normal((61, 2))
    settings = AuditSettings(neighbours=5, grid=10, null_draws=19, null_rows=61)
    audit(z, mu=mu, logvar=np.zeros((61, 2)), settings=settings)
    assert checked == ["audit, mu", "audit, logvar", "audit, z"]
    own = 2 + 19  # mu and z, and the draws of the chance, once for both
    assert fitted.count(("whitened", 61)) == own + 19  # and those of the count of balls
    assert fitted.count(("standardised", 61)) == own + 19  # and those of the dependence of pairs
