"""The scripts of a page under node: what they print, and what the networks among them make of codes and images."""

import json
import shutil
import subprocess
from typing import Any

import numpy as np

from import_graph import SRC
from latent_audit.base.layers import Layer
from latent_audit.report.page_weights import packed_layers

NODE = shutil.which("node")
RUN = """const exact = input.exact && Promise.resolve(Float32Array.from(input.exact));
const weights = exact || page("packed.js").inflated(input.packed, input.layers);
weights.then((w) => {
  const network = page("decoder.js").make(input.layers, w, input.from, input.to);
  console.log(JSON.stringify(input.given.map((x) => [...network(x)])));
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


def through_page(layers: list[Layer], given: np.ndarray, to: tuple[int, ...], *, exact: bool = False) -> np.ndarray:
    """What the script makes of `given` (sample, ...) by weights as a page holds them: (sample, *to).

    exact : by the weights as they are, so that what is left is the arithmetic.
    """
    packed = packed_layers(layers)
    content: dict[str, Any] = {"layers": packed.layers, "from": list(given.shape[1:]), "to": list(to)}
    content["given"] = given.reshape(len(given), -1).tolist()
    if exact:
        content["exact"] = [float(x) for one in layers for array in one.weights.values() for x in array.ravel()]
    else:
        content["packed"] = packed.text
    return np.reshape(run(RUN, content), (len(given), *to))
