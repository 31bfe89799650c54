"""One replicate of an arm as a worker runs it: load the prepared data, resume where a killed run stopped, train."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch

from latent_audit.base.errors import InputError
from latent_audit.base.hashing import file_sha256
from latent_audit.compute.workers import core_to_spare, map_seeds
from latent_audit.data.prepared import LoadedSplit, load_split
from latent_audit.models.autoencoder import Autoencoder, build
from latent_audit.training import checkpoint
from latent_audit.training.batch import TrainingRun, is_divisible
from latent_audit.training.fit import Replicate, Tick, fit
from latent_audit.training.fit_stacked import fit_stacked
from latent_audit.training.helper_process import HelperProcess

PACKAGE = Path(__file__).resolve().parents[1]
DATA = ("meta.json", *(f"{split}_{what}.npy" for split in ("train", "test") for what in ("images", "labels")))
CODE = ("training", "models", "base", "compute", "data/prepared.py")  # a run's bytes


def checkpoint_folder(root: Path, prepared_dir: Path, run: TrainingRun, device_class: Sequence[str]) -> Path:
    """The folder under `root` named by all that defines the run's bytes: parameters, data, code, device, torch."""
    own = asdict(run)
    if run.classes is None:  # an arm that sees all classes keeps the name that it had before there was a choice
        del own["classes"]
    definition = {
        "run": own,
        "data": [file_sha256(prepared_dir / name) for name in DATA],
        "code": checkpoint.code_hash(*(PACKAGE / name for name in CODE)),
        "device": list(device_class),
        "torch": torch.__version__,
    }
    return root / checkpoint.run_key(definition)


def train_replicate(
    prepared_dir: Path,
    run: TrainingRun,
    checkpoints: Path,
    device: torch.device,
    *,
    seed: int,
    send: Callable[[Tick], None],
) -> Replicate:
    """Train seed `seed` of `run` on the prepared data, keeping a checkpoint per epoch under `checkpoints`."""
    load = partial(_splits, prepared_dir, run.classes)
    splits, path = load(), checkpoints / f"seed-{seed}.safetensors"

    def open_helper(model: Autoencoder) -> HelperProcess | None:
        return HelperProcess(model, run, load) if core_to_spare() and is_divisible(model) else None

    return fit(splits, run, seed=seed, device=device, checkpoint_path=path, on_tick=send, open_helper=open_helper)


def train_replicates(
    prepared_dir: Path,
    run: TrainingRun,
    checkpoints: Path,
    *,
    seeds: Sequence[int],
    device: torch.device,
    on_tick: Callable[[Tick], None],
) -> list[Replicate]:
    """Train every seed of `run`: in parallel processes on a CPU, as one stacked program elsewhere.

    A network whose seeds cannot be stacked (batch statistics) trains one seed after the other there.
    """
    if device.type == "cpu" or not is_divisible(build(run.model, seed=seeds[0])):
        work = partial(train_replicate, prepared_dir, run, checkpoints, device)
        return map_seeds(work, seeds, device=device, on_message=on_tick)
    splits, path = _splits(prepared_dir, run.classes), checkpoints / f"seeds-{'-'.join(map(str, seeds))}.safetensors"
    try:
        return fit_stacked(splits, run, seeds=seeds, device=device, checkpoint_path=path, on_tick=on_tick)
    except torch.OutOfMemoryError as error:
        raise InputError(
            f"arm {run.arm!r}: {len(seeds)} seeds together do not fit into the memory of {device} "
            f"({str(error).splitlines()[0]}). Set fewer seeds, a smaller train.batch_size, or device: cpu, and run "
            "again: finished epochs are kept."
        ) from None


def _splits(prepared_dir: Path, only: Sequence[int] | None) -> dict[str, LoadedSplit]:
    return {name: load_split(prepared_dir, name, only) for name in ("train", "test")}
