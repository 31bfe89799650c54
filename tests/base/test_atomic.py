"""latent_audit.base.atomic: a file is there whole or not at all."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from latent_audit.base.atomic import atomic_path, write_text
from latent_audit.base.errors import InputError
from latent_audit.base.tensors import write_tensors


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


@pytest.mark.parametrize("error", [InputError, KeyboardInterrupt, SystemExit])
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


# --- a disk that does not take it ------------------------------------------------------------------------------------


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The kernel refuses to let any file grow beyond `size` bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def write_array(path) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.zeros(100_000))


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_text(path, "x" * 200_000),
        write_array,
        lambda path: write_tensors(path, {"weight": torch.zeros(100_000)}),
    ],
    ids=["text", "array", "tensors"],
)
@pytest.mark.parametrize("old", [None, "old"])
def test_a_disk_that_is_full_is_an_error_in_words(tmp_path, write, old):
    target = tmp_path / "x"
    if old is not None:
        target.write_text(old)
    with (
        files_of_at_most(100_000),
        pytest.raises(InputError, match=rf"cannot write {target}: .*; nothing half-written"),
    ):
        write(target)
    assert [path.read_text() for path in tmp_path.iterdir()] == ([] if old is None else [old])


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match=r"cannot write .*file/x: (Not a directory|File exists)"):
        write_text(tmp_path / "file" / "x", "x")
