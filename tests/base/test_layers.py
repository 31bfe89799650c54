"""latent_audit.base.layers: what is written comes back, bytes repeat, and a damaged file is named."""

import subprocess
import sys

import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.base.layers import Layer, n_weights, read_decoder, read_layers, write_layers

WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)
LAYERS = [
    Layer("linear", {}, {"weight": WEIGHT.T, "bias": np.ones(3)}),  # other strides, and another dtype
    Layer("activation", {"function": "leaky_relu", "slope": 0.2}),
    Layer("reshape", {"shape": [1, 1, 3]}),
]


def test_what_is_written_comes_back(tmp_path):
    write_layers(tmp_path / "a.safetensors", LAYERS)
    back = read_layers(tmp_path / "a.safetensors")
    assert [(one.kind, one.settings) for one in back] == [(one.kind, one.settings) for one in LAYERS]
    assert list(back[0].weights) == ["weight", "bias"]  # in their order, on which the page relies
    np.testing.assert_array_equal(back[0].weights["weight"], WEIGHT.T)
    assert back[0].weights["bias"].dtype == np.float32
    assert n_weights(back) == 9


def test_bytes_repeat(tmp_path):
    for name in ("a", "b"):
        write_layers(tmp_path / name, LAYERS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_unknown_kind_is_no_layer():
    with pytest.raises(ValueError, match="'attention'; there are linear, reshape"):
        Layer("attention")


def test_a_damaged_or_missing_file_is_named(tmp_path):
    path = tmp_path / "decoder.safetensors"
    with pytest.raises(InputError, match=r"decoder\.safetensors.*run `dvc repro`"):
        read_decoder(tmp_path)
    write_layers(path, LAYERS)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match=r"decoder\.safetensors"):
        read_decoder(tmp_path)


def test_other_tensors_are_no_layers(tmp_path):
    from safetensors.numpy import save_file

    save_file({"weight": WEIGHT}, tmp_path / "decoder.safetensors")
    with pytest.raises(InputError, match="cannot read the layers"):
        read_decoder(tmp_path)


def test_reading_needs_no_torch(tmp_path):
    write_layers(tmp_path / "decoder.safetensors", LAYERS)
    script = (
        "import sys; from pathlib import Path; from latent_audit.base.layers import read_decoder\n"
        f"read_decoder(Path({str(tmp_path)!r})); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
