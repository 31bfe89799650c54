"""The one place that looks which accelerator is here; every function then follows its inputs."""

import os

import torch

from latent_audit.base.errors import InputError


def resolve(name: str, precision: str = "float32") -> torch.device:
    """The device called `name`; `auto` is CUDA where there is one, else the CPU.

    On CUDA, kernels become deterministic, and float32 is multiplied in full unless `precision` is `tf32`: torch's own
    default would round the factors of every convolution to TF32.

    Raises
    ------
    InputError : the named accelerator is not available here.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = "cuda" if available["cuda"] else "cpu"
    if not available.get(name, False):
        here = ", ".join(kind for kind, there in available.items() if there)
        raise InputError(f"device: {name} is not available here (available: {here}); set device: auto in params.yaml")
    if name == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts
        torch.use_deterministic_algorithms(True)
        torch.backends.fp32_precision = "tf32" if precision == "tf32" else "ieee"  # type: ignore[attr-defined]
    return torch.device(name)


def device_class(device: torch.device) -> list[str]:
    """All of `device` that rounding depends on: its type, a GPU's model, and the CPU's instructions (it draws)."""
    model = [torch.cuda.get_device_name(device)] if device.type == "cuda" else []
    return [device.type, *model, *_instructions()]


def emulates_bfloat16(device: torch.device) -> bool:
    """Whether `device` is a CPU without instructions for bfloat16, where it is many times slower than float32."""
    return device.type == "cpu" and not any(name.endswith("bf16") for name in _instructions())


def _instructions() -> list[str]:
    return sorted(name for name, there in torch.cpu.get_capabilities().items() if there is True)
