"""latent_audit.base.tables: what is written is read back, and equal values give equal bytes."""

import json

import numpy as np
import pandas as pd
import pytest

from latent_audit.base.errors import InputError
from latent_audit.base.tables import read_json, read_table, write_json, write_table


def test_round_trip(tmp_path):
    table = pd.DataFrame(
        {
            "seed": [0, 1, 2],
            "claim": ["holes, and more", 'a "quoted" <script>alert(1)</script>', "two\nlines"],
            "source": ["NA", "nan", "None"],  # words, not gaps
            "value": [1 / 3, np.nan, -np.inf],
            "verdict": [True, False, True],
        }
    )
    path = tmp_path / "reports" / "claims.csv"
    write_table(path, table)
    read = read_table(path)
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-9)
    assert read["seed"].dtype.kind == "i"
    assert read["value"].dtype.kind == "f"


def test_ten_significant_digits(tmp_path):
    write_table(tmp_path / "x.csv", pd.DataFrame({"value": [1 / 3, 1e-300, 12345678901.0], "n": [1, 2, 3]}))
    assert (tmp_path / "x.csv").read_bytes() == b"value,n\n0.3333333333,1\n1e-300,2\n1.23456789e+10,3\n"


def test_the_index_is_not_written(tmp_path):
    write_table(tmp_path / "x.csv", pd.DataFrame({"a": [1]}, index=["hidden"]))
    assert list(read_table(tmp_path / "x.csv").columns) == ["a"]


def test_an_empty_table_keeps_its_columns(tmp_path):
    write_table(tmp_path / "x.csv", pd.DataFrame(columns=["seed", "value"]))
    read = read_table(tmp_path / "x.csv")
    assert list(read.columns) == ["seed", "value"]
    assert len(read) == 0


def test_missing_table(tmp_path):
    with pytest.raises(InputError, match=r"history\.csv is missing; run `dvc repro`"):
        read_table(tmp_path / "history.csv")


def test_json_is_sorted_readable_and_ends_with_a_newline(tmp_path):
    write_json(tmp_path / "x.json", {"vae": {"β": 1.5, "a": None}, "ae": [2, 1]})
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert text == '{\n  "ae": [\n    2,\n    1\n  ],\n  "vae": {\n    "a": null,\n    "β": 1.5\n  }\n}\n'
    assert json.loads(text) == read_json(tmp_path / "x.json") == {"vae": {"β": 1.5, "a": None}, "ae": [2, 1]}


def test_json_does_not_depend_on_the_order_of_keys(tmp_path):
    write_json(tmp_path / "a", {"x": 1, "y": 2})
    write_json(tmp_path / "b", {"y": 2, "x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_not_json_leaves_no_file(tmp_path):
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", {"x": np.float32(1)})
    assert list(tmp_path.iterdir()) == []


def test_missing_json(tmp_path):
    with pytest.raises(InputError, match=r"arm\.json is missing; run `dvc repro`"):
        read_json(tmp_path / "arm.json")
