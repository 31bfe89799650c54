"""Resume after a kill: one content-addressed, atomically replaced checkpoint per seed, undeclared to DVC.

A checkpoint is named by all that defines the run, so that another beta, another data set or changed code never resumes
from it. It is a safetensors file: loading it executes nothing.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from latent_audit.artifacts.tensors import write_tensors

MOMENTS = ("exp_avg", "exp_avg_sq")


class Progress(NamedTuple):
    """How far a replicate has come: epochs finished and the history rows they gave."""

    epochs_done: int
    history: list[dict]


def run_key(definition: dict) -> str:
    """A name for the run: the hash of everything that defines its bytes."""
    return hashlib.blake2b(json.dumps(definition, sort_keys=True, default=str).encode(), digest_size=16).hexdigest()


def code_hash(*paths: Path) -> str:
    """Hash of every Python source file that is one of `paths` or lies in one, so that changed code starts afresh."""
    digest = hashlib.blake2b(digest_size=16)
    files = (file for path in paths for file in (path.glob("*.py") if path.is_dir() else (path,)))
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def save(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Write weights, Adam's state and the history to `path`, atomically."""
    tensors = {f"model.{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": value.contiguous() for name, value in state.items()}
    metadata = {"epochs_done": str(progress.epochs_done), "history": json.dumps(progress.history)}
    write_tensors(path, tensors, metadata)


def restore(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Load the checkpoint at `path` into `model` and `optimizer`; a missing or damaged one gives a fresh start."""
    if not path.exists():
        return Progress(0, [])
    try:
        with safe_open(path, framework="pt") as archive:
            metadata = archive.metadata()
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 (not a mapping)
        progress = Progress(int(metadata["epochs_done"]), json.loads(metadata["history"]))
        weights, state = _under("model.", tensors), _adam_state(_under("adam.", tensors))
        _check_fit(model, weights, state)  # first: load_state_dict copies what fits before it complains of the rest
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        print(f"ignoring the damaged checkpoint {path.name} ({error}); this seed starts afresh", file=sys.stderr)
        path.unlink(missing_ok=True)
        return Progress(0, [])
    model.load_state_dict(weights)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    for parameter, moments in optimizer.state.items():
        for name in MOMENTS:  # fused Adam walks memory, so the moments must lie as their (channels-last) weights do
            moments[name] = torch.empty_like(parameter).copy_(moments[name])
    return progress


def _check_fit(model: nn.Module, weights: dict[str, Tensor], state: dict[int, dict[str, Tensor]]) -> None:
    if {name: tensor.shape for name, tensor in weights.items()} != {
        name: tensor.shape for name, tensor in model.state_dict().items()
    }:
        raise ValueError("its tensors are those of another network")
    for index, parameter in enumerate(model.parameters()):
        if any(state[index][name].shape != parameter.shape for name in MOMENTS) or "step" not in state[index]:
            raise ValueError("Adam's state is not that of this network")


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _adam_state(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    return state
