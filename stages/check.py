"""Stage `check`: the whole of params.yaml, before any stage works and before DVC clears any stage's folder."""

from pathlib import Path

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError, reported
from latent_audit.settings.whole import load_whole

CHECKED = Path("data/checked.txt")


def main() -> None:
    """Write the same words whenever nothing is wrong, so that no later stage runs again for it."""
    try:
        load_whole(Path("params.yaml"))
    except InputError as error:
        raise InputError(
            f"{error}\nNothing ran. What `-S` wrote there, `git checkout params.yaml` takes back."
        ) from None
    write_text(CHECKED, "params.yaml holds what every stage can work with.\n")


if __name__ == "__main__":
    with reported():
        main()
