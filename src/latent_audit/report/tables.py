"""Data frames -> semantic HTML tables: caption, scoped headers, numbers rounded to read, whole to sort."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

ABSENT = "–"


def number(value: Any, digits: int = 3) -> str:
    """A number for reading: `digits` significant digits (one less below 0.1), thousands apart, a true minus sign.

    NaN and None become a dash.
    """
    if value is None or (isinstance(value, Real) and np.isnan(float(value))):
        return ABSENT
    if isinstance(value, Integral):
        return f"{int(value):,}".replace(",", "\u202f").replace("-", "−")
    value = float(value)
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value != 0 and (abs(value) < 1e-4 or abs(value) >= 1e7):
        mantissa, exponent = f"{value:.{max(digits - 2, 0)}e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    size = int(np.floor(np.log10(abs(value)))) if value else 0
    decimals = max(digits - 1 - size - (size < -1), 0) if value else 0
    return f"{value:,.{decimals}f}".replace(",", "\u202f").replace("-", "−")


def span(low: float, high: float, *, digits: int = 3) -> str:
    """Two ends of an interval with as many decimals as the larger one has to `digits` significant digits."""
    return " to ".join(fixed([low, high], digits=digits))


def fixed(values: Sequence[float], *, digits: int = 3) -> list[str]:
    """Numbers that are read together, all with the decimals of the largest; very large and very small ones as alone."""
    largest = max((abs(value) for value in values if np.isfinite(value)), default=0.0)
    if largest == 0 or not 1e-3 <= largest < 1e7:
        return [number(value, digits) for value in values]
    decimals = max(digits - 1 - int(np.floor(np.log10(largest))), 0)
    texts = [f"{value + 0.0:,.{decimals}f}".replace(",", "\u202f").replace("-", "−") for value in values]
    return [ABSENT if np.isnan(value) else text for value, text in zip(values, texts, strict=True)]


def percents(shares: Sequence[float]) -> list[str]:
    """Shares that are read together, in percent without the sign: tenths where they differ by less than ten points."""
    known = [100 * share for share in shares if np.isfinite(share)]
    decimals = 0 if not known or (max(known) - min(known) >= 10 and max(known) >= 20) else 1
    return [ABSENT if np.isnan(share) else f"{100 * share:.{decimals}f}".replace("-", "−") for share in shares]


def percent_span(low: float, high: float) -> str:
    """The ends of an interval of a share; once where both are written alike."""
    return " to ".join(dict.fromkeys(f"{text}%" for text in percents([low, high])))


def set_number(value: float) -> str:
    """A number that somebody chose, such as a margin: as it was written, without padding."""
    return f"{value:g}".replace("-", "−")


def percent(share: float) -> str:
    """A share as a percentage: two digits below 10%, whole numbers above."""
    if np.isnan(share):
        return ABSENT
    if 0.9 < share < 0.9995:
        return f"{100 * share:.1f}%"
    return f"{100 * share:.0f}%" if share >= 0.1 else f"{100 * share:.1f}%"


def plain(value: Any) -> str:
    """A parameter as it is written in a table: none, a list with commas, a number without its zeros."""
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def data_table(
    frame: pd.DataFrame,
    *,
    caption: str,
    headings: Mapping[str, str] | None = None,
    row_headers: int = 1,
    form: Callable[[Any], str] = number,
    forms: Mapping[str, Callable[[Any], str]] = MappingProxyType({}),
) -> Markup:
    """An HTML table of `frame`; the first `row_headers` columns head their rows, `form` writes the numbers.

    forms : by column, where one is written in another way.

    Everything is escaped. None and NaN become a dash.

    Columns are sorted by the page's script from `data-sort`; without it the table stands as it is.
    """
    headings = headings or {}
    head = "".join(
        f'<th scope="col"{_numeric(frame[column])}>{escape(str(headings.get(column, column)))}</th>'
        for column in frame.columns
    )
    rows = []
    for values in frame.itertuples(index=False, name=None):
        cells = [
            _cell(value, header=index < row_headers, form=forms.get(column, form))
            for index, (column, value) in enumerate(zip(frame.columns, values, strict=True))
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return Markup(
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="{escape(caption, quote=True)}">'
        f'<table class="data sortable"><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _numeric(column: pd.Series) -> str:
    return ' class="n"' if pd.api.types.is_numeric_dtype(column) else ""


def _cell(value: Any, *, header: bool, form: Callable[[Any], str]) -> str:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    missing = value is None or (is_number and np.isnan(float(value)))
    text = ABSENT if missing else form(value) if is_number else str(value)
    if header:
        return f'<th scope="row"{_sort_key(value, is_number)}>{escape(text)}</th>'
    kind = ' class="n"' if is_number else ""
    return f"<td{kind}{_sort_key(value, is_number)}>{escape(text)}</td>"


def _sort_key(value: Any, is_number: bool) -> str:
    return f' data-sort="{float(value):.10g}"' if is_number and np.isfinite(float(value)) else ""
