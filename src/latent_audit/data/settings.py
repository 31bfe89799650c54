"""The `data` section of params.yaml."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from latent_audit.base.settings import Frozen, Name, Pixels, Run

MIN_LIMIT = 100  # one batch of the default size, and 15 neighbours for each of a handful of classes


class Data(Frozen):
    """What is prepared: at most `limit` images of each split, zero-padded to `pad_to` pixels a side.

    `fit` (None: the data set's own), `background` and `strict` are of pictures in files: how they become square, what
    shows through where they are transparent and fills the bars, and whether damaged ones are refused. `join_splits`
    trains on the test split as well. `leave_out`, a class by name or number, is trained on by no model; its test
    images, and those of the data sets that `outsider` names, are what anomaly scores are held against.
    """

    limit: Annotated[int, Field(strict=True)] | None
    path: Path | None
    label: str | None
    image_size: Pixels | None
    fit: Literal["pad", "crop", "stretch"] | None
    background: Annotated[str, Field(pattern=r"^(white|black|gr[ae]y|#[0-9a-fA-F]{6})$")]
    strict: Annotated[bool, Field(strict=True)]
    pad_to: Pixels
    join_splits: Annotated[bool, Field(strict=True)] = False  # defaults: studies made before these keys have none
    leave_out: Annotated[str, Field(min_length=1)] | Annotated[int, Field(ge=0, strict=True)] | None = None
    outsider: tuple[Name, ...] | None = None

    @field_validator("outsider", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

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

    @model_validator(mode="after")
    def _outsiders_are_others(self) -> "DataRun":
        names = self.data.outsider or ()
        if self.dataset in names:
            raise ValueError(
                f"data.outsider: {self.dataset} is the study's own dataset; name another, or data.leave_out"
            )
        if len(set(names)) < len(names):
            raise ValueError(f"data.outsider: {', '.join(names)} names a data set twice")
        return self
