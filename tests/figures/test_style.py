"""The palette: stable for the arms everybody has, readable on the page, and known to the style sheet."""

import re
from itertools import combinations
from math import dist

import pytest

from latent_audit.figures.style import (
    ARM_PALETTE,
    CLASS_PALETTE,
    CSS_VARIABLES,
    RASTER_DPI,
    arm_colours,
    arm_order,
    class_colours,
    display_name,
    point_marks,
    spread,
)


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_first_arms_keep_their_colours_whatever_else_is_there():
    alone, crowd = arm_colours(["vae"]), arm_colours(["cvae", "vae", "ae", "vqvae"])
    assert alone["vae"] == crowd["vae"]
    assert list(crowd) == ["ae", "vae", "cvae", "vqvae"]
    assert len(set(crowd.values())) == 4


def test_names_for_readers():
    assert [display_name(arm) for arm in arm_order(["my_arm", "beta_vae"])] == ["β-VAE", "my arm"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_arm_colours_read_on_the_page(root, theme):
    css = (root / "src/latent_audit/report/style.css").read_text(encoding="utf-8")
    light, dark = css.split("@media screen and (prefers-color-scheme: dark)")[:2]
    values = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", light if theme == "light" else dark))
    for index in range(len(ARM_PALETTE)):
        assert contrast(values[f"--arm-{index}"], values["--paper"]) >= 4.5
    assert contrast(values["--muted"], values["--wash"]) >= 4.5


def test_the_style_sheet_knows_every_colour_of_the_figures(root):
    css = (root / "src/latent_audit/report/style.css").read_text(encoding="utf-8").split("@media")[0]
    values = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", css))
    assert {colour: values[name] for colour, name in CSS_VARIABLES.items()} == {c: c for c in CSS_VARIABLES}


def lab(colour: str) -> tuple[float, float, float]:
    """CIELAB of an sRGB colour, by its defining formulas (CIE 15, D65)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    tristimulus = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047, 0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883,
    )  # fmt: skip
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in tristimulus)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_any_two_classes_can_be_told_apart_by_colour():
    places = [lab(colour) for colour in CLASS_PALETTE]
    assert min(dist(p, q) for p, q in combinations(places, 2)) > 35


def test_more_classes_than_colours():
    assert len(class_colours(23)) == 23


def test_labels_are_spread_around_where_they_were():
    assert spread([0.0, 10.0], 1.0) == [0.0, 10.0]
    moved = spread([1.0, 1.0, 1.0], 1.0)
    assert sorted(moved) == [0.0, 1.0, 2.0]
    assert spread([5.0, 0.0, 0.2], 1.0) == pytest.approx([5.0, -0.4, 0.6])


def test_few_points_are_drawn_larger_than_many():
    sizes = [point_marks(n)["s"] ** 0.5 for n in (1, 360, 10_000, 1_000_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] == pytest.approx(2 * 72 / RASTER_DPI)
    assert 2 * sizes[2] <= sizes[1] <= 3 * sizes[2]
