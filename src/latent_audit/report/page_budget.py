"""The page of a study within its limit of bytes: decoders give way to their lattices, the largest first; then these
get coarser.
"""

from collections.abc import Mapping, Sequence

from latent_audit.base.errors import InputError
from latent_audit.report.explorer import ExplorerData, without_largest
from latent_audit.report.pictures import COARSER, FINEST, Pictures, lattice_rows
from latent_audit.report.render import MAX_BYTES, OVERLAY_BYTES, fits, render_study
from latent_audit.report.study import Row, Study


def fitted_page(
    study: Study, figures: Mapping[str, Sequence[Row]], pictures: Pictures, explorer: ExplorerData | None
) -> str:
    """The report with `fig-lattice` added, and as many arms that decode live as it holds.

    Raises
    ------
    InputError : the page is too large even without any decoder and with the coarsest lattices.
    """
    drawn, most = {arm: own for arm, own in pictures.items() if arm in study.drawn}, most_bytes(study)
    tiles, coarser = FINEST, iter(COARSER)
    while True:
        lattice = lattice_rows(drawn, study.names, drawn if explorer is None else explorer.weights, tiles)
        page = render_study(study, dict(figures) | {"fig-lattice": lattice}, explorer, pictures)
        if fits(page, most):
            return page
        if explorer is not None and explorer.weights:
            explorer = without_largest(explorer)
        elif (tiles := next(coarser, None)) is None:
            size = len(page.encode())
            raise InputError(f"the report has {size:,} bytes, more than {most:,}: leave out some arms")


def most_bytes(study: Study) -> int:
    """The limit of the study's page: an overlay's is one of many, which are read beside one another."""
    return MAX_BYTES if study.overlay is None else OVERLAY_BYTES
