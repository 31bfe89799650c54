"""What `latent_audit.audit` gives back: an audit's tables with its page, its figures and its face in a notebook."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.audit_tables import AuditTables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from latent_audit.auditing.decoded import Decoded
    from latent_audit.report.audit_words import View

PLOTS = ("spectrum", "radius", "marginals", "pairs")


class Audit(AuditTables):
    """The tables, and views of them. matplotlib and the page's templates are loaded when a view is asked for."""

    about: Mapping[str, Any]
    decoded: "Decoded | None"

    @classmethod
    def of(cls, tables: AuditTables, about: Mapping[str, Any], decoded: "Decoded | None" = None) -> Self:
        """The tables with what their page says of where they come from, and what a decoder made."""
        made = cls(*tables)
        made.about, made.decoded = about, decoded
        return made

    def _replace(self, **changes: Any) -> Self:
        return self.of(super()._replace(**changes), self.about, self.decoded)

    @property
    def pictures(self) -> Mapping[str, np.ndarray]:
        """codes, prior, gaussian, mixture, interpolation -> uint8 (sample, channel, height, width); empty without
        `decode`."""
        return {} if self.decoded is None else self.decoded.pictures

    @property
    def round_trip(self) -> pd.DataFrame | None:
        """How far encode(decode(z)) is from z, for codes and for draws of each law; see `decoded.decoded`."""
        return None if self.decoded is None else self.decoded.round_trip

    def to_html(self, path: str | PathLike[str]) -> Path:
        """Write the page that the command writes, one file that loads nothing; whole or not at all.

        Raises
        ------
        InputError : the file cannot be written.
        """
        from latent_audit.auditing.beside_page import codebook_page
        from latent_audit.auditing.page import audit_page

        target = Path(path)
        if target.is_dir():
            raise InputError(f"to_html: {target} is a folder; name a file in it, as {target / 'audit.html'}.")
        page = (
            codebook_page(self, self.about) if self.audited is None else audit_page(self, self.about, {}, self.decoded)
        )
        write_text(target, page)
        return target

    def plot(self, what: str | None = None, *, ax: "Axes | None" = None) -> Any:
        """Draw the codes against N(0, I).

        Parameters
        ----------
        what : "spectrum" (KL of each dimension, or without a posterior the sd along the principal axes), "radius",
            "marginals" (the worst dimension), "pairs" (the most correlated two). None draws them all on a new figure.
        ax : where one of them is drawn; None makes a figure of pyplot's.

        Returns
        -------
        The Axes, or of None an array (4,) of them; of a single dimension (2,).

        Raises
        ------
        InputError : another name, or a figure that one dimension has not got.
        """
        from latent_audit.auditing.notebook import draw_all, draw_one

        if self.audited is None:
            raise InputError("plot: indices of a codebook have no codes to draw; see `codebook`.")
        if what is None and ax is None:
            return draw_all(self._view(), self._z)
        if what is None:
            raise InputError(f"plot: ax takes one figure; say which of {', '.join(PLOTS)}.")
        return draw_one(self._view(), self._z, what, ax)

    def _repr_html_(self) -> str:
        """For a notebook: the verdict, the six numbers that matter, a figure, and what to do."""
        from latent_audit.auditing.notebook import picture
        from latent_audit.report.audit_lead import summary_html

        if self.audited is None:
            return super()._repr_html_()
        view = self._view()
        return summary_html(view, picture(view, self._z))

    def __repr__(self) -> str:
        return f"<Audit of {self.about['n']:,} x {self.about['latent_dim']:,} codes: {self.verdict}>"

    @property
    def _z(self) -> np.ndarray:
        assert self.audited is not None  # whoever asks has looked
        return self.audited.z

    def _view(self) -> "View":
        from latent_audit.auditing.view import view_of

        return view_of(self, self.about)
