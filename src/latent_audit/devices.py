"""The one place that looks which accelerator is here; every function then follows its inputs."""

import torch

from latent_audit.errors import InputError


def resolve(name: str) -> torch.device:
    """The device called `name`; `auto` is CUDA where there is one, else the CPU.

    Raises
    ------
    InputError : the named accelerator is not available here.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if available["cuda"] else "cpu")
    if not available.get(name, False):
        here = ", ".join(kind for kind, there in available.items() if there)
        raise InputError(f"device: {name} is not available here (available: {here}); set device: auto in params.yaml")
    return torch.device(name)
