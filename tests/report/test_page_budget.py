"""Weights are budgeted per arm: who does not fit gets its lattice, the others decode live, and the page says so."""

import itertools
import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.base.layers import Layer
from latent_audit.report import page_budget, render
from latent_audit.report.explorer import ArmCodes, explorer_data, quantile_table
from latent_audit.report.page_budget import fitted_page
from latent_audit.report.pictures import COARSER, FINEST

SIGMOID = Layer("activation", {"function": "sigmoid"})


def dense(hidden: int, *, largest: float = 1.0) -> list[Layer]:
    """A decoder of 2 x hidden + hidden x 1024 weights, as hard to compress as trained ones."""
    rng = np.random.default_rng(hidden)
    first, last = rng.standard_normal((hidden, 2)), rng.standard_normal((1024, hidden)) / hidden
    last[0, 0] = largest
    return [
        Layer("linear", {}, {"weight": first.astype(np.float32)}),
        Layer("linear", {}, {"weight": last.astype(np.float32)}),
        Layer("reshape", {"shape": [1, 32, 32]}),
        SIGMOID,
    ]


@pytest.fixture
def page_of(study, figures, pictures):
    """The page of arms `ae` and `vae`, given the decoder (or the refusal) of each."""

    def make(
        overlay: str | None = None,
        encoders: Mapping[str, list[Layer]] = MappingProxyType({}),
        **decoders: list[Layer] | str,
    ) -> str:
        codes = np.random.default_rng(1).standard_normal((60, 2))
        arms = {
            arm: ArmCodes(
                name=study.names[arm],
                colour=study.colours[arm],
                codes=codes,
                recon_nll=np.full(60, 250.0),
                plane=(0, 1),
                order=np.array([0, 1]),
                quantiles=quantile_table(codes),
                layers=None if isinstance(decoder, str) else decoder,
                refusal=decoder if isinstance(decoder, str) else "",
                encoder=encoders.get(arm),
            )
            for arm, decoder in decoders.items()
        }
        labels = np.arange(60) % 3
        shown = {"classes": study.meta["classes"], "class_colours": list(study.class_colours), "shape": (1, 32, 32)}
        explorer = explorer_data(arms, images=None, labels=labels, indices=np.arange(60), seed=0, **shown)
        own = study._replace(params=dict(study.params) | {"study": overlay})
        return fitted_page(own, {"fig-samples": figures["fig-samples"]}, pictures, explorer)

    return make


def encoder(hidden: int) -> list[Layer]:
    """1024 x hidden + hidden x 2 weights, as hard to compress as trained ones."""
    rng = np.random.default_rng(hidden)
    shapes = ((hidden, 1024), (2, hidden))
    weights = [Layer("linear", {}, {"weight": rng.standard_normal(shape).astype(np.float32)}) for shape in shapes]
    return [Layer("reshape", {"shape": [1024]}), *weights]


def encoding(page: str) -> list[str]:
    """Arms whose encoder the page holds; each has its place beside the pad."""
    found = re.findall(r'class="explorer-encoder" data-arm="(\w+)"', page)
    assert re.findall(r'class="x-own-arm" data-arm="(\w+)"', page) == found
    assert ('data-action="draw-own"' in page) == bool(found)
    return found


def live(page: str) -> list[str]:
    return re.findall(r'class="explorer-weights" data-arm="(\w+)"', page)


def notes(page: str) -> dict[str, str]:
    """Why an arm does not decode live, by arm."""
    parts = re.findall(r'class="x-arm" data-arm="(\w+)"(.*?)(?=class="x-arm"|class="x-strips")', page, re.DOTALL)
    found = {arm: re.search(r"made beforehand: (.*?)\.</p>", text) for arm, text in parts}
    return {arm: note[1] for arm, note in found.items() if note}


def test_arms_that_fit_decode_live(page_of):
    page = page_of(ae=dense(64), vae=dense(32))
    assert live(page) == ["ae", "vae"]
    assert notes(page) == {}
    assert "here in the page, by the weights of seed 0." in page


def test_an_arm_beyond_any_page_falls_back_alone(page_of):
    page = page_of(ae=dense(2000), vae=dense(32))
    assert live(page) == ["vae"]
    assert notes(page) == {"ae": "its decoder has 2.1 million weights, 4.1 MB, more than the page holds"}
    assert "by the weights of seed 0, but for the arms that say otherwise." in page


def test_the_largest_gives_way_where_not_all_have_room(page_of):
    page = page_of(ae=dense(900), vae=dense(800))
    assert live(page) == ["vae"]
    assert list(notes(page)) == ["ae"]
    assert notes(page)["ae"].startswith("its decoder has 923,400 weights, 2")
    assert render.fits(page)


def test_encoders_take_the_room_that_is_left_the_smallest_first(page_of):
    decoders = {"ae": dense(64), "vae": dense(32)}
    assert encoding(page_of(encoders={"ae": encoder(64), "vae": encoder(32)}, **decoders)) == ["ae", "vae"]
    page = page_of(encoders={"ae": encoder(900), "vae": encoder(700)}, **decoders)
    assert encoding(page) == ["vae"]
    assert "No place for it in AE: the page has no room for its encoder" in page
    assert render.fits(page)
    assert live(page) == ["ae", "vae"]
    assert encoding(page_of(encoders={"ae": encoder(1400)}, **decoders)) == []
    assert encoding(page_of(**decoders)) == []


def test_an_arm_that_does_not_decode_live_places_no_drawing(page_of):
    assert encoding(page_of(encoders={"ae": encoder(16), "vae": encoder(16)}, ae=dense(2000), vae=dense(32))) == ["vae"]
    assert encoding(page_of(encoders={"ae": encoder(16), "vae": encoder(8)}, ae=dense(900), vae=dense(800))) == ["vae"]


def test_a_decoder_that_cannot_be_run_says_so(page_of):
    words = "its decoder cannot be run in a page: GELU (1) has no counterpart"
    page = page_of(ae=words, vae=dense(32))
    assert (live(page), notes(page)) == (["vae"], {"ae": words})
    page = page_of(ae=words, vae=words)
    assert live(page) == []
    assert "from a lattice of pictures made beforehand, of seed 0." in page


@pytest.mark.parametrize("largest", [1e5, np.inf, np.nan])
def test_a_weight_beyond_half_precision_is_not_sent(page_of, largest):
    page = page_of(ae=dense(16, largest=largest), vae=dense(16))
    assert live(page) == ["vae"]
    assert "half precision" in notes(page)["ae"]


def test_who_does_not_decode_live_has_a_finer_lattice(page_of, monkeypatch):
    asked = []
    monkeypatch.setattr(page_budget, "lattice_rows", lambda *given: asked.append(list(given[2])) or [])
    page_of(ae=dense(2000), vae=dense(16))
    page_of(ae=dense(900), vae=dense(800))
    assert asked == [["vae"], ["ae", "vae"], ["vae"]]


def test_a_page_that_is_too_large_without_any_decoder_is_refused(page_of, monkeypatch):
    monkeypatch.setattr(page_budget, "fits", lambda page, most: False)
    with pytest.raises(InputError, match="leave out some arms"):
        page_of(ae=dense(16), vae=dense(16))


def test_the_page_of_an_overlay_has_half_the_room(page_of):
    both = {"ae": dense(400), "vae": dense(390)}
    main, overlay = page_of(**both), page_of("fashion_mse", **both)
    assert live(main) == ["ae", "vae"] and len(main.encode()) > render.OVERLAY_BYTES
    assert live(overlay) == ["vae"] and len(overlay.encode()) <= render.OVERLAY_BYTES == 1_500_000


def test_lattices_get_coarser_where_no_decoder_is_left_to_give_way(page_of, monkeypatch):
    asked, enough = [], 2
    real = page_budget.lattice_rows
    monkeypatch.setattr(page_budget, "lattice_rows", lambda *given: asked.append(given[-1]) or real(*given))
    monkeypatch.setattr(page_budget, "fits", lambda page, most: len(asked) > enough)
    page_of(ae="no decoder", vae="no decoder")
    assert asked == [FINEST, *COARSER[:2]]
    assert all(tuple(map(max, a, b)) == a for a, b in itertools.pairwise(asked))


def test_an_overlay_that_has_no_room_goes_without_its_explorer_and_then_has_the_room_of_the_main_page(
    page_of, monkeypatch
):
    monkeypatch.setattr(page_budget, "fits", lambda page, most: "explorer-data" not in page)
    assert 'id="explorer"' not in page_of("celeba", ae="no decoder")
    monkeypatch.setattr(page_budget, "fits", lambda page, most: most == render.MAX_BYTES)
    assert "</html>" in page_of("celeba", ae="no decoder")
