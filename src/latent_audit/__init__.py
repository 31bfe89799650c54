"""latent-audit: when may you sample from a latent space?

`from latent_audit import audit, AuditSettings, AuditTables`: the audit of codes of your own, and `audit_side_by_side`
of several (`latent_audit.auditing.api`).
"""

import importlib
from typing import Any

__all__ = ["Audit", "AuditSettings", "AuditTables", "audit", "audit_side_by_side"]  # given by __getattr__


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first asked for: importing the package itself costs nothing."""
    if name in __all__:
        return getattr(importlib.import_module("latent_audit.auditing.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, before they are imported as well as after."""
    return sorted(__all__)
