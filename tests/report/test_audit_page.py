"""The page of an audit: from 1 to 2,048 dimensions, with and without labels; what does not apply is absent."""

import re

import numpy as np
import pytest

from latent_audit.auditing.page import audit_page
from latent_audit.diagnostics.audit import AuditSettings, audit
from latent_audit.diagnostics.ties import TiesWarning
from latent_audit.report.render import fits
from report.test_render import Page

SETTINGS = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
HOSTILE = "</script><script>alert(1)</script>"
N = 80


def page_of(z, *, mu=None, logvar=None, labels=None, samples=None) -> str:
    tables = audit(z, mu=mu, logvar=logvar, labels=labels, seed=0, settings=SETTINGS)
    given = {"mu": mu, "logvar": logvar, "z": z}
    about = {
        "input": {"codes": {"name": HOSTILE, "sha256": "ab" * 32}},
        "arrays": [name for name, array in given.items() if array is not None],
        "n": len(z),
        "latent_dim": z.shape[1],
        "classes": None if labels is None else len(np.unique(labels)),
        "shown_dims": list(tables.dims),
        "seed": 0,
        "settings": SETTINGS.__dict__,
        "notes": [],
        "versions": {"numpy": "0"},
    }
    return audit_page(tables, about, samples or {})


def parts(text: str) -> set[str]:
    return {found for found in re.findall(r'id="([a-z-]+)"', text)}


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(5)


@pytest.fixture(scope="module")
def full(rng) -> str:
    mu = rng.standard_normal((N, 2))
    z = mu + 0.3 * rng.standard_normal((N, 2))
    labels = np.array([HOSTILE, "bag & boot"])[np.arange(N) % 2]
    images = {"closest to 0": np.zeros((10, 1, 4, 4), np.uint8)}
    return page_of(z, mu=mu, logvar=np.full((N, 2), -2.0), labels=labels, samples=images)


def test_everything_is_there_where_everything_applies(full):
    wanted = {"fig-codes", "fig-histograms", "fig-pvalues", "fig-kl", "fig-pspace", "fig-areas", "joint", "images"}
    assert wanted <= parts(full)
    assert "fig-profile" not in parts(full)  # two dimensions are all drawn
    assert "Holes</p>" in full.replace(" <span>shaded: prior without codes</span>", "")
    assert full.count('<figcaption><a class="permalink"') == 6


def test_the_page_is_safe_and_complete_as_html(full):
    page = Page(full)
    assert HOSTILE not in full
    assert "&lt;script&gt;alert(1)" in full
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.all("a", "use") if a["href"].startswith("#")} <= set(ids)
    assert all((a.get("src") or "data:").startswith("data:") for a in page.all("img", "script"))
    assert len(page.all("table")) == len(page.all("caption"))
    assert "nan" not in re.sub(r"<[^>]*>", " ", full).split()
    assert "default-src 'none'" in full.replace("&#39;", "'")


def test_one_dimension_has_no_plane_and_no_square(rng):
    found = parts(page_of(rng.standard_normal((N, 1))))
    assert found.isdisjoint({"fig-codes", "fig-pspace", "fig-areas", "fig-kl", "posterior", "images", "pspace"})
    assert {"fig-histograms", "fig-pvalues", "joint", "provenance"} <= found


def test_labels_in_one_dimension_have_areas_without_a_square(rng):
    found = parts(page_of(rng.standard_normal((N, 1)), labels=np.arange(N) % 3))
    assert "fig-areas" in found
    assert "fig-pspace" not in found


@pytest.mark.parametrize("latent_dim", [12, 300])
def test_many_dimensions_show_the_worst_and_say_so(rng, latent_dim):
    z = rng.standard_normal((N, latent_dim))
    z[:, 7] += 3
    text = page_of(z)
    assert f"The 6 worst of {latent_dim} dimensions by KS D" in text
    assert "Furthest is dimension 7," in text
    assert "fig-profile" in parts(text)
    assert "shaded: prior without codes" not in text
    assert fits(text)


def test_mu_that_is_z_is_said_once(rng):
    z = rng.standard_normal((N, 2))
    text = page_of(z, mu=z)
    assert "mu and z are the same codes here." in text
    assert "<td>mu</td>" not in text


def test_a_constant_dimension_has_no_logarithm_of_its_sd(rng):
    text = page_of(np.column_stack([rng.standard_normal((N, 2)), np.zeros(N)]))
    assert "Not from N(0, I)" in text


@pytest.mark.parametrize(
    ("codes", "word"),
    [("ring", "Not from N(0, I): "), ("wide", "Sample from one Gaussian"), ("prior", "yes, N(0, I) may be")],
)
def test_the_headline_answers(codes, word):
    rng = np.random.default_rng(0)
    z = rng.standard_normal((400, 2))
    if codes == "ring":
        z = 3 * z / np.linalg.norm(z, axis=1, keepdims=True)
    assert word in page_of(1.5 * z if codes == "wide" else z)


def test_many_classes_are_not_told_apart_by_colour(rng):
    text = page_of(rng.standard_normal((3 * N, 2)), labels=np.arange(3 * N) % 24)
    assert "fig-areas" in parts(text)
    assert text.count('class="key"') == 1  # of the areas' two measures only


def test_dimensions_whose_values_repeat_are_named(rng):
    coin, normal = (rng.standard_normal((N, 2)) > 0).astype(float), rng.standard_normal((N, 3))
    with pytest.warns(TiesWarning, match=r"z: 1 of 4 dimensions not continuous, 3 \(binary, 2 different values in 80"):
        text = page_of(np.hstack([normal, coin[:, :1]]))
    assert (
        "KS rejects 0 of 3 at 5% (Holm). Dimension 3 is no draw of a continuous law (2 different values in 80" in text
    )
    assert "not N(0, 1) for certain" in text
    assert "of 20 tests of z reject" in text and "A dash: no p" in text
    assert "<td>binary</td>" in text
    with pytest.warns(TiesWarning):
        assert "It is no draw of a continuous law (2 different" in page_of(coin[:, :1])
    with pytest.warns(TiesWarning):
        assert "2 of 5 are no draws of a continuous law, such as dimension 3 (" in page_of(np.hstack([normal, coin]))
    assert "different values" not in page_of(normal.astype(np.float16).astype(float))


def test_areas_stand_beside_those_of_shuffled_labels(rng):
    text = page_of(rng.standard_normal((N, 2)), labels=np.arange(N) % 3)
    assert re.search(r"is nearest to “\d” in \d+% of cases", text)
    assert re.search(r"would have to change hands, no more than with labels dealt out at random \([\d.]+% to", text)
    assert re.search(r"\d+ of \d+ tests, of single dimensions and of all together, reject", text)
    wide = page_of(rng.standard_normal((N, 5)), labels=np.arange(N) % 3)
    assert "is most probably of “" in wide and "by a Gaussian density of each class" in wide


def test_areas_that_no_density_gives_are_said_to_be_missing(rng):
    x = rng.standard_normal((1500, 3))
    board = (np.sin(4 * x[:, 0]) + np.sin(4 * x[:, 1]) > 0).astype(int)
    text = page_of(x, labels=board)
    assert "Areas beyond the plane shown are not given: no density fits: a Gaussian per class reads" in text
    assert "fig-areas" not in parts(text) and "fig-pspace" in parts(text)
    assert fits(text)
    far = page_of(rng.standard_normal((N, 600)), labels=np.arange(N) % 3)
    assert "Areas beyond the plane shown are not given: no density of each class can be fitted" in far


def test_bytes_repeat(rng):
    z = rng.standard_normal((N, 3))
    assert page_of(z) == page_of(z)


def encoder_page(rng, std: float, n: int = N) -> str:
    """The page of a perfect encoder of three dimensions, without tags."""
    mu = np.sqrt(1 - std**2) * rng.standard_normal((n, 3))
    logvar = np.full((n, 3), 2 * np.log(std))
    return re.sub(r"<[^>]*>", " ", page_of(mu + std * rng.standard_normal((n, 3)), mu=mu, logvar=logvar))


def test_the_parts_of_the_kl_are_brackets_beside_a_perfect_encoder(rng):
    text = encoder_page(rng, 0.7, n=400)
    brackets = re.findall(r"between (\S+) and (\S+) (?:of|\()", text)
    assert len(brackets) == 4  # of information, dependence and distance in the answer; of all codes in the caption
    assert all(float(low.replace("−", "-")) < float(high.replace("−", "-")) for low, high in brackets)
    assert "400 codes show at most ln 400 = 5.99 of it" in text
    assert re.search(r"dependence between dimensions \(a perfect encoder of the same rate would show 0\.\d+\)", text)
    assert re.search(r"Of a perfect encoder of the same rate, .* the first would make 0\.\d+ nats", text)
    assert "cannot be told" not in text


def test_what_too_few_codes_cannot_tell_is_a_sentence_and_no_number(rng):
    text = encoder_page(rng, 0.05)
    said = (
        r"How the posterior’s KL of \d+\.\d+ nats divides cannot be told from 80 codes: the information of 4\.\d+ nats "
        r"about the input is within 2 nats of ln 80 = 4\.38, the most that so many can show\. It may be as much as the "
        r"KL, and it would take about e\^1\d codes"
    )
    assert len(re.findall(said, text)) == 2  # in the answer and under the figure
    assert "too few codes to divide it" in text
    assert "between" not in text.split("How the posterior")[1].split("active.")[0].replace("between dimensions", "")
    assert "nan" not in text.lower().split()


def test_where_codes_and_the_prior_differ_is_a_table_and_absent_where_they_do_not(rng):
    from latent_audit.auditing.page_tables import added_tables

    moved = audit(rng.normal([1.0, 0.0], 1.0, (400, 2)), settings=AuditSettings(null_draws=19, null_rows=100))
    (table,) = [str(body) for title, body in added_tables(moved) if title == "Where they differ"]
    first = moved.judgement.regions.iloc[0]
    assert first["region"] in table.replace("&lt;", "<").replace("&gt;", ">")
    normal = audit(rng.standard_normal((400, 2)), settings=AuditSettings(null_draws=19, null_rows=100))
    assert not any(title == "Where they differ" for title, _ in added_tables(normal))
