"""latent_audit.compute.devices: which device a name means, and what a missing one says."""

import os
from types import SimpleNamespace

import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.compute.devices import device_class, emulates_bfloat16, resolve


class Accelerators:
    """What torch would say of this machine; `deterministic` is what it was told."""

    cuda = mps = deterministic = False

    def __init__(self):
        self.backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: self.mps))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Accelerators:
    machine = Accelerators()
    stand_in = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: machine.cuda),
        backends=machine.backends,
        use_deterministic_algorithms=lambda on: setattr(machine, "deterministic", on),
        device=torch.device,
    )
    monkeypatch.setattr("latent_audit.compute.devices.torch", stand_in)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")  # so that it is put back afterwards
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    return machine


def test_auto_is_the_cpu_where_there_is_no_cuda(machine):
    machine.mps = True
    assert resolve("auto") == torch.device("cpu")
    assert not machine.deterministic
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ


def test_cpu_is_always_there(machine):
    assert resolve("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_cuda_becomes_deterministic(machine, name):
    machine.cuda = True
    assert resolve(name) == torch.device("cuda")
    assert machine.deterministic
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.parametrize(("precision", "rounding"), [("float32", "ieee"), ("tf32", "tf32"), ("bfloat16", "ieee")])
def test_cuda_rounds_factors_only_where_it_was_asked_to(machine, precision, rounding):
    machine.cuda = True
    resolve("cuda", precision)
    assert machine.backends.fp32_precision == rounding


def test_the_switch_reaches_torchs_convolutions(monkeypatch):
    monkeypatch.setattr(torch.backends, "fp32_precision", "ieee")
    assert torch.backends.cudnn.conv.fp32_precision == "ieee"
    monkeypatch.setattr(torch.backends, "fp32_precision", "tf32")
    assert torch.backends.cudnn.conv.fp32_precision == "tf32"


def test_the_cpu_can_be_chosen_beside_an_accelerator(machine):
    machine.cuda = True
    assert resolve("cpu") == torch.device("cpu")


def test_a_workspace_that_is_set_already_is_kept(machine, monkeypatch):
    machine.cuda = True
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    resolve("cuda")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


@pytest.mark.parametrize(("name", "there"), [("cuda", "cpu, mps"), ("mps", "cpu, cuda")])
def test_a_missing_accelerator_says_what_there_is(machine, name, there):
    machine.cuda, machine.mps = name != "cuda", name != "mps"
    with pytest.raises(InputError, match=rf"device: {name} is not .*\(available: {there}\); set device: auto"):
        resolve(name)


def test_an_unknown_name(machine):
    with pytest.raises(InputError, match=r"device: tpu is not available here \(available: cpu\)"):
        resolve("tpu")


@pytest.mark.parametrize(
    ("capabilities", "emulated"),
    [
        ({"architecture": "x86_64", "avx2": True, "avx512_bf16": False, "amx_bf16": False}, True),
        ({"architecture": "x86_64", "avx2": True, "avx512_bf16": True, "amx_bf16": False}, False),
        ({"architecture": "aarch64", "neon": True, "bf16": True}, False),
    ],
)
def test_bfloat16_is_emulated_by_a_cpu_without_instructions_for_it(monkeypatch, capabilities, emulated):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert emulates_bfloat16(torch.device("cpu")) == emulated
    assert not emulates_bfloat16(torch.device("cuda"))


def test_a_device_class_tells_apart_what_rounds_differently(monkeypatch):
    capabilities = {"architecture": "x86_64", "num_logical_cores": 2, "avx2": True, "avx512_f": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "H200")
    assert device_class(torch.device("cpu")) == ["cpu", "avx2"]
    assert device_class(torch.device("cuda")) == ["cuda", "H200", "avx2"]
    capabilities["avx512_f"] = True
    assert device_class(torch.device("cpu")) == ["cpu", "avx2", "avx512_f"]
