"""latent_audit.base.hashing against FIPS 180-2's example."""

from latent_audit.base.hashing import file_sha256


def test_known_answer(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert file_sha256(tmp_path / "x") == expected
