"""What every section of params.yaml is checked with: frozen models, numbers in range, errors in words.

Each room has a `settings.py` with the model of its own section; a stage loads and checks the sections that it reads.
"""

import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from latent_audit.base.errors import InputError
from latent_audit.base.plain_yaml import read_yaml

LARGEST_SEED = 2**63 - 1  # of the generators of NumPy and torch
NAME = r"[a-z][a-z0-9_]{0,63}"  # of what becomes a folder and a stage
RESERVED = "critic"  # beside the arms in metrics.json


def no_switch(value: object) -> object:
    """The value, unless it is true or false, which Python takes for 1 and 0; ValueError then."""
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def finite(value: float) -> float:
    """The number, if it is finite; ValueError otherwise."""
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def plain_name(value: str) -> str:
    """The name, if it is one that may become a folder; ValueError otherwise."""
    if not re.fullmatch(NAME, value):
        raise ValueError("must be a plain name: lower-case letters, digits and _, a letter first, at most 64 of them")
    return value


Positive = Annotated[float, BeforeValidator(no_switch), Field(gt=0), AfterValidator(finite)]
Count = Annotated[int, Field(ge=1, le=100_000, strict=True)]  # a number beyond it is a slip: nothing would ever end
Pixels = Annotated[int, Field(ge=1, le=1024, strict=True)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED, strict=True)]
Images = Annotated[int, Field(ge=1, strict=True)]  # held to the size of the data where that is known
Finite = Annotated[float, BeforeValidator(no_switch), AfterValidator(finite)]
Name = Annotated[str, AfterValidator(plain_name)]
Sections = TypeVar("Sections", bound="Run")


class Frozen(BaseModel):
    """A section, whole: an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True)


class Run(BaseModel):
    """The sections that every stage reads; a stage's own model adds those that it needs, and passes over the others."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=True)

    dataset: Name
    device: Literal["auto", "cpu", "cuda", "mps"]
    seeds: Annotated[tuple[Seed, ...], Field(max_length=1000)]
    arms: dict[str, Any] = Field(min_length=1)

    @field_validator("arms")
    @classmethod
    def _plain_names(cls, value: dict[str, Any]) -> dict[str, Any]:
        if odd := [name for name in value if not re.fullmatch(NAME, name)]:
            raise ValueError(f"arm names {odd} become folders and stage names: lower-case letters, digits and _ only")
        if RESERVED in value:
            raise ValueError(f"an arm cannot be called {RESERVED!r}: that is the classifier which judges all arms")
        return value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value:
            raise ValueError("give at least 1 seed")
        if repeated := sorted({seed for seed in value if value.count(seed) > 1}):
            raise ValueError(f"seeds {repeated} are repeated; each replicate needs a seed of its own")
        return value

    def arm(self, name: str) -> Any:
        """The arm called `name`; InputError with the allowed names otherwise."""
        if name not in self.arms:
            raise InputError(f"unknown arm {name!r}; params.yaml has the arms {', '.join(self.arms)}")
        return self.arms[name]


def load_sections(path: Path, model: type[Sections]) -> Sections:
    """Read params.yaml (YAML 1.2, as DVC reads it) and check the sections that `model` has.

    Raises
    ------
    InputError : the file is missing or not plain YAML, a key is unknown or absent, or a value is out of range.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"no {path} here; run from the project's root") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from None
    return check_sections(read_yaml(content, str(path)), str(path), model)


def check_sections(raw: Any, source: str, model: type[Sections]) -> Sections:
    """`model` from a plain mapping; InputError names every offending key, the value found and what is allowed."""
    if not isinstance(raw, dict):
        raise InputError(f"{source} must be a mapping of parameters, found {type(raw).__name__}")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        lines = [_in_words(problem) for problem in error.errors()]
        raise InputError(f"{source} has {len(lines)} wrong value(s):\n  " + "\n  ".join(lines)) from None


def _in_words(problem: ErrorDetails) -> str:
    key = ".".join(_shortened(str(part)) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key; see params.yaml in the repository for the keys that exist"
    if problem["type"] == "missing":
        return f"{key}: missing; every parameter is written out in params.yaml"
    message = problem["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(problem["input"], dict) else f" (found {_shortened(repr(problem['input']))})"
    return f"{key}: {message}{shown}" if key else f"{message}{shown}"


def _shortened(written: str) -> str:
    return written if len(written) <= 80 else f"{written[:77]}..."
