"""What must fit together in params.yaml: across its sections, with the claims' margins, and with the data's size."""

import math
from collections.abc import Iterator
from pathlib import Path

from latent_audit.base.errors import InputError
from latent_audit.claims.ledger import CLAIMS
from latent_audit.data.prepared import class_of, labels_of
from latent_audit.data.sources.registry import DATASETS
from latent_audit.models import registry
from latent_audit.models.image import ImageShape
from latent_audit.settings.study import Params, check_params, load_params


def load_whole(path: Path) -> Params:
    """`load_params` and then everything that is known before there are data; InputError names all that is wrong."""
    return _checked(load_params(path), str(path))


def check_whole(raw: object, source: str) -> Params:
    """`check_params` and then everything that is known before there are data; InputError names all that is wrong."""
    return _checked(check_params(raw, source), source)


def _checked(params: Params, source: str) -> Params:
    lines = [*_names(params)]
    fitting = [] if lines else [*_sizes(params), *_networks(params), *_classes(params)]
    lines += [*_margins(params), *fitting]
    if lines:
        raise InputError(f"{source} has {len(lines)} wrong value(s):\n  " + "\n  ".join(lines))
    return params


def _names(params: Params) -> Iterator[str]:
    if params.dataset not in DATASETS:
        yield f"dataset: there is no {params.dataset!r}; there are {', '.join(DATASETS)}"
    fixed = [name for name, chosen in DATASETS.items() if chosen.origins is None]
    if odd := [name for name in params.data.outsider or () if name not in fixed]:
        yield f"data.outsider: {', '.join(odd)}; it is one of the sets of known files: {', '.join(fixed)}"
    for name, arm in params.arms.items():
        try:
            family = registry.family(arm.family)
            registry.family_settings_of(family, arm.family_settings)
            registry.architecture(params.network(name).architecture)
        except InputError as error:
            yield f"arms.{name}: {error}"
        else:
            if not family.has_kl and (arm.beta is not None or arm.beta_kl is not None):
                yield f"arms.{name}: the family {arm.family!r} has no KL term: remove beta / beta_kl"


def _networks(params: Params) -> Iterator[str]:
    image = ImageShape(1, params.data.pad_to, params.data.pad_to)
    for name in params.arms:
        network = params.network(name)
        try:
            registry.settings_of(registry.architecture(network.architecture), network.settings(), image)
        except InputError as error:
            yield f"arms.{name}: {error}"


def _classes(params: Params) -> Iterator[str]:
    """Classes that are not there, as far as the data set's are known before it is read."""
    known = DATASETS[params.dataset].classes
    try:
        if known and params.data.leave_out is not None:
            left_out = class_of(known, params.data.leave_out, "data.leave_out")
            known = (*known[:left_out], *known[left_out + 1 :])
        for name, arm in params.arms.items():
            if known and arm.classes is not None:
                labels_of(known, arm.classes, f"arms.{name}.classes")
    except InputError as error:
        yield str(error)


def _margins(params: Params) -> Iterator[str]:
    known = {claim.margin for claim in CLAIMS}
    given = set(params.diagnostics.margins)
    if lacking := sorted(known - given):
        yield f"diagnostics.margins: missing: {', '.join(lacking)}; every claim needs its margin, set beforehand"
    if odd := sorted(given - known):
        yield f"diagnostics.margins: unknown: {', '.join(odd)}; there are {', '.join(sorted(known))}"


def _sizes(params: Params) -> Iterator[str]:
    data = params.data
    side = data.image_size or DATASETS[params.dataset].side
    if side is not None and data.pad_to < side:
        of = f"data.image_size {side}" if data.image_size else f"the {side} pixels a side of {params.dataset}"
        yield f"data.pad_to: {data.pad_to} is less than {of}; set data.pad_to to {side} or more"
    expected = DATASETS[params.dataset].expect(data.path)
    n_train, n_test = (None, None) if expected is None else expected
    if data.join_splits and n_train is not None and n_test is not None:
        n_train += n_test
    train = _fewest(data.limit, params.dataset, "training", n_train)
    test = _fewest(data.limit, params.dataset, "test", n_test)
    batches = {"critic.batch_size": params.critic.batch_size, "train.batch_size": params.train.batch_size}
    batches |= {f"arms.{name}.batch_size": arm.batch_size for name, arm in params.arms.items() if arm.batch_size}
    counts = [("diagnostics.neighbors", params.diagnostics.neighbors, test)]
    for key, value, (n, what) in [*counts, *((key, value, train) for key, value in batches.items())]:
        if value > n:
            yield f"{key}: {value:,} is more than {what}; set {key} to {n:,} or less"


def _fewest(limit: int | None, dataset: str, split: str, expected: int | None) -> tuple[float, str]:
    """At most how many images of a split there will be, and that in words."""
    known = [] if limit is None else [(limit, f"data.limit {limit:,}")]
    known += [] if expected is None else [(expected, f"the {expected:,} {split} images of {dataset}")]
    return min(known, default=(math.inf, ""))
