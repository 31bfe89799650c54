"""What a report is made of: the study's tables and descriptions, already read."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from latent_audit.base.measures import Metric
from latent_audit.claims.effects import hole_measure
from latent_audit.figures.style import distinct


class Study(NamedTuple):
    """One study. Tables carry an `arm` column; a table that was not made is absent from `tables`.

    meta : meta.json of the prepared data, or a foreign file's own description.
    params : params.yaml as a plain mapping. metrics : reports/metrics.json, arm -> metric -> mean, low, high.
    arms : arm name -> arm.json, in the order of the report. names, colours : arm -> name for readers, CSS variable.
    class_colours : hex colour per class, in the order of `meta["classes"]`, empty where nothing can be told apart.
    tables : history, per_dim, joint, classes, separability, reconstruction, generation, continuity.
    measures : what is known of each metric, by its name; a metric that is not there keeps its name.
    discrete : arm -> name of the arms whose code is indices of a codebook: in no figure of codes, and in claims on
    codebooks alone, but in the tables of measures and among the pictures.
    """

    meta: Mapping[str, Any]
    params: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Any]]
    arms: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, str]
    colours: Mapping[str, str]
    class_colours: Sequence[str]
    seeds: tuple[int, ...]
    tables: Mapping[str, pd.DataFrame]
    claims: pd.DataFrame
    critic: Mapping[str, Any] | None
    provenance: Mapping[str, Mapping[str, str]]
    measures: Mapping[str, Metric] = MappingProxyType({})
    discrete: Mapping[str, str] = MappingProxyType({})

    @property
    def headings(self) -> dict[str, str]:
        """What heads a panel of each metric."""
        return {name: metric.heading for name, metric in self.measures.items()}

    @property
    def title(self) -> str:
        """What the study is called: by its parameters, or else by its data set."""
        return self.params.get("title") or str(self.meta["dataset"]).replace("_", "-")

    @property
    def overlay(self) -> str | None:
        """The overlay of params/ that made it; None for params.yaml alone."""
        return self.params.get("study")

    @property
    def all_names(self) -> dict[str, str]:
        """arm -> name, of all arms."""
        return {**self.names, **self.discrete}

    @property
    def first_seed(self) -> int:
        """The seed whose pictures and codes are drawn."""
        return self.seeds[0]

    @property
    def has_classes(self) -> bool:
        """Whether the images are of two classes at least."""
        return len(self.meta["classes"]) > 1

    @property
    def restricted(self) -> bool:
        """Whether an arm sees some classes only: images and labels are then not the same in every arm."""
        return any(own.get("classes") for own in self.arms.values())

    @property
    def drawn(self) -> list[str]:
        """The arms that figures show: those of a colour of their own."""
        return distinct(self.arms)

    @property
    def shown(self) -> "Study":
        """The study of those arms alone, whose metrics and claims stay whole; itself where they are all."""
        if len(self.drawn) == len(self.arms):
            return self
        of_arms = {
            name: {arm: values[arm] for arm in self.drawn}
            for name, values in (("arms", self.arms), ("names", self.names), ("colours", self.colours))
        }
        tables = {name: table[table["arm"].isin(self.drawn)] for name, table in self.tables.items()}
        return self._replace(**of_arms, tables=tables)

    @property
    def holes(self) -> str:
        """The measure of holes: the count of balls, or, with an arm beyond three dimensions, the mass without codes."""
        return hole_measure(self.tables["joint"])

    @property
    def distance(self) -> "Distance":
        """How far decoded images are from real ones: in a classifier's features, or without classes in random ones."""
        return (
            OF_CLASSIFIER if self.has_classes or (self.restricted and (self.critic or {}).get("classes")) else OF_RANDOM
        )


class Distance(NamedTuple):
    """The Fréchet distance that a study measured: the metric, its name for readers, and whose features it takes."""

    metric: str
    name: str
    features: str


OF_CLASSIFIER = Distance("fd_clf", "FD-clf", "this study’s own critic")
OF_RANDOM = Distance("fd_random", "FD of random features", "an untrained network")


class Panel(NamedTuple):
    """One picture of a figure: its title, an optional second line, and the inline SVG or image."""

    title: str
    body: Markup
    note: str = ""


class Row(NamedTuple):
    """Panels side by side; `kind` names the layout in style.css: arms, pair, wide, or tiles."""

    panels: list[Panel]
    kind: str = "arms"
    label: str = ""


class Figure(NamedTuple):
    """A numbered figure: rows, and a caption from the tables; `key` says whose colours to name: arms, classes, none."""

    anchor: str
    number: int
    rows: list[Row]
    caption: Markup
    table: Markup | None = None
    key: str = ""


def beta_words(arm: Mapping[str, Any]) -> str:
    """Both conventions of the trade-off: beta on the mean pixel loss, beta_kl on the KL; an autoencoder has neither."""
    if arm["beta_kl"] is None:
        return "no KL term"
    return f"β = {arm['beta']:g}, β_KL = {arm['beta_kl']:.4g}"
