"""reports/index.html: the headline numbers of each report, from its summary or from the page a reader sees."""

import json
import re
import sys

import pytest

from browsers import assert_fit_to_be_seen
from import_graph import SRC
from latent_audit.base.errors import InputError
from latent_audit.cli import main
from latent_audit.report.summary import INTERVALS, MEANS
from latent_audit.runs.index import MEASURES, index_page

SUMMARY = {
    "dataset": "fashion_mnist",
    "seeds": [0, 1, 2],
    "reduced": False,
    "verdicts": {"supported": 3, "contradicted": 1, "inconclusive": 0},
    "measures": {
        "hole_fraction": {"label": "prior draws in a hole", "unit": "share"},
        "ks_d_max": {"label": "distance to N(0, 1), KS", "unit": ""},
    },
    "arms": [
        {
            "arm": "ae",
            "name": "AE",
            "weight": "no KL term",
            "hole_fraction": 0.42,
            "hole_fraction_low": 0.38,
            "hole_fraction_high": 0.45,
            "ks_d_max": 0.385,
            "fd_clf_gmm": None,
        },
        {"arm": "vae", "name": "<i>VAE</i>", "weight": "β_KL = 1", "hole_fraction": 0.09, "ks_d_max": 0.2},
    ],
}
OLD = """<title>When? digits · latent-audit</title>
<p class="eyebrow">latent-audit · digits · AE, VAE · 2 seeds</p>
<aside class="banner" role="note"><strong>Reduced data: not evidence.</strong></aside>
<p class="tally"><span><span class="badge v-supported"><svg></svg>supported</span> <b>18</b></span><span>
<span class="badge v-contradicted">contradicted</span> <b>4</b></span></p>
<table class="data glance"><thead><tr><th>arm</th><th>weight</th><th class="n">prior draws in a hole</th></tr></thead>
<tbody><tr><th><span class="chip"><i></i>AE</span></th>
<td>no &lt;KL&gt; term</td><td class="n">57%</td></tr></tbody></table>
<table class="claims"><tr><td><span class="badge v-inconclusive">x</span><b>99</b></td></tr></table>
"""


@pytest.fixture
def reports(tmp_path):
    block = json.dumps(SUMMARY).replace("<", "\\u003c")
    (tmp_path / "fashion_mnist.html").write_text(
        f'<title>x</title><script type="application/json" id="summary">{block}</script>', encoding="utf-8"
    )
    (tmp_path / "digits.html").write_text(OLD, encoding="utf-8")
    (tmp_path / "a & b.html").write_text("<title>A &amp; &lt;b&gt; · latent-audit</title>", encoding="utf-8")
    (tmp_path / "index.html").write_text("the one before")
    return tmp_path


def card(page: str, number: int) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.split('<article class="card')[number].split("</article>")[0]).split())


def test_a_summary_gives_the_numbers(reports):
    page, count = index_page(reports)
    assert count == 2
    words = card(page, 1)  # the full study stands before the reduced one
    for expected in ("fashion-mnist", "2 arms · 3 seeds", "supported 3", "contradicted 1", "inconclusive 0"):
        assert expected in words
    assert "AE no KL term 42% (38% to 45%) 0.385" in words
    assert "β_KL = 1 9.0% 0.200" in words
    assert "Reduced" not in words
    assert "FD-clf" not in words  # no arm has it


def test_a_page_without_a_summary_gives_what_a_reader_sees(reports):
    words = card(index_page(reports)[0], 2)
    for expected in (
        "digits",
        "1 arm · 2 seeds",
        "Reduced data: not evidence.",
        "supported 18",
        "contradicted 4",
        "57%",
    ):
        assert expected in words
    assert "99" not in words


def test_names_are_escaped_and_links_are_relative(reports):
    page, _ = index_page(reports)
    assert "<i>VAE" not in page
    assert "&lt;i&gt;VAE" in page
    assert "no &lt;KL&gt; term" in page
    assert '<a href="a%20%26%20b.html">A &amp; &lt;b&gt;</a>' in page
    assert set(re.findall(r'href="([^"#]+)"', page)) == {
        "data:,",
        "fashion_mnist.html",
        "digits.html",
        "a%20%26%20b.html",
    }
    assert "default-src &#39;none&#39;" in page


def test_the_bytes_repeat(reports):
    assert index_page(reports) == index_page(reports)


def test_an_empty_folder_says_how_to_fill_it(tmp_path):
    page, count = index_page(tmp_path)
    assert count == 0
    assert "make demo" in page


def test_a_missing_folder_and_a_damaged_page_are_named(tmp_path, reports):
    with pytest.raises(InputError, match="no folder"):
        index_page(tmp_path / "nowhere")
    (reports / "mnist.html").write_text('<script id="summary">{"dataset": 1}</script>')
    with pytest.raises(InputError, match=r"mnist.html: its summary cannot be read"):
        index_page(reports)
    (reports / "mnist.html").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"mnist.html cannot be read"):
        index_page(reports)


def test_the_command_writes_index_html(reports, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["latent-audit", "index", str(reports)])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 0
    assert "2 reports" in capsys.readouterr().out
    assert (reports / "index.html").read_text(encoding="utf-8") == index_page(reports)[0]


def test_the_report_still_has_what_a_page_without_a_summary_is_read_by():
    template = (SRC / "latent_audit/report/template.html").read_text(encoding="utf-8")
    for hook in ('class="eyebrow"', 'class="data glance"', 'class="tally"', 'class="banner"'):
        assert hook in template


def test_every_number_of_a_summary_has_its_column():
    assert set(MEASURES) == {*INTERVALS, *MEANS}


def test_the_page_is_fit_to_be_seen(reports):
    assert_fit_to_be_seen(reports, index_page(reports)[0])
