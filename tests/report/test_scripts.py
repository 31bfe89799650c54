"""The page's scripts under node: what the decoder refuses, and the arithmetic of explorer and tables."""

import base64

import numpy as np
import pytest
from scipy.special import ndtr

from latent_audit.base.layers import Layer
from latent_audit.report.page_weights import UNREAD, packed_layers
from page_scripts import NODE, run

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def message(layers: list[Layer], numbers: int, shape: list[int]) -> str:
    """The error with which the script refuses layers of a code of two numbers."""
    script = """const numbers = new Float32Array(input.numbers);
        try { page("decoder.js").make(input.layers, numbers, [2], input.shape); console.log('""') }
        catch (error) { console.log(JSON.stringify(error.message)) }"""
    return run(script, {"layers": packed_layers(layers).layers, "numbers": numbers, "shape": shape})


def test_a_wrong_number_of_weights_is_an_error():
    layers = [Layer("linear", {}, {"weight": np.zeros((4, 2))})]
    assert "10 weights given, 8 expected" in message(layers, 10, [1, 2, 2])
    assert message(layers, 8, [1, 2, 2]) == ""


def test_layers_that_do_not_follow_one_another_are_an_error():
    assert "end in [4]" in message([Layer("linear", {}, {"weight": np.zeros((4, 2))})], 8, [1, 3, 3])
    assert "takes 3 numbers and gets [2]" in message([Layer("linear", {}, {"weight": np.zeros((4, 3))})], 12, [1, 2, 2])


def test_half_precision_numbers():
    values = np.array([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 3e-5, np.inf], dtype=np.float16)
    back = run("console.log(JSON.stringify(input.map((h) => String(page('packed.js').halfToFloat(h)))))",
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


@pytest.mark.parametrize("n", range(9))
def test_bytes_in_base_85_come_back(n):
    given = bytes([0, 255, 60, 62, 38, 1, 128, 254, 7])[:n]
    text = base64.b85encode(given).decode().translate(UNREAD)
    assert bytes(run("console.log(JSON.stringify([...page('packed.js').bytesOf85(input)]))", text)) == given


def test_a_view_holds_the_codes_and_the_prior_and_leads_there_and_back():
    script = """const E = page("explorer_math.js"), view = E.fitted(input, 3.5);
        const back = E.toPlane(view, 300, E.toScreen(view, 300, [1.5, -2]));
        console.log(JSON.stringify([view, back, E.zoomed(view, 0.5, [1, 1]).s]))"""
    points = [[10 + 0.01 * k, 0.0] for k in range(200)]
    view, there_and_back, zoomed = run(script, points)
    assert view["x"] - view["s"] <= -3.5 and view["x"] + view["s"] >= 11.9
    assert abs(view["y"]) < 1e-9
    np.testing.assert_allclose(there_and_back, [1.5, -2])
    assert zoomed == pytest.approx(view["s"] / 2)


def test_what_lies_outside_a_plane_stands_at_its_edge():
    script = """const E = page("explorer_math.js");
        console.log(JSON.stringify([[50, 50], [130, 50], [-20, -20]].map((p) => E.atEdge(p, 100, 10))))"""
    inside, right, corner = run(script)
    assert inside is None
    assert right == {"at": [90, 50], "angle": 0}
    assert corner["at"] == [10, 10]
    assert corner["angle"] == pytest.approx(-0.75 * np.pi)


def test_holes_are_read_from_the_finest_map_that_has_the_place():
    fine = {"bits": [0b1000_0000], "side": 2, "span": 1}  # bottom left
    wide = {"bits": [0b0001_0000], "side": 2, "span": 4}  # top right
    script = """const E = page("explorer_math.js");
        console.log(JSON.stringify(input.at.map((p) => E.holeAt(input.maps, p))))"""
    places = [[-0.5, -0.5], [0.5, 0.5], [2, 2], [-2, -2], [9, 9]]
    assert run(script, {"maps": [fine, wide], "at": places}) == [True, False, True, False, True]
    assert run(script, {"maps": [], "at": places}) == [False] * 5


def test_cells_of_equal_mass_are_found_from_codes_and_none_beyond_them():
    cells = {"cells": list(range(16)), "side": 4}  # 0 to 3 along the bottom
    script = "console.log(JSON.stringify(input.at.map((p) => page('explorer_math.js').cellAt(input.map, p))))"
    # quarters of N(0, 1) end at -0.674, 0, 0.674; the middles of the outermost cells are at -1.150 and 1.150
    places = [[-1, -1], [-0.6, -1], [0.1, -0.7], [1.1, 1.1], [-1.1, 0.6], [1.2, 0], [0, -1.2]]
    assert run(script, {"map": cells, "at": places}) == [0, 1, 2, 15, 8, None, None]


def test_the_closest_pictures_come_in_the_order_of_their_distance():
    script = "console.log(JSON.stringify(page('explorer_math.js').closestPictures([0, 0], input, 2, 3)))"
    assert run(script, [3, 0, 0, 1, 2, 0, 0, 0.5, 9, 9]) == [3, 1, 2]
    assert run(script, [1, 1]) == [0]


def test_own_pictures_are_framed_as_the_images_were_padded():
    script = """const O = page("explorer_own.js"), out = [...O.framed(Float32Array.from(input), 2, [1, 2], [4, 4])];
        console.log(JSON.stringify([out, [...O.framed(out, 2, [4, 4], [1, 2], false)]]))"""
    framed, back = run(script, [1, 2, 3, 4])
    expected = np.zeros((2, 4, 4))
    expected[:, 1, 1:3] = [[1, 2], [3, 4]]  # an odd row more stands below
    np.testing.assert_array_equal(np.reshape(framed, (2, 4, 4)), expected)
    assert back == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["bce", "mse"])
def test_the_error_of_a_picture_is_that_of_training(kind):
    torch = pytest.importorskip("torch")
    from latent_audit.models.elbo import PIXEL_LOSS, recon_nll

    rng = np.random.default_rng(0)
    logits, x = rng.normal(0, 4, 64), rng.random(64)
    tensors = [torch.from_numpy(values).reshape(1, 1, 8, 8) for values in (logits, x)]
    expected = float(recon_nll(PIXEL_LOSS[kind](*tensors), kind, 64))
    given = {"decoded": (1 / (1 + np.exp(-logits))).tolist(), "pixels": x.tolist(), "kind": kind}
    script = "console.log(page('explorer_own.js').errorOf(input.decoded, input.pixels, input.kind))"
    assert run(script, given) == pytest.approx(expected, rel=1e-4)


def test_margins_and_ground_of_a_picture_are_found():
    picture = np.ones((5, 7))
    picture[2:4, 1:6] = 0.2
    script = """const O = page("explorer_own.js"), size = [5, 7], edge = O.edgeOf(input, size);
        console.log(JSON.stringify([edge, O.boxOf(input, size, edge), O.boxOf(input.map(() => 1), size, 1)]))"""
    edge, box, plain = run(script, picture.ravel().tolist())
    assert edge == 1
    assert box == [1, 2, 5, 2]  # left, top, width, height
    assert plain == [0, 0, 7, 5]


def test_draws_of_a_mixture_have_its_mean_and_covariance():
    law = {"weights": [0.25, 0.75], "means": [[-3, 0], [1, 2]], "roots": [[[1, 0], [0, 1]], [[0.5, 0], [0.5, 0.1]]]}
    script = "console.log(JSON.stringify(page('explorer_math.js').drawsOf(input, 4000, 2, 3).map((z) => [...z])))"
    x = np.array(run(script, law))
    upper = x[x[:, 1] > 1.0 - 0.5]  # nearly all of the second component, a few of the first
    assert abs(len(upper) / 4000 - (0.75 * 0.998 + 0.25 * 0.31)) < 0.03
    np.testing.assert_allclose(x.mean(axis=0), [0.0, 1.5], atol=0.15)


def test_a_typical_member_of_a_class_is_nearest_to_its_mean():
    given = {"points": [[0, 0], [2, 0], [1, 0.1], [9, 9]], "labels": [0, 0, 0, 1]}
    script = """const E = page("explorer_math.js");
        console.log(JSON.stringify([0, 1, 5].map((label) => E.typical(input.points, input.labels, label))))"""
    assert run(script, given) == [2, 3, -1]


def test_a_lasso_goes_round_what_lies_inside_it():
    square = [[0, 0], [2, 0], [2, 2], [1, 0.5], [0, 2]]  # with a notch from above
    script = "console.log(JSON.stringify(input.at.map((p) => page('explorer_math.js').inside(input.path, p))))"
    places = [[0.3, 1], [1, 1], [1, 0.2], [3, 1], [-1, 1]]
    assert run(script, {"path": square, "at": places}) == [True, False, True, False, False]


def test_a_frame_does_what_its_budget_allows_and_no_job_waits_for_ever():
    done = run(
        """let clock = 0; const said = [], work = page("explorer_work.js").queue(10, () => clock);
        const job = (name) => () => { said.push(name); clock += 6; };
        for (const name of ["a", "b", "c"]) work.soon(name, job(name));
        work.later("z", job("z"));
        const frames = [];
        for (let k = 0; k < 3; k++) {
          said.length = 0;
          const left = work.some(clock);
          frames.push([said.join(""), left]);
          work.soon("a", job("A"));
        }
        console.log(JSON.stringify(frames))"""
    )
    # two jobs of six milliseconds fill ten; the newer "a" waits its turn, and what is for later comes last
    assert done == [["ab", 2], ["cA", 1], ["Az", 0]]


def test_a_job_in_slices_is_finished_before_another_begins():
    done = run(
        """const { queue, inSlices } = page("explorer_work.js"), said = [];
        const work = queue(0, () => 1); // every frame has time for one call
        const job = (name) => {
          let k = 0;
          const begin = () => { said.push(`${name} begins`); return () => (++k < 3 ? null : [name]); };
          return inSlices(begin, ([found]) => said.push(found));
        };
        work.soon("a", job("a"));
        work.soon("b", job("b"));
        const left = [];
        for (let k = 0; k < 6; k++) { left.push(work.some(0)); if (k === 0) work.soon("a", job("newer a")); }
        console.log(JSON.stringify([left, said]))"""
    )
    assert done == [[2, 3, 2, 2, 2, 1], ["a begins", "a", "b begins", "b"]]
