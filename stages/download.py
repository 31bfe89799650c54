"""Stage `download`: fetch the raw files of the data set and verify every checksum."""

import os
from pathlib import Path

from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.data.settings import DataRun
from latent_audit.data.sources.download import download


def main() -> None:
    """Fill data/raw/<dataset>/ from LATENT_AUDIT_MIRROR or from the data set's own addresses."""
    params = load_sections(Path("params.yaml"), DataRun)
    raw = Path("data/raw") / params.dataset
    download(params.dataset, raw, mirror=os.environ.get("LATENT_AUDIT_MIRROR"), path=params.data.path)


if __name__ == "__main__":
    with reported():
        main()
