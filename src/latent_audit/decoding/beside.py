"""What the prepared data have beside images, for the audit of codes: factors and attributes of the test split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from latent_audit.base.measures import Applies, Measure
from latent_audit.data.prepared import load_array, load_meta
from latent_audit.decoding.attribute_judge import Attributes
from latent_audit.diagnostics.directions import tidy
from latent_audit.models.family import Family

LEAST_OF_EACH = 10  # images with an attribute, and without it: fewer make a direction of noise


def beside_of(prepared: Path, only: Sequence[int] | None = None) -> dict[str, Any]:
    """`factors` (sample, factor) as places among their values, `attributes` a frame; those that the data set has.

    A factor that a small choice of images leaves constant is left out, as is an attribute that fewer than ten images
    have or lack. only : the labels of the images that are audited; None: all.
    """
    columns, found = load_meta(prepared).columns, {}
    rows = slice(None) if only is None else np.isin(load_array(prepared / "test_labels.npy"), only)
    if "factors" in columns:
        raw = load_array(prepared / "factors_test.npy")[rows]
        places = [np.unique(column, return_inverse=True)[1].reshape(-1) for column in raw.T]
        if varying := [place for place in places if place.max() > 0]:
            found["factors"] = np.stack(varying, axis=1)
    if "attributes" in columns:
        has = load_array(prepared / "attributes_test.npy")[rows] > 0
        enough = np.minimum(has.sum(axis=0), (~has).sum(axis=0)) >= LEAST_OF_EACH
        names = [name for name, kept in zip(columns["attributes"], enough, strict=True) if kept]
        if names:
            found["attributes"] = pd.DataFrame(has[:, enough].astype(np.int64), columns=names)
    return found


def attributes_of(prepared: Path, only: Sequence[int] | None = None) -> Attributes | None:
    """Which images of either split have which attribute; None for a data set without attributes.

    only : the labels of the images that the arm sees; None: all.
    """
    if not (names := load_meta(prepared).columns.get("attributes")):
        return None
    has = {split: load_array(prepared / f"attributes_{split}.npy") > 0 for split in ("train", "test")}
    if only is not None:
        has = {
            split: own[np.isin(load_array(prepared / f"{split}_labels.npy"), only)] for split, own in has.items()
        }  # fmt: skip
    return Attributes(tuple(names), has)


def beside_tables_of(tables: Any) -> dict[str, pd.DataFrame]:
    """`disentanglement` and `directions` of an audit as rows of a metric each, as far as they are there."""
    made: dict[str, pd.DataFrame] = {}
    if tables.disentanglement is not None:  # without `code`: one row per metric, whichever it is of
        made["disentanglement"] = tables.disentanglement.drop(columns=["code", "note"])
    if tables.directions is not None:
        made["directions"] = tidy(tables.directions)
    return made


def applies_to(family: Family, applies: Applies) -> Applies:
    """`applies`, less the measures that the family rules out by name."""

    def both(measure: Measure) -> bool:
        return measure.name not in family.left_out and applies(measure)

    return both


def without_rows(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The same tables without a row: what a code that has no size shows in them."""
    return {name: table.iloc[:0].copy() for name, table in tables.items()}
