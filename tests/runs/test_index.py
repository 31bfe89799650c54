"""reports/index.html: the headline numbers of each report, from its summary or from the page a reader sees."""

import json
import os
import re
import sys

import pytest

from browsers import assert_fit_to_be_seen
from latent_audit.base.errors import InputError
from latent_audit.cli import main
from latent_audit.report.summary import INTERVALS, MEANS
from latent_audit.runs.index import MEASURES, index_page, write_index
from workspaces import run

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
PICTURE = "data:image/webp;base64,UklGRg=="
REDUCED = SUMMARY | {"dataset": "digits", "seeds": [0], "reduced": True, "arms": SUMMARY["arms"][:1]}


def page_of(summary):
    block = json.dumps(summary).replace("<", "\\u003c")
    return f'<title>x</title><script type="application/json" id="summary">{block}</script>'


@pytest.fixture
def reports(tmp_path):
    (tmp_path / "fashion_mnist.html").write_text(page_of(SUMMARY), encoding="utf-8")
    (tmp_path / "digits.html").write_text(page_of(REDUCED), encoding="utf-8")
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


def test_what_a_page_counts_and_lists_is_shown(reports):
    seeds = {"hole_fraction_values": [0.94, 0.24, 0.965, 0.3, 0.45]}
    verdicts = {"supported": 3, "negligible": 2, "contradicted": 1, "inconclusive": 0}
    newer = SUMMARY | {"verdicts": verdicts, "arms": [SUMMARY["arms"][0] | seeds, SUMMARY["arms"][1]]}
    assert "negligible" not in card(index_page(reports)[0], 1)  # made when there were three
    (reports / "fashion_mnist.html").write_text(page_of(newer), encoding="utf-8")
    words = card(index_page(reports)[0], 1)
    assert "supported 3 negligible 2 contradicted 1 inconclusive 0" in words
    assert "AE no KL term 24, 30, 45, 94, 96% 0.385" in words


def test_reduced_data_stand_last_without_verdicts(reports):
    words = card(index_page(reports)[0], 2)
    for expected in ("digits", "1 arm · 1 seed", "Reduced data: not evidence.", "42%"):
        assert expected in words
    assert "supported" not in words


def test_a_page_without_a_summary_is_named_by_its_title(reports):
    (reports / "old.html").write_text("<title>\n When? &lt;old&gt; · latent-audit</title><p class=eyebrow>x</p>")
    (reports / "none.html").write_text("<p>no title")
    page, count = index_page(reports)
    assert count == 2
    assert '<a href="old.html">When? &lt;old&gt;</a>' in page
    assert '<a href="none.html">none.html</a>' in page


def test_names_are_escaped_and_links_are_relative(reports):
    page, _ = index_page(reports)
    assert "<i>VAE" not in page
    assert "&lt;i&gt;VAE" in page
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


@pytest.fixture
def kept(reports):
    """The same folder in a repository that keeps index.html and fashion_mnist.html and ignores digits.html."""
    (reports / ".gitignore").write_text("digits.*\n")
    run(reports, "git", "init", "-q")
    run(reports, "git", "add", "index.html", "fashion_mnist.html")
    return reports


def test_an_index_that_git_keeps_links_to_what_git_keeps(kept):
    words = write_index(kept)
    text = (kept / "index.html").read_text(encoding="utf-8")
    assert "fashion_mnist.html" in text
    assert "digits.html" not in text
    assert "a%20%26%20b.html" not in text
    assert words[0].endswith("index.html: 1 report")
    assert "git keeps index.html, but not a & b.html, digits.html: left out" in words[1]


def test_a_page_of_ones_own_lists_all(kept):
    before = (kept / "index.html").read_bytes()
    assert write_index(kept, kept / "mine.html") == [f"{kept / 'mine.html'}: 2 reports"]
    assert "digits.html" in (kept / "mine.html").read_text(encoding="utf-8")
    assert (kept / "index.html").read_bytes() == before
    with pytest.raises(InputError, match="belongs into"):
        write_index(kept, kept.parent / "mine.html")


def test_without_git_all_are_listed(kept, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert write_index(kept) == [f"{kept / 'index.html'}: 2 reports"]


def test_a_name_that_is_not_utf_8_is_linked_all_the_same(reports):
    os.rename(reports / "a & b.html", os.fsencode(reports) + b"/caf\xe9.html")
    page, _ = index_page(reports)
    assert 'href="caf%E9.html"' in page
    page.encode()


def test_every_number_of_a_summary_has_its_column():
    assert set(MEASURES) == {*INTERVALS, *MEANS}


def test_the_page_is_fit_to_be_seen(reports):
    assert_fit_to_be_seen(reports, index_page(reports)[0])


def test_a_study_is_shown_with_its_title_sentence_picture_and_command(tmp_path):
    found = {"study": "mnist_dense", "title": "Dense autoencoders", "headline": "Not for AE.", "picture": PICTURE}
    (tmp_path / "mnist_dense.html").write_text(page_of(SUMMARY | found), encoding="utf-8")
    (tmp_path / "fashion_mnist.html").write_text(page_of(SUMMARY), encoding="utf-8")
    (tmp_path / "odd.html").write_text(
        page_of(SUMMARY | {"title": "odd", "picture": 'https://example.org/"><script>'}), encoding="utf-8"
    )
    text, n = index_page(tmp_path)
    assert n == 3
    assert text.index("fashion-mnist") < text.index("Dense autoencoders")  # the main study first
    for words in ("Not for AE.", "<code>latent-audit study mnist_dense</code>", f'src="{PICTURE}"'):
        assert text.count(words) == 1
    assert "example.org" not in text  # no page makes the index load anything
