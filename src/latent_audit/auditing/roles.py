"""What the name of an array or a column says: a mean, a spread, a code, a row number, a class; or nothing."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from latent_audit.auditing.border import some
from latent_audit.base.errors import InputError

Conversion = Callable[[np.ndarray], np.ndarray]
_ROLES = {
    "z": "z code codes latent latents embedding embeddings",
    "mu": "mu mus mean means loc mumean",
    "logvar": "logvar logvars lv logvariance logvariances logsigma2 logsigmasq logsigmasquared logsigmasqr lnvar",
    "var": "var vars variance variances sigma2 sigmasq sigmasquared",
    "sigma": "sigma sigmas std stds stddev stddevs sd sds stdev stdevs scale scales",
    "logsigma": "logsigma logsigmas logstd logstds logsd logscale logstddev lnsigma",
}
ROLE_OF = {name: role for role, names in _ROLES.items() for name in names.split()}
SPREADS: dict[str, tuple[Conversion, str]] = {  # role -> to logvar, and that in words
    "logvar": (lambda a: a, "the logarithm of a variance"),
    "logsigma": (lambda a: 2 * a, "the logarithm of a standard deviation, doubled to logvar"),
    "var": (np.log, "a variance, of which logvar is the logarithm"),
    "sigma": (lambda a: 2 * np.log(a), "a standard deviation, of which logvar is twice the logarithm"),
}
_INDEX_NAMES = (
    "index idx id ids uid uuid guid rowid row rowname rownames rownum rownumber rownumbers no nr obs obsnames sample "
    "sampleid sampleidx sampleindex samplename imageid imageidx imageindex imagename imgid imgname file filename "
    "filenames filepath filepaths path paths imagepath imgpath url barcode barcodes cellid name names key timestamp "
    "datetime date"
)
_LABEL_NAMES = (
    "label labels class classes classid classname classlabel classlabels target targets y ys ytrue ypred truth "
    "groundtruth gt category categories cluster clusters clusterid clusterlabel kmeans leiden louvain celltype group "
    "groups species digit digits prediction predictions predicted pred preds split splits fold folds subset partition "
    "phase epoch epochs step steps globalstep iteration iterations iter batch batchid batchidx seed count counts "
    "nsamples n frequency freq"
)
_MEASURE_NAMES = (
    "loss losses kl kls kld klds kldiv kldivergence klnats elbo elbos nll nlls mse bce mae rmse recon reconstruction "
    "error errors score scores logprob logprobs logp logpx loglikelihood loglik likelihood prob probs probability "
    "confidence accuracy"
)
_INDEX, _LABEL, _MEASURE = set(_INDEX_NAMES.split()), set(_LABEL_NAMES.split()), set(_MEASURE_NAMES.split())
_LAST_INDEX = {"id", "ids", "idx", "index", "uuid", "filename", "path"}
_LAST_LABEL = {"label", "labels", "class", "target", "cluster", "epoch", "split", "fold", "count", "counts"}
_LAST_MEASURE = {"loss", "kl", "kld", "elbo", "nll", "mse", "bce", "mae", "error", "score", "likelihood", "probability"}
_STORED_INDEX = re.compile(r"unnamed\d*(level\d+)?|index(level)?\d+|level\d+|")


def plain(name: str) -> str:
    """The name in small letters and digits alone: `Log_Var` and `log-var` are one name."""
    return re.sub(r"[\W_]+", "", name.casefold())


def role_of(name: str) -> str | None:
    """z, mu, logvar, var, sigma or logsigma where the name says so, with or without `z`, `q`, `dim` about it."""
    bare = plain(name)
    for candidate in (
        bare,
        *(bare.removeprefix(before) for before in ("z", "q", "qz", "latent", "posterior", "encoder", "dim", "d")),
        *(bare.removesuffix(after) for after in ("z", "q", "dim")),
    ):
        if candidate in ROLE_OF:
            return ROLE_OF[candidate]
    return None


def kind_of(name: str) -> str | None:
    """ "index" for a known name of a row number or identifier, "label" for one of a class, a split or a count,
    "measure" for one of a loss or a score."""
    bare = plain(name)
    if bare in _INDEX or _STORED_INDEX.fullmatch(bare):
        return "index"
    if bare in _LABEL:
        return "label"
    if bare in _MEASURE:
        return "measure"
    words = [word for word in re.split(r"[\W_]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).casefold()) if word]
    last = words[-1] if len(words) > 1 else ""
    lasts = (("index", _LAST_INDEX), ("label", _LAST_LABEL), ("measure", _LAST_MEASURE))
    return next((kind for kind, known in lasts if last in known), None)


def stem_of(name: str) -> tuple[str, str]:
    """The name without its last number, and that number: ("z_", "12") of z_12; ("", "") without a number."""
    found = re.fullmatch(r"(.*?)(\d+)(\D*)", name, flags=re.DOTALL)
    return (f"{found[1]}{found[3]}", found[2]) if found else ("", "")


class Posterior(NamedTuple):
    """Columns that are z, mu and a spread, dimension by dimension in one order; z, or mu and logvar, may be empty.

    spread : the role of the spread, a key of SPREADS. rest : columns that are none of these.
    """

    z: list[str]
    mu: list[str]
    logvar: list[str]
    spread: str
    rest: list[str]


def posterior_of(names: Sequence[str], where: str) -> Posterior | None:
    """Columns mu_0, ..., logvar_0, ... (or mean, std, ... with any separator) by role; None where there are none such.

    Raises
    ------
    InputError : arrays of different dimensions, or two spreads.
    """
    if len(names) == 2 and role_of(names[0]) == "mu" and role_of(names[1]) in SPREADS:
        return Posterior([], [names[0]], [names[1]], str(role_of(names[1])), [])
    groups = _numbered(names)
    spreads = [role for role in SPREADS if role in groups]
    if "z" in groups and spreads and "mu" not in groups:  # how wide, but about what?
        z = list(groups["z"].values())
        return Posterior(z, [], [], "", [name for name in names if name not in z])
    if "mu" not in groups or not (spreads or "z" in groups):
        return None
    if len(spreads) > 1:
        both = [next(iter(groups[role].values())) for role in spreads]
        raise InputError(f"{where}: {both[0]!r} and {both[1]!r} both say how wide the posterior is; keep one of them.")
    parts = {role: groups[role] for role in ("z", "mu", *spreads) if role in groups}
    for role, part in parts.items():
        if odd := sorted(set(parts["mu"]) ^ set(part)):
            raise InputError(
                f"{where}: the columns of mu and of {role} must be of the same dimensions, but {some(odd)} "
                f"{'are' if len(odd) > 1 else 'is'} in one of them only; choose the codes with --columns."
            )
    spread = spreads[0] if spreads else ""
    z, mu, logvar = ([parts[role][k] for k in parts["mu"]] if role in parts else [] for role in ("z", "mu", spread))
    return Posterior(z, mu, logvar, spread, [name for name in names if name not in {*z, *mu, *logvar}])


def apart_from_codes(names: Sequence[str]) -> tuple[str, list[str]]:
    """A column of those called alike and numbered (z_0, z_1, ...), and the columns that are called otherwise.

    Beside `z_0, ...` (or another name of codes) nothing else is a code; beside another name and numbers, what has no
    number is none, if it is the smaller part. ("", []) where names do not tell.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        stem, number = stem_of(name)
        if number:
            groups.setdefault(stem, []).append(name)
    like_codes = [own for stem, own in groups.items() if role_of(stem) == "z" and len(own) > 1]
    if len(like_codes) == 1:
        own = like_codes[0]
        return own[0], [name for name in names if name not in own]
    numbered = {name for own in groups.values() if len(own) > 1 for name in own}
    other = [name for name in names if not stem_of(name)[1]]
    if len(groups) != 1 or not numbered or len(other) >= len(numbered):
        return "", []
    return next(name for name in names if name in numbered), other


def _numbered(names: Sequence[str]) -> dict[str, dict[int, str]]:
    """role -> number -> column, of the columns called after a role and a number."""
    groups: dict[str, dict[int, str]] = {}
    for name in names:
        stem, number = stem_of(name)
        role = role_of(stem) if number else None
        if role is not None:
            groups.setdefault(role, {}).setdefault(int(number), name)
    return groups


def to_logvar(values: np.ndarray, role: str, where: str) -> np.ndarray:
    """logvar from a spread of the given role.

    Raises
    ------
    InputError : a variance or standard deviation that is not positive.
    """
    if role in ("sigma", "var") and (values <= 0).any():
        rows = np.flatnonzero((values <= 0).any(axis=1) if values.ndim > 1 else values <= 0)
        raise InputError(
            f"{where}: by its name {SPREADS[role][1].split(',')[0]}, but not above 0 in {len(rows):,} of "
            f"{len(values):,} rows, {some(rows.tolist())} (counted from 0); if it is a logarithm, call it log{role}."
        )
    return SPREADS[role][0](values)
