"""Which parameters the size of the data rules out, said before any work: counts of images that are not there."""

from collections.abc import Mapping

from latent_audit.base.errors import InputError
from latent_audit.data.prepared import Meta


def check_sizes(
    sizes: Meta, *, of_train: Mapping[str, int] | None = None, of_both: Mapping[str, int] | None = None
) -> None:
    """InputError that names every parameter which counts more images than there are.

    Parameters
    ----------
    of_train : values, by their keys in params.yaml, that are at most the number of training images.
    of_both : values that are at most the number of images of the smaller split.
    """
    train, test = ("training", sizes.n_train), ("test", sizes.n_test)
    smaller = min(train, test, key=lambda split: split[1])
    limits = [(key, value, train) for key, value in (of_train or {}).items()]
    limits += [(key, value, smaller) for key, value in (of_both or {}).items()]
    lines = [
        f"{key}: {value:,} is more than the {n:,} {split} images; set {key} to {n:,} or less"
        for key, value, (split, n) in limits
        if value > n
    ]
    if lines:
        raise InputError(f"params.yaml has {len(lines)} wrong value(s):\n  " + "\n  ".join(lines))
