"""The page of a study within its limit of bytes: decoders come first, encoders take the room that is left."""

from collections.abc import Mapping, Sequence

from latent_audit.base.errors import InputError
from latent_audit.report.explorer import ExplorerData, without_largest
from latent_audit.report.pictures import Pictures, lattice_rows
from latent_audit.report.render import MAX_BYTES, fits, render_study
from latent_audit.report.study import Row, Study

PAD_BYTES, TAG_BYTES = 6_000, 200  # of the pad to draw on, and of the element around one arm's weights


def fitted_page(study: Study, figures: Mapping[str, Sequence[Row]], pictures: Pictures, explorer: ExplorerData) -> str:
    """The report with `fig-lattice` added, as many arms that decode live as it holds, and as many that encode.

    The largest decoders give way to their lattices; then the smallest encoders are let in.

    Raises
    ------
    InputError : the page is too large even without any decoder.
    """
    while True:
        lattice = lattice_rows(pictures, study.names, explorer.weights)
        every = dict(figures) | {"fig-lattice": lattice}
        page = render_study(study, every, explorer._replace(encoders={}), pictures)
        if fits(page):
            break
        if not explorer.weights:
            size = len(page.encode())
            raise InputError(f"the report has {size:,} bytes, more than {MAX_BYTES:,}: leave out some arms")
        explorer = without_largest(explorer)
    encoders = that_fit(explorer.encoders, MAX_BYTES - len(page.encode()) - PAD_BYTES)
    whole = render_study(study, every, explorer._replace(encoders=encoders), pictures) if encoders else page
    return whole if fits(whole) else page


def that_fit(texts: Mapping[str, str], room: int) -> dict[str, str]:
    """As many of `texts` as `room` bytes hold, in their own order; the shortest are let in first."""
    chosen: set[str] = set()
    for arm in sorted(texts, key=lambda name: len(texts[name])):
        room -= len(texts[arm]) + TAG_BYTES
        if room < 0:
            break
        chosen.add(arm)
    return {arm: text for arm, text in texts.items() if arm in chosen}
