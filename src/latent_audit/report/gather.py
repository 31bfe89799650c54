"""What the other stages left on disk -> the study, its codes and its pictures, read once for the page."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from latent_audit.base.codes import read_codes
from latent_audit.base.errors import InputError
from latent_audit.base.measures import FILE, read_described
from latent_audit.base.tables import read_json, read_table
from latent_audit.data.prepared import LoadedSplit, Meta, load_meta, load_split, told_apart
from latent_audit.diagnostics.ground_truth import NO_NORMALITY
from latent_audit.figures.style import CSS_VARIABLES, arm_colours, arm_order, class_colours, display_name
from latent_audit.report.study import Study
from latent_audit.settings.study import Params

TABLES = ("per_dim", "joint", "reconstruction")
OPTIONAL_TABLES = ("classes", "separability", "generation", "continuity", "transforms", "denoising", "anomaly")
PARTIAL_TABLES = ("verdict", "spectrum", "attributes", "attribute_effects")  # that an arm may lack
PICTURES = Path("pictures")  # what `decode` left, a folder per arm
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "pillow", "jinja2", "dvc")


class Gathered(NamedTuple):
    """Everything that the page is made of, of the first seed where it is of one.

    codes : arm -> arrays of codes/<arm>/seed-<k>.npz. pictures : arm -> arrays of pictures/<arm>/pictures.npz.
    label_maps : arm -> the class that owns each cell of the unit square; critic_maps : arm -> the class that the critic
    sees in the decoded picture of each; both empty without classes. discrete_pictures : the pictures of arms whose code
    is indices.
    """

    study: Study
    codes: Mapping[str, Mapping[str, np.ndarray]]
    pictures: Mapping[str, Mapping[str, np.ndarray]]
    label_maps: Mapping[str, np.ndarray]
    critic_maps: Mapping[str, np.ndarray]
    discrete_pictures: Mapping[str, Mapping[str, np.ndarray]]
    test: LoadedSplit
    shape: tuple[int, int, int]

    @property
    def z(self) -> dict[str, np.ndarray]:
        """arm -> z of the test split, (sample, latent)."""
        return {arm: own["z"] for arm, own in self.codes.items()}

    @property
    def dims(self) -> dict[str, list[int]]:
        """arm -> the two dimensions that its plane shows."""
        return {arm: own["dims"].tolist() for arm, own in self.pictures.items()}


def gather(params: Params) -> Gathered:
    """Read what `params.dataset` left in data/, models/, codes/, pictures/, diagnostics/, critic/ and reports/.

    Raises
    ------
    InputError : a table or an array is missing or damaged.
    """
    prepared = Path("data/prepared") / params.dataset
    meta = load_meta(prepared)._replace(classes=told_apart(prepared))
    study = read_study(params, meta)
    if study.restricted:  # no two arms need have the same images: nothing is shown by class
        study = study._replace(meta={**study.meta, "classes": []}, class_colours=class_colours(0))
    codes = {arm: read_codes(Path("codes") / arm / f"seed-{study.first_seed}.npz") for arm in study.arms}
    maps = {}
    if study.has_classes:
        maps = {arm: dict(np.load(Path("diagnostics") / arm / "class_map.npz")) for arm in study.arms}
    return Gathered(
        study,
        codes=codes,
        pictures={arm: dict(np.load(PICTURES / arm / "pictures.npz")) for arm in study.arms},
        label_maps={arm: own["label_map"] for arm, own in maps.items()},
        critic_maps={arm: own["critic_map"] for arm, own in maps.items()},
        discrete_pictures={arm: dict(np.load(PICTURES / arm / "pictures.npz")) for arm in study.discrete},
        test=load_split(prepared, "test"),
        shape=(meta.channels, meta.height, meta.width),
    )


def few(given: Gathered) -> Gathered:
    """What figures show: the arms that can be told apart by their colour; the others stand in tables."""
    study = given.study
    if study.shown is study:
        return given

    def kept(mapping: Mapping[str, Any]) -> dict[str, Any]:
        return {arm: mapping[arm] for arm in study.drawn if arm in mapping}

    return given._replace(
        study=study.shown, codes=kept(given.codes), pictures=kept(given.pictures), label_maps=kept(given.label_maps)
    )  # fmt: skip


def read_study(params: Params, meta: Meta) -> Study:
    """Every table of every arm, and what the page says about where they come from."""
    every = {arm: read_json(Path("models") / arm / "arm.json") for arm in arm_order(params.arms)}
    discrete = {arm: display_name(arm) for arm, described in every.items() if described["code"] == "discrete"}
    arms = {arm: described for arm, described in every.items() if arm not in discrete}
    if not arms:
        raise InputError("the page compares codes: give a study of a discrete code an arm with an AE or a VAE, too")
    return Study(
        meta=meta._asdict() | {"notes": [*meta.notes, *_weight_notes(params, meta, arms), *_discrete_notes(discrete)]},
        params=params.model_dump(mode="json"),
        metrics=read_json(Path("reports/metrics.json")),
        arms=arms,
        names={arm: display_name(arm) for arm in arms},
        colours={arm: CSS_VARIABLES[colour] for arm, colour in arm_colours(arms).items()},
        class_colours=class_colours(len(meta.classes)),
        seeds=params.seeds,
        tables=_tables(arms),
        claims=read_table(Path("reports/claims.csv")),
        critic=read_json(Path("critic/critic.json")),
        provenance=_provenance(meta, list(every)),
        discrete=discrete,
        measures={name: m for arm in every for name, m in read_described(Path("diagnostics") / arm / FILE).items()},
    )


def _tables(arms: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    tables = {name: _of_all_arms(arms, Path("diagnostics"), name) for name in TABLES}
    history = _of_all_arms(arms, Path("models"), "history")
    no_kl = history["arm"].isin([arm for arm, described in arms.items() if described["beta_kl"] is None])
    history = history.reindex(columns=[*history.columns.union(["kl", "elbo"], sort=False)])  # of AEs alone: neither
    tables["history"] = history.assign(**{term: history[term].mask(no_kl) for term in ("kl", "elbo")})
    for name in OPTIONAL_TABLES:
        if all((Path("diagnostics") / arm / f"{name}.csv").exists() for arm in arms):
            tables[name] = _of_all_arms(arms, Path("diagnostics"), name)
    for name in PARTIAL_TABLES:
        if having := [arm for arm in arms if (Path("diagnostics") / arm / f"{name}.csv").exists()]:
            tables[name] = _of_all_arms(dict.fromkeys(having), Path("diagnostics"), name)
    return tables


def _of_all_arms(arms: Mapping[str, Any], folder: Path, name: str) -> pd.DataFrame:
    parts = [read_table(folder / arm / f"{name}.csv").assign(arm=arm) for arm in arms]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _weight_notes(params: Params, meta: Meta, arms: Mapping[str, Any]) -> list[str]:
    n_pixels = meta.channels * meta.height * meta.width
    weighed = [arm for arm, described in arms.items() if described["beta_kl"] is not None]
    return [f"{display_name(arm)}: {words}." for arm in weighed if (words := params.weight_words(arm, n_pixels))]


def _discrete_notes(discrete: Mapping[str, str]) -> list[str]:
    if not discrete:
        return []
    whose = "their codes are" if len(discrete) > 1 else "its code is"
    return [
        f"{', '.join(discrete.values())}: {whose} indices of a codebook. No measure of normality, holes or areas "
        f"applies: {NO_NORMALITY}. What stands in their place: use of the codebook, its bits under three priors, and "
        "images drawn from these."
    ]


def _provenance(meta: Meta, arms: list[str]) -> dict[str, dict[str, str]]:
    lock = Path("dvc.lock")
    stages = (YAML(typ="safe", pure=True).load(lock) or {}).get("stages", {}) if lock.exists() else {}
    outputs = {
        out["path"]: out.get("md5", "")
        for name, stage in stages.items()
        if name != "render"  # its own outputs of an earlier run would make the page depend on that run
        if "@" not in name or name.split("@")[1] in arms  # arms that were removed stay in dvc.lock
        for out in stage.get("outs", [])
    }
    return {
        "Raw data, sha256": dict(meta.raw_sha256),
        "Outputs of the pipeline, md5 from dvc.lock": outputs,
        "Packages": {name: version(name) for name in PACKAGES},
    }
