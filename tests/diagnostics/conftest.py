"""Shared by the tests of latent_audit.diagnostics."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def global_stream_stays_put():
    """No diagnostic may draw from numpy's global stream."""
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    yield
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240518)
