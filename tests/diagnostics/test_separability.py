import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from sklearn.metrics import silhouette_score

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.separability import linear_cka, procrustes_distance, separability


def blobs(rng, n, centres):
    labels = np.arange(n) % len(centres)
    return np.asarray(centres)[labels] + rng.standard_normal((n, len(centres[0]))), labels


def measure(rng, train, train_labels, test, test_labels, **options):
    return separability(train, train_labels, test, test_labels, rng=rng, **options).set_index("metric")["value"]


def test_far_apart_classes_are_perfect(rng):
    centres = [[0, 0], [40, 0], [0, 40]]
    values = measure(rng, *blobs(rng, 300, centres), *blobs(rng, 150, centres))
    for metric in ("knn_accuracy", "linear_probe_accuracy", "kmeans_ari", "linear_probe_converged"):
        assert values[metric] == 1.0
    assert values["silhouette"] > 0.9
    assert values["majority_accuracy"] == pytest.approx(1 / 3)


def test_codes_without_class_information_are_at_chance(rng):
    train, test = rng.standard_normal((2000, 2)), rng.standard_normal((1000, 2))
    values = measure(rng, train, rng.integers(0, 4, 2000), test, rng.integers(0, 4, 1000))
    se = np.sqrt(0.25 * 0.75 / 1000)
    assert abs(values["knn_accuracy"] - 0.25) < 5 * se and abs(values["linear_probe_accuracy"] - 0.25) < 5 * se
    assert abs(values["kmeans_ari"]) < 0.02 and abs(values["silhouette"]) < 0.1


def test_constant_codes_answer_with_the_majority_and_no_warning(rng):
    labels = np.array(["a"] * 30 + ["b"] * 20)
    values = measure(rng, np.ones((50, 3)), labels, np.ones((50, 3)), labels)
    assert values["linear_probe_accuracy"] == values["majority_accuracy"] == pytest.approx(0.6)
    assert values["kmeans_ari"] == 0.0
    assert np.isnan(values["silhouette"]) and np.isnan(values["silhouette_whitened"])


def test_probe_standardises_and_knn_does_not(rng):
    x, labels = blobs(rng, 400, [[0, 0], [4, 0]])
    stretched = x * [1, 1e4]  # the noise dimension drowns the neighbours, not the probe
    plain, odd = measure(rng, x, labels, x, labels), measure(rng, stretched, labels, stretched, labels)
    assert odd["linear_probe_accuracy"] == plain["linear_probe_accuracy"]
    assert odd["knn_accuracy"] < plain["knn_accuracy"] - 0.1
    assert odd["silhouette_whitened"] == pytest.approx(plain["silhouette_whitened"])


def test_silhouette_is_that_of_scikit_learn_on_a_seeded_subsample():
    draw = np.random.default_rng(0)
    x, labels = blobs(draw, 5200, [[0, 0], [3, 0]])
    values = measure(np.random.default_rng(9), x[:100], labels[:100], x, labels)
    rows = np.sort(np.random.default_rng(9).choice(5200, 5000, replace=False))
    assert values["silhouette"] == pytest.approx(silhouette_score(x[rows], labels[rows]))


def test_string_labels_and_unseen_classes(rng):
    x, labels = blobs(rng, 100, [[0, 0], [40, 0]])
    names = np.array(["shoe", "bag"])[labels]
    values = measure(rng, x, names, x, np.where(np.arange(100) < 10, "hat", names))
    assert values["knn_accuracy"] == pytest.approx(0.9)


def test_cka_known_answers(rng):
    x = rng.standard_normal((200, 3))
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    assert linear_cka(x, x) == pytest.approx(1)
    assert linear_cka(x, 5 + 3 * x @ rotation) == pytest.approx(1)
    # orthogonal columns: X = (a, b), Y = (a): |Y'X|^2 / (|X'X| |Y'Y|) = 1 / sqrt 2 at equal variances
    a = np.tile([1.0, 1, -1, -1], 10)
    b = np.tile([1.0, -1, 1, -1], 10)
    assert linear_cka(np.column_stack([a, b]), a[:, None]) == pytest.approx(1 / np.sqrt(2))
    assert linear_cka(a[:, None], b[:, None]) == pytest.approx(0, abs=1e-12)
    assert np.isnan(linear_cka(x, np.full((200, 2), 0.1)))


def test_cka_agrees_with_its_definition_by_centred_gram_matrices(rng):
    # HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)), Kornblith et al. (2019), section 3
    x, y = rng.standard_normal((40, 3)), rng.standard_normal((40, 5))
    centring = np.eye(40) - 1 / 40
    k, gram = centring @ x @ x.T @ centring, centring @ y @ y.T @ centring
    assert linear_cka(x, y) == pytest.approx((k * gram).sum() / np.sqrt((k * k).sum() * (gram * gram).sum()))


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_procrustes_is_scipys_disparity_symmetric_and_in_range(seed, latent_dim):
    draw = np.random.default_rng(seed)
    x, y = draw.standard_normal((2, 25, latent_dim))
    distance = procrustes_distance(x, y)
    assert 0 <= distance <= 1 and 0 <= linear_cka(x, y) <= 1 + 1e-12
    assert distance == pytest.approx(procrustes(x, y)[2], abs=1e-9)
    assert distance == pytest.approx(procrustes_distance(y, x), abs=1e-9)
    assert procrustes_distance(x, -3 * x[:, ::-1] + 1) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": np.zeros((40, 3))}, "2 dimensions and test codes 3"),
        ({"train_labels": np.zeros(40, int)}, "at least two classes"),
        ({"test_labels": np.array(["a", "b"] * 20)}, "use one kind"),
        ({"neighbours": 41}, "neighbours must be 1..40"),
        ({"train": np.zeros((5, 2))}, "separability, train: needs at least 20 rows"),
    ],
)
def test_bad_input_is_refused_in_words(rng, change, message):
    x, labels = rng.standard_normal((40, 2)), np.arange(40) % 2
    arguments = {"train": x, "train_labels": labels, "test": x, "test_labels": labels} | change
    with pytest.raises(InputError, match=message):
        separability(**arguments, rng=rng)


def test_two_codes_of_different_samples_are_refused(rng):
    for compare in (linear_cka, procrustes_distance):
        with pytest.raises(InputError, match="same samples in the same order, got 30 and 31"):
            compare(np.zeros((30, 2)), np.zeros((31, 2)))


def test_many_small_classes_are_no_cause_for_a_warning(recwarn):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 40
    separability(rng.normal(size=(60, 2)), labels, rng.normal(size=(60, 2)), labels, rng=rng, neighbours=3)
    assert not recwarn.list
