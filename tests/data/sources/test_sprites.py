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


# the real dSprites, in an archive of its layout ----------------------------------------------------------------------


def archive(path, *, copies: int = 60, **changes) -> tuple[np.ndarray, np.ndarray]:
    """An .npz laid out as dSprites: 3 shapes x 2 scales x 2 x, `copies` times, each image told by its factors."""
    grid = np.stack(np.meshgrid([0], range(3), range(2), [0], range(2), [0], indexing="ij"), axis=-1).reshape(-1, 6)
    classes = np.tile(grid, (copies, 1))
    imgs = np.zeros((len(classes), 32, 32), np.uint8)
    for image, (_, shape, scale, _, x, _) in zip(imgs, classes, strict=True):
        image[4 * shape + 2 : 4 * shape + 6 + 4 * scale, 16 * x : 16 * x + 6] = 1
    arrays = {"imgs": imgs, "latents_classes": classes, "metadata": np.array({"pickled": 1}, dtype=object)} | changes
    np.savez_compressed(path, **{name: value for name, value in arrays.items() if value is not None})
    return imgs, classes


def test_the_real_archive_takes_the_place_of_generated_sprites(tmp_path):
    imgs, classes = archive(tmp_path / "ds.npz")
    download("sprites", tmp_path / "raw", mirror=None, path=tmp_path / "ds.npz")
    prepare("sprites", tmp_path / "raw", tmp_path / "out", limit=None, pad_to=32, label=None, image_size=32)
    meta, every = load_meta(tmp_path / "out"), {name: load_split(tmp_path / "out", name) for name in ("train", "test")}
    assert (meta.n_train, meta.n_test, meta.classes) == (612, 108, ["square", "ellipse", "heart"])
    assert meta.columns == {"factors": FACTORS} and "ds.npz: 720 images of 32x32 pixels" in meta.notes[0]
    of_factors = {tuple(row[1:]): image for row, image in zip(classes, imgs, strict=True)}
    for name, split in every.items():
        factors = load_array(tmp_path / "out" / f"factors_{name}.npy")
        np.testing.assert_array_equal(split.labels, factors[:, 0])
        for image, row in zip(split.images[:, 0], factors.astype(int), strict=True):
            np.testing.assert_array_equal(image, 255 * of_factors[tuple(row)])


def test_smaller_images_are_means_of_squares(tmp_path):
    imgs, classes = archive(tmp_path / "ds.npz")
    download("sprites", tmp_path, mirror=None, path=tmp_path / "ds.npz")
    source = find("sprites").read(tmp_path, label=None, image_size=16)
    image = source.train.read(np.array([0]))[0, 0]
    label, (_, scale, _, x, _) = source.train.labels[0], source.train.extras["factors"][0].astype(int)
    (same,) = np.unique(imgs[(classes[:, [1, 2, 4]] == (label, scale, x)).all(axis=1)], axis=0)
    np.testing.assert_array_equal(image, np.rint(255 * same.reshape(16, 2, 16, 2).mean(axis=(1, 3))))
    with pytest.raises(InputError, match="image_size: 20; images of 32x32 are brought to 32 or a divisor of it"):
        find("sprites").read(tmp_path, label=None, image_size=20)


def test_without_a_path_the_generated_sprites_come_back(tmp_path):
    archive(tmp_path / "ds.npz")
    download("sprites", tmp_path / "raw", mirror=None, path=tmp_path / "ds.npz")
    download("sprites", tmp_path / "raw", mirror=None, path=None)
    assert [file.name for file in (tmp_path / "raw").iterdir()] == ["sprites.json"]
    assert len(find("sprites").read(tmp_path / "raw", label=None, image_size=32).train.labels) == 14688


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"imgs": None}, "has no array imgs; dSprites has imgs and latents_classes, here is latents_classes, metadata"),
        ({"latents_classes": None}, "has no array latents_classes"),
        ({"imgs": np.zeros((720, 32, 16), np.uint8)}, r"imgs is uint8 \(720, 32, 16\)"),
        ({"imgs": np.zeros((5, 32, 32), np.uint8)}, r"imgs is uint8 \(5, 32, 32\); it is uint8 \(720, side, side\)"),
        ({"imgs": np.full((720, 32, 32), 7, np.uint8)}, "imgs holds other values than 0 and 1"),
        ({"imgs": np.zeros((720, 32, 32))}, "imgs is float64"),
        ({"latents_classes": np.zeros((720, 5), int)}, r"latents_classes is int64 \(720, 5\); it has 6 columns"),
        ({"latents_classes": np.arange(720)[:, None] % 2 + np.zeros((1, 6), int)}, "first column, colour, constant"),
        ({"latents_classes": np.array([[None] * 6] * 720)}, r"is not a whole \.npz"),
    ],
)  # fmt: skip
def test_an_archive_of_another_layout_is_refused_and_nothing_is_left(tmp_path, changes, message):
    archive(tmp_path / "ds.npz", **changes)
    with pytest.raises(InputError, match=message):
        download("sprites", tmp_path / "raw", mirror=None, path=tmp_path / "ds.npz")
    assert not (tmp_path / "raw" / "sprites.json").exists()


@pytest.mark.parametrize("cut", [20, 3_000])
def test_an_archive_cut_short_is_refused(tmp_path, cut):
    archive(tmp_path / "ds.npz")
    content = (tmp_path / "ds.npz").read_bytes()
    (tmp_path / "ds.npz").write_bytes(content[:-cut])
    with pytest.raises(InputError, match=r"ds\.npz is not a whole \.npz"):
        download("sprites", tmp_path / "raw", mirror=None, path=tmp_path / "ds.npz")
    with pytest.raises(InputError, match=r"is not a file; for sprites it is the \.npz of dSprites"):
        download("sprites", tmp_path / "raw", mirror=None, path=tmp_path / "nowhere.npz")
