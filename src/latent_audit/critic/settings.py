"""The `critic` section of params.yaml."""

from pydantic import BaseModel, ConfigDict

from latent_audit.base.settings import Count, Frozen, Images, Positive, Run, Seed


class Critic(Frozen):
    """The small classifier whose features and labels judge decoded images."""

    epochs: Count
    batch_size: Images
    learning_rate: Positive


class _Seed(BaseModel):
    """The one number of the `diagnostics` section that the critic needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seed: Seed


class CriticRun(Run):
    """What the stage `critic` reads."""

    critic: Critic
    diagnostics: _Seed
