"""Weights as text of a page, and back."""

import numpy as np
import pytest

from latent_audit.base.layers import Layer
from latent_audit.report.page_weights import packed_layers
from page_scripts import NODE, run

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")
BACK = """page("packed.js").inflated(input.text, input.layers)
  .then((w) => console.log(JSON.stringify([...w])), (error) => console.log(JSON.stringify(error.message)))"""


def test_whole_steps_come_back_exactly_and_the_others_at_half_precision():
    whole = np.concatenate([[0, 1, -1, 127, 128, -128, -129, 255, 256, -257, 32639, -32768], np.arange(-600, 600)])
    small = np.array([1.0, -0.333251953125, 6e-5, 0.0])
    layers = [
        Layer("affine", {}, {"scale": small, "shift": -small}),
        Layer("linear", {"steps": {"weight": 0.25}}, {"weight": 0.25 * whole.reshape(4, -1), "bias": small}),
    ]
    described, text = packed_layers(layers)
    assert described[1] == {"kind": "linear", "settings": {}, "weights": [["weight", [4, 303], 0.25], ["bias", [4]]]}
    numbers = np.array(run(BACK, {"layers": described, "text": text}))
    np.testing.assert_array_equal(numbers[8:-4], 0.25 * whole)
    np.testing.assert_allclose(numbers[[*range(8), *range(-4, 0)]], [*small, *-small, *small], rtol=1e-3)


def test_text_that_does_not_belong_to_the_layers_is_an_error():
    _, text = packed_layers([Layer("linear", {}, {"weight": np.ones((1, 3), dtype=np.float32)})])
    assert run(BACK, {"text": text, "layers": []}) == "weights: 6 bytes for 0 numbers"
    assert packed_layers([]).layers == []
