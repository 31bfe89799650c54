import os
from pathlib import Path

import pytest
from PIL import Image

from latent_audit.base.errors import InputError
from latent_audit.data.sources import listing
from latent_audit.data.sources.listing import list_source


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for i in range(5):
        Image.new("L", (4, 4), i).save(folder / f"{i}.png")
    return folder


def look(work: Path, path: Path | None, dataset: str = "folder", mirror: str | None = None) -> tuple[bytes, str]:
    target = work / "source" / f"{dataset}.json"
    words = list_source(dataset, target, mirror=mirror, path=path)
    return target.read_bytes(), words


def test_a_second_look_changes_nothing_and_reads_nothing(mine, tmp_path, monkeypatch):
    for entry in mine.iterdir():
        os.utime(entry, (1e9, 1e9))
    monkeypatch.setattr(listing, "SETTLED_SECONDS", -1)  # the files are of this moment
    first, words = look(tmp_path, mine)
    assert words == "folder: 5 files: 5 new, 0 changed, 0 gone"
    monkeypatch.setattr(listing, "_content_digest", lambda path: pytest.fail(f"{path} was read again"))
    assert look(tmp_path, mine) == (first, "folder: 5 files, as before")


def test_added_changed_renamed_and_removed_pictures_are_noticed(mine, tmp_path):
    seen = [look(tmp_path, mine)[0]]
    steps = [
        (lambda: Image.new("L", (4, 4), 9).save(mine / "9.png"), "6 files: 1 new, 0 changed, 0 gone"),
        (lambda: Image.new("L", (4, 4), 8).save(mine / "9.png"), "6 files: 0 new, 1 changed, 0 gone"),
        (lambda: (mine / "9.png").rename(mine / "a.png"), "6 files: 1 new, 0 changed, 1 gone"),
        (lambda: (mine / "a.png").unlink(), "5 files: 0 new, 0 changed, 1 gone"),
    ]
    for change, expected in steps:
        change()
        content, words = look(tmp_path, mine)
        assert words == f"folder: {expected}"
        assert content != seen[-1]
        seen.append(content)
    assert seen[-1] == seen[0]  # content, not dates


def test_the_same_size_and_date_do_not_hide_another_content(mine, tmp_path):
    first, _ = look(tmp_path, mine)
    before = (mine / "1.png").stat()
    content = bytearray((mine / "1.png").read_bytes())
    content[-20] ^= 1
    (mine / "1.png").write_bytes(content)
    os.utime(mine / "1.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert look(tmp_path, mine)[0] != first


def test_dates_do_not_count(mine, tmp_path):
    first, _ = look(tmp_path, mine)
    os.utime(mine / "1.png", (1e9, 1e9))
    assert look(tmp_path, mine)[0] == first


def test_what_is_passed_over_does_not_count(mine, tmp_path):
    first, _ = look(tmp_path, mine)
    (mine / ".DS_Store").write_bytes(b"x")
    (mine / "Thumbs.db").write_bytes(b"x")
    assert look(tmp_path, mine)[0] == first


def test_a_source_out_of_reach_keeps_the_listing_that_there_is(mine, tmp_path):
    first, _ = look(tmp_path, mine)
    mine.rename(tmp_path / "unplugged")
    assert look(tmp_path, mine) == (
        first,
        "folder: its source cannot be reached; what was taken from it before is used",
    )
    with pytest.raises(InputError, match=r"data\.path: .*elsewhere is not a folder"):
        look(tmp_path, tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"data\.path: .*mine is not a folder"):
        look(tmp_path / "fresh", mine)


@pytest.mark.parametrize("dataset", ["fashion_mnist", "digits"])
def test_data_with_published_checksums_are_not_looked_at(tmp_path, dataset):
    words = list_source(dataset, tmp_path / f"{dataset}.json", mirror="/nowhere", path=None)
    assert words.startswith(f"{dataset}: nothing to look at, its files are checked by their checksums")
    assert list(tmp_path.iterdir()) == []


def celeba_mirror(folder: Path) -> Path:
    (folder / "celeba").mkdir(parents=True)
    for name in ("img_align_celeba.zip", "list_attr_celeba.txt", "list_eval_partition.txt"):
        (folder / "celeba" / name).write_bytes(name.encode())
    return folder


def test_a_mirrors_files_are_looked_at(tmp_path):
    mirror = celeba_mirror(tmp_path / "mirror")
    first, words = look(tmp_path, None, "celeba", str(mirror))
    assert words == "celeba: 3 files: 3 new, 0 changed, 0 gone"
    (mirror / "celeba" / "list_attr_celeba.txt").write_bytes(b"other")
    second, words = look(tmp_path, None, "celeba", str(mirror))
    assert words == "celeba: 3 files: 0 new, 1 changed, 0 gone" and second != first
    assert look(tmp_path, None, "celeba", None)[0] == second  # the mirror is not set this time
    assert look(tmp_path, None, "celeba", "http://127.0.0.1:9/")[0] == second


def test_a_mirror_that_is_a_server_is_asked(server, tmp_path):
    server.files["/celeba/img_align_celeba.zip"] = b"x" * 10
    first, _ = look(tmp_path, None, "celeba", server.address)
    server.files["/celeba/img_align_celeba.zip"] = b"x" * 11
    assert look(tmp_path, None, "celeba", server.address)[0] != first


def test_without_any_source_download_says_what_to_do(tmp_path):
    assert b"null" in look(tmp_path, None, "celeba")[0]
