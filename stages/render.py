"""Stage `render`: tables, pictures and codes -> reports/<dataset>.html, one page that loads nothing, and one figure."""

from pathlib import Path

import typer

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import reported
from latent_audit.figures.headline import headline_panels, headline_svg
from latent_audit.report.draw import draw, explore
from latent_audit.report.gather import gather
from latent_audit.report.page_budget import fitted_page
from latent_audit.report.seed_summary import hole_limit
from latent_audit.settings.study import load_params


def main() -> None:
    """Write reports/<dataset>.html, and its headline figure as .svg, from what the other stages left here."""
    with reported():
        params = load_params(Path("params.yaml"))
        given = gather(params)
        study, drawn = given.study, draw(given)
        page = fitted_page(study, drawn.rows, given.pictures, explore(given, drawn.hole_maps))
        target = Path("reports") / f"{params.dataset}.html"
        write_text(target, page)
        weights = {arm: described["beta_kl"] for arm, described in study.arms.items()}
        margins = params.diagnostics.margins | {"hole_fraction": hole_limit(study)}
        panels = headline_panels(study.metrics, weights, margins)
        write_text(target.with_suffix(".svg"), headline_svg(panels))
        print(f"{target}: {len(page.encode()) / 1e6:.2f} MB")


if __name__ == "__main__":
    typer.run(main)
