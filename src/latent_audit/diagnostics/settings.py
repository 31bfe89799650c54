"""The `diagnostics` section of params.yaml: how codes are measured, and the margins of the claims."""

from typing import Annotated

from pydantic import Field

from latent_audit.base.settings import Finite, Frozen, Images, Run, Seed


class Diagnostics(Frozen):
    """How the codes are measured; `margins` are fixed before looking. `denoising`: noisy images are decoded, too."""

    seed: Seed
    neighbors: Images
    grid: Annotated[int, Field(ge=10, le=2000, strict=True)]
    null_draws: Annotated[int, Field(ge=19, le=100_000, strict=True)]
    null_rows: Annotated[int, Field(ge=100, le=100_000, strict=True)]
    denoising: Annotated[bool, Field(strict=True)] = False
    margins: dict[str, Finite]


class DiagnosticsRun(Run):
    """What the stages read that measure or compare."""

    diagnostics: Diagnostics
