import numpy as np
import pytest
from scipy import linalg
from scipy.spatial.distance import cdist

from latent_audit.base.errors import InputError
from latent_audit.diagnostics import generation, generation_manifold
from latent_audit.diagnostics.generation_distances import frechet_distance, kid
from latent_audit.diagnostics.generation_manifold import manifold_scores

METRICS = [
    "fd_clf", "kid", "kid_sd", "precision", "recall", "density", "coverage",
    "class_entropy", "class_kl", "confidence", "prediction_entropy",
]  # fmt: skip


def with_moments(rng, mean, covariance, n=200):
    """Rows whose 1/n mean and covariance are exactly the ones asked for."""
    x = rng.standard_normal((n, len(mean)))
    x -= x.mean(axis=0)
    white = x @ np.linalg.inv(np.linalg.cholesky(x.T @ x / n)).T
    return white @ np.asarray(linalg.sqrtm(covariance)).real.T + mean


def test_frechet_distance_in_one_dimension_by_hand_with_1_over_n():
    # means 0 and 3, standard deviations (1/n) 1 and 2: 3^2 + (2 - 1)^2
    assert frechet_distance(np.array([[-1.0], [1.0]]), np.array([[1.0], [5.0]])) == pytest.approx(10.0)


def test_frechet_distance_of_commuting_gaussians(rng):
    # Dowson & Landau (1982): diagonal covariances give sum (sd_1 - sd_2)^2
    x = with_moments(rng, np.zeros(3), np.diag([1.0, 4.0, 9.0]))
    y = with_moments(rng, np.array([1.0, 0.0, -2.0]), np.diag([4.0, 4.0, 1.0]))
    assert frechet_distance(x, y) == pytest.approx(1 + 4 + 1 + 0 + 4)


def test_frechet_distance_agrees_with_the_matrix_root_of_scipy(rng):
    x, y = rng.standard_normal((300, 8)) @ rng.standard_normal((8, 8)), rng.standard_normal((200, 8)) + 0.3
    s, t = (np.cov(values.T, ddof=0) for values in (x, y))
    shift = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
    expected = shift + np.trace(s + t - 2 * np.asarray(linalg.sqrtm(s @ t)).real)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(y, x) == pytest.approx(expected, rel=1e-8)


def test_frechet_distance_of_singular_covariances(rng):
    # S = aa', T = bb': tr (ST)^(1/2) = |a.b|
    a, b = np.array([3.0, 0.0, 4.0]), np.array([1.0, 2.0, 2.0])
    line = np.array([[-1.0], [1.0]])
    assert frechet_distance(line * a, line * b) == pytest.approx(25 + 9 - 2 * 11)
    few = rng.standard_normal((5, 64))
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-12)
    assert frechet_distance(np.zeros((4, 2)), np.ones((9, 2))) == pytest.approx(2.0)


def test_frechet_distance_is_unchanged_by_rotation_and_zero_for_the_same_rows(rng):
    x, y = rng.standard_normal((2, 100, 4))
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(frechet_distance(x, y))
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-12)


def test_kid_of_two_point_masses_by_hand(rng):
    # d = 2: k(a, a) = (2/2 + 1)^3 = 8, k(0, 0) = k(a, 0) = 1: 8 + 1 - 2
    mean, sd = kid(np.ones((6, 2)), np.zeros((8, 2)), rng=rng)
    assert (mean, sd) == (pytest.approx(7.0), pytest.approx(0.0, abs=1e-12))


def test_kid_of_one_subset_agrees_with_the_double_sum(rng):
    x, y = rng.standard_normal((12, 3)), rng.standard_normal((14, 3)) + 1

    def mean_kernel(a, b, *, off_diagonal):
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not (off_diagonal and i == j)]
        return np.mean([(a[i] @ b[j] / 3 + 1) ** 3 for i, j in pairs])

    rows = np.random.default_rng(5)
    few = x[rows.choice(12, 6, replace=False)], y[rows.choice(14, 6, replace=False)]
    expected = mean_kernel(few[0], few[0], off_diagonal=True) + mean_kernel(few[1], few[1], off_diagonal=True)
    expected -= 2 * mean_kernel(*few, off_diagonal=False)
    assert kid(x, y, rng=np.random.default_rng(5), subsets=1)[0] == pytest.approx(expected)


def test_kid_is_unbiased(rng):
    values = np.array([kid(*rng.standard_normal((2, 40, 3)), rng=rng, subsets=1)[0] for _ in range(400)])
    assert abs(values.mean()) < 5 * values.std() / np.sqrt(400)
    assert values.min() < 0 < values.max()


def test_manifold_scores_agree_with_the_full_matrices(rng, monkeypatch):
    monkeypatch.setattr(generation_manifold, "_DISTANCES_AT_ONCE", 256)  # several blocks, the last one short
    x, y, k = rng.standard_normal((60, 4)) * 1.3, rng.standard_normal((47, 4)) + 0.2, 3
    radius_x, radius_y = (np.sort(cdist(v, v), axis=1)[:, k] for v in (x, y))
    distance = cdist(x, y)
    assert manifold_scores(x, y, k=k) == pytest.approx(
        {
            "precision": np.mean([any(distance[i, j] <= radius_y[j] for j in range(47)) for i in range(60)]),
            "recall": np.mean([any(distance[i, j] <= radius_x[i] for i in range(60)) for j in range(47)]),
            "density": sum(distance[i, j] <= radius_y[j] for j in range(47) for i in range(60)) / (k * 60),
            "coverage": np.mean([any(distance[i, j] <= radius_y[j] for i in range(60)) for j in range(47)]),
        }
    )


def test_manifold_scores_of_the_same_rows_and_of_far_ones(rng):
    x = rng.standard_normal((100, 5))
    same = manifold_scores(x, x)
    assert (same["precision"], same["recall"], same["coverage"]) == (1, 1, 1)
    assert 1 <= same["density"] <= 6 / 5  # every ball holds its centre and its 5 neighbours, the last on its border
    assert set(manifold_scores(x, x + 100).values()) == {0.0}


def test_manifold_scores_of_collapsed_sets(rng):
    real = rng.standard_normal((200, 3))
    collapsed = manifold_scores(np.tile(real[:1], (50, 1)), real)
    assert collapsed["precision"] == 1 and collapsed["recall"] == pytest.approx(1 / 200)
    assert collapsed["coverage"] < 0.15
    constant = manifold_scores(np.full((20, 3), 0.1), np.full((20, 3), 0.1))
    assert (constant["precision"], constant["recall"], constant["coverage"]) == (1, 1, 1)


def test_density_and_coverage_of_equal_distributions_have_their_expected_values(rng):
    n, k, runs = 100, 5, 100
    scores = [manifold_scores(*rng.standard_normal((2, n, 2)), k=k) for _ in range(runs)]
    density, coverage = (np.array([s[name] for s in scores]) for name in ("density", "coverage"))
    # Naeem et al. (2020), expected coverage of n rows against n: 1 - prod_i (n - i) / (2n - i), i = 1..k
    expected = 1 - np.prod((n - np.arange(1, k + 1)) / (2 * n - np.arange(1, k + 1)))
    assert abs(density.mean() - 1) < 5 * density.std() / np.sqrt(runs)
    assert abs(coverage.mean() - expected) < 5 * coverage.std() / np.sqrt(runs)


def test_class_histogram_entropy_and_divergence():
    counts = generation.class_histogram(np.eye(4)[[0, 0, 1, 3]])
    assert counts.tolist() == [2, 1, 0, 1]
    # shares 1/2 1/4 0 1/4: 1.5 bits of 2
    assert generation.class_entropy(counts) == pytest.approx(0.75)
    assert generation.class_entropy(np.array([7, 7, 7])) == pytest.approx(1.0)
    assert generation.class_entropy(np.array([0, 9])) == 0.0
    assert generation.class_kl(counts, counts) == 0.0
    # with the halves: (1.5, 0.5) / 2 against (0.5, 1.5) / 2: 0.75 ln 3 - 0.25 ln 3
    assert generation.class_kl(np.array([1, 0]), np.array([0, 1])) == pytest.approx(0.5 * np.log(3))


def test_prediction_entropy_from_certain_to_undecided():
    assert generation.prediction_entropy(np.eye(3)) == 0.0
    assert generation.prediction_entropy(np.full((5, 4), 0.25)) == pytest.approx(np.log(4))


def test_score_names_every_metric_and_tells_same_from_other(rng):
    features, other = rng.standard_normal((2, 400, 6))
    p, q = np.eye(5)[rng.integers(5, size=400)], np.full((400, 5), 0.2)
    same = generation.score(features, p, features, p, rng=rng)
    assert list(same.columns) == ["metric", "value"] and same["metric"].tolist() == METRICS
    value = same.set_index("metric")["value"]
    assert value["fd_clf"] == pytest.approx(0, abs=1e-9)
    assert (value["precision"], value["coverage"], value["class_kl"], value["confidence"]) == (1, 1, 0, 1)
    far = generation.score(other + 4, q, features, p, rng=rng).set_index("metric")["value"]
    assert far["fd_clf"] > 6 * 9 and far["kid"] > 10 * far["kid_sd"] and far["coverage"] < 0.1
    assert far["confidence"] == pytest.approx(0.2) and far["class_entropy"] == 0


def test_score_repeats_by_seed_and_subsamples_the_manifold(rng, monkeypatch):
    monkeypatch.setattr(generation, "MANIFOLD_ROWS", 100)
    x, y = rng.standard_normal((2, 300, 3))
    p = np.eye(2)[rng.integers(2, size=300)]
    first, same, other = (generation.score(x, p, y, p, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert first.equals(same) and not first.equals(other)


@pytest.mark.parametrize(
    ("generated", "real", "message"),
    [
        (np.zeros((5, 3)), np.zeros((20, 3)), "at least 6 rows, got 5"),
        (np.zeros((20, 3)), np.zeros((20, 2)), "3 and 2 columns"),
        (np.zeros(20), np.zeros((20, 2)), "array, got shape"),
        (np.full((20, 2), np.nan), np.zeros((20, 2)), "NaN or infinite in 20 of 20 rows"),
        (np.zeros((19, 2)), np.zeros((20, 2)), "one row of probabilities per row of features"),
    ],
)
def test_bad_features_are_refused(rng, generated, real, message):
    p = np.eye(2)[rng.integers(2, size=20)]
    with pytest.raises(InputError, match=message):
        generation.score(generated, p, real, p, rng=rng)


def test_bad_neighbours_and_classes_are_refused(rng):
    x = rng.standard_normal((10, 2))
    with pytest.raises(InputError, match="k must be at least 1"):
        manifold_scores(x, x, k=0)
    with pytest.raises(InputError, match="at least two classes"):
        generation.score(x, np.ones((10, 1)), x, np.ones((10, 1)), rng=rng)


def test_manifold_scores_do_not_feel_a_large_mean(rng):
    x, y = rng.standard_normal((100, 2)), rng.standard_normal((100, 2))
    near, far = manifold_scores(x, y, k=5), manifold_scores(x + 1e7, y + 1e7, k=5)
    assert far == near


def test_without_probabilities_the_distance_is_of_random_features_and_classes_are_left_out(rng):
    x, y = rng.standard_normal((2, 50, 3))
    found = generation.score(x, None, y, None, rng=rng).set_index("metric")["value"]
    assert found.index.tolist() == ["fd_random", *METRICS[1:7]]
    assert found["fd_random"] == frechet_distance(x, y)
