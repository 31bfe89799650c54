"""Stage `download`: fetch the raw files of the data set and verify every checksum."""

import os
from pathlib import Path

from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.data.settings import DataRun
from latent_audit.data.sources.download import download, download_outsiders


def main() -> None:
    """Fill data/raw/<dataset>/, and data/outsiders/<dataset>/, from LATENT_AUDIT_MIRROR or from public addresses."""
    params = load_sections(Path("params.yaml"), DataRun)
    raw, mirror = Path("data/raw") / params.dataset, os.environ.get("LATENT_AUDIT_MIRROR")
    download(params.dataset, raw, mirror=mirror, path=params.data.path)
    download_outsiders(params.data.outsider or (), Path("data/outsiders") / params.dataset, mirror=mirror)


if __name__ == "__main__":
    with reported():
        main()
