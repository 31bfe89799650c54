"""The audit in Python: what it takes, its summary, its figures, its page, and a decoder of one's own."""

import base64
import io
import json
import pickle
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from latent_audit import Audit, AuditSettings, AuditTables, audit, audit_side_by_side
from latent_audit.auditing import page
from latent_audit.auditing.api import SideBySide
from latent_audit.auditing.command import Request, run_audit
from latent_audit.auditing.decoded import INTERPOLATION, N_LINES, N_STEPS, as_images, decoded, lines
from latent_audit.auditing.frames import ColumnsWarning
from latent_audit.auditing.notebook import draw_one
from latent_audit.auditing.result import PLOTS
from latent_audit.auditing.view import view_of
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.decomposition import NoDrawWarning
from latent_audit.report.audit_lead import six

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
N, D, SIDE = 120, 4, 4
RNG = np.random.default_rng(3)
STD = np.array([0.3, 0.5, 1.0, 1.0])  # of the posterior; the last two dimensions are the prior itself
MU = RNG.standard_normal((N, D)) * np.sqrt(1 - STD**2)
LOGVAR = np.broadcast_to(2 * np.log(STD), (N, D)).copy()
LABELS = np.arange(N) % 3
W = RNG.standard_normal((D, SIDE * SIDE)).astype(np.float32)


def decode(z: np.ndarray) -> np.ndarray:
    """A linear decoder with a sigmoid, of images (n, H, W)."""
    return (1 / (1 + np.exp(-z @ W))).reshape(-1, SIDE, SIDE)


def encode(x: np.ndarray) -> np.ndarray:
    """Its exact inverse."""
    flat = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    return np.log(flat / (1 - flat)) @ np.linalg.pinv(W.astype(np.float64))


@pytest.fixture(scope="module")
def found() -> Audit:
    return audit(mu=MU, logvar=LOGVAR, labels=LABELS, settings=FAST, decode=decode, encode=encode)


@pytest.fixture(scope="module")
def bent() -> Audit:
    """Codes without a posterior: the first dimension is off-centre, the last two are correlated, all named."""
    z = np.random.default_rng(1).standard_normal((300, 4))
    z[:, 0] += 2
    z[:, 3] = 0.8 * z[:, 2] + 0.6 * z[:, 3]
    return audit(pd.DataFrame(z, columns=["<b>", "age", "dose", "size"]), settings=FAST)


@pytest.fixture(scope="module")
def single() -> Audit:
    return audit(2 + np.random.default_rng(0).standard_normal((60, 1)), settings=FAST)


def numbers(result: Audit) -> dict:
    return {one.what: one for one in six(view_of(result, result.about))}


# --- the summary -----------------------------------------------------------------------------------------------------


def test_a_result_is_the_tables_with_more(found: Audit):
    assert isinstance(found, AuditTables) and isinstance(found, Audit)
    assert repr(found) == f"<Audit of 120 x 4 codes: {found.verdict}>"
    again = pickle.loads(pickle.dumps(found))
    assert again.verdict == found.verdict and again.about == found.about and set(again.pictures) == set(found.pictures)
    other = found._replace(dims=(0, 2))
    assert other.dims == (0, 2) and other.about is found.about and other.pictures is found.pictures


def test_a_notebook_leads_with_the_verdict_six_numbers_a_figure_and_what_to_do(found: Audit):
    html = found._repr_html_()
    assert re.match(r'<div class="latent-audit"><p><strong>[^<]+</strong></p><table', html)
    assert found.verdict[:30] in html.split("</strong>")[0]
    assert html.count("<td ") == 6
    assert all(line[:40] in html.split("What to do next:")[1] for line in found.judgement.advice)
    (uri,) = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    picture = Image.open(io.BytesIO(base64.b64decode(uri)))
    assert picture.width > 3 * picture.height  # four panels abreast
    assert len(html) < 100_000
    assert found._repr_html_() == html


def test_of_a_posterior_the_numbers_begin_with_what_is_active(found: Audit):
    told = numbers(found)
    assert list(told) == ["Active dimensions", "KL", "Worst directions", "Worst dimension", "Radius", "Worst pair"]
    assert told["Active dimensions"].value == "2 of 4" and "2 collapsed" in told["Active dimensions"].note
    rate = 0.5 * (MU**2 + STD**2 - 1 - LOGVAR).mean(axis=0)
    assert float(told["KL"].value) == pytest.approx(rate.sum(), rel=0.01) and "most in z₀" in told["KL"].note
    assert float(told["Radius"].value) == pytest.approx(
        np.median(np.linalg.norm(found.audited.z, axis=1)), rel=0.01
    )  # fmt: skip
    assert "draws of N(0, I): 1.83" in told["Radius"].note  # the root of the median of chi2 with 4 degrees, 3.357


def test_without_a_posterior_they_name_the_worst_directions(bent: Audit):
    told = numbers(bent)
    assert list(told)[:4] == ["Worst directions", "Worst dimension", "Radius", "Worst pair"] and len(told) == 6
    low, high = map(float, told["Worst directions"].value.split(" to "))
    assert (low, high) == pytest.approx((np.sqrt(0.2), np.sqrt(1.8)), rel=0.15)  # eigenvalues 1 -+ 0.8
    assert "widest: z₃ · size, z₂ · dose" in told["Worst directions"].note.replace(
        "z₂ · dose, z₃ · size", "z₃ · size, z₂ · dose"
    )
    assert told["Worst directions"].matters and told["Worst dimension"].matters and told["Worst pair"].matters
    assert "KS distance of z₀ · <b>: mean 1.96, sd 0.959; matters" in told["Worst dimension"].note
    assert "correlation of z₂ · dose and z₃ · size" in told["Worst pair"].note
    assert "<b>:" not in bent._repr_html_() and "&lt;b&gt;" in bent._repr_html_()


def test_one_dimension_has_its_own_numbers(single: Audit):
    told = numbers(single)
    assert list(told)[:3] == ["Distance to N(0, 1)", "Mean and sd", "Tails"]
    assert told["Mean and sd"].matters and told["Mean and sd"].value.startswith("2.")
    assert "<img" in single._repr_html_()


# --- figures ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def plt():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.get_backend()
    pyplot.switch_backend("agg")
    yield pyplot
    pyplot.close("all")
    pyplot.switch_backend(before)


def test_every_figure_is_drawn_where_it_is_wanted(found: Audit, plt):
    axes = found.plot()
    assert [ax.get_xlabel() for ax in axes[:2]] == ["dimensions, largest KL first", "distance from 0"]
    assert len(axes) == 4
    figure, (left, right) = plt.subplots(1, 2)
    assert found.plot("radius", ax=left) is left and not right.has_data()
    curve = left.get_lines()[0]
    assert curve.get_ydata().sum() * np.diff(curve.get_xdata())[0] == pytest.approx(1, abs=0.01)  # the chi density
    assert found.plot("spectrum").figure is not figure


def test_the_spectrum_without_a_posterior_is_the_spread(bent: Audit, plt):
    ax = bent.plot("spectrum")
    assert ax.get_ylabel() == "sd"
    z = bent.audited.z
    want = np.sqrt(np.linalg.eigvalsh(np.cov(z, rowvar=False, ddof=0)))[::-1]
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), want)
    pair = bent.plot("pairs")
    assert (pair.get_xlabel(), pair.get_ylabel()) == ("z₂ · dose", "z₃ · size")


def test_what_cannot_be_drawn_is_said(found: Audit, single: Audit, plt):
    with pytest.raises(InputError, match="'kl' is none of spectrum, radius, marginals, pairs"):
        found.plot("kl")
    with pytest.raises(InputError, match="ax takes one figure; say which"):
        found.plot(ax=plt.subplots()[1])
    with pytest.raises(InputError, match="one dimension have no pairs; there are radius, marginals"):
        single.plot("pairs")
    assert len(single.plot()) == 2
    assert draw_one(view_of(single, single.about), single.audited.z, PLOTS[1], None).get_xlabel() == "distance from 0"


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_is_the_one_that_the_command_writes(tmp_path: Path):
    z = np.random.default_rng(5).standard_normal((60, 1)) + 1
    np.savez(tmp_path / "codes.npz", z=z, labels=LABELS[:60])
    run_audit(Request(tmp_path / "codes.npz", tmp_path / "out"), settings=FAST, say=lambda line: None)
    described = json.loads((tmp_path / "out/audit.json").read_text(encoding="utf-8"))
    mine = audit(z, labels=LABELS[:60], settings=FAST)
    mine.about = {**mine.about, "input": described["input"]}  # the name and hash of the file, which arrays have not
    assert mine.to_html(tmp_path / "mine.html") == tmp_path / "mine.html"
    assert (tmp_path / "mine.html").read_bytes() == (tmp_path / "out/index.html").read_bytes()


def test_the_page_of_arrays_leads_with_the_same_and_shows_what_was_decoded(found: Audit, tmp_path: Path):
    text = found.to_html(tmp_path / "deep/page.html").read_text(encoding="utf-8")
    assert (
        text.index('class="headline"') < text.index('class="six"') < text.index("What to do.") < text.index("fig-lead")
    )
    assert text.count("<dt>") == 6
    assert 'id="decoded"' in text and "Drawn from N(0, I)</p>" in text and "Straight lines between two codes" in text
    assert "Decoded and encoded again, codes end up 0.0% of their spread from where they were, draws of N" in text
    with pytest.raises(InputError, match="is a folder; name a file in it"):
        found.to_html(tmp_path)


# --- what it takes ---------------------------------------------------------------------------------------------------


class Frame:
    """A data frame as polars has them, as far as it is asked."""

    def __init__(self, columns: dict[str, np.ndarray]):
        self._columns, self.columns = columns, list(columns)
        self.shape = (len(next(iter(columns.values()))), len(columns))

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name]


def test_frames_tensors_memory_maps_and_lists_are_the_array(tmp_path: Path):
    z = np.random.default_rng(0).standard_normal((40, 2)).astype(np.float32)
    want = audit(z, settings=FAST).joint
    np.save(tmp_path / "z.npy", z)
    given = [
        np.load(tmp_path / "z.npy", mmap_mode="r"),
        z.tolist(),
        pd.DataFrame(z),
        Frame({"a": z[:, 0], "b": z[:, 1]}),
    ]
    if "torch" in sys.modules:  # it is not loaded for this
        given.append(sys.modules["torch"].tensor(z, requires_grad=True))
    for one in given:
        pd.testing.assert_frame_equal(audit(one, settings=FAST).joint, want)


def test_what_is_wrong_is_told_as_the_command_tells_it(tmp_path: Path):
    z = np.random.default_rng(0).standard_normal((40, 2))
    labels = np.where(np.arange(40) == 7, np.nan, np.arange(40) % 2)
    np.savez(tmp_path / "codes.npz", z=z, labels=labels)
    with pytest.raises(InputError) as by_command:
        run_audit(Request(tmp_path / "codes.npz", tmp_path / "out"), settings=FAST, say=lambda line: None)
    with pytest.raises(InputError) as by_call:
        audit(z, labels=labels, settings=FAST)
    said = "1 of 40 labels are missing, in rows 7 (counted from 0)"
    assert said in str(by_command.value) and said in str(by_call.value)
    with pytest.raises(InputError, match=r"NaN, infinite or beyond 1e\+100 in 1 of 40 rows, \[3\], columns \[1\]"):
        audit(np.where(np.arange(80).reshape(40, 2) == 7, np.nan, z), settings=FAST)
    with pytest.raises(InputError, match="labels must be one value per row, got shape"):
        audit(z, labels=np.eye(40), settings=FAST)
    classes = audit(z, labels=np.arange(40) % 2 + 0.5, settings=FAST).classes
    assert classes is not None and classes["class_name"].tolist() == ["0.5", "1.5"]


def test_warnings_point_at_the_call_and_stand_in_the_notes():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = audit(MU, mu=MU, logvar=LOGVAR, settings=FAST)
    (one,) = [w for w in caught if w.category is NoDrawWarning]
    assert one.filename == __file__
    assert result.about["notes"] == [str(one.message)] and "z equals mu" in str(one.message)
    frame = pd.DataFrame(MU, columns=list("abcd")).assign(id=np.arange(N))
    with pytest.warns(ColumnsWarning, match="'id'"):
        assert any("'id'" in note for note in audit(frame, settings=FAST).about["notes"])


# --- a decoder of one's own ------------------------------------------------------------------------------------------


def test_pictures_of_codes_draws_and_lines(found: Audit):
    assert list(found.pictures) == ["codes", "prior", "gaussian", "mixture", INTERPOLATION]
    for images in found.pictures.values():
        assert images.dtype == np.uint8 and images.shape[1:] == (1, SIDE, SIDE)
    assert len(found.pictures[INTERPOLATION]) == N_LINES * N_STEPS
    assert audit(MU, settings=FAST).pictures == {} and audit(MU, settings=FAST).round_trip is None


def test_lines_are_straight_and_end_in_codes():
    z = np.arange(12.0).reshape(6, 2)
    found = lines(z, 0).reshape(N_LINES, N_STEPS, 2)
    for line in found:
        assert {tuple(line[0]), tuple(line[-1])} <= {tuple(row) for row in z} and not np.array_equal(line[0], line[-1])
        np.testing.assert_allclose(np.diff(line, axis=0), np.broadcast_to((line[-1] - line[0]) / (N_STEPS - 1), (7, 2)))


def test_what_comes_back_is_at_0_and_what_does_not_at_the_spread(found: Audit):
    assert found.round_trip is not None
    assert found.round_trip["of"].tolist() == ["codes", "prior", "gaussian", "mixture"]
    assert found.round_trip["relative"].max() < 0.01  # the exact inverse, but for float32
    z = np.random.default_rng(0).standard_normal((5000, D))
    lost = decoded(z, decode, lambda x: (np.zeros((len(x), D)), "logvar"), seed=0).round_trip
    assert lost is not None
    rows = lost.set_index("of")
    assert rows["relative"].to_numpy() == pytest.approx(1, abs=0.05)  # all come back as about their mean
    assert rows["distance"]["prior"] == pytest.approx(1.88, abs=0.15)  # mean of chi with 4 degrees of freedom


@pytest.mark.parametrize("form", ["n h w", "n 1 h w", "n h w 1", "bytes"])
def test_layouts_of_images_are_one(form: str):
    x = np.linspace(0, 1, 2 * 4 * 5).reshape(2, 4, 5)
    given = {"n h w": x, "n 1 h w": x[:, None], "n h w 1": x[..., None], "bytes": np.rint(255 * x).astype(np.uint8)}
    np.testing.assert_array_equal(as_images(given[form], 2, "codes"), np.rint(255 * x).astype(np.uint8)[:, None])
    colour = np.stack([x, x / 2, x / 4], axis=-1)
    np.testing.assert_array_equal(as_images(colour, 2, "codes"), as_images(colour.transpose(0, 3, 1, 2), 2, "codes"))


BAD = {
    "flat pixels": (lambda z: z @ W, r"images must be \(n, H, W\).* got \(24, 16\); reshape"),
    "four channels": (lambda z: np.zeros((len(z), 4, 8, 8)), r"with 1 or 3 channels, got \(24, 4, 8, 8\)"),
    "one image": (lambda z: np.zeros((1, 8, 8)), "1 images for 24 codes"),
    "NaN": (lambda z: np.full((len(z), 8, 8), np.nan), r"decode \(of codes\): 24 of 24 images hold NaN"),
    "logits": (lambda z: np.full((len(z), 8, 8), -9.0), "got -9 to -9; apply the sigmoid"),
    "tanh": (lambda z: np.tanh(z @ W).reshape(-1, 4, 4), r"scale them, as \(x \+ 1\) / 2"),
    "bytes as floats": (lambda z: np.full((len(z), 8, 8), 255.0), "divide them by 255"),
    "raises": (lambda z: z.missing, r"raised AttributeError: .*missing.*, given an array \(24, 4\) of float32"),
    "None": (lambda z: None, "gave NoneType|must be numbers, got dtype object"),
    "no function": (3, "decode must be a function, got int"),
    "NaN for draws alone": (
        lambda z: np.full((len(z), 8, 8), np.where(np.abs(z).max() < 1e3, np.nan, 0.5)), "of codes|of draws",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_decoder_is_one_sentence_before_anything_is_measured(case: str):
    steps: list[str] = []
    bad, said = BAD[case]
    with pytest.raises(InputError, match=said):
        audit(MU, settings=FAST, decode=bad, report_step=steps.append)  # type: ignore[arg-type]
    assert steps == ["decoder: images of codes and of draws"]


def test_a_bad_encoder_is_one_sentence():
    for bad, said in (
        (lambda x: np.zeros((len(x), 3)), r"encode \(of codes\): must give codes of shape \(64, 4\), got float64 of"),
        (lambda x: np.full((len(x), D), np.nan), "gave NaN"),
        (lambda x: 1 / 0, "encode .* raised ZeroDivisionError"),
    ):
        with pytest.raises(InputError, match=said):
            decoded(MU, decode, bad, seed=0)
    with pytest.raises(InputError, match="encode was given without decode"):
        audit(MU, settings=FAST, encode=encode)


def test_indices_of_a_codebook_have_a_page_and_no_codes_to_draw(tmp_path: Path):
    result = audit(indices=np.random.default_rng(0).integers(0, 6, (80, 4)), entries=6)
    assert result.about["arrays"] == ["indices"] and (result.about["n"], result.about["latent_dim"]) == (80, 4)
    assert repr(result) == f"<Audit of 80 x 4 codes: {result.verdict}>" and "<strong>" in result._repr_html_()
    with pytest.raises(InputError, match="have no codes to draw"):
        result.plot()
    assert "Audit of indices" in result.to_html(tmp_path / "page.html").read_text(encoding="utf-8")


# --- side by side ----------------------------------------------------------------------------------------------------


def test_sets_of_codes_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    z = np.random.default_rng(0).standard_normal((60, 2))
    both = audit_side_by_side({"ae": 3 * z, "vae": {"mu": 0.9 * z, "logvar": np.full_like(z, -1.0)}}, settings=FAST)
    assert isinstance(both, SideBySide) and list(both) == ["ae", "vae"]
    assert both["ae"].may_sample == "fitted" and both["vae"].audited.logvar is not None
    monkeypatch.setattr(page, "arms_page", lambda arms: ",".join(arm.name for arm in arms))
    assert both.to_html(tmp_path / "page.html").read_text(encoding="utf-8") == "ae,vae"
    with pytest.raises(InputError, match="bad: audit, z: codes must be"):
        audit_side_by_side({"bad": np.zeros(3)}, settings=FAST)
