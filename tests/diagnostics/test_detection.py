"""Detection scores against pairs counted by hand, scikit-learn, and chance."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.detection import auroc, average_precision, detection, false_positive_rate


def test_pairs_counted_by_hand():
    inside, outside = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0])
    assert auroc(inside, outside) == pytest.approx((1.5 + 3) / 6)  # 2 beats 1 and ties with 2; 4 beats all
    # 4: precision 1, recall 1/2; 3: no hit; the two 2s together: 2 of 4, recall 1
    assert average_precision(inside, outside) == pytest.approx(0.5 * 1 + 0.5 * 2 / 4)


def test_a_perfect_score_a_useless_one_and_one_that_is_the_wrong_way_round():
    inside, outside = np.arange(10.0), np.arange(10.0, 15.0)
    assert detection(inside, outside) == {"auroc": 1.0, "auprc": 1.0, "fpr95": 0.0}
    same = detection(np.zeros(30), np.zeros(10))
    assert same == {"auroc": 0.5, "auprc": 0.25, "fpr95": 1.0}
    assert auroc(outside, inside) == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_as_scikit_learn_has_it_with_ties(seed):
    rng = np.random.default_rng(seed)
    inside, outside = rng.integers(0, 12, 200).astype(float), rng.integers(3, 15, 70).astype(float)
    truth, scores = np.repeat([0, 1], [200, 70]), np.concatenate([inside, outside])
    assert auroc(inside, outside) == pytest.approx(roc_auc_score(truth, scores))
    assert average_precision(inside, outside) == pytest.approx(average_precision_score(truth, scores))


def test_the_threshold_lets_95_percent_of_the_insiders_pass():
    inside = np.arange(100.0)  # at most 94 passes: 95 of 100
    assert false_positive_rate(inside, np.array([94.0, 94.5, 200.0, 10.0])) == 0.5


@pytest.mark.parametrize(("inside", "outside"), [([], [1.0]), ([1.0], []), ([np.nan], [1.0])])
def test_nothing_to_compare_is_refused(inside, outside):
    with pytest.raises(InputError, match="detection:"):
        detection(np.array(inside), np.array(outside))
