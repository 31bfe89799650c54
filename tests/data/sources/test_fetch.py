import hashlib
import time
from pathlib import Path

import pytest

from latent_audit.base.errors import InputError
from latent_audit.data.sources import fetch as fetch_module
from latent_audit.data.sources.fetch import Resource, fetch, location_in, md5_of

CONTENT = bytes(range(256)) * 40
MD5 = hashlib.md5(CONTENT).hexdigest()
FILE = Resource("a.bin", MD5)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "a mirror" / "set"  # with a space, which a file URL writes as %20
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(CONTENT)
    return folder.parent


def left_in(raw: Path) -> list[str]:
    return sorted(path.name for path in raw.iterdir()) if raw.exists() else []


def test_md5_is_rfc_1321s(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert md5_of(tmp_path / "abc") == "900150983cd24fb0d6963f7d28e17f72"  # RFC 1321, A.5


@pytest.mark.parametrize("kind", ["folder", "file url", "http"])
def test_takes_the_file_from_every_kind_of_mirror(kind, mirror, raw, server):
    server.files["/data/set/a.bin"] = CONTENT
    address = {"folder": str(mirror), "file url": mirror.as_uri(), "http": f"{server.address}/data/"}[kind]
    assert fetch("set", [FILE], raw, mirror=address) == raw / "a.bin"
    assert (raw / "a.bin").read_bytes() == CONTENT
    assert left_in(raw) == ["a.bin"]


def test_goes_on_to_the_public_address_when_the_mirror_lacks_the_file(tmp_path, raw, server):
    server.files["/public/a.bin"] = CONTENT
    fetch("set", [FILE], raw, mirror=str(tmp_path / "nowhere"), public=[f"{server.address}/public/"])
    assert left_in(raw) == ["a.bin"]


def test_prefers_the_mirror(mirror, raw, server):
    fetch("set", [FILE], raw, mirror=str(mirror), public=[f"{server.address}/"])
    assert left_in(raw) == ["a.bin"]


def test_names_every_source_with_its_own_reason_and_the_two_ways_on(tmp_path, raw, server):
    began = time.monotonic()
    with pytest.raises(InputError) as caught:
        fetch(
            "set",
            [FILE],
            raw,
            mirror=str(tmp_path / "nowhere"),
            public=["http://127.0.0.1:9/", f"{server.address}/x/", "gopher://x/"],
        )
    message = str(caught.value)
    assert time.monotonic() - began < 15
    assert f"tried {tmp_path}/nowhere/set/a.bin: {tmp_path}/nowhere does not exist" in message
    assert "tried http://127.0.0.1:9/a.bin: Connection refused" in message
    assert f"tried {server.address}/x/a.bin: answered 404" in message
    assert "tried gopher://x/a.bin: unknown url type: gopher" in message
    assert "Set LATENT_AUDIT_MIRROR to a folder (or an http(s) address) that holds set/a.bin" in message
    assert "`make demo`" in message
    assert left_in(raw) == []


def test_says_that_no_mirror_is_set(raw):
    with pytest.raises(InputError, match="tried LATENT_AUDIT_MIRROR: not set"):
        fetch("set", [FILE], raw, mirror=None)
    with pytest.raises(InputError, match="tried LATENT_AUDIT_MIRROR: not set"):
        fetch("set", [FILE], raw, mirror="")


def test_gives_up_on_a_source_that_does_not_answer(raw, server, monkeypatch):
    monkeypatch.setattr(fetch_module, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(fetch_module, "STALL_SECONDS", 0.4)  # so that the thread left behind ends with the test
    server.silent.set()
    with pytest.raises(InputError, match=r"no answer within 0.2 s"):
        fetch("set", [FILE], raw, mirror=server.address)
    time.sleep(0.4)


@pytest.mark.parametrize("content", [CONTENT[:-1], b"<html>log in</html>", b""])
def test_a_bad_file_in_the_mirror_stops_and_names_both_checksums_and_the_source(content, mirror, raw, server):
    (mirror / "set" / "a.bin").write_bytes(content)
    server.files["/a.bin"] = CONTENT
    with pytest.raises(InputError) as caught:
        fetch("set", [FILE], raw, mirror=str(mirror), public=[f"{server.address}/"])
    for part in ("a.bin", f"expected md5 {MD5}", f"found {hashlib.md5(content).hexdigest()}", str(mirror / "set")):
        assert part in str(caught.value)
    assert left_in(raw) == []


@pytest.mark.parametrize("md5", [MD5, None])
def test_a_body_cut_short_is_never_taken_for_whole(md5, raw, server):
    server.files["/set/a.bin"] = CONTENT
    server.truncated.add("/set/a.bin")
    with pytest.raises(InputError, match=rf"a\.bin: truncated after 5120 of {len(CONTENT)} bytes.*{server.address}"):
        fetch("set", [Resource("a.bin", md5)], raw, mirror=server.address)
    assert left_in(raw) == []


def test_a_bad_public_file_is_a_reason_and_the_next_is_tried(raw, server):
    server.files.update({"/one/a.bin": b"captive portal", "/two/a.bin": CONTENT})
    fetch("set", [FILE], raw, mirror=None, public=[f"{server.address}/one/", f"{server.address}/two/"])
    assert (raw / "a.bin").read_bytes() == CONTENT
    (raw / "a.bin").unlink()
    with pytest.raises(InputError, match=f"one/a.bin: expected md5 {MD5}, found"):
        fetch("set", [FILE], raw, mirror=None, public=[f"{server.address}/one/"])


def test_keeps_what_is_there_and_whole_without_asking_anyone(raw):
    raw.mkdir()
    (raw / "a.bin").write_bytes(CONTENT)
    before = (raw / "a.bin").stat().st_mtime_ns
    fetch("set", [FILE], raw, mirror=None)
    assert (raw / "a.bin").stat().st_mtime_ns == before


def test_refuses_a_bad_file_that_is_there_already(raw, mirror):
    raw.mkdir()
    (raw / "a.bin").write_bytes(b"swapped")
    with pytest.raises(InputError, match=rf"raw/a\.bin: expected md5 {MD5}, found .*delete it to fetch it again"):
        fetch("set", [FILE], raw, mirror=str(mirror))


def test_a_failing_write_leaves_nothing_behind(mirror, raw, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch_module, "_receive", fail)
    with pytest.raises(InputError, match=r"cannot write .*: No space left on device"):
        fetch("set", [FILE], raw, mirror=str(mirror))
    assert left_in(raw) == []


def test_an_optional_file_may_be_absent_but_not_unreachable(mirror, raw):
    other = [Resource("b.txt", None), Resource("b.csv", None)]
    assert fetch("set", other, raw, mirror=str(mirror), required=False) is None
    with pytest.raises(InputError, match=r"no source gave b\.txt or b\.csv"):
        fetch("set", other, raw, mirror="http://127.0.0.1:9", required=False)


def test_takes_the_second_of_two_alternatives(mirror, raw):
    either = [Resource("a.txt", None), Resource("a.bin", None)]
    assert fetch("set", either, raw, mirror=str(mirror)) == raw / "a.bin"


def test_refuses_mirrors_it_cannot_read_and_shows_no_password():
    with pytest.raises(InputError, match="cannot read s3:// addresses; give a folder"):
        location_in("s3://bucket", "set", "a.bin")
    with pytest.raises(InputError, match=r"the address at example\.org has a user") as caught:
        location_in("https://me:hunter2@example.org/x", "set", "a.bin")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(InputError, match="a query") as caught:
        location_in("https://example.org/x?token=hunter2", "set", "a.bin")
    assert "hunter2" not in str(caught.value)
