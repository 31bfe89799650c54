"""What must fit together in params.yaml: across its sections, with the claims' margins, and with the data's size."""

from collections.abc import Iterator
from pathlib import Path

from latent_audit.base.errors import InputError
from latent_audit.claims.ledger import CLAIMS
from latent_audit.settings.study import Params, check_params, load_params

# pixels a side before padding where data.image_size is null; `folder` and the other sets that are resized take it
SIDES = {"digits": 28, "fashion_mnist": 28, "mnist": 28, "kmnist": 28, "celeba": 64, "sprites": 64, "folder": 28}


def load_whole(path: Path) -> Params:
    """`load_params` and then everything that is known before there are data; InputError names all that is wrong."""
    return _checked(load_params(path), str(path))


def check_whole(raw: object, source: str) -> Params:
    """`check_params` and then everything that is known before there are data; InputError names all that is wrong."""
    return _checked(check_params(raw, source), source)


def _checked(params: Params, source: str) -> Params:
    if lines := [*_margins(params), *_sizes(params)]:
        raise InputError(f"{source} has {len(lines)} wrong value(s):\n  " + "\n  ".join(lines))
    return params


def _margins(params: Params) -> Iterator[str]:
    known = {claim.margin for claim in CLAIMS}
    given = set(params.diagnostics.margins)
    if lacking := sorted(known - given):
        yield f"diagnostics.margins: missing: {', '.join(lacking)}; every claim needs its margin, set beforehand"
    if odd := sorted(given - known):
        yield f"diagnostics.margins: unknown: {', '.join(odd)}; there are {', '.join(sorted(known))}"


def _sizes(params: Params) -> Iterator[str]:
    data, batch = params.data, max(params.train.batch_size, params.critic.batch_size)
    side = data.image_size or SIDES.get(params.dataset)
    if side is not None and data.pad_to < side:
        of = f"data.image_size {side}" if data.image_size else f"the {side} pixels a side of {params.dataset}"
        yield f"data.pad_to: {data.pad_to} is less than {of}; set data.pad_to to {side} or more"
    if data.limit is None:
        return
    if params.diagnostics.neighbors > data.limit:
        yield _too_many("diagnostics.neighbors", params.diagnostics.neighbors, data.limit, "data.limit")
    if batch > data.limit:
        key = "train.batch_size" if params.train.batch_size == batch else "critic.batch_size"
        yield _too_many(key, batch, data.limit, "data.limit")


def _too_many(key: str, value: int, n: int, what: str) -> str:
    return f"{key}: {value:,} is more than {what} {n:,}; set {key} to {n:,} or less"
