"""Log densities of the mixture q_N(z) = 1/N sum_n N(z; mu_n, diag exp(logvar_n)), over all N components.

Beside each stands that of the others: 1/(N-1) times the sum without the component that z_i is a draw of, at z_i.
"""

from collections.abc import Iterator

import numpy as np

from latent_audit.diagnostics.parallel import in_order

CANCELLATION_LIMIT = 1e8  # z^2 / sigma^2 above which expanding the square would cost more than eight digits
TILE = 512  # draws and components of a block: 2 MiB of float64, so that a block stays in the cache
NODES = 16  # Chebyshev nodes per panel
TOLERANCE = 1e-8  # nats, largest error of an interpolated marginal at the points that are checked
CHECKED = 100  # so many draws of each kind are compared with the exact value
LARGEST_SHARE = 0.9  # of its own component in a density, up to which that is taken off; beyond, the others are summed
_VALUES_AT_ONCE = 2**19  # 4 MiB of float64 per block and thread
_LOG_2PI = float(np.log(2 * np.pi))


def gaussian_log_density(z: np.ndarray, mu: np.ndarray | float, logvar: np.ndarray | float) -> np.ndarray:
    """ln N(z; mu, exp(logvar)), elementwise, in nats."""
    return -0.5 * ((z - mu) ** 2 * np.exp(-np.asarray(logvar)) + logvar + _LOG_2PI)


def _logsumexp(values: np.ndarray) -> np.ndarray:
    """ln sum exp over the last axis, -inf where all are; overwrites its argument."""
    top = np.maximum(values.max(axis=1, keepdims=True), np.finfo(np.float64).min)
    values -= top
    with np.errstate(divide="ignore"):
        return top[:, 0] + np.log(np.exp(values, out=values).sum(axis=1))


def log_joint(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """ln q_N(z_i) for every row of z (sample, latent), exact: `log_joint_of_others` with the own component put back.

    A component's own draw is exact, hence ln q_N(z_i) >= ln q(z_i|x_i) - ln N always holds.
    """
    own = gaussian_log_density(z, mu, logvar).sum(axis=1)
    return with_own(log_joint_of_others(z, mu, logvar), own, len(mu))


def with_own(others: np.ndarray, own: np.ndarray, n: int) -> np.ndarray:
    """ln of the mixture of all n components, from the log density of the n - 1 others and that of the own one."""
    return np.logaddexp(others + np.log(n - 1), own) - np.log(n)


def log_joint_of_others(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray, *, rows: int | None = None) -> np.ndarray:
    """ln of the mixture of the N - 1 others at every row of z (sample, latent), exact, in blocks.

    rows : so many of the first rows alone. The own component is left out of the sum, never taken off it. The quadratic
    form is expanded, so that the N^2 d work is one matrix product; dimensions whose posterior is so narrow that this
    would cancel (z^2 / sigma^2 > 1e8) are subtracted first.
    """
    n, wanted = len(z), len(z) if rows is None else rows
    centre = z.mean(axis=0)
    z, mu = z - centre, mu - centre
    precision = np.exp(-logvar)
    largest = np.maximum(np.abs(z).max(axis=0), np.abs(mu).max(axis=0))
    sharp = precision.max(axis=0) * largest**2 > CANCELLATION_LIMIT
    left = np.hstack([z[:, ~sharp] ** 2, z[:, ~sharp]])
    right = np.hstack([-0.5 * precision[:, ~sharp], (precision * mu)[:, ~sharp]])
    constant = -0.5 * (logvar + _LOG_2PI).sum(axis=1) - 0.5 * (precision * mu**2)[:, ~sharp].sum(axis=1)

    def of_rows(start: int) -> np.ndarray:
        block = slice(start, min(start + TILE, wanted))
        parts = []
        for first in range(0, n, TILE):
            columns = slice(first, min(first + TILE, n))
            values = left[block] @ right[columns].T
            values += constant[columns]
            for j in np.flatnonzero(sharp):
                values -= 0.5 * (z[block, j, None] - mu[columns, j]) ** 2 * precision[columns, j]
            if first == start:
                np.fill_diagonal(values, -np.inf)
            parts.append(_logsumexp(values))
        return _logsumexp(np.column_stack(parts))

    return np.concatenate(in_order(of_rows, range(0, wanted, TILE))) - np.log(n - 1)


def log_marginals(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """ln q_Nj(z_ij) (sample, latent): one-dimensional mixtures over all N components, to 1e-8 nats.

    Each is interpolated from its exact values at the Chebyshev nodes of equal panels that span the draws, and compared
    with the exact value at 400 of the draws: the 100 lowest, the 100 highest, 100 evenly spaced ranks, and those of the
    100 narrowest posteriors, whose spikes lie between the others (z_i is a draw of component i). Panels are
    halved until the largest difference is below 1e-8 nats; if that takes as many nodes as there are draws, the
    marginal is computed exactly at every draw.
    """

    def of_dimension(j: int) -> np.ndarray:
        return _log_marginal(z[:, j], mu[:, j], logvar[:, j])

    return np.column_stack(in_order(of_dimension, range(z.shape[1])))


def log_marginals_of_others(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """ln of the one-dimensional mixtures of the N - 1 others at z_ij (sample, latent), from `whole`, `log_marginals`.

    Where the own component is more than LARGEST_SHARE of the density the others are summed instead, so that the error
    of `whole` grows tenfold at most.
    """
    n = len(mu)

    def of_dimension(j: int) -> np.ndarray:
        own = gaussian_log_density(z[:, j], mu[:, j], logvar[:, j])
        share = np.exp(np.minimum(own - whole[:, j] - np.log(n), 0.0))
        alone = np.flatnonzero(share > LARGEST_SHARE)
        others = whole[:, j] + np.log1p(-np.minimum(share, LARGEST_SHARE)) + np.log(n / (n - 1))
        others[alone] = exact_marginal_of_others(z[:, j], mu[:, j], logvar[:, j], alone)
        return others

    return np.column_stack(in_order(of_dimension, range(z.shape[1])))


def _log_marginal(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    order = np.argsort(z, kind="stable")
    evenly = np.linspace(0, len(z) - 1, CHECKED).astype(int)
    narrowest = np.argsort(logvar, kind="stable")[:CHECKED]
    checked = np.concatenate([order[:CHECKED], order[evenly], order[-CHECKED:], narrowest])
    low, high = z.min(), z.max()
    if high > low:
        exact = _exact_marginal(z[checked], mu, logvar)
        std = np.exp(0.5 * np.quantile(logvar, 0.1))
        panels = int(min(max(1, np.ceil((high - low) / (8 * std))), len(z)))
        while panels * NODES < len(z):
            table = _panel_values(low, high, panels, mu, logvar)
            if np.abs(_interpolate(z[checked], low, high, table) - exact).max() < TOLERANCE:
                return _interpolate(z, low, high, table)
            panels *= 2
    return _exact_marginal(z, mu, logvar)


def _exact_marginal(points: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    return np.concatenate([_logsumexp(values) for _, values in _blocks(points, mu, logvar)]) - np.log(len(mu))


def exact_marginal_of_others(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """ln of the mixture of the N - 1 others at z[rows]; z, mu, logvar (sample,) of one dimension, rows indices."""
    sums = [np.empty(0)]
    for block, values in _blocks(z[rows], mu, logvar):
        values[np.arange(len(values)), rows[block]] = -np.inf
        sums.append(_logsumexp(values))
    return np.concatenate(sums) - np.log(len(mu) - 1)


def _blocks(points: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Which points, and the log density of every component there (point, component), a block at a time."""
    scale = np.exp(-0.5 * logvar) * np.sqrt(0.5)
    constant = -0.5 * (logvar + _LOG_2PI)
    height = max(1, _VALUES_AT_ONCE // len(mu))
    for i in range(0, len(points), height):
        values = np.subtract.outer(points[i : i + height], mu)
        values *= scale
        np.square(values, out=values)
        yield slice(i, i + height), np.subtract(constant, values, out=values)


def _chebyshev() -> tuple[np.ndarray, np.ndarray]:
    """Second-kind Chebyshev nodes on [-1, 1] and their barycentric weights; Berrut & Trefethen (2004), SIAM Rev. 46."""
    k = np.arange(NODES)
    weight = np.where(k % 2 == 0, 1.0, -1.0)
    weight[[0, -1]] *= 0.5
    return np.cos(np.pi * k / (NODES - 1)), weight


def _panel_values(low: float, high: float, panels: int, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """(panel, node) exact ln q at the nodes of equal panels of [low, high]."""
    middle = low + (high - low) * (np.arange(panels) + 0.5) / panels
    points = np.add.outer(middle, 0.5 * (high - low) / panels * _chebyshev()[0])
    return _exact_marginal(points.ravel(), mu, logvar).reshape(panels, NODES)


def _interpolate(points: np.ndarray, low: float, high: float, table: np.ndarray) -> np.ndarray:
    """Barycentric interpolation of the panel each point lies in."""
    nodes, weight = _chebyshev()
    panels = len(table)
    position = (points - low) / (high - low) * panels
    panel = np.minimum(position.astype(int), panels - 1)
    distance = np.subtract.outer(2 * (position - panel) - 1, nodes)
    hit = np.abs(distance) < 1e-13
    ratio = weight / np.where(hit, 1.0, distance)
    ratio = np.where(hit.any(axis=1, keepdims=True), hit.astype(float), ratio)
    return (ratio * table[panel]).sum(axis=1) / ratio.sum(axis=1)
