"""Stage `render`: tables, pictures and codes -> reports/<dataset>.html, a page that loads nothing, and its picture."""

from pathlib import Path

import typer

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import reported
from latent_audit.report.draw import draw, explore
from latent_audit.report.gather import gather
from latent_audit.report.hero import hero_of
from latent_audit.report.page_budget import fitted_page
from latent_audit.settings.study import load_params


def main() -> None:
    """Write reports/<dataset>.html, and its answer in pictures as .svg, from what the other stages left here."""
    with reported():
        params = load_params(Path("params.yaml"))
        given = gather(params)
        drawn = draw(given)
        page = fitted_page(given.study, drawn.rows, given.pictures, explore(given, drawn.hole_maps))
        target = Path("reports") / f"{params.dataset}.html"
        write_text(target, page)
        write_text(target.with_suffix(".svg"), hero_of(given.study, given.pictures))
        print(f"{target}: {len(page.encode()) / 1e6:.2f} MB")


if __name__ == "__main__":
    typer.run(main)
