"""The architectures and families by name: the files of their two folders."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from latent_audit.base.errors import InputError
from latent_audit.base.registry import discover, pick
from latent_audit.models.image import ImageShape

if TYPE_CHECKING:
    from latent_audit.models.architecture import Architecture
    from latent_audit.models.family import Family


@cache
def _architectures() -> dict[str, "Architecture"]:
    from latent_audit.models import architectures  # here: its files import what imports this one

    return discover(architectures, "ARCHITECTURE")


@cache
def _families() -> dict[str, "Family"]:
    from latent_audit.models import families

    return discover(families, "FAMILY")


def architecture(name: str) -> "Architecture":
    """The architecture called `name`; an InputError lists the names there are."""
    return pick(_architectures(), name, key="model.architecture")


def family(name: str) -> "Family":
    """The family called `name`; an InputError lists the names there are."""
    return pick(_families(), name, key="family")


def settings_of(chosen: "Architecture", given: Mapping[str, Any], image: ImageShape) -> dict[str, Any]:
    """All settings of an architecture: its defaults, and what was given (None: the default).

    Raises
    ------
    InputError : a setting that this architecture does not have, or a network that cannot be built for such images.
    """
    own = {name: value for name, value in given.items() if value is not None}
    if strange := [name for name in own if name not in chosen.settings]:
        raise InputError(
            f"model.{strange[0]}: the architecture {chosen.name!r} has no such setting; it has "
            f"{', '.join(chosen.settings)}. Set model.{strange[0]} to null, or choose another model.architecture."
        )
    whole = {**chosen.settings, **own}
    try:
        chosen.check(image, **whole)
    except ValueError as error:
        raise InputError(str(error)) from None
    return whole


def family_settings_of(chosen: "Family", given: Mapping[str, Any] | None) -> dict[str, Any]:
    """All settings of a family: its defaults, and what an arm gives.

    Raises
    ------
    InputError : a setting that this family does not have.
    """
    own = dict(given or {})
    if strange := [name for name in own if name not in chosen.settings]:
        has = f"it has {', '.join(chosen.settings)}" if chosen.settings else "it has none"
        raise InputError(f"family_settings.{strange[0]}: the family {chosen.name!r} has no such setting; {has}.")
    return {**chosen.settings, **own}
