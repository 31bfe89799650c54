"""Latent maps and sequences as codes of their channels: which rows, that chance is kept, and the verdict on a map."""

import mmap
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from latent_audit import AuditSettings, audit
from latent_audit.base.errors import InputError
from latent_audit.diagnostics import blocks, latent_maps
from latent_audit.diagnostics.blocks import Maps, drawn_maps
from latent_audit.diagnostics.latent_maps import map_rows
from latent_audit.diagnostics.short_floats import widened

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
N = 120


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def rows_of(array: np.ndarray, *, seed: int = 0, one_each: bool = False):
    return map_rows(Maps.of(array, where="t"), [], seed=seed, one_each=one_each, where="t")


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch):
    """Blocks of a few samples: what spans many of them is tested without large arrays."""
    monkeypatch.setattr(blocks, "BLOCK_VALUES", 7 * 3 * 12)


@pytest.mark.parametrize("shape", [(N, 3, 4, 3), (N, 12, 3), (N, 3)])
def test_blocks_are_samples_by_channels_by_positions(small_blocks, shape):
    x = noise(*shape)
    maps = Maps.of(x, where="t")
    whole = np.concatenate([block for _, block in maps.blocks()])
    assert maps.shape == shape
    assert len(list(maps.blocks())) > 1
    expected = x.swapaxes(1, 2) if x.ndim == 3 else x
    np.testing.assert_array_equal(whole, expected.reshape(N, 3, -1))


def test_rows_are_positions_with_their_channels_and_the_map_they_are_of(small_blocks):
    x = noise(N, 3, 4, 3)
    found = rows_of(x)
    per_map = found.tables.grid[0] * found.tables.grid[1]
    assert per_map > 1
    assert np.bincount(found.sample).tolist() == [per_map] * N
    for row, sample in zip(found.z[:40], found.sample[:40], strict=True):
        assert (x[sample].reshape(3, -1) == row[:, None]).all(axis=0).sum() == 1
    of_tokens = rows_of(x.reshape(N, 3, 12).swapaxes(1, 2))
    assert of_tokens.tables.kind == "sequences"
    for row, sample in zip(of_tokens.z[:40], of_tokens.sample[:40], strict=True):
        assert (x[sample].reshape(3, -1) == row[:, None]).all(axis=0).sum() == 1


def test_tables_do_not_depend_on_the_blocks_and_a_seed_is_a_draw(monkeypatch):
    x = noise(N, 3, 4, 3)
    whole = rows_of(x)
    monkeypatch.setattr(blocks, "BLOCK_VALUES", 7 * 3 * 12)
    parts = rows_of(x)
    np.testing.assert_allclose(whole.tables.scaling["std"], parts.tables.scaling["std"], rtol=1e-12)
    np.testing.assert_allclose(whole.tables.spatial["correlation_down"], parts.tables.spatial["correlation_down"])
    np.testing.assert_array_equal(rows_of(x).z, parts.z)
    assert not np.array_equal(rows_of(x, seed=1).z, parts.z)


def test_one_position_of_each_where_labels_are_of_maps_and_never_more_than_are_taken(monkeypatch):
    x = noise(N, 2, 4, 4)
    one = rows_of(x, one_each=True)
    np.testing.assert_array_equal(one.sample, np.arange(N))
    monkeypatch.setattr(latent_maps, "ROWS", 50)
    few = rows_of(x)
    assert few.z.shape == (50, 2)
    assert len(set(few.sample.tolist())) == 50


def test_chance_is_kept_where_neighbours_correlate():
    """One number for each quarter of a map: 4 x 120 values, each 9 times. All positions would reject N(0, 1) always."""
    p_values, naive = [], []
    for seed in range(40):
        maps = np.kron(noise(N, 1, 2, 2, seed=seed), np.ones((3, 3)))
        rows = rows_of(maps, seed=seed).z
        assert len(rows) in (N, 2 * N, 4 * N)
        p_values.append(stats.kstest(rows[:, 0], "norm").pvalue)
        naive.append(stats.kstest(maps.ravel(), "norm").pvalue)
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3
    assert np.mean(np.array(naive) < 0.05) > 0.5


def test_single_positions_are_tested_over_the_samples():
    x = noise(N, 2, 3, 4)
    x[:, 1, 2, 3] += 2.0
    table = rows_of(x).tables.positions
    assert table["n"].unique().tolist() == [N]
    odd = table[(table["row"] == 2) & (table["column"] == 3)]
    for row in table.to_dict("records"):
        own = x[:, row["channel"], row["row"], row["column"]]
        expected = stats.kstest(own, "norm")
        assert (row["ks_d"], row["mean"]) == pytest.approx((expected.statistic, own.mean()))
        assert row["ks_p"] == pytest.approx(expected.pvalue, rel=1e-6)
    far = table["ks_p_holm"] < 0.001
    assert far.sum() == ((odd["channel"] == 1).sum())


def test_noise_may_be_sampled_position_by_position():
    tables = audit(noise(N, 2, 4, 4), settings=FAST)
    assert tables.may_sample == "prior"
    assert tables.verdict.startswith(f"{tables.maps.rows:,} single positions of 120 maps of 2 x 4 x 4 (")
    assert "as codes of 2 channels: as far as" in tables.verdict
    assert (tables.per_dim["n"] == tables.maps.rows).all()
    assert any("For unit variance take (z " in line for line in tables.judgement.advice)


def test_maps_whose_neighbours_correlate_are_no_independent_draws():
    smooth = np.kron(noise(N, 2, 2, 2), np.ones((2, 2)))
    tables = audit(smooth, settings=FAST)
    assert tables.may_sample == "no"
    assert "Not by independent draws for each position: neighbouring positions of a map correlate" in tables.verdict
    assert "yes, N(0, I) may be sampled" in tables.verdict  # at a single position it may
    assert tables.maps.spatial["effective_positions"].iloc[0] == pytest.approx(4, rel=0.3)
    assert any("A model of the whole map is needed" in line for line in tables.judgement.advice)


def test_of_maps_of_one_number_nothing_is_said_of_neighbours():
    found = audit(np.full((N, 2, 4, 4), 3.0), settings=FAST)
    assert found.may_sample == "no"
    assert "all codes are the same" in found.verdict and "nan" not in found.verdict and "correlate" not in found.verdict
    assert found.judgement.advice[-1] == "No scale makes these latents unit: nothing varies."


def test_codes_that_are_off_are_called_so_and_scaled():
    tables = audit(noise(N, 2, 4, 4) * 5.4899 + 1, settings=FAST)
    assert tables.may_sample == "fitted"
    scaling = tables.maps.scaling.set_index("scope")
    assert scaling.loc["pooled", "scale"] == pytest.approx(0.18215, rel=5 / np.sqrt(2 * N * 32))
    assert scaling.loc["pooled", "shift"] == pytest.approx(1, abs=5 * 5.5 / np.sqrt(N * 32))


def test_labels_are_of_maps_and_a_posterior_stands_beside():
    mu, labels = noise(60, 2, 3, 3), np.arange(60) % 2
    tables = audit(mu=mu, logvar=np.full_like(mu, -1.0), labels=labels, settings=FAST)
    assert tables.classes["count"].tolist() == [30, 30] * 2
    kl = 0.5 * (mu**2 + np.exp(-1.0) - 1 + 1.0).sum(axis=1)
    rate = tables.per_dim.loc[tables.per_dim["code"] == "z", "kl_nats"].sum()
    assert rate == pytest.approx(kl.mean(), rel=0.3)  # 60 of 540 positions
    assert (tables.maps.scaling["n"] == [2 * 540, 540, 540]).all()


def test_a_draw_is_the_same_in_every_pass(small_blocks):
    mu, logvar = (Maps.of(noise(N, 3, 4, 3, seed=k), where="t") for k in (1, 2))
    z = drawn_maps(mu, logvar, 5)
    first, again, other = (np.concatenate([b for _, b in maps.blocks()]) for maps in (z, z, drawn_maps(mu, logvar, 6)))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
    eps = (first - noise(N, 3, 4, 3, seed=1).reshape(N, 3, 12)) / np.exp(noise(N, 3, 4, 3, seed=2) / 2).reshape(
        N, 3, 12
    )
    assert stats.kstest(eps.ravel(), "norm").pvalue > 1e-3


def test_very_many_channels_are_reduced():
    tables = audit(noise(100, 5, 30), reduce="random:3", settings=FAST)
    assert tables.reduction.spec == "random:3"
    assert tables.maps.kind == "sequences"
    assert len(tables.maps.scaling) == 31
    assert "single tokens of 100 sequences of 5" in tables.verdict and "in 3 random directions of 30" in tables.verdict


def test_bfloat16_is_read_as_two_bare_bytes():
    x = noise(50, 3).astype(np.float32)
    upper = (x.view(np.uint32) >> 16).astype(np.uint16)
    expected = (upper.astype(np.uint32) << 16).view(np.float32)
    assert np.abs(expected / x - 1).max() < 2**-7
    bare = upper.view("V2")
    np.testing.assert_array_equal(widened(bare), expected)
    np.testing.assert_array_equal(widened(bare[:, ::2]), expected[:, ::2])
    assert widened(x) is x
    np.testing.assert_array_equal(next(Maps.of(bare, where="t").blocks())[1][:, :, 0], expected)
    np.testing.assert_array_equal(
        audit(bare, settings=FAST).per_dim["mean"], audit(expected, settings=FAST).per_dim["mean"]
    )


def test_a_memory_map_is_read_in_parts_and_its_pages_are_given_back(tmp_path: Path, small_blocks):
    x = noise(N, 3, 4, 3).astype(np.float32)
    np.save(tmp_path / "maps.npy", x)
    mapped = np.load(tmp_path / "maps.npy", mmap_mode="r")
    np.testing.assert_array_equal(rows_of(mapped).z, rows_of(x).z)
    changed = np.load(tmp_path / "maps.npy", mmap_mode="c")  # whose changes exist in memory alone
    changed[0] = 9.0
    assert isinstance(changed.base, mmap.mmap)
    assert rows_of(changed).tables.scaling["mean"].iloc[0] == pytest.approx(changed.mean(dtype=np.float64))
    assert (changed[0] == 9.0).all()


REFUSED = {
    "five axes": ({"z": np.zeros((30, 2, 2, 2, 2))}, r"got 5 axes, \(30, 2, 2, 2, 2\)"),
    "few": ({"z": np.zeros((19, 2, 3, 3))}, "at least 20 rows of codes, got 19"),
    "empty axis": ({"z": np.zeros((30, 0, 3, 3))}, r"shape \(30, 0, 3, 3\) has an empty axis"),
    "NaN": ({"z": np.where(noise(30, 2, 3, 3) > 2.5, np.nan, 0.0)}, r"NaN, infinite .* first in sample \d+"),
    "complex": ({"z": np.zeros((30, 2, 3, 3), dtype=complex)}, "must be real numbers, got dtype complex128"),
    "shapes": ({"z": noise(30, 2, 3, 3), "mu": noise(30, 2, 3, 2)}, r"one shape: z \(30, 2, 3, 3\), mu"),
    "logvar alone": ({"z": noise(30, 2, 3, 3), "logvar": noise(30, 2, 3, 3)}, "logvar was given without mu"),
    "variance": ({"mu": noise(30, 2, 3, 3), "logvar": noise(30, 2, 3, 3) + 300}, "logvar reaches 30"),
    "labels": ({"z": noise(30, 2, 3, 3), "labels": np.arange(29) % 2}, "29 labels for 30 codes"),
    "reduce": ({"z": noise(30, 2, 3, 3), "reduce": "pca:3"}, "asks for 3 dimensions, the codes have 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_maps_are_refused(case: str):
    given, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        audit(**given, settings=FAST)
