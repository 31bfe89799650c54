"""Read finished runs of the study, git revisions, DVC experiments and the workspace; nothing is checked out."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Metric, of_rows
from latent_audit.base.plain_yaml import read_yaml
from latent_audit.claims.intervals import Interval
from latent_audit.claims.verdicts import verdict
from latent_audit.runs.git_here import require_git
from latent_audit.runs.per_seed import Values, add_claims, add_metrics, of_summary, table_of

WORKSPACE = "workspace"
LETTERS = "ABCDEFGHIJKL"  # a run's name on the page; a table of more columns is not read
Read = Callable[[str], str | None]  # path from the project's root -> the file's text, None where there is none


class Run(NamedTuple):
    """One finished run.

    letter, name : how the page calls it, and what it was asked for by. commit : its hash; None for the workspace.
    params : params.yaml as it stands there, not held to today's schema.
    metrics : arm -> metric -> {"mean", "low", "high", "n_seeds"}, of z. claims : claims.csv.
    per_seed : what is known seed by seed. stale : parameters that were edited after the results were made.
    measures : reports/measures.json, what is known of each metric; empty in runs made before there was such a file.
    """

    letter: str
    name: str
    commit: str | None
    params: dict[str, Any]
    metrics: dict[str, dict[str, dict[str, Any]]]
    claims: pd.DataFrame
    per_seed: Values
    stale: list[str]
    measures: Mapping[str, Metric] = MappingProxyType({})


def read_runs(root: Path, revisions: Sequence[str]) -> list[Run]:
    """The runs asked for, in that order; one revision alone is put beside the workspace.

    Parameters
    ----------
    root : a folder of the project. revisions : commits, branches, tags, names of DVC experiments, or `workspace`.

    Raises
    ------
    InputError : no git or DVC here, an unknown revision, one without results, or nothing that differs.
    """
    asked = [*revisions, WORKSPACE] if len(revisions) == 1 and revisions[0] != WORKSPACE else list(revisions)
    if len(asked) < 2:
        raise InputError("the workspace alone has nothing to stand beside: name a revision or an experiment")
    if len(asked) > len(LETTERS):
        raise InputError(f"{len(asked)} runs do not fit on a page: name at most {len(LETTERS)}")
    repo = _open(root)
    commits = {name: None if name == WORKSPACE else _resolve(repo, name) for name in asked}
    _refuse_repeated(asked, commits)
    runs = [_read_run(repo, letter, name, commits[name]) for letter, name in zip(LETTERS, asked, strict=False)]
    first = runs[0]
    if all(run.params == first.params and run.metrics == first.metrics for run in runs[1:]):
        raise InputError(
            f"{', '.join(asked)}: the same parameters and the same results, so there is nothing to compare; "
            "make another run, for example with `dvc exp run -S beta=500`"
        )
    return runs


def _open(root: Path) -> Any:
    """DVC's view of the project, without touching it."""
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import NoSCM, SCMError
    from pygit2 import GitError

    try:
        repo = Repo(str(root))
    except NotDvcRepoError:
        raise InputError(f"{root} is in no DVC project; run from the root of a clone of the study") from None
    except (SCMError, GitError) as error:
        require_git(root)
        raise InputError(f"git cannot read {root} ({error}); clone the study anew") from None
    if isinstance(repo.scm, NoSCM):
        raise InputError(f"{root} is used without git (core.no_scm), so it has no revisions; clone the study with git")
    require_git(root)
    return repo


def _resolve(repo: Any, name: str) -> str:
    """The commit of a revision or of an experiment's name; InputError with the names that come near."""
    from dvc.scm import RevError, resolve_rev

    try:
        commit = resolve_rev(repo.scm, name)
    except RevError as error:
        experiments = sorted(
            {found for listed in repo.experiments.ls(all_commits=True).values() for found, _ in listed}
        )
        near = get_close_matches(name, [*experiments, *repo.scm.list_branches(), *repo.scm.list_tags()], n=5)
        known = f"near to it: {', '.join(near)}" if near else f"experiments here: {', '.join(experiments) or 'none'}"
        what = "more than one experiment is" if "ambiguous" in str(error) else "no revision or experiment is"
        raise InputError(f"{what} called {name!r}; {known} (see `git log`, `dvc exp list -A`)") from None
    asked = subprocess.run(
        ["git", "-C", repo.root_dir, "cat-file", "-t", commit], capture_output=True, check=False, text=True
    )
    if (kind := asked.stdout.strip()) != "commit":
        raise InputError(f"{name!r} is no commit{f' but a {kind}' if kind else ''}; name a revision")
    return commit


def _refuse_repeated(asked: Sequence[str], commits: dict[str, str | None]) -> None:
    seen: dict[str | None, str] = {}
    for name in asked:
        if commits[name] in seen:
            raise InputError(f"{seen[commits[name]]!r} and {name!r} are the same run; name each run once")
        seen[commits[name]] = name


def _read_run(repo: Any, letter: str, name: str, commit: str | None) -> Run:
    read = _reader(Path(repo.root_dir), commit)
    what = name if commit is None else f"{name} ({commit[:7]})"
    params = _parsed(what, "params.yaml", read, _mapping)
    found = _parsed(what, "reports/metrics.json", read, lambda text: _mapping(text, json.loads))
    claims = _parsed(what, "reports/claims.csv", read, _claims)
    known = params.get("arms") or found
    metrics = {arm: _intervals(found[arm]) for arm in known if isinstance(found.get(arm), dict)}
    metrics.pop("critic", None)
    if not any(metrics.values()):
        raise InputError(f"{what}: reports/metrics.json holds no arm of params.yaml; run `dvc repro` there")
    seeds = sorted(params.get("seeds", []))
    per_seed = {arm: of_summary(read(f"diagnostics/{arm}/summary.csv"), seeds, metrics[arm]) for arm in metrics}
    add_metrics(per_seed, found, seeds)
    add_claims(per_seed, claims, seeds)
    lock = _parsed(what, "dvc.lock", lambda path: read(path) or "{}", _mapping)
    described = _parsed(what, "reports/measures.json", lambda path: read(path) or "[]", _described)
    return Run(letter, name, commit, params, metrics, claims, per_seed, stale_parameters(params, lock), described)


def _reader(root: Path, commit: str | None) -> Read:
    """How to read the files that git or DVC keeps, at a commit or in the workspace."""
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc_data.index.index import DataIndexError

    def of_workspace(path: str) -> str | None:
        return (root / path).read_text(encoding="utf-8") if (root / path).is_file() else None

    def of_commit(path: str) -> str | None:
        try:
            return str(files.read_text(path, encoding="utf-8"))
        except (OSError, DvcException, DataIndexError):  # the last: a fresh clone, whose cache holds nothing yet
            return None

    if commit is None:
        return of_workspace
    files = DVCFileSystem(str(root), rev=commit)
    return of_commit


def _parsed(what: str, path: str, read: Read, parse: Callable[[str], Any]) -> Any:
    try:
        text = read(path)
        if text is not None:
            return parse(text)
    except ValueError as error:
        raise InputError(f"{what}: {path} cannot be read ({str(error).splitlines()[0]}); run `dvc repro`") from None
    todo = "run `dvc repro`" if what == WORKSPACE else "check it out, run `dvc repro` and commit reports/"
    raise InputError(f"{what}: no {path} there, so that run has no results; {todo}")


def _plain_yaml(text: str) -> Any:
    return read_yaml(text, "its YAML")  # what others committed may hold aliases that stand for billions of values


def _mapping(text: str, load: Callable[[str], Any] = _plain_yaml) -> dict[str, Any]:
    content = load(text)
    if not isinstance(content, dict):
        raise ValueError("no mapping")
    return content


def _described(text: str) -> dict[str, Metric]:
    try:
        return of_rows(json.loads(text))
    except (TypeError, KeyError, AttributeError):
        raise ValueError("no list of descriptions") from None


def _claims(text: str) -> pd.DataFrame:
    table = table_of(text)
    if lacking := sorted({"claim_id", "arms", "code", "statistic", "verdict", "values"} - set(table.columns)):
        raise ValueError(f"columns {lacking} are missing")
    if "p_value" not in table and {"low", "high", "direction", "margin"} <= set(table.columns):
        table["verdict"] = [_of_today(row) for row in table.to_dict("records")]
    return table


def _of_today(row: Mapping[str, Any]) -> str:
    """The verdict by today's rule on a row of a table made when there were three: "negligible" was not told apart."""
    interval = Interval(row["effect"], row["low"], row["high"], row["n_seeds"])
    return verdict(interval, row["direction"], row["margin"])


def _intervals(entries: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What every run has of a metric: newer ones have more, which would make equal numbers look different."""
    return {
        name: {key: entry[key] for key in ("mean", "low", "high", "n_seeds") if key in entry}
        for name, entry in entries.items()
        if isinstance(entry, dict) and "mean" in entry
    }


def stale_parameters(params: dict[str, Any], lock: dict[str, Any]) -> list[str]:
    """Dotted keys whose value in params.yaml is not the one that dvc.lock says the results were made with."""
    absent = object()
    stale = set()
    for name, stage in lock.get("stages", {}).items():
        if "@" in name and name.split("@")[1] not in params.get("arms", {}):
            continue  # dvc.lock keeps the arms that were removed
        for key, used in stage.get("params", {}).get("params.yaml", {}).items():
            node: Any = params
            for part in key.split("."):
                node = node.get(part, absent) if isinstance(node, dict) else absent
            if node != used:
                stale.add(key)
    return sorted(stale)
