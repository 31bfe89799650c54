"""The command `latent-audit`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from latent_audit.base.errors import InputError, reported

OF_THE_STUDY = ("dvc", "psutil", "torch", "torchvision", "tqdm")  # packages of the extra `study`

app = typer.Typer(
    help="When may you sample from a latent space? Run the study, or audit codes of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"latent-audit {version('latent-audit')}")
        except PackageNotFoundError:
            typer.echo("latent-audit, not installed (run from its source)")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="say the version and end")
    ] = False,
) -> None:
    pass


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="an overlay in params/, without .yaml")],
    set_param: Annotated[
        list[str] | None, typer.Option("-S", "--set-param", help="key=value, after the overlay")
    ] = None,
    scratch: Annotated[
        bool,
        typer.Option("--scratch/--experiment", help="in a scratch copy, or here as DVC's experiment NAME"),
    ] = True,
) -> None:
    """Run another study, params/NAME.yaml on top of params.yaml: reports/NAME.html, its tables in reports/NAME/."""
    from latent_audit.runs import studies

    root = Path.cwd()
    overlay = studies.read_overlay(root, name)
    studies.merge(overlay, studies.parse_settings(set_param or []))
    if scratch:
        report = studies.run_scratch(root, name, overlay)
        tables = report.with_suffix("").relative_to(root)
        typer.echo(f"report: {report.relative_to(root)}; tables, parameters and dvc.lock: {tables}/")
    else:
        studies.run_experiment(root, name, overlay)


@app.command()
def recover() -> None:
    """After a kill: mend dvc.lock and DVC's rwlock where they were cut off, keeping what is whole."""
    from latent_audit.runs.recover import recover as mend

    for sentence in mend(Path.cwd()) or ["nothing to mend: dvc.lock and .dvc/tmp/rwlock are whole"]:
        typer.echo(sentence)


@app.command()
def audit(
    codes: Annotated[
        list[Path],
        typer.Argument(
            help="a .npy, .npz (z, or mu and logvar), .csv, .parquet, .safetensors or .h5ad of codes; several: side by "
            "side"
        ),
    ],
    out: Annotated[Path, typer.Option(help="folder for the tables and index.html; an earlier audit is replaced")],
    labels: Annotated[
        str | None, typer.Option(help="array of the .npz, or column, of the classes; or a .npy, .csv or .txt of them")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="a .npy of uint8 images (N, H, W) or (N, C, H, W), in the order of the codes")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(help="the columns that are the codes: names or patterns, as in 'z_*,w_0'; may be repeated"),
    ] = None,
    array: Annotated[
        str | None, typer.Option(help="which array of an .npz, .safetensors or .h5ad (obsm/NAME or X) holds the codes")
    ] = None,
    reduce: Annotated[
        str | None,
        typer.Option(help="pca:K, random:K or none; beyond 2,048 dimensions pca:512 unless said otherwise"),
    ] = None,
    seed: Annotated[int, typer.Option(help="of every draw")] = 0,
) -> None:
    """Audit codes of your own, whatever made them: how far are they from N(0, I), and where?"""
    from latent_audit.auditing import command as audit_command

    request = audit_command.Request(codes[0], out, labels, images, seed, tuple(columns or ()), array, reduce)
    if len(codes) == 1:
        audit_command.run_audit(request)
    else:
        from latent_audit.auditing.side_by_side import run_side_by_side

        run_side_by_side(request, codes)


@app.command("kl-weight")
def kl_weight(
    loss: Annotated[str, typer.Option(help="reconstruction of a pixel value: bce, mse, half-mse or l1")],
    image: Annotated[str | None, typer.Option(help="size of an image, HxW or HxWxC, as in 28x28 or 64x64x3")] = None,
    pixels: Annotated[int | None, typer.Option(help="instead of it: pixel values per image, C x H x W")] = None,
    recon_reduction: Annotated[str, typer.Option(help="sum or mean of the reconstruction over pixels")] = "sum",
    recon_weight: Annotated[float, typer.Option(help="what multiplies the reconstruction")] = 1.0,
    kl_weight: Annotated[float, typer.Option(help="what multiplies the KL")] = 1.0,
    kl_reduction: Annotated[str, typer.Option(help="sum or mean of the KL over latent dimensions")] = "sum",
    latent_dim: Annotated[int | None, typer.Option(help="latent dimensions")] = None,
    recon_batch: Annotated[str, typer.Option(help="sum or mean of the reconstruction over the batch")] = "mean",
    kl_batch: Annotated[str, typer.Option(help="sum or mean of the KL over the batch")] = "mean",
    batch_size: Annotated[int | None, typer.Option(help="needed where those two differ")] = None,
    pixel_range: Annotated[int, typer.Option(help="1: pixels in [0, 1]; 2: pixels in [-1, 1]")] = 1,
    json_wanted: Annotated[bool, typer.Option("--json", help="one JSON object instead of lines")] = False,
) -> None:
    """What a VAE's loss, as somebody wrote it, means as a weight on the KL (docs/kl-weight.md)."""
    from latent_audit.loss_weights import command as weights_command
    from latent_audit.loss_weights.written import WrittenLoss, read_shape

    written = WrittenLoss(
        loss=loss, shape=read_shape(image, pixels), recon_reduction=recon_reduction, recon_weight=recon_weight,
        kl_weight=kl_weight, kl_reduction=kl_reduction, latent_dim=latent_dim, recon_batch=recon_batch,
        kl_batch=kl_batch, batch_size=batch_size, pixel_range=pixel_range,
    )  # fmt: skip
    weights_command.kl_weight(written, json_wanted=json_wanted, say=typer.echo)


@app.command("compare-runs")
def compare_runs(
    revisions: Annotated[
        list[str], typer.Argument(help="commits, branches, tags, names of DVC experiments, or `workspace`")
    ],
    out: Annotated[Path, typer.Option(help="the page to write")] = Path("reports/comparison.html"),
) -> None:
    """Put finished runs side by side on one page; one revision alone is put beside the workspace."""
    from latent_audit.base.atomic import write_text
    from latent_audit.runs.page import render_runs
    from latent_audit.runs.revisions import read_runs

    page = render_runs(read_runs(Path.cwd(), revisions))
    write_text(out, page)
    typer.echo(f"{out}: {len(page.encode()) / 1e6:.2f} MB")


@app.command()
def index(
    folder: Annotated[Path, typer.Argument(help="where the reports are")] = Path("reports"),
    out: Annotated[
        Path | None, typer.Option(help="the page to write in that folder; one that git keeps lists what git keeps")
    ] = None,
) -> None:
    """Write index.html: every report in the folder with its headline numbers."""
    from latent_audit.runs.index import write_index

    for sentence in write_index(folder, out):
        typer.echo(sentence)


@contextmanager
def _printed() -> Iterator[None]:
    """Errors quote names and values of a user's files: control characters in them are spelt out."""
    try:
        yield
    except InputError as error:
        from latent_audit.auditing.border import printable

        raise InputError("\n".join(map(printable, str(error).split("\n")))) from None


@contextmanager
def _study_packages() -> Iterator[None]:
    """A command of the study where only the audit was installed: one sentence that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in OF_THE_STUDY:
            raise
        raise InputError(
            f"this command is of the study and needs {error.name}; the audit alone is installed. Install the rest with "
            "pip install 'latent-audit[study]', or run `make` in a clone"
        ) from None


def main() -> None:
    """Entry point: a wrong input is one message and exit code 2."""
    for stream in (sys.stdout, sys.stderr):  # a file's name need not be text of the terminal's encoding
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with reported(), _printed(), _study_packages():
        app()


if __name__ == "__main__":
    main()
