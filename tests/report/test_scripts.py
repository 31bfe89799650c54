"""The page's scripts under node: what the decoder refuses, and the arithmetic of explorer and tables."""

import numpy as np
import pytest
from scipy.special import ndtr

from latent_audit.base.layers import Layer
from latent_audit.report.explorer import layer_json
from page_scripts import NODE, run

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def message(layers: list[Layer], numbers: int, shape: list[int]) -> str:
    """The error with which the script refuses layers of a code of two numbers."""
    script = """const numbers = new Float32Array(input.numbers);
        try { page("decoder.js").make(input.layers, numbers, 2, input.shape); console.log('""') }
        catch (error) { console.log(JSON.stringify(error.message)) }"""
    return run(script, {"layers": [layer_json(one) for one in layers], "numbers": numbers, "shape": shape})


def test_a_wrong_number_of_weights_is_an_error():
    layers = [Layer("linear", {}, {"weight": np.zeros((4, 2))})]
    assert "10 weights given, 8 expected" in message(layers, 10, [1, 2, 2])
    assert message(layers, 8, [1, 2, 2]) == ""


def test_layers_that_do_not_follow_one_another_are_an_error():
    assert "end in [4]" in message([Layer("linear", {}, {"weight": np.zeros((4, 2))})], 8, [1, 3, 3])
    assert "takes 3 numbers and gets [2]" in message([Layer("linear", {}, {"weight": np.zeros((4, 3))})], 12, [1, 2, 2])


def test_half_precision_numbers():
    values = np.array([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 3e-5, np.inf], dtype=np.float16)
    back = run("console.log(JSON.stringify(input.map((h) => String(page('decoder.js').halfToFloat(h)))))",
               values.view(np.uint16).tolist())  # fmt: skip
    np.testing.assert_array_equal([float(x.replace("Infinity", "inf")) for x in back], values.astype(float))


def test_phi_and_the_map_of_equal_ranks():
    x = np.linspace(-4, 4, 33)
    phi = run("console.log(JSON.stringify(input.map(page('explorer_math.js').phi)))", x.tolist())
    np.testing.assert_allclose(phi, ndtr(x), atol=2e-7)
    mapped = run(
        """const E = page("explorer_math.js");
        console.log(JSON.stringify([0, 1.5, 3, 9].map((v) => E.atRank(E.rankOf(v, [0, 1, 2, 3]), [0, 10, 20, 30]))))"""
    )
    assert mapped == [0, 15, 30, 30]


def test_arrows_go_to_the_nearest_code_that_way():
    points = [[0, 0], [1, 0.1], [2, 0], [0, 3], [-1, 5]]
    ways = [[1, 0], [0, 1], [-1, 0], [0, -1]]
    found = run(
        "const go = (w) => page('explorer_math.js').nextThatWay(input.points, [0, 0], ...w);"
        "console.log(JSON.stringify(input.ways.map(go)))",
        {"points": points, "ways": ways},
    )
    assert found == [1, 3, -1, -1]


def test_draws_are_standard_normal_and_repeat():
    script = (
        "const n = page('explorer_math.js').normals(5); console.log(JSON.stringify(Array.from({ length: 20000 }, n)))"
    )
    x = np.array(run(script))
    assert abs(x.mean()) < 5 / np.sqrt(len(x))
    assert abs(x.std() - 1) < 5 / np.sqrt(2 * len(x))
    np.testing.assert_array_equal(run(script), x)


def test_numbers_sort_before_what_is_missing():
    order = run("console.log(JSON.stringify(['b', 10, 'a', 9].sort(page('report.js').compare)))")
    assert order == [9, 10, "a", "b"]
