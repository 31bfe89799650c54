"""Tidy tables to Axes. Pages need no window: MPLBACKEND may name what there is not."""

import os
import sys


def _import_matplotlib() -> None:
    """Import it as ever, but for one thing: a backend that there is not ends the import in a traceback."""
    if "matplotlib" in sys.modules:
        return  # by whoever chose its backend
    asked = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib

        if asked:
            matplotlib.rcParams["backend"] = asked
    except ValueError:
        pass  # no such backend
    finally:
        if asked is not None:
            os.environ["MPLBACKEND"] = asked


_import_matplotlib()
