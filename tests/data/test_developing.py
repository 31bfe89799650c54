import numpy as np
import pytest
from PIL import Image

from latent_audit.base.errors import InputError
from latent_audit.data.sources.decoding import Picture
from latent_audit.data.sources.developing import (
    contrast_of,
    developed,
    ground_colour,
    has_colour,
    levels_of,
    range_of,
)

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def grey(values: list[float], depth: str = "8 bits", alpha: list[int] | None = None) -> Picture:
    """One row of grey pixels."""
    dtype = np.uint8 if depth == "8 bits" else np.float32
    shown = None if alpha is None else np.array([alpha], dtype=np.uint8)
    return Picture(np.array([values], dtype=dtype)[..., np.newaxis], shown, depth)


def shades(pictures: list[Picture], ground=WHITE) -> list[list[int]]:
    levels, _ = levels_of([range_of(one) for one in pictures])
    return [np.asarray(developed(one, levels, ground))[0].tolist() for one in pictures]


def notes(*pictures: Picture) -> list[str]:
    return levels_of([range_of(one) for one in pictures])[1]


def test_black_ink_on_a_transparent_ground_is_seen():
    ink = grey([0, 0, 0], alpha=[255, 0, 51])
    assert shades([ink]) == [[0, 255, 204]]
    assert shades([ink], BLACK) == [[0, 0, 0]]
    assert contrast_of(ink, WHITE) == 255 and contrast_of(ink, BLACK) == 0
    assert notes(ink) == []  # black ink is no sliver of the greys


def test_a_coloured_ground_makes_grey_pictures_coloured():
    image = developed(grey([0, 0], alpha=[255, 0]), {}, (255, 0, 0))
    assert image.mode == "RGB" and [image.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), (255, 0, 0)]


def test_colour_that_is_invisible_is_none():
    values = np.array([[[9, 9, 9], [255, 0, 0]]], dtype=np.uint8)
    assert has_colour(Picture(values, None, "8 bits"))
    assert not has_colour(Picture(values, np.array([[255, 0]], dtype=np.uint8), "8 bits"))


def test_eight_bits_are_left_alone():
    assert shades([grey([20, 100, 255])]) == [[20, 100, 255]]
    assert notes(grey([20, 100, 255])) == []


def test_sixteen_bits_are_scaled_by_their_depth():
    assert shades([grey([0, 0x0101, 65535], "16 bits")]) == [[0, 1, 255]]
    (note,) = notes(grey([0, 65535], "16 bits"))
    assert note.startswith("1 of 1 pictures have 16 bits a channel: brought to 8 bits, 0 as black and 65535")


def test_a_sliver_of_the_scale_is_stretched_and_it_is_said():
    pictures = [grey([0, 500, 1000], "16 bits"), grey([0, 250, 250], "16 bits")]
    assert shades(pictures) == [[0, 128, 255], [0, 64, 64]]
    assert notes(*pictures) == [
        "2 of 2 pictures have 16 bits a channel and use only 0 to 1000 of 0 to 65535: these became black and white."
    ]
    assert shades([grey([32000, 32500, 33000], "16 bits")]) == [[0, 128, 255]]
    assert shades([grey([0, 1, 3])]) == [[0, 85, 255]]  # 8 bits of which two are used
    colour = Picture(np.array([[[0, 100, 200]]], dtype=np.float32), None, "16 bits")
    assert np.asarray(developed(colour, levels_of([range_of(colour)])[0], WHITE)).tolist() == [[[0, 128, 255]]]


def test_one_hot_pixel_does_not_keep_a_data_set_dark():
    pictures = [grey([0, 1000], "16 bits")] * 199 + [grey([0, 65535], "16 bits")]
    assert shades(pictures)[0] == [0, 255] and shades(pictures)[-1] == [0, 255]


def test_noise_of_a_blank_picture_is_not_stretched():
    assert shades([grey([100, 101, 102])]) == [[100, 101, 102]]
    assert shades([grey([7, 7])]) == [[7, 7]] and shades([grey([500, 500], "16 bits")]) == [[2, 2]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 51.0, 255.0], [0, 51, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 0.01, 0.02], [0, 128, 255]),
        ([0.0, 1e5, 2e5], [0, 128, 255]),
    ],
)
def test_floating_point_is_scaled_by_what_it_holds(values, expected):
    assert shades([grey(values, "floating point")]) == [expected]


def test_each_depth_of_a_mixed_data_set_has_its_own_levels():
    assert shades([grey([0, 255]), grey([0, 4000], "16 bits")]) == [[0, 255], [0, 255]]


def test_ground_colours():
    assert (ground_colour("white"), ground_colour("#102030")) == (WHITE, (16, 32, 48))
    with pytest.raises(InputError, match=r"data\.background: 'chequered' is no colour"):
        ground_colour("chequered")


def test_developed_pictures_are_of_two_modes():
    assert isinstance(developed(grey([1]), {}, WHITE), Image.Image) and developed(grey([1]), {}, WHITE).mode == "L"
