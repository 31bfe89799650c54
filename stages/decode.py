"""Stage `decode`: one arm's first seed for the report: pictures, and both networks as layers that the page runs."""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from latent_audit.base.atomic import atomic_path
from latent_audit.base.codes import read_codes
from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.base.stage_item import item_of_stage
from latent_audit.base.tables import read_json
from latent_audit.compute.devices import resolve
from latent_audit.data.outsiders import load_outsiders
from latent_audit.data.prepared import load_split, told_apart
from latent_audit.decoding.attribute_pictures import attribute_pictures
from latent_audit.decoding.beside import attributes_of
from latent_audit.decoding.decoder import N_TRIED, write_decoder_of, write_encoder_of
from latent_audit.decoding.pictures import draw_pictures
from latent_audit.decoding.study_pictures import study_pictures
from latent_audit.diagnostics.settings import DiagnosticsRun
from latent_audit.models.store import load_model


def main(
    arm: Annotated[str | None, typer.Argument(help="a key of `arms` in params.yaml; that of DVC's stage")] = None,
) -> None:
    """Write pictures/ARM/."""
    params, arm = load_sections(Path("params.yaml"), DiagnosticsRun), item_of_stage(arm)
    params.arm(arm)
    torch.set_num_threads(1)  # the bytes must not depend on how many cores there are
    seed, device = params.seeds[0], resolve(params.device)
    prepared = Path("data/prepared") / params.dataset
    described = read_json(Path("models") / arm / "arm.json")
    only = described.get("classes")
    test = load_split(prepared, "test", only)
    model = load_model(Path("models") / arm, seed, device=device)
    codes = read_codes(Path("codes") / arm / f"seed-{seed}.npz")
    set_, images = params.diagnostics, np.asarray(test.images)
    pictures = draw_pictures(model, codes, images, seed=set_.seed, device=device)
    pictures |= study_pictures(
        model, codes, images, has_classes=bool(told_apart(prepared, only)), outsiders=load_outsiders(prepared, only),
        denoises=set_.denoising, reconstruction=described["reconstruction"], seed=set_.seed, device=device,
    )  # fmt: skip
    pictures |= attribute_pictures(model, codes, attributes_of(prepared, only), device=device)
    folder = Path("pictures") / arm
    write_decoder_of(folder, model, codes=codes["z"])
    write_encoder_of(folder, model, images[:N_TRIED] / np.float32(255))
    with atomic_path(folder / "pictures.npz") as temporary, temporary.open("wb") as file:
        np.savez(file, seed=np.int64(seed), **pictures)  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    with reported():
        typer.run(main)
