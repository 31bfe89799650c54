"""Tidy tables to Axes. Pages need no window: MPLBACKEND may name what there is not."""

import os
import sys


def _import_matplotlib() -> None:
    """Import it as ever, but for two ends in a traceback: a backend that there is not, a matplotlibrc that is no text.

    Neither matters to our figures, which are drawn without a window and in a style of their own.
    """
    if "matplotlib" in sys.modules:
        return  # by whoever chose its backend
    before = {name: os.environ.pop(name, None) for name in ("MPLBACKEND", "MATPLOTLIBRC")}
    rc, backend = before["MATPLOTLIBRC"], before["MPLBACKEND"]
    try:
        if not _import(rc):
            _import(os.devnull)
        if backend:
            _choose(backend)
    finally:
        os.environ.pop("MATPLOTLIBRC", None)
        os.environ.update({name: value for name, value in before.items() if value is not None})


def _import(rc: str | None) -> bool:
    """Whether matplotlib could be imported with this file of settings; None: wherever it looks for one."""
    if rc is not None:
        os.environ["MATPLOTLIBRC"] = rc
    try:
        import matplotlib  # noqa: F401
    except (ValueError, OSError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]  # half of it
        return False
    return True


def _choose(backend: str) -> None:
    import matplotlib

    try:
        matplotlib.rcParams["backend"] = backend
    except ValueError:
        return  # there is no such backend


_import_matplotlib()
