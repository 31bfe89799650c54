"""Which arm a stage's script is about. Its name is no part of a command: whatever it is, no shell reads it."""

import os

from latent_audit.base.errors import InputError


def arm_of_stage(given: str | None) -> str:
    """`given`, or else the arm of the stage that DVC runs (`train@vae`, which DVC puts into DVC_STAGE)."""
    arm = given or os.environ.get("DVC_STAGE", "").partition("@")[2]
    if not arm:
        raise InputError("say which arm: give a key of `arms` in params.yaml as the argument, or run `dvc repro`")
    return arm
