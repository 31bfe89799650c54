"""The page's scripts under node: the decoder against PyTorch, and the arithmetic of explorer and tables."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

from latent_audit.report.explorer import PARAMETERS, packed_halves

REPORT = Path(__file__).resolve().parents[2] / "src/latent_audit/report"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


DECODE = """const D = page("decoder.js");
D.inflated(input.weights).then((w) => {
  const decode = D.make(w, input.z[0].length, input.shape);
  console.log(JSON.stringify(input.z.map((z) => [...decode(z)])));
});"""


def run(script: str, given: object = None):
    """What `script` prints as JSON; it reads `given` from `input` and may require the page's scripts by name."""
    head = f"const page = (name) => require({json.dumps(str(REPORT))} + '/' + name);" + (
        "const input = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    )
    done = subprocess.run(
        [str(NODE), "-e", head + script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("rounded", "tolerance"), [(True, 1e-4), (False, 2e-3)])
def test_the_decoder_agrees_with_pytorch(weights, rounded, tolerance):
    torch = pytest.importorskip("torch")
    from latent_audit.models.architectures.conv import ConvDecoder
    from latent_audit.models.image import ImageShape

    if rounded:  # what is left then is the arithmetic, not half precision
        weights = {name: value.astype(np.float16).astype(np.float32) for name, value in weights.items()}
    with torch.random.fork_rng(devices=[]):
        model = ConvDecoder(ImageShape(1, 32, 32), latent_dim=2)
    model.load_state_dict({name.removeprefix("decoder."): torch.from_numpy(value) for name, value in weights.items()})
    z = np.random.default_rng(0).standard_normal((16, 2)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(z)).sigmoid().numpy()
    parts = [weights[f"decoder.{layer}.{kind}"].ravel() for layer in PARAMETERS for kind in ("weight", "bias")]
    images = run(DECODE, {"weights": packed_halves(np.concatenate(parts)), "z": z.tolist(), "shape": [1, 32, 32]})
    assert expected.std() > 0.1  # pictures with contrast, or agreement means nothing
    assert np.abs(np.reshape(images, expected.shape) - expected).max() < tolerance


def test_colour_images_and_other_sizes():
    torch = pytest.importorskip("torch")
    from latent_audit.models.architectures.conv import ConvDecoder
    from latent_audit.models.image import ImageShape

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = ConvDecoder(ImageShape(3, 16, 24), latent_dim=5)
    z = np.random.default_rng(0).standard_normal((2, 5)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(z)).sigmoid().numpy()
    state = {name: value.numpy().ravel() for name, value in model.state_dict().items()}
    flat = np.concatenate([state[f"{layer}.{kind}"] for layer in PARAMETERS for kind in ("weight", "bias")])
    images = run(DECODE, {"weights": packed_halves(flat), "z": z.tolist(), "shape": [3, 16, 24]})
    np.testing.assert_allclose(np.reshape(images, expected.shape), expected, atol=2e-3)


def test_a_wrong_number_of_weights_is_an_error():
    words = run(
        """try { page("decoder.js").make(new Float32Array(10), 2, [1, 32, 32]); console.log('""') }
        catch (error) { console.log(JSON.stringify(error.message)) }"""
    )
    assert "10 weights given" in words


def test_half_precision_numbers():
    values = np.array([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 3e-5, np.inf], dtype=np.float16)
    back = run("console.log(JSON.stringify(input.map((h) => String(page('decoder.js').halfToFloat(h)))))",
               values.view(np.uint16).tolist())  # fmt: skip
    np.testing.assert_array_equal([float(x.replace("Infinity", "inf")) for x in back], values.astype(float))


def test_phi_and_the_map_of_equal_ranks():
    x = np.linspace(-4, 4, 33)
    phi = run("console.log(JSON.stringify(input.map(page('explorer.js').phi)))", x.tolist())
    np.testing.assert_allclose(phi, ndtr(x), atol=2e-7)
    mapped = run(
        """const E = page("explorer.js");
        console.log(JSON.stringify([0, 1.5, 3, 9].map((v) => E.atRank(E.rankOf(v, [0, 1, 2, 3]), [0, 10, 20, 30]))))"""
    )
    assert mapped == [0, 15, 30, 30]


def test_arrows_go_to_the_nearest_code_that_way():
    points = [[0, 0], [1, 0.1], [2, 0], [0, 3], [-1, 5]]
    ways = [[1, 0], [0, 1], [-1, 0], [0, -1]]
    found = run(
        "const go = (w) => page('explorer.js').nextThatWay(input.points, [0, 0], ...w);"
        "console.log(JSON.stringify(input.ways.map(go)))",
        {"points": points, "ways": ways},
    )
    assert found == [1, 3, -1, -1]


def test_draws_are_standard_normal_and_repeat():
    script = "const n = page('explorer.js').normals(5); console.log(JSON.stringify(Array.from({ length: 20000 }, n)))"
    x = np.array(run(script))
    assert abs(x.mean()) < 5 / np.sqrt(len(x))
    assert abs(x.std() - 1) < 5 / np.sqrt(2 * len(x))
    np.testing.assert_array_equal(run(script), x)


def test_numbers_sort_before_what_is_missing():
    order = run("console.log(JSON.stringify(['b', 10, 'a', 9].sort(page('report.js').compare)))")
    assert order == [9, 10, "a", "b"]
