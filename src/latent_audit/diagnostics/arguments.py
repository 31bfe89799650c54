"""What `audit` is given, checked: codes, labels, a training split and the dimensions to be shown."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from latent_audit.base.errors import InputError
from latent_audit.base.limits import LARGEST_LATENT_DIM
from latent_audit.diagnostics.checks import OneClassWarning, class_index
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.decomposition import NoDrawWarning, why_no_draw
from latent_audit.diagnostics.inputs import as_array, drawn, refuse_wide
from latent_audit.diagnostics.subject import Posterior

MOST_CLASSES = 1000  # the votes of the class map are points x classes; more values are a measurement, not a class


def checked_codes(z: Any, mu: Any, logvar: Any, seed: int) -> dict[str, Codes]:
    """The codes in the order mu, logvar, z; whatever is wrong is said before anything is computed."""
    if z is None and mu is None:
        raise InputError("audit: needs codes: z, or mu (and logvar, of which it is drawn)")
    if z is None:
        checked = checked_codes(mu, mu, logvar, seed)
        if "logvar" in checked:
            checked["z"] = Codes(drawn(checked["mu"].values, checked["logvar"].values, seed))
        return checked
    for name, array in (("mu", mu), ("logvar", logvar)):
        if array is not None and np.shape(array) != np.shape(z):
            raise InputError(f"audit: {name} has shape {np.shape(array)} and z {np.shape(z)}; they must be equal")
    if logvar is not None and mu is None:
        raise InputError("audit: logvar was given without mu; give both or neither")
    given = {"mu": mu, "logvar": logvar, "z": z}
    codes = {name: Codes.of(a, where=f"audit, {name}") for name, a in given.items() if a is not None}
    if (latent_dim := codes["z"].shape[1]) > LARGEST_LATENT_DIM:
        raise InputError(
            f"audit: codes have {latent_dim:,} dimensions, at most {LARGEST_LATENT_DIM:,} are allowed; "
            "project them first (PCA) or choose columns."
        )
    if "logvar" in codes:
        refuse_wide(codes["logvar"].values, "audit")
    return codes


def checked_labels(labels: np.ndarray, n: int) -> np.ndarray | None:
    """The labels as integers or text; None, with a warning, where they are of one class."""
    raw = np.asarray(labels)
    if raw.ndim == 1 and len(raw) != n:
        raise InputError(f"audit: {len(raw)} labels for {n} codes; give one label per row, in the same order")
    names, index = class_index(raw, n=n, where="audit, labels")
    if len(names) == 1:
        what = f"audit, labels: all {n:,} are {names.tolist()[0]!r}; what needs two classes is left out"
        warnings.warn(what, OneClassWarning, stacklevel=3)
        return None
    if len(names) > MOST_CLASSES:
        raise InputError(
            f"audit: the labels have {len(names):,} different values in {n:,} rows, at most {MOST_CLASSES:,} are "
            "allowed; a label names a class: bin a measurement first, or leave the labels out."
        )
    return names[index]


def warn_of_no_draw(posterior: Posterior) -> None:
    """NoDrawWarning where z is not spread about mu as draws of the posterior are."""
    arrays = (own.values for own in (posterior.mu, posterior.logvar, posterior.z))
    for what in why_no_draw(*arrays, remedy="Draw it"):
        warnings.warn(what, NoDrawWarning, stacklevel=3)  # whoever called `audit`


def checked_train(train: Mapping[str, Any], *, with_mu: bool) -> dict[str, Any]:
    """The arrays of `train`; InputError where one is missing, of those that are needed."""
    needed = {"z", "labels", *(["mu"] if with_mu else [])}
    if lacking := sorted(needed - set(train)):
        raise InputError(f"audit, train: has no {' and no '.join(map(repr, lacking))}; it has {sorted(train)}.")
    return {name: as_array(values, f"audit, train {name}") for name, values in train.items()}


def checked_dims(dims: tuple[int, int], z: Codes) -> tuple[int, int]:
    """Two different dimensions of the codes; InputError where they are none."""
    latent_dim = z.shape[1]
    if len(dims) != 2 or not all(0 <= dim < latent_dim for dim in dims) or (len({*dims}) < 2 and latent_dim > 1):
        raise InputError(f"audit: dims must be two different ones of 0..{latent_dim - 1}, got {dims}.")
    return dims
