"""Descriptions of metrics, and the measures that a folder holds."""

import math
import sys

import pandas as pd
import pytest

from latent_audit.base.errors import InputError
from latent_audit.base.measures import (
    Measure,
    Metric,
    applicable,
    described,
    discover,
    of_rows,
    phrase_of,
    range_of,
    read_described,
    share,
    write_described,
)

NLL = Metric("nll", "error", "nats", low=0.0, better="lower", title="reconstruction")


def measure(
    name: str = "one", *, needs: frozenset[str] = frozenset(), rows=lambda subject: {"nll": subject}
) -> Measure:
    return Measure(name, needs, (NLL,), rows)


def test_words_of_a_metric_by_hand():
    assert NLL.phrase == "error, in nats"
    assert NLL.label == "reconstruction, nats"
    assert NLL.heading == "Reconstruction, lower is better"
    assert share("p", "share of draws").phrase == "share of draws"
    assert phrase_of("of_somebody_else", {}) == "of somebody else"


def test_a_qualified_metric_keeps_unit_and_range():
    own = NLL.of("prior", " of prior draws", "prior")
    assert (own.name, own.words, own.title) == ("nll_prior", "error of prior draws", "reconstruction, prior")
    assert (own.unit, own.low, own.better) == (NLL.unit, NLL.low, NLL.better)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a b"}, "needs a name"),
        ({"words": ""}, "needs a name of letters"),
        ({"better": "up"}, "higher, lower, none"),
        ({"low": 1.0, "high": 1.0}, "low below high"),
        ({"low": math.nan}, "low below high"),
    ],
)
def test_a_wrong_description_is_refused_where_it_is_written(given, words):
    with pytest.raises(ValueError, match=words):
        Metric(**{"name": "a", "words": "b"} | given)


def test_an_unknown_need_is_refused():
    with pytest.raises(ValueError, match=r"needs \['telescope'\], which is none of attributes, critic"):
        measure(needs=frozenset({"telescope", "labels"}))


def test_rows_are_a_table_or_a_mapping_or_nothing():
    assert measure().of(2.0).to_dict("records") == [{"metric": "nll", "value": 2.0}]
    table = pd.DataFrame({"metric": ["nll"], "value": [1.0], "p_value": [0.5]})
    assert measure(rows=lambda subject: table).of(None) is table
    assert measure(rows=lambda subject: None).of(None) is None
    with pytest.raises(ValueError, match="'one': gives typo, which its `metrics` do not describe"):
        measure(rows=lambda subject: {"typo": 1.0}).of(None)


def test_what_applies_has_its_needs_and_the_familys_leave():
    found = [measure("a"), measure("b", needs=frozenset({"labels"})), measure("c")]
    assert [m.name for m in applicable(found, frozenset(), lambda m: m.name != "c")] == ["a"]
    assert [m.name for m in applicable(found, frozenset({"labels"}), lambda m: True)] == ["a", "b", "c"]


def test_descriptions_are_read_back_as_they_were(tmp_path):
    metrics = described([measure()]) | {"p": share("p", "share")}
    write_described(tmp_path / "measures.json", metrics)
    assert read_described(tmp_path / "measures.json") == metrics
    assert list(read_described(tmp_path / "measures.json")) == ["nll", "p"]
    assert range_of("nll", metrics) == (0, math.inf)
    with pytest.raises(InputError, match="dvc repro"):
        read_described(tmp_path / "absent.json")


def test_no_description_at_all_is_nothing_known():
    assert of_rows([]) == {}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package of measures to be filled."""
    package = tmp_path / f"measures_of_{tmp_path.name.replace('-', '_')}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]


FILE = """from latent_audit.base.measures import Measure, Metric
MEASURE = Measure({name!r}, frozenset(), (Metric("m", {words!r}),), lambda subject: None, order={order})
"""


def test_a_folders_measures_come_by_order_and_name(folder):
    for name, order in (("late", 9), ("b", 1), ("a", 1)):
        (folder / f"{name}.py").write_text(FILE.format(name=name, words="w", order=order))
    (folder / "helper.py").write_text("VALUE = 1\n")
    assert [m.name for m in discover(folder.name)] == ["a", "b", "late"]


@pytest.mark.parametrize(
    ("names", "words", "said"),
    [(("same", "same"), ("w", "w"), "measures same"), (("a", "b"), ("w", "other"), "metrics m")],
)
def test_two_of_one_name_are_refused(folder, names, words, said):
    for index in (0, 1):
        (folder / f"file{index}.py").write_text(FILE.format(name=names[index], words=words[index], order=1))
    with pytest.raises(ValueError, match=f"{said} are described twice"):
        discover(folder.name)
