"""Write models/<arm>/: what training leaves for the stages after it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from latent_audit.base.tables import write_json, write_table
from latent_audit.base.tensors import write_tensors
from latent_audit.models.store import weights_path
from latent_audit.training.fit import Replicate


def write_arm(folder: Path, replicates: Mapping[int, Replicate], description: Mapping[str, Any]) -> None:
    """A weight file per seed, history.csv and arm.json, and nothing else: seeds of a killed run are removed."""
    shutil.rmtree(folder, ignore_errors=True)
    for seed, replicate in replicates.items():
        write_tensors(weights_path(folder, seed), replicate.weights)
    history = [row for replicate in replicates.values() for row in replicate.history]
    write_table(folder / "history.csv", pd.DataFrame(history))
    write_json(folder / "arm.json", dict(description))
