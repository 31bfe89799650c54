"""The scripts of a page under node: what they print, and what the decoder among them draws."""

import json
import shutil
import subprocess
from typing import Any

import numpy as np

from import_graph import SRC
from latent_audit.base.layers import Layer
from latent_audit.report.explorer import layer_json, packed_weights

NODE = shutil.which("node")
DECODE = """const D = page("decoder.js");
const exact = input.exact && Promise.resolve(Float32Array.from(input.exact));
const weights = exact || page("packed.js").inflated(input.packed);
weights.then((w) => {
  const decode = D.make(input.layers, w, input.z[0].length, input.shape);
  console.log(JSON.stringify(input.z.map((z) => [...decode(z)])));
});"""


def run(script: str, given: object = None) -> Any:
    """What `script` prints as JSON; it reads `given` from `input` and may require the page's scripts by name."""
    head = f"const page = (name) => require({json.dumps(str(SRC / 'latent_audit/report'))} + '/' + name);" + (
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


def decoded(layers: list[Layer], z: np.ndarray, shape: tuple[int, ...], *, exact: bool = False) -> np.ndarray:
    """What the script makes of codes z (sample, latent), by weights at half precision as a page holds them.

    exact : by the weights as they are, so that what is left is the arithmetic.
    """
    given = {"layers": [layer_json(layer) for layer in layers], "z": z.tolist(), "shape": list(shape)}
    if exact:
        given["exact"] = [float(x) for one in layers for array in one.weights.values() for x in array.ravel()]
    else:
        given["packed"] = packed_weights(layers)
    return np.reshape(run(DECODE, given), (len(z), *shape))
