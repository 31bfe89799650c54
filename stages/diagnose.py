"""Stage `diagnose`: measure the codes of every replicate of one arm; tidy tables, and a summary of them."""

import shutil
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.base.stage_item import item_of_stage
from latent_audit.compute import server
from latent_audit.diagnostics.settings import DiagnosticsRun


def main(
    arm: Annotated[str | None, typer.Argument(help="a key of `arms` in params.yaml; that of DVC's stage")] = None,
) -> None:
    """Write diagnostics/ARM/."""
    params, arm = load_sections(Path("params.yaml"), DiagnosticsRun), item_of_stage(arm)
    params.arm(arm)
    server.start(["latent_audit.decoding.diagnosis"])
    # only now, so that both processes import torch at the same time
    from latent_audit.base.measures import FILE, write_described
    from latent_audit.base.tables import read_json, write_table
    from latent_audit.claims.observations import DESCRIBED, summarise
    from latent_audit.compute.devices import resolve
    from latent_audit.compute.workers import map_seeds
    from latent_audit.data.prepared import counted
    from latent_audit.data.sizes import check_sizes
    from latent_audit.decoding.diagnosis import Files, described_in, every_registered, measure_replicate, tables_of_arm
    from latent_audit.decoding.replicate_tables import write_maps
    from latent_audit.diagnostics.audit import AuditSettings

    set_, device, folder = params.diagnostics, resolve(params.device), Path("diagnostics") / arm
    files = Files(
        Path("data/prepared") / params.dataset, Path("models") / arm, Path("codes") / arm, Path("critic"),
        AuditSettings(set_.neighbors, set_.grid, set_.null_draws, set_.null_rows, unit_counts=False), set_.seed, device,
        set_.denoising,
    )  # fmt: skip
    sizes = counted(files.prepared, read_json(files.models / "arm.json").get("classes"), f"arms.{arm}.classes")
    check_sizes(sizes, of_both={"diagnostics.neighbors": set_.neighbors})
    shutil.rmtree(folder, ignore_errors=True)
    say = partial(print, f"{arm}:", flush=True)
    measured = map_seeds(partial(measure_replicate, files), params.seeds, device=device, on_message=say)
    tables = tables_of_arm(measured, {seed: files.codes_of(seed)["mu"] for seed in params.seeds})
    tables["summary"] = summarise(tables, every_registered())
    for name, table in tables.items():
        write_table(folder / f"{name}.csv", table)
    if (maps := measured[0][1]) is not None:
        write_maps(folder / "class_map.npz", maps)
    write_described(folder / FILE, described_in(tables, DESCRIBED))


if __name__ == "__main__":
    with reported():
        typer.run(main)
