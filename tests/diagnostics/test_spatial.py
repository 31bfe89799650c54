"""How many positions of a map are worth an independent one: noise, constant maps, boards and blocks."""

import numpy as np
import pytest

from latent_audit.diagnostics.running_moments import spread_of
from latent_audit.diagnostics.spatial import (
    Field,
    effective_positions,
    grid_of,
    neighbours_matter,
    on_grid,
    spatial_table,
)

N, SIDE = 400, 8


def field(maps: np.ndarray) -> Field:
    """As the first pass makes it, of all samples and channels."""
    n, channels, height, width = maps.shape
    flat = maps.reshape(n, channels, -1)
    position = spread_of(flat)
    centred = (flat - position.mean).reshape(maps.shape)
    return Field(n, height, width, position, spread_of(flat.mean(axis=2)), centred, np.arange(channels))


def draws(*shape: int) -> np.ndarray:
    return np.random.default_rng(4).standard_normal(shape)


def constant() -> np.ndarray:
    return np.broadcast_to(draws(N, 1, 1, 1), (N, 1, SIDE, SIDE)).copy()


def board() -> np.ndarray:
    """One number a map, with the signs of a chess board: the mean of a map is 0 whatever it is."""
    return constant() * (-1.0) ** np.add.outer(np.arange(SIDE), np.arange(SIDE))


def blocks() -> np.ndarray:
    """Squares of 2 x 2 equal positions: 16 independent numbers a map of 64."""
    return np.kron(draws(N, 1, SIDE // 2, SIDE // 2), np.ones((2, 2)))


def smooth(correlation: float = 0.8) -> np.ndarray:
    """An autoregression along the rows, of variance 1, and along the columns again: r = correlation^(|dy| + |dx|)."""
    x = draws(N, 1, SIDE, SIDE)
    for axis in (2, 3):
        x = np.moveaxis(x, axis, 0)
        for k in range(1, SIDE):
            x[k] = correlation * x[k - 1] + np.sqrt(1 - correlation**2) * x[k]
        x = np.moveaxis(x, 0, axis)
    return x


@pytest.mark.parametrize(
    ("maps", "expected", "relative"),
    [
        (draws(N, 1, SIDE, SIDE), SIDE**2, 5 * np.sqrt(2 / N)),  # the variance of 400 map means has this standard error
        (constant(), 1, 1e-9),
        (board(), 1, 1e-9),
        (blocks(), 16, 5 * np.sqrt(2 / N)),
        (smooth(), None, 5 * np.sqrt(2 / N)),
    ],
    ids=["noise", "constant", "board", "blocks", "smooth"],
)
def test_effective_positions_of_known_fields(maps, expected, relative):
    if expected is None:  # P^2 / sum of r, of r = 0.8^(|dy| + |dx|)
        along = (0.8 ** np.abs(np.subtract.outer(np.arange(SIDE), np.arange(SIDE)))).sum()
        expected = SIDE**4 / along**2
    assert effective_positions(field(maps)) == pytest.approx([expected], rel=relative)


def test_a_map_that_never_varies_is_worth_one_position():
    assert effective_positions(field(np.ones((N, 1, 3, 3)))).tolist() == [1.0]


def test_what_is_the_same_in_every_map_is_no_correlation_but_a_fixed_share():
    pattern = np.linspace(-1, 1, SIDE**2).reshape(SIDE, SIDE)
    maps = draws(N, 1, SIDE, SIDE) + pattern
    table = spatial_table(field(maps)).set_index("scope")
    assert table.loc["0", "effective_positions"] > 0.6 * SIDE**2
    assert abs(table.loc["0", "correlation_right"]) < 5 / np.sqrt(N * SIDE * (SIDE - 1))
    expected = pattern.var() / (1 + pattern.var())
    assert table.loc["0", "fixed_share"] == pytest.approx(expected, abs=0.02)  # 25,600 values: se 0.004
    assert spatial_table(field(maps - pattern))["fixed_share"].max() < 0.01


def test_correlations_of_neighbours():
    table = spatial_table(field(smooth())).set_index("scope")
    assert table.loc["0", "correlation_down"] == pytest.approx(0.8, abs=0.03)
    assert table.loc["0", "correlation_right"] == pytest.approx(0.8, abs=0.03)
    rows = np.broadcast_to(draws(N, 1, SIDE, 1), (N, 1, SIDE, SIDE))
    of_rows = spatial_table(field(rows)).set_index("scope").loc["0"]
    assert of_rows["correlation_right"] == pytest.approx(1)
    assert abs(of_rows["correlation_down"]) < 5 / np.sqrt(N * SIDE)
    assert of_rows["effective_positions"] == pytest.approx(SIDE, rel=5 * np.sqrt(2 / N))
    one_row = spatial_table(field(draws(N, 2, 1, SIDE)))
    assert one_row["correlation_down"].isna().all() and one_row["correlation_right"].notna().all()


def test_the_pooled_row_is_of_all_channels():
    both = np.concatenate([constant(), blocks()], axis=1)
    table = spatial_table(field(both)).set_index("scope")
    first, second = table.loc[["0", "1"], "effective_positions"]
    assert table.loc["pooled", "effective_positions"] == pytest.approx(2 / (1 / first + 1 / second))
    assert table["effective_n"].tolist() == pytest.approx((table["effective_positions"] * N).tolist())


def test_the_grid_is_as_fine_as_independence_allows():
    assert grid_of(field(blocks()), 64) == (4, 4)  # one position of each square
    assert grid_of(field(constant()), 64) == grid_of(field(board()), 64) == (1, 1)
    assert grid_of(field(draws(N, 1, SIDE, SIDE)), 16) == (4, 4)  # no more than asked for
    mixed = np.concatenate([constant(), draws(N, 9, SIDE, SIDE)], axis=1)
    assert grid_of(field(mixed), 64) == (1, 1)  # one channel of ten is enough


def test_a_grid_moves_round_the_edges_and_meets_every_position_equally():
    offsets = np.argwhere(np.ones((6, 4)))
    positions = on_grid((6, 4), (3, 2), offsets)
    assert positions.shape == (24, 6)
    assert [len(set(row)) for row in positions.tolist()] == [6] * 24
    assert np.bincount(positions.ravel()).tolist() == [6] * 24
    assert positions[0].tolist() == [0, 2, 8, 10, 16, 18]


@pytest.mark.parametrize(
    ("maps", "expected"),
    [(draws(N, 4, SIDE, SIDE), False), (blocks(), True), (board(), True), (draws(N, 4, 1, 1), False)],
    ids=["noise", "blocks", "board", "one position"],
)
def test_whether_neighbours_matter(maps, expected):
    assert neighbours_matter(spatial_table(field(maps)), N, N) is expected
