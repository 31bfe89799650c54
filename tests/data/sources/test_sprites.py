import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.data.prepare import prepare
from latent_audit.data.prepared import load_array, load_meta, load_split
from latent_audit.data.sources.download import download
from latent_audit.data.sources.registry import find
from latent_audit.data.sources.sprites import FACTORS, draw, factor_table


def centre_of(image: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(image)
    return columns.mean() + 0.5, rows.mean() + 0.5


def test_the_table_is_the_whole_grid_once():
    table = factor_table()
    assert table.shape == (17280, 5) and len(np.unique(table, axis=0)) == 17280
    assert [len(np.unique(column)) for column in table.T] == [3, 4, 10, 12, 12]


def test_areas_and_places_are_those_of_the_formulas():
    size, extent = 256, 0.2 * 256  # half extent of scale 1 in pixels
    square, ellipse = draw(np.array([[0, 1, 0.3, 0.25, 0.75], [1, 1, 0.3, 0.25, 0.75]], np.float32), size)[:, 0] > 0
    assert square.sum() == pytest.approx((2 * 0.7 * extent) ** 2, rel=0.01)
    assert ellipse.sum() == pytest.approx(np.pi * extent * extent / 2, rel=0.01)
    for image in (square, ellipse):
        assert centre_of(image) == pytest.approx(((0.25 + 0.125) * size, (0.25 + 0.375) * size), abs=0.5)


def test_scale_orientation_and_the_heart_point_as_documented():
    row = {"shape": 1, "scale": 1.0, "orientation": 0.0, "x": 0.5, "y": 0.5}

    def image(**changes: float) -> np.ndarray:
        return draw(np.array([[{**row, **changes}[name] for name in FACTORS]], np.float32), 128)[0, 0] > 0

    assert image(scale=0.5).sum() == pytest.approx(image().sum() / 4, rel=0.05)
    rows, columns = np.nonzero(image(orientation=np.pi / 6))  # clockwise as seen: right end goes down
    assert np.corrcoef(rows, columns)[0, 1] > 0.5
    heart = image(shape=2)
    widths = heart.sum(1)
    assert np.argmax(widths) < np.nonzero(widths)[0].mean()  # widest above its middle: point down
    np.testing.assert_array_equal(heart, heart[:, ::-1])


@pytest.mark.parametrize("size", [32, 64])
def test_no_sprite_is_cut_by_the_frame(size):
    images = draw(factor_table()[::7], size)
    assert images.dtype == np.uint8 and set(np.unique(images)) == {0, 255}
    edge = np.concatenate([images[..., 0, :], images[..., -1, :], images[..., 0], images[..., -1]])
    assert edge.max() == 0
    assert (images > 0).sum((1, 2, 3)).min() > 8


def test_prepared_factors_belong_to_their_images(tmp_path):
    download("sprites", tmp_path / "raw", mirror=None, path=None)
    prepare("sprites", tmp_path / "raw", tmp_path / "out", limit=150, pad_to=32, label=None, image_size=32)
    meta, test = load_meta(tmp_path / "out"), load_split(tmp_path / "out", "test")
    factors = load_array(tmp_path / "out" / "factors_test.npy")
    assert (meta.available_train, meta.available_test, meta.n_train) == (14688, 2592, 150)
    assert meta.columns == {"factors": FACTORS} and meta.classes == ["square", "ellipse", "heart"]
    np.testing.assert_array_equal(test.images, draw(factors, 32))
    np.testing.assert_array_equal(test.labels, factors[:, 0])
    assert np.bincount(test.labels).tolist() == [50, 50, 50]


def test_refuses_another_recipe_and_specks(tmp_path):
    with pytest.raises(InputError, match=r"sprites\.json: not there"):
        find("sprites").read(tmp_path, label=None, image_size=None)
    (tmp_path / "sprites.json").write_text("{}")
    with pytest.raises(InputError, match="the recipe of other sprites"):
        find("sprites").read(tmp_path, label=None, image_size=None)
    download("sprites", tmp_path, mirror=None, path=None)
    with pytest.raises(InputError, match="image_size: 8; a sprite is no longer"):
        find("sprites").read(tmp_path, label=None, image_size=8)
