"""Which parameters the size of the data rules out, said before any work: counts of images that are not there."""

from typing import Protocol

from latent_audit.base.errors import InputError
from latent_audit.settings.study import Params


class Sizes(Protocol):
    """The images of each split."""

    @property
    def n_train(self) -> int: ...
    @property
    def n_test(self) -> int: ...


def check_sizes(params: Params, sizes: Sizes) -> None:
    """InputError that names every parameter which counts more images than the splits have."""
    train, test = ("training", sizes.n_train), ("test", sizes.n_test)
    limits = (
        ("train.batch_size", params.train.batch_size, train),
        ("critic.batch_size", params.critic.batch_size, train),
        ("diagnostics.neighbors", params.diagnostics.neighbors, min(train, test, key=lambda split: split[1])),
    )
    lines = [
        f"{key}: {value:,} is more than the {n:,} {split} images of {params.dataset}; set {key} to {n:,} or less"
        for key, value, (split, n) in limits
        if value > n
    ]
    if lines:
        raise InputError(f"params.yaml has {len(lines)} wrong value(s):\n  " + "\n  ".join(lines))
