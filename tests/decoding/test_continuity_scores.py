import numpy as np
import pytest
import torch
from scipy.stats import norm

from latent_audit.base.errors import InputError
from latent_audit.critic.network import build_critic
from latent_audit.decoding import continuity as probing
from latent_audit.decoding.continuity import Probe
from latent_audit.decoding.jacobian import jacobian_singular_values
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape

METRICS = [
    "jacobian_sigma_max_median", "jacobian_sigma_max_q95", "jacobian_condition_median", "jacobian_condition_q95",
    "jacobian_sigma_max_median_codes", "jacobian_sigma_max_q95_codes",
    "jacobian_condition_median_codes", "jacobian_condition_q95_codes",
    "path_ratio_features", "path_ratio_pixels", "midpoint_confidence", "endpoint_confidence", "midpoint_nn_ratio",
    "round_trip_prior", "round_trip_codes", "round_trip_codes_relative", "jump_rate", "jump_rate_codes",
]  # fmt: skip
MATRIX = torch.tensor([[3.0, 0.0], [0.0, 1.0], [0.0, 0.0], [4.0, 0.0]], dtype=torch.float64)  # singular values 5 and 1


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def linear_probe(matrix: torch.Tensor) -> Probe:
    """A linear decoder, its exact inverse, features = pixels, class = the first pixel's sign."""
    return Probe(
        decode=lambda z: (z @ matrix.T)[:, None, None, :],
        encode=lambda x: x.flatten(start_dim=1) @ torch.linalg.pinv(matrix).T,
        features=lambda x: x.flatten(start_dim=1),
        classify=lambda features: torch.stack([features[:, 0], -features[:, 0]], dim=1) * 1e6,
    )


def scores(probe, codes, rng):
    codes = torch.as_tensor(codes, dtype=torch.float64)
    real = probe.features(probe.decode(codes)).numpy() + 0.1
    return probing.probe_continuity(probe, codes, real, rng=rng).set_index("metric")["value"]


def test_a_linear_decoder_has_a_constant_jacobian_straight_lines_and_a_perfect_round_trip(rng):
    codes = rng.standard_normal((400, 2))
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0) * [1.0, 10.0]
    value = scores(linear_probe(MATRIX), codes, rng)
    assert value.index.tolist() == METRICS
    for statistic in ("median", "q95"):
        assert value[f"jacobian_sigma_max_{statistic}"] == pytest.approx(5)
        assert value[f"jacobian_condition_{statistic}"] == pytest.approx(5)
        # columns of lengths 5 and 1 in units of the codes' standard deviations 1 and 10: 5 and 10
        assert value[f"jacobian_sigma_max_{statistic}_codes"] == pytest.approx(10)
        assert value[f"jacobian_condition_{statistic}_codes"] == pytest.approx(2)
    assert value["path_ratio_pixels"] == pytest.approx(1, rel=1e-12)
    assert value["path_ratio_features"] == pytest.approx(1, rel=1e-12)
    for name in ("round_trip_prior", "round_trip_codes", "round_trip_codes_relative"):
        assert value[name] == pytest.approx(0, abs=1e-20)


def test_a_dead_dimension_has_the_largest_condition_and_its_round_trip_error_is_its_variance(rng):
    dead = MATRIX * torch.tensor([1.0, 0.0], dtype=torch.float64)
    codes = rng.standard_normal((500, 2))
    value = scores(linear_probe(dead), codes, rng)
    assert value["jacobian_sigma_max_median"] == pytest.approx(5)
    assert value["jacobian_condition_median"] == pytest.approx(1e6)
    # z_1 comes back as 0: E z_1^2 / 2 = 1/2; the variance of z^2 is 2
    assert abs(value["round_trip_prior"] - 0.5) < 5 * 0.5 * np.sqrt(2 / 1000)
    assert value["round_trip_codes"] == pytest.approx((codes[:, 1] ** 2).mean() / 2)


def test_the_jump_rate_of_a_half_space_has_a_closed_form(rng):
    z = torch.as_tensor(rng.standard_normal((20_000, 1)))
    rate = probing.jump_rate(linear_probe(MATRIX[:, :1]), z, torch.ones(1, dtype=z.dtype), rng=rng)
    # the class is the sign of z; a step of 0.1 crosses 0 from |z| < 0.1 in one of two directions
    expected = norm.cdf(0.1) - 0.5
    assert abs(rate - expected) < 5 * np.sqrt(expected / 20_000)
    wide = probing.jump_rate(linear_probe(MATRIX[:, :1]), 30 * z, torch.full((1,), 30.0, dtype=z.dtype), rng=rng)
    assert abs(wide - expected) < 5 * np.sqrt(expected / 20_000)  # steps in units of the codes' own spread
    assert probing.jump_rate(linear_probe(MATRIX), z.expand(-1, 2), torch.zeros(2, dtype=z.dtype), rng=rng) == 0


def test_midpoints_of_two_clusters_leave_the_data(rng):
    codes = np.repeat([[-5.0, 0.0], [5.0, 0.0]], 200, axis=0) + 0.01 * rng.standard_normal((400, 2))
    assert scores(linear_probe(MATRIX), codes, rng)["midpoint_nn_ratio"] > 10
    one = 0.01 * rng.standard_normal((400, 2))
    assert scores(linear_probe(MATRIX), one, rng)["midpoint_nn_ratio"] == pytest.approx(1, abs=0.1)


def test_a_constant_decoder_is_named_as_such(rng):
    value = scores(linear_probe(0 * MATRIX), rng.standard_normal((100, 2)), rng)
    assert value["jacobian_sigma_max_median"] == 0 and value["jacobian_condition_median"] == 1e6
    assert np.isnan(value["path_ratio_pixels"]) and value["jump_rate"] == 0
    assert value["midpoint_nn_ratio"] == pytest.approx(1)


def test_the_jacobian_agrees_with_reverse_mode_and_a_changed_unit_scales_it():
    model = build(ModelSpec("vae", "conv", ImageShape(1, 8, 8), 3), seed=1).double()
    z = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def decode(points):
        return model.decode(points).sigmoid()

    unit = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    found = jacobian_singular_values(decode, z, unit)
    for point, values in zip(z, found, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda p: decode(p[None]).flatten(), point)
        assert values == pytest.approx(torch.linalg.svdvals(jacobian * unit).numpy(), rel=1e-6)


def test_a_model_is_probed_in_float32_and_the_numbers_repeat_by_seed(rng):
    image = ImageShape(1, 16, 16)
    model, critic = build(ModelSpec("vae", "conv", image, 2), seed=0).eval(), build_critic(image, 3, seed=0).eval()
    codes, real = rng.standard_normal((50, 2)), rng.standard_normal((50, 64))

    def table(seed):
        return probing.continuity_scores(
            model, critic, codes, real, rng=np.random.default_rng(seed), device=torch.device("cpu")
        )

    first = table(1)
    assert list(first.columns) == ["metric", "value"] and first["metric"].tolist() == METRICS
    assert np.isfinite(first["value"]).all() and first.equals(table(1)) and not first.equals(table(2))


def test_pairs_are_disjoint_and_depend_on_seed_and_n_alone(rng, monkeypatch):
    pairs = probing.matched_pairs(10_000, rng=np.random.default_rng(0))
    assert pairs.shape == (256, 2) and len(np.unique(pairs)) == 512
    assert probing.matched_pairs(100, rng=np.random.default_rng(0)).shape == (12, 2)
    seen = []
    monkeypatch.setattr(
        probing, "matched_pairs", lambda n, *, rng: seen.append(rng.permutation(n)) or np.array([[0, 1], [2, 3]])
    )
    for matrix in (MATRIX, MATRIX[:, :1]):
        scores(
            linear_probe(matrix),
            np.random.default_rng(3).standard_normal((50, matrix.shape[1])),
            np.random.default_rng(5),
        )
    assert np.array_equal(*seen)


def test_bad_codes_are_refused(rng):
    probe = linear_probe(MATRIX)
    for codes in (rng.standard_normal((15, 2)), np.full((50, 2), np.nan)):
        with pytest.raises(InputError, match="at least 16 rows of finite"):
            scores(probe, codes, rng)
    with pytest.raises(InputError, match="3 rows of features and 50 codes"):
        probing.probe_continuity(probe, torch.zeros(50, 2), np.zeros((3, 4)), rng=rng)


def test_without_classes_nothing_is_said_of_confidence_and_jumps(rng):
    codes = rng.standard_normal((400, 2))
    value = scores(linear_probe(MATRIX)._replace(classify=None), codes, rng)
    of_classes = {"midpoint_confidence", "endpoint_confidence", "jump_rate", "jump_rate_codes"}
    assert value.index.tolist() == [name for name in METRICS if name not in of_classes]
