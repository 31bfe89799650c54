import numpy as np
import pytest
from PIL import Image

from latent_audit.base.errors import InputError
from latent_audit.data.sources.fitting import check_fit, fit_note, fitted

WHITE = (255, 255, 255)


def stripes(width: int, height: int) -> Image.Image:
    """Red on the left quarter, blue on the right one, green between."""
    values = np.zeros((height, width, 3), dtype=np.uint8)
    values[:, : width // 4, 0] = values[:, width // 4 : -width // 4, 1] = values[:, -width // 4 :, 2] = 255
    return Image.fromarray(values)


def test_crop_takes_the_centre():
    picture = np.zeros((8, 20, 3), dtype=np.uint8)
    picture[:, 6:14] = (10, 20, 30)
    result = fitted(Image.fromarray(picture), 8, 3, "crop", WHITE)
    assert result.shape == (3, 8, 8)
    assert [np.unique(channel).tolist() for channel in result] == [[10], [20], [30]]
    assert fitted(Image.fromarray(picture), 4, 1, "crop", WHITE).shape == (1, 4, 4)


@pytest.mark.parametrize(("width", "height"), [(64, 32), (32, 64)])
def test_pad_keeps_the_whole_picture_and_its_shape(width, height):
    result = fitted(stripes(width, height), 32, 3, "pad", WHITE)
    assert result.shape == (3, 32, 32)
    bars = (
        np.concatenate([result[:, :8], result[:, -8:]]) if width > height else result[:, :, [*range(8), *range(24, 32)]]
    )
    assert (bars == 255).all()
    inside = result[:, 8:24] if width > height else result[:, :, 8:24]
    assert inside[0, 8, 0] == 255 and inside[2, 8, -1] == 255 and not (inside == 255).all(0).any()


def test_bars_are_of_the_ground():
    assert fitted(Image.new("L", (8, 4), 9), 8, 1, "pad", (0, 0, 0))[0, 0].tolist() == [0] * 8
    assert fitted(Image.new("L", (8, 4), 9), 8, 3, "pad", (1, 2, 3))[:, 0, 0].tolist() == [1, 2, 3]


def test_stretch_fills_the_square():
    result = fitted(stripes(64, 32), 32, 3, "stretch", WHITE)
    assert result[0, :, 0].tolist() == [255] * 32 and result[2, :, -1].tolist() == [255] * 32


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("size", [(1, 1000), (1000, 1), (1, 1), (28, 28)])
def test_no_shape_is_too_odd(fit, size):
    assert fitted(Image.new("RGB", size, "red"), 28, 3, fit, WHITE).shape == (3, 28, 28)


def test_a_picture_of_the_right_size_is_left_alone():
    values = np.arange(64, dtype=np.uint8).reshape(8, 8)
    for fit in ("pad", "crop", "stretch"):
        np.testing.assert_array_equal(fitted(Image.fromarray(values), 8, 1, fit, WHITE)[0], values)


def test_what_was_done_is_said():
    assert fit_note({(28, 28)}, 28, "pad") is None
    assert fit_note({(12, 10), (400, 300)}, 28, "pad") == (
        "Pictures of 12x10 to 400x300 pixels were brought to 28x28 (data.image_size): "
        "the whole picture, its shape kept, with bars of data.background where it is not square (data.fit: pad)."
    )
    assert "of 12x10 pixels" in str(fit_note({(12, 10)}, 28, "crop"))
    with pytest.raises(InputError, match=r"data\.fit: 'squash'; it is one of pad, crop, stretch"):
        check_fit("squash")
