"""What a code knows of the label: 0 where it is independent, ln 2 where two classes are apart, and less between."""

import numpy as np
import pytest

from latent_audit.diagnostics.label_information import by_class, label_information


def two_classes(rng, apart: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    label = np.arange(n) % 2
    z = rng.standard_normal((n, 2))
    z[:, 0] += apart * (2 * label - 1)
    return z, label


def test_a_code_that_does_not_know_the_label(rng):
    assert label_information(*two_classes(rng, 0.0), rng=rng) < 0.01


def test_a_code_that_knows_it(rng):
    assert label_information(*two_classes(rng, 8.0), rng=rng) == pytest.approx(np.log(2), abs=0.01)


def test_a_code_that_knows_some_of_it_is_bounded_from_below(rng):
    """N(-1, 1) and N(1, 1): I = ln 2 - E[H(p(v | z))] = 0.3369 nats, integrated on a grid."""
    x = np.linspace(-10, 10, 20001)
    low, high = (np.exp(-0.5 * (x - m) ** 2) / np.sqrt(2 * np.pi) for m in (-1, 1))
    p = np.clip(high / (low + high), 1e-300, 1 - 1e-16)
    truth = np.log(2) + np.trapezoid(0.5 * (low + high) * (p * np.log(p) + (1 - p) * np.log1p(-p)), x)
    found = label_information(*two_classes(rng, 1.0, 20_000), rng=rng)
    assert found == pytest.approx(truth, abs=5 * 0.35 / np.sqrt(5000))  # scored on a quarter; sd of the loss below 0.35


def test_classes_that_differ_in_spread_alone_are_told_apart(rng):
    """Two centred normals of sd 0.2 and 1: a linear probe sees nothing, a Gaussian per class does."""
    label = np.arange(4000) % 2
    z = rng.standard_normal((4000, 2)) * np.where(label, 1.0, 0.2)[:, None]
    assert label_information(z, label, rng=rng) > 0.3


def test_the_audit_class_by_class(rng):
    """Two classes at -2 and 2: pooled they are centred, each is 2 from 0 and as far as N(2, 1) from N(0, 1): .683."""
    z, label = two_classes(rng, 2.0, 20_000)
    found = by_class(z, label)
    assert found["class_mean_max"] == pytest.approx(2.0, abs=0.05)
    assert found["class_ks_d_max"] == pytest.approx(0.6827, abs=0.02)  # 2 Phi(1) - 1
    assert np.isnan(by_class(z[:10], label[:10])["class_mean_max"])
