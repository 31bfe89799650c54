"""A study of two arms and three seeds made of small random tables, with a class that tries to be a script."""

import json

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

from latent_audit.diagnostics.fitted import fit_gaussian
from latent_audit.figures import scores
from latent_audit.report.explorer import ArmCodes, ExplorerData, HoleMap, explorer_data, quantile_table
from latent_audit.report.latent_captions import P_COLUMNS
from latent_audit.report.page_panels import page_rows
from latent_audit.report.pictures import lattice_rows, reconstruction_rows, sample_rows
from latent_audit.report.study import Panel, Row, Study
from page_networks import decoder_layers, encoder_layers

HOSTILE = "<script>alert(1)</script>"
CLASSES = [HOSTILE, "boot & shoe", "bag"]
ARMS = {"ae": None, "vae": 1.0}
SEEDS = (0, 1, 2)
SIDE = 32
METRICS = {
    "vae": {
        "ks_d_max": {"mean": 0.04, "low": 0.03, "high": 0.05},
        "hole_fraction": {"mean": 0.02, "low": 0.01, "high": 0.03},
        "fd_clf_prior": {"mean": 9, "low": None, "high": None},
    },
    "ae": {"hole_fraction": {"mean": 0.06, "low": 0.02, "high": 0.1}},
}


def _long(metrics: dict[str, float], **more) -> pd.DataFrame:
    rows = [
        {"arm": arm, "seed": seed, "metric": metric, "value": value + 0.01 * seed + 0.02 * (arm == "vae")} | more
        for arm in ARMS
        for seed in SEEDS
        for metric, value in metrics.items()
    ]
    return pd.DataFrame(rows)


def _per_dim() -> pd.DataFrame:
    rows = [
        {
            "arm": arm,
            "seed": seed,
            "code": code,
            "dim": dim,
            "n": 500,
            "mean": 0.1,
            "std": 1.1,
            "skew": 0.2,
            "excess_kurtosis": -0.3,
            "ks_d": 0.04 if arm == "vae" else 0.3,
            "w1": 0.2,
            "ad_a2": 5.0,
            **{f"{p}_holm": 0.001 for p in P_COLUMNS},
        }
        for arm in ARMS
        for seed in SEEDS
        for code in ("mu", "z")
        for dim in (0, 1)
    ]
    return pd.DataFrame(rows)


def _tables() -> dict[str, pd.DataFrame]:
    epochs = [
        (arm, seed, epoch, split) for arm in ARMS for seed in SEEDS for epoch in (1, 2) for split in ("train", "test")
    ]
    history = pd.DataFrame(epochs, columns=["arm", "seed", "epoch", "split"])
    history = history.assign(recon_nll=250.0, kl=np.where(history["arm"] == "vae", 5.0, np.nan), elbo=-255.0)
    classes = pd.DataFrame(
        [
            {
                "arm": arm,
                "seed": seed,
                "code": "z",
                "label": label,
                "class_name": name,
                "area": (label + 1) / 6,
                "critic_area": 1 / 3,
            }
            for arm in ARMS
            for seed in SEEDS
            for label, name in enumerate(CLASSES)
        ]
    )
    generation = pd.concat(
        [
            _long({"fd_clf": value}, sampler=name)
            for name, value in (("prior", 9.0), ("gmm", 3.0), ("reconstruction", 6.0), ("test_floor", 0.5))
        ]
    )
    return {
        "history": history,
        "per_dim": _per_dim(),
        "joint": _long({"hole_fraction": 0.02}, code="z", null_low=0.005, null_high=0.015),
        "classes": classes,
        "separability": _long({"knn_accuracy": 0.6, "linear_probe_accuracy": 0.5}, code="z"),
        "reconstruction": _long({"recon_nll": 250.0}),
        "generation": generation,
    }


def _claims() -> pd.DataFrame:
    row = {
        "claim_id": "a",
        "claim": "Autoencoder codes leave holes",
        "source": "Somebody (2020)",
        "statistic": "hole_fraction",
        "arms": "ae",
        "code": "z",
        "effect": 0.2,
        "low": 0.1,
        "high": 0.3,
        "margin": 0.05,
        "direction": ">",
        "n_seeds": 3,
        "p_value": 0.01,
        "p_holm": 0.03,
        "next_low": 0.05,
        "next_high": 0.35,
        "bracket": "",
        "by_values": False,
        "verdict": "supported",
        "figure": "fig-holes",
        "values": json.dumps([0.1, 0.2, 0.3]),
    }
    other = {"statistic": "difference of hole_fraction", "arms": "ae vs vae", "verdict": "inconclusive", "low": -0.1}
    small = {"claim_id": "c", "verdict": "negligible", "high": 0.04, "low": 0.01, "effect": 0.03, "p_holm": 0.06}
    last = {
        "claim_id": "b",
        "claim": f"{HOSTILE} claims",
        "verdict": "contradicted",
        "margin": 0.5,
        "figure": "explorer",
    }
    return pd.DataFrame([row, row | other, row | last, row | small])


@pytest.fixture(scope="session")
def study() -> Study:
    meta = {
        "dataset": "made_up",
        "classes": CLASSES,
        "channels": 1,
        "height": SIDE,
        "width": SIDE,
        "native_height": 28,
        "native_width": 28,
        "n_train": 1000,
        "n_test": 500,
        "limit": None,
        "available_train": 1000,
        "available_test": 500,
        "terms": None,
        "images_may_be_shown": True,
        "notes": [f"A note with {HOSTILE}."],
    }
    info = {"latent_dim": 2, "epochs": 2, "learning_rate": 1e-3, "batch_size": 100, "precision": "float32"}
    arms = {
        arm: info
        | {
            "family": "vae" if beta_kl else "ae",
            "role": "vae" if beta_kl else "autoencoder",
            "beta_kl": beta_kl,
            "beta": 1024.0 if beta_kl else None,
        }
        for arm, beta_kl in ARMS.items()
    }
    return Study(
        meta=meta,
        params={
            "dataset": "made_up",
            "data": {"path": HOSTILE},
            "seeds": list(SEEDS),
            "diagnostics": {"margins": {"ks_d": 0.05, "hole_fraction": 0.05, "hole_limit": 0.06}},
        },
        metrics=METRICS,
        arms=arms,
        names={"ae": "AE", "vae": "VAE"},
        colours={"ae": "--arm-0", "vae": "--arm-1"},
        class_colours=["#3f90da", "#ffa90e", "#bd1f01"],
        seeds=SEEDS,
        tables=_tables(),
        claims=_claims(),
        critic={"accuracy": 0.91, "sha256": "ab" * 32},
        provenance={"Raw data, sha256": {"train.gz": "00" * 32}, "Nothing": {}},
    )


@pytest.fixture(scope="session")
def pictures() -> dict[str, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)

    def noise(*shape: int) -> np.ndarray:
        grey = rng.integers(0, 255, (*shape, 1, 1, 1), dtype=np.uint8)
        return np.broadcast_to(grey, (*shape, 1, SIDE, SIDE))

    return {
        arm: {
            "originals": noise(16),
            "reconstructions": noise(16),
            "lattice": noise(21, 21),
            "lattice_quantile": noise(21, 21),
            "dims": np.array([0, 1]),
            **{f"samples_{name}": noise(24) for name in ("prior", "box", "gaussian", "gmm")},
        }
        for arm in ARMS
    }


@pytest.fixture(scope="session")
def figures(study, pictures) -> dict[str, list[Row]]:
    drawn = [Row([Panel("AE", Markup('<svg viewBox="0 0 1 1" role="img" aria-label="a drawing"></svg>'), "z")])]
    anchors = (
        "fig-training",
        "fig-codes",
        "fig-separability",
        "fig-histograms",
        "fig-pvalues",
        "fig-pspace",
        "fig-areas",
        "fig-holes",
    )
    generation = scores.generation(study.tables["generation"], margin=1.1)
    return dict.fromkeys(anchors, drawn) | {
        "fig-generation": page_rows("fig-generation", generation),
        "fig-reconstructions": reconstruction_rows(pictures, study.names),
        "fig-lattice": lattice_rows(pictures, study.names, live=ARMS),
        "fig-samples": sample_rows(pictures, study.names),
    }


@pytest.fixture(scope="session")
def explorer(study) -> ExplorerData:
    rng = np.random.default_rng(1)
    n = 60
    arms = {}
    for index, arm in enumerate(ARMS):
        codes = rng.standard_normal((n, 2)) * (1 if arm == "vae" else 4)
        corner = np.zeros((16, 16), dtype=bool)  # a hole of a quarter of the map, in the first arm to the middle
        corner[: 8 - 4 * index, : 8 - 4 * index] = True
        arms[arm] = ArmCodes(
            name=study.names[arm],
            colour=study.colours[arm],
            codes=codes,
            recon_nll=np.full(n, 250.0),
            plane=(0, 1),
            order=np.array([0, 1]),
            quantiles=quantile_table(codes),
            layers=decoder_layers(index),
            encoder=encoder_layers(index),
            holes=[HoleMap(corner, 3.5)],
            critic_map=np.full((4, 4), 1 + index),
            hole_share=0.25 - 0.2 * index,
            laws={"gaussian": fit_gaussian(codes), "mixture": fit_gaussian(codes)},
        )
    return explorer_data(
        arms,
        images=rng.integers(0, 255, (n, 1, SIDE, SIDE), dtype=np.uint8),
        labels=np.arange(n) % 3,
        indices=np.arange(n),
        classes=CLASSES,
        class_colours=list(study.class_colours),
        shape=(1, SIDE, SIDE),
        native=(28, 28),
        seed=0,
    )
