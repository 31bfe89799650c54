"""latent_audit.artifacts.atomic: a file is there whole or not at all."""

import pytest

from latent_audit.artifacts.atomic import atomic_path, write_text


def test_a_file_appears_with_its_folders(tmp_path):
    target = tmp_path / "a" / "b" / "table.csv"
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent  # a rename within one file system
        assert not target.exists()
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_the_old_content_stands_until_the_new_is_whole(tmp_path):
    target = tmp_path / "x"
    target.write_text("a longer old content")
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "a longer old content"
    assert target.read_text() == "new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("old", [None, "old"])
def test_a_failure_leaves_nothing_new(tmp_path, error, old):
    target = tmp_path / "x"
    if old is not None:
        target.write_text(old)
    with pytest.raises(error), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error
    assert [path.read_text() for path in tmp_path.iterdir()] == ([] if old is None else [old])


def test_others_may_read_what_was_written(tmp_path):
    write_text(tmp_path / "x", "x")
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644  # mkstemp alone gives 0600


def test_two_writers_at_once_do_not_mix(tmp_path):
    target = tmp_path / "x"
    with atomic_path(target) as first, atomic_path(target) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"  # the outer block ends last


def test_text_is_utf8_with_unix_line_ends(tmp_path):
    write_text(tmp_path / "x", "β-VAE\nline\r\n")
    assert (tmp_path / "x").read_bytes() == b"\xce\xb2-VAE\nline\r\n"
