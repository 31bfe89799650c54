"""The parts of the KL as bars: brackets between two estimates, and what cannot be told."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from latent_audit.figures.posterior import part_words, plot_kl_parts

TOLD = {
    "kl": 3.0, "index_code_mi": 2.5, "index_code_mi_loo": 2.7, "total_correlation": 0.4, "total_correlation_loo": 0.25,
    "dimwise_kl": 0.1, "dimwise_kl_loo": 0.05,
}  # fmt: skip
UNTOLD = TOLD | {name: np.nan for name in TOLD if name.startswith(("total", "dimwise"))}


@pytest.fixture
def ax():
    return Figure().subplots()


def test_each_part_has_a_line_from_the_one_estimate_to_the_other(ax):
    plot_kl_parts(TOLD, colour="C0", ax=ax)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([3.0, 2.6, 0.325, 0.075])
    assert [line.get_xdata().tolist() for line in ax.get_lines()] == [[2.5, 2.7], [0.25, 0.4], [0.05, 0.1]]
    assert [text.get_text() for text in ax.texts] == ["3", "2.5 to 2.7", "0.25 to 0.4", "0.05 to 0.1"]
    assert part_words(TOLD, "total_correlation") == "0.25 to 0.4 nats"


def test_what_cannot_be_told_has_words_and_no_bar(ax):
    plot_kl_parts(UNTOLD, colour="C0", ax=ax)
    assert [bar.get_width() for bar in ax.patches] == [3.0, 2.5]
    assert not ax.get_lines()
    assert [text.get_text() for text in ax.texts] == ["3", "2.5 or more", "cannot be told", "cannot be told"]
    assert np.isfinite(ax.get_xlim()).all()
    assert part_words(UNTOLD, "dimwise_kl") == "cannot be told"


def test_a_negative_estimate_is_inside_the_axes(ax):
    plot_kl_parts(TOLD | {"total_correlation_loo": -0.3}, colour="C0", ax=ax)
    low, high = ax.get_xlim()
    assert low < -0.3 and high > 3.0


def test_a_code_without_kl_has_bars_of_nothing(ax):
    plot_kl_parts(dict.fromkeys(TOLD, 1e-16), colour="C0", ax=ax)
    assert [text.get_text() for text in ax.texts] == ["0", "0", "0", "0"]
