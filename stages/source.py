"""Stage `source`: look at what lies outside DVC (your pictures, a mirror), and write down its state."""

import os
from pathlib import Path

from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.data.settings import DataRun
from latent_audit.data.sources.listing import list_source


def main() -> None:
    """Write data/source/<dataset>.json: other bytes only where the source holds other bytes."""
    params = load_sections(Path("params.yaml"), DataRun)
    target = Path("data/source") / f"{params.dataset}.json"
    mirror = os.environ.get("LATENT_AUDIT_MIRROR")
    print(list_source(params.dataset, target, mirror=mirror, path=params.data.path))


if __name__ == "__main__":
    with reported():
        main()
