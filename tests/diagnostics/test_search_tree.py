import numpy as np
import torch

from latent_audit.diagnostics.search_tree import search_tree


def test_zeros_and_subnormal_coordinates_are_searched_where_these_are_flushed_to_zero():
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.standard_normal(500), rng.standard_normal(500) * 1e-310])
    points[:250, 0] = 0.0
    torch.set_flush_denormal(True)
    try:
        distances, _ = search_tree(points).query(points[:, :1] @ np.array([[1.0, 0.0]]))
    finally:
        torch.set_flush_denormal(False)
    np.testing.assert_array_equal(distances, np.zeros(500))


def test_other_coordinates_are_left_as_they_are():
    points = np.array([[1e-150, -2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(search_tree(points).data, points)
