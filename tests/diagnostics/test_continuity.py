import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.diagnostics import continuity


def test_path_ratio_of_lines_and_curves():
    straight = np.outer(np.linspace(0, 1, 9) ** 2, [3.0, 4.0])  # uneven speed does not lengthen it
    angle = np.linspace(0, np.pi, 9)
    half_circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ratio = continuity.path_ratio(np.stack([straight, half_circle, np.zeros((9, 2))]))
    # eight chords of a half circle: 8 * 2 sin(pi / 16), over a diameter of 2
    assert ratio[:2] == pytest.approx([1.0, 8 * np.sin(np.pi / 16)], rel=1e-12)
    assert np.isnan(ratio[2])


def test_path_ratio_tends_to_the_arc_length_and_ignores_scale_and_rotation(rng):
    angle = np.linspace(0, np.pi, 2001)
    half_circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)[None]
    assert continuity.path_ratio(half_circle) == pytest.approx([np.pi / 2], rel=1e-5)
    path = rng.standard_normal((3, 7, 4))
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    assert continuity.path_ratio(5 * path @ turn + 1) == pytest.approx(continuity.path_ratio(path))
    assert (continuity.path_ratio(path) >= 1).all()


def test_nearest_ratio_by_hand():
    reference = np.array([[0.0, 0.0], [10.0, 0.0]])
    ends = np.array([[0.0, 1.0], [10.0, 1.0]])
    assert continuity.nearest_ratio(np.array([[5.0, 0.0]]), ends, reference) == pytest.approx(5.0)
    assert continuity.nearest_ratio(ends, ends, reference) == pytest.approx(1.0)
    assert np.isnan(continuity.nearest_ratio(ends, reference, reference))


def test_condition_number_from_round_to_flat():
    values = np.array([[3.0, 3.0], [8.0, 2.0], [1.0, 0.0], [0.0, 0.0]])
    assert continuity.condition_number(values).tolist() == [1, 4, 1e6, 1e6]
    assert continuity.condition_number(np.array([[0.3], [7.0]])).tolist() == [1, 1]


def test_jacobian_summary_names_its_rows_and_takes_quantiles():
    values = np.stack([np.arange(1.0, 102.0), np.ones(101)], axis=1)
    assert continuity.jacobian_summary(values, suffix="_codes") == pytest.approx(
        {
            "jacobian_sigma_max_median_codes": 51, "jacobian_sigma_max_q95_codes": 96,
            "jacobian_condition_median_codes": 51, "jacobian_condition_q95_codes": 96,
        }
    )  # fmt: skip


def test_round_trip_by_hand_and_free_of_scale(rng):
    z, shift = np.array([[0.0, 0.0], [2.0, 4.0]]), np.array([1.0, 3.0])
    assert continuity.round_trip(z, z) == 0
    assert continuity.round_trip(z, z + shift) == pytest.approx((1 + 9) / 2)
    # variances 1 and 4, mean 2.5
    assert continuity.relative_round_trip(z, z + shift) == pytest.approx(5 / 2.5)
    assert continuity.relative_round_trip(7 * z, 7 * (z + shift)) == pytest.approx(5 / 2.5)
    assert continuity.relative_round_trip(rng.standard_normal((50, 3)), np.zeros((50, 3))) > 0
    assert np.isnan(continuity.relative_round_trip(np.ones((5, 2)), np.zeros((5, 2))))


def test_jump_rate_counts_changes():
    assert continuity.jump_rate(np.array([0, 1, 2, 3]), np.array([0, 1, 0, 0])) == 0.5


def test_tidy_keeps_the_order():
    table = continuity.tidy({"b": 1.0, "a": 2.0})
    assert table.to_dict("list") == {"metric": ["b", "a"], "value": [1.0, 2.0]}


def test_bad_shapes_are_refused():
    with pytest.raises(InputError, match="at least two steps"):
        continuity.path_ratio(np.zeros((3, 1, 2)))
    with pytest.raises(InputError, match="one shape"):
        continuity.round_trip(np.zeros((3, 2)), np.zeros((2, 2)))
    with pytest.raises(InputError, match="one length"):
        continuity.jump_rate(np.zeros(3, dtype=int), np.zeros(2, dtype=int))
    with pytest.raises(InputError, match="singular values"):
        continuity.jacobian_summary(np.zeros((0, 2)))
