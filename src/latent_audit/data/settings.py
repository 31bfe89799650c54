"""The `data` section of params.yaml."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from latent_audit.base.settings import Frozen, Pixels, Run

MIN_LIMIT = 100  # one batch of the default size, and 15 neighbours for each of a handful of classes


class Data(Frozen):
    """What is prepared: at most `limit` images of each split, zero-padded to `pad_to` pixels a side.

    `fit` (None: the data set's own), `background` and `strict` are of pictures in files: how they become square, what
    shows through where they are transparent and fills the bars, and whether damaged ones are refused.
    """

    limit: Annotated[int, Field(strict=True)] | None
    path: Path | None
    label: str | None
    image_size: Pixels | None
    fit: Literal["pad", "crop", "stretch"] | None
    background: Annotated[str, Field(pattern=r"^(white|black|gr[ae]y|#[0-9a-fA-F]{6})$")]
    strict: Annotated[bool, Field(strict=True)]
    pad_to: Pixels

    @field_validator("limit")
    @classmethod
    def _enough(cls, value: int | None) -> int | None:
        if value is not None and value < MIN_LIMIT:
            raise ValueError(f"must be null or at least {MIN_LIMIT}: fewer images fill no batch and no k-NN map")
        return value


class DataRun(Run):
    """What the stages `source`, `download` and `preprocess` read."""

    data: Data

    @model_validator(mode="after")
    def _folder_has_a_path(self) -> "DataRun":
        if self.dataset == "folder" and self.data.path is None:
            raise ValueError("dataset: folder needs data.path, the folder that holds your images")
        return self
