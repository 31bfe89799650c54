"""Which arm or data set a stage's script is about. Its name is no part of a command, so no shell ever reads it."""

import os

from latent_audit.base.errors import InputError


def item_of_stage(given: str | None, what: str = "a key of `arms` in params.yaml") -> str:
    """`given`, or else the item of the stage that DVC runs (`train@vae`, which DVC puts into DVC_STAGE)."""
    item = given or os.environ.get("DVC_STAGE", "").partition("@")[2]
    if not item:
        raise InputError(f"say which: give {what} as the argument, or run `dvc repro`")
    return item
