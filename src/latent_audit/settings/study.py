"""The whole of params.yaml: the sections of every room together, and no other key."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from latent_audit.base.settings import Name, check_sections, load_sections
from latent_audit.critic.settings import Critic
from latent_audit.data.settings import DataRun
from latent_audit.diagnostics.settings import Diagnostics
from latent_audit.training.settings import ArmsRun


class Params(ArmsRun, DataRun):
    """Every key that there is.

    study : the overlay of params/ that made this study, as `latent-audit study` wrote it down; None: params.yaml alone.
    title : what its page is headed by; None: the name of the data set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True)

    study: Name | None = None
    title: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    critic: Critic
    diagnostics: Diagnostics


def load_params(path: Path) -> Params:
    """Read and check the whole of params.yaml; InputError names all that is wrong in its sections."""
    return load_sections(path, Params)


def check_params(raw: Any, source: str) -> Params:
    """Params from a plain mapping; InputError names every offending key, the value found and what is allowed."""
    return check_sections(raw, source, Params)
