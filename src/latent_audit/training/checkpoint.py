"""Resume after a kill: one content-addressed, atomically replaced checkpoint per seed, undeclared to DVC.

A checkpoint is named by all that defines the run, so that another beta, another data set or changed code never resumes
from it. It is a safetensors file: loading it executes nothing.
"""

import hashlib
import json
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from latent_audit.base.tensors import write_tensors
from latent_audit.training.adam import moments

KEPT_SECONDS = 24 * 3600  # a finished run's too: the DVC that asked for it may have been killed, and will ask again


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
    files = (file for path in paths for file in (path.rglob("*.py") if path.is_dir() else (path,)))
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def expire(root: Path) -> None:
    """Remove the folders of checkpoints under `root` in which nothing was written for `KEPT_SECONDS`."""
    for folder in (path for path in root.iterdir() if path.is_dir()):
        times = [file.stat().st_mtime for file in (folder, *folder.iterdir()) if file.exists()]
        if time.time() - max(times, default=0.0) > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def save(path: Path, model: nn.Module, optimizer: torch.optim.Adam, progress: Progress) -> None:
    """Write weights, Adam's state and the history to `path`, atomically."""
    tensors = {name: tensor.contiguous() for name, tensor in _state(model, optimizer).items()}
    metadata = {"epochs_done": str(progress.epochs_done), "history": json.dumps(progress.history)}
    write_tensors(path, tensors, metadata)


def restore(path: Path, model: nn.Module, optimizer: torch.optim.Adam) -> Progress:
    """Load the checkpoint at `path` into `model` and `optimizer`; a missing or damaged one gives a fresh start."""
    if not path.exists():
        return Progress(0, [])
    state = _state(model, optimizer)
    try:
        with safe_open(path, framework="pt") as archive:
            metadata = archive.metadata()
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 (not a mapping)
        progress = Progress(int(metadata["epochs_done"]), json.loads(metadata["history"]))
        if {name: saved.shape for name, saved in tensors.items()} != {name: own.shape for name, own in state.items()}:
            raise ValueError("its tensors are not those of this network and of its optimizer")
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        print(f"ignoring the damaged checkpoint {path.name} ({error}); this seed starts afresh", file=sys.stderr)
        path.unlink(missing_ok=True)
        return Progress(0, [])
    with torch.no_grad():
        for name, own in state.items():
            own.copy_(tensors[name])
    return progress


def _state(model: nn.Module, optimizer: torch.optim.Adam) -> dict[str, Tensor]:
    """Every tensor that training changes, by name, where it lies: weights, buffers, both moments of the gradients."""
    state = {f"model.{name}": tensor.detach() for name, tensor in model.state_dict(keep_vars=True).items()}
    names = [name for name, _ in model.named_parameters()]
    for kind, tensors in moments(optimizer).items():
        state |= {f"adam.{kind}.{name}": tensor for name, tensor in zip(names, tensors, strict=True)}
    return state
