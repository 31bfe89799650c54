"""The page of a study within its limit of bytes: decoders come first, encoders take the room that is left.

The largest decoders give way to their lattices; then these get coarser; then the explorer goes.
"""

from collections.abc import Mapping, Sequence

from latent_audit.base.errors import InputError
from latent_audit.report.explorer import ExplorerData, without_largest
from latent_audit.report.pictures import COARSER, FINEST, Pictures, lattice_rows
from latent_audit.report.render import MAX_BYTES, OVERLAY_BYTES, fits, render_study
from latent_audit.report.study import Row, Study

PAD_BYTES, TAG_BYTES = 6_000, 200  # of the pad to draw on, and of the element around one arm's weights


def fitted_page(
    study: Study, figures: Mapping[str, Sequence[Row]], pictures: Pictures, explorer: ExplorerData | None
) -> str:
    """The report with `fig-lattice` added, as many arms that decode live as it holds, and as many that encode.

    Raises
    ------
    InputError : the page is too large even without an explorer and with the coarsest lattices.
    """
    drawn, most = {arm: own for arm, own in pictures.items() if arm in study.drawn}, most_bytes(study)
    tiles, coarser = FINEST, iter(COARSER)
    while True:
        lattice = lattice_rows(drawn, study.names, drawn if explorer is None else explorer.weights, tiles)
        every = dict(figures) | {"fig-lattice": lattice}
        page = render_study(study, every, None if explorer is None else explorer._replace(encoders={}), pictures)
        if fits(page, most):
            break
        if explorer is not None and explorer.weights:
            explorer = without_largest(explorer)
        elif (smaller := next(coarser, None)) is not None:
            tiles = smaller
        elif explorer is not None:
            explorer = None
        elif most < MAX_BYTES:  # many attributes or factors: a large page says more than none
            most = MAX_BYTES
        else:
            size = len(page.encode())
            raise InputError(f"the report has {size:,} bytes, more than {most:,}: leave out some arms")
    encoders = {} if explorer is None else that_fit(explorer.encoders, most - len(page.encode()) - PAD_BYTES)
    if explorer is None or not encoders:
        return page
    whole = render_study(study, every, explorer._replace(encoders=encoders), pictures)
    return whole if fits(whole, most) else page


def most_bytes(study: Study) -> int:
    """The limit of the study's page: an overlay's is one of many, which are read beside one another."""
    return MAX_BYTES if study.overlay is None else OVERLAY_BYTES


def that_fit(texts: Mapping[str, str], room: int) -> dict[str, str]:
    """As many of `texts` as `room` bytes hold, in their own order; the shortest are let in first."""
    chosen: set[str] = set()
    for arm in sorted(texts, key=lambda name: len(texts[name])):
        room -= len(texts[arm]) + TAG_BYTES
        if room < 0:
            break
        chosen.add(arm)
    return {arm: text for arm, text in texts.items() if arm in chosen}
