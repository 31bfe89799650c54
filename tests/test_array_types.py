"""That the suite holds arrays to their annotations at all."""

import numpy as np
import pytest
from jaxtyping import Float, TypeCheckError
from torch import Tensor

from array_types import speaks_of_an_array
from latent_audit.diagnostics.generation import class_kl, prediction_entropy


def test_arrays_that_are_not_what_a_signature_says_are_refused():
    with pytest.raises(TypeCheckError, match="reference"):
        class_kl(np.array([1, 2]), np.array([1, 2, 3]))  # two and three classes, where one number is promised
    with pytest.raises(TypeCheckError, match="probabilities"):
        prediction_entropy(np.eye(3, dtype=np.int64))
    assert prediction_entropy(np.eye(3)) == 0


def test_annotations_that_speak_of_no_array_are_left_alone():
    array = Float[np.ndarray, "sample latent"]
    assert all(speaks_of_an_array(hint) for hint in (array, array | None, dict[str, array], tuple[int, array]))
    assert not any(speaks_of_an_array(hint) for hint in (np.ndarray, Tensor | None, dict[str, int], "Subject", None))
