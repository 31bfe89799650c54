"""latent_audit.base.plain_yaml: what is no small, plain YAML is refused in words, at once."""

import pytest

from latent_audit.base.errors import InputError
from latent_audit.base.plain_yaml import DEEPEST, MOST_BYTES, read_yaml

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20)
)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"a: 1\nb: [1, 2]\n", {"a": 1, "b": [1, 2]}),
        (b"\xef\xbb\xbfa: 1\n", {"a": 1}),
        ("a: &x [1, 2]\nb: *x\n", {"a": [1, 2], "b": [1, 2]}),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("lr: 1e-3\n", {"lr": 1e-3}),
        ("", None),
    ],
)
def test_plain_content_is_read(content, value):
    assert read_yaml(content, "x.yaml") == value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LAUGHS, "values, with its aliases written out"),
        ("a: &a [*a]\n", "stands within itself"),
        ("a: " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested more than"),
        ("[" * 5000, "nested more than"),
        ("{a: " * 5000, "nested more than"),
        ("- " * 5000, "nested more than"),
        ("a: " + "x" * MOST_BYTES, "bytes"),
        ("[" + "1," * 30_000 + "]", "values"),
        (b"a: \xff\n", "UTF-8"),
        ("a: 1\n".encode("utf-16"), "UTF-8"),
        (b"a: \x00\n", "not valid YAML"),
        ("a: 1\na: 2\n", "not valid YAML"),
        ("a:\n\tb: 1\n", "not valid YAML"),
        ("a: [1\n", "not valid YAML"),
        ("a: *nobody\n", "not valid YAML"),
        ("a: !!timestamp x\n", "not valid YAML"),
        ("a: !!int x\n", "not valid YAML"),
        ("a: !!binary é\n", "not valid YAML"),
        ("a: !!python/object:os.system {}\n", "not valid YAML"),
        ("a: !!set [1]\n", "not valid YAML"),
        ("a: " + "9" * 5000, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("%YAML 9.9\n---\na: 1\n", "not valid YAML"),
        ("{[a]: 1, {b: 2}: 3}", "not valid YAML"),
    ],
)
def test_anything_else_is_an_error_in_words(content, words):
    with pytest.raises(InputError, match=words) as caught:
        read_yaml(content, "x.yaml")
    assert "x.yaml" in str(caught.value)
    assert len(str(caught.value)) < 1000
