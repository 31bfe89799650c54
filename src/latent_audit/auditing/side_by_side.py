"""`latent-audit audit A B ..`: several files of codes in, one folder out, with an arm for each file."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from latent_audit.auditing.arm_names import arm_names
from latent_audit.auditing.beside import INDICES
from latent_audit.auditing.border import printable
from latent_audit.auditing.command import (
    MADE_BY,
    MARKER,
    PAGE,
    Request,
    expanded,
    free_folder,
    measured,
    printing,
    read_all,
    say_aloud,
)
from latent_audit.auditing.page import Arm, arms_page
from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.base.folder import whole_folder
from latent_audit.base.tables import write_json, write_table
from latent_audit.diagnostics.audit import AuditSettings, AuditTables

MOST_ARMS = 8  # files on one page


def run_side_by_side(
    request: Request,
    files: Sequence[Path],
    *,
    settings: AuditSettings = AuditSettings(),
    say: Callable[[str], None] = say_aloud,
) -> dict[str, AuditTables]:
    """Audit several files and write one folder: the tables with a column `arm` before the others, one page with an arm
    for each, and audit.json with what `run_audit` says of each under `arms`.

    Every file is read before the first is measured. On any failure the folder is as it was before.

    Parameters
    ----------
    request : what holds for all of them; its own `codes` are not looked at. files : the arms are called after them
        (`arm_names`).

    Raises
    ------
    InputError : see `run_audit`; more than MOST_ARMS files.
    """
    if len(files) > MOST_ARMS:
        raise InputError(f"{len(files)} files: at most {MOST_ARMS} stand on one page; audit the others apart.")
    say = printing(say)
    requests = {arm: expanded(request._replace(codes=path)) for arm, path in zip(arm_names(files), files, strict=True)}
    target = free_folder(next(iter(requests.values())))
    read = {arm: read_all(one, _prefixed(say, arm)) for arm, one in requests.items()}
    if of_indices := [arm for arm, (codes, _) in read.items() if INDICES in codes.beside]:
        raise InputError(f"{', '.join(of_indices)}: indices of a codebook have a page of their own; audit them apart.")
    with whole_folder(target) as folder:
        arms = {arm: measured(one, *read[arm], settings, _prefixed(say, arm)) for arm, one in requests.items()}
        written = _stacked({arm: own.written for arm, own in arms.items()})
        for name, table in written.items():
            write_table(folder / name, table)
        page = [Arm(printable(arm), own.tables, own.described, own.samples) for arm, own in arms.items()]
        write_text(folder / PAGE, arms_page(page))
        of_arms = {printable(arm): _without_maker(own.described) for arm, own in arms.items()}
        described = {"made_by": MADE_BY, "arms": of_arms, "files": sorted([*written, PAGE])}
        write_json(folder / MARKER, described)
    for arm, own in arms.items():
        for line in (own.tables.verdict, *own.tables.judgement.advice):
            say(f"{arm}: {line}")
    say(f"{request.out / PAGE}: {len(arms)} arms, {len(written)} tables beside it")
    return {arm: own.tables for arm, own in arms.items()}


def _stacked(arms: Mapping[str, Mapping[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Each table with the rows of every arm that has it, `arm` first."""
    names = dict.fromkeys(name for own in arms.values() for name in own)
    stacked = {}
    for name in names:
        parts = [own[name].assign(arm=printable(arm)) for arm, own in arms.items() if name in own]
        table = pd.concat(parts, ignore_index=True)
        stacked[name] = table[["arm", *(column for column in table if column != "arm")]]
    return stacked


def _prefixed(say: Callable[[str], None], arm: str) -> Callable[[str], None]:
    return lambda line: say(f"{arm}: {line}")


def _without_maker(described: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in described.items() if key != "made_by"}
