"""A stage of stages/sources: look at what lies outside DVC (your pictures, a mirror), and write down its state."""

import os
from pathlib import Path
from typing import Annotated

import typer

from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.base.stage_item import item_of_stage
from latent_audit.data.settings import DataRun
from latent_audit.data.sources.listing import list_source


def main(
    dataset: Annotated[str | None, typer.Argument(help="the name of a data set; that of DVC's stage")] = None,
) -> None:
    """Write stages/sources/<dataset>.json: other bytes only where the source holds other bytes."""
    dataset = item_of_stage(dataset, "a data set")
    path = load_sections(Path("params.yaml"), DataRun).data.path
    target = Path("stages/sources") / f"{dataset}.json"
    print(list_source(dataset, target, mirror=os.environ.get("LATENT_AUDIT_MIRROR"), path=path))


if __name__ == "__main__":
    with reported():
        typer.run(main)
