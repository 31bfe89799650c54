"""Stage `preprocess`: raw files -> memory-mapped uint8 arrays, zero-padded to a side the network can halve."""

import os
from pathlib import Path

from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.data.held_out import Splits
from latent_audit.data.prepare import prepare
from latent_audit.data.settings import DataRun
from latent_audit.data.sources.dataset import Treatment
from latent_audit.data.sources.registry import find


def main() -> None:
    """Fill data/prepared/<dataset>/ and say what was done to the pictures."""
    params = load_sections(Path("params.yaml"), DataRun)
    others = Path("data/outsiders") / params.dataset
    outsiders = {name: others / name for name in params.data.outsider or ()}
    outcome = prepare(
        params.dataset,
        Path("data/raw") / params.dataset,
        Path("data/prepared") / params.dataset,
        limit=params.data.limit,
        pad_to=params.data.pad_to,
        label=params.data.label,
        image_size=params.data.image_size,
        treatment=Treatment(params.data.fit, params.data.background),
        strict=params.data.strict,
        path=find(params.dataset).place(mirror=os.environ.get("LATENT_AUDIT_MIRROR"), path=params.data.path),
        splits=Splits(params.data.join_splits, params.data.leave_out, outsiders),
    )
    print("\n".join(outcome.in_words()))


if __name__ == "__main__":
    with reported():
        main()
