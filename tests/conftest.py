"""Shared by all tests: the global random streams stay put, and a data set small enough to train on in a second."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from array_types import check_arrays
from import_graph import ROOT

check_arrays()  # before anything of ours is imported

from latent_audit.data.prepared import LoadedSplit  # noqa: E402
from splits import make_splits  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The pipeline's tests first: one worker runs them while another runs all the rest."""
    items.sort(key=lambda item: item.get_closest_marker("pipeline") is None)


def _global_states() -> dict[str, bytes]:
    # torch only where the test (or one before it) has imported it already: most tests of diagnostics do without
    states = {"numpy": repr(np.random.get_state()[2:]).encode() + np.random.get_state()[1].tobytes()}  # noqa: NPY002
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "random"):
        states["torch"] = torch.random.get_rng_state().numpy().tobytes()
    return states


@pytest.fixture(autouse=True)
def global_streams_stay_put() -> Iterator[None]:
    """Whatever draws is handed its generator: a test that moved numpy's or torch's global stream fails."""
    before = _global_states()
    yield
    moved = [name for name, state in _global_states().items() if name in before and before[name] != state]
    assert not moved, f"the global random stream of {', '.join(moved)} was moved"


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture
def tiny_splits() -> dict[str, LoadedSplit]:
    return make_splits()


@pytest.fixture
def tiny_run() -> Callable[..., Any]:
    """A TrainingRun on `tiny_splits`: tiny_run("vae", epochs=3)."""
    from latent_audit.models.autoencoder import ModelSpec
    from latent_audit.models.image import ImageShape
    from latent_audit.training.batch import TrainingRun

    def make(family: str = "vae", *, image: tuple[int, int, int] = (1, 16, 16), latent_dim: int = 2, **changes: Any):
        values = {
            "arm": family,
            "model": ModelSpec(family, "conv", ImageShape(*image), latent_dim),
            "reconstruction": "bce",
            "beta": None if family == "ae" else 64.0,
            "epochs": 2,
            "batch_size": 25,  # 60 images: two whole batches and one of 10
            "learning_rate": 1e-3,
            "precision": "float32",
        }
        return TrainingRun(**(values | changes))

    return make


@pytest.fixture
def prepared(tmp_path: Path, tiny_splits: dict[str, LoadedSplit]) -> Path:
    """`tiny_splits` as the stage `preprocess` would leave them."""
    from latent_audit.base.tables import write_json
    from latent_audit.data.prepared import Meta

    folder = tmp_path / "prepared"
    meta = Meta(
        dataset="bands", classes=list("abcde"), channels=1, height=16, width=16, native_height=16, native_width=16,
        pad=[0, 0, 0, 0], n_train=60, n_test=40, limit=None, available_train=60, available_test=40, raw_sha256={},
        terms=None, images_may_be_shown=True, columns={}, notes=[],
    )  # fmt: skip
    write_json(folder / "meta.json", meta._asdict())
    for name, split in tiny_splits.items():
        np.save(folder / f"{name}_images.npy", split.images)
        np.save(folder / f"{name}_labels.npy", split.labels)
    return folder
