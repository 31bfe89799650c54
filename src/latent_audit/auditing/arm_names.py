"""What several files are called where they stand side by side."""

from collections.abc import Sequence
from pathlib import Path

from latent_audit.base.file_names import as_text


def arm_names(files: Sequence[Path]) -> list[str]:
    """A name for each file, all different: without its suffix; with it, then with as many of its folders as it takes,
    where others are called so too; numbered, where one file is given twice."""
    names = [as_text(path.stem) for path in files]
    depth = 1
    while _repeated(names) and depth <= max(len(path.parts) for path in files):
        names = [
            as_text("/".join(path.parts[-depth:])) if name in _repeated(names) else name
            for path, name in zip(files, names, strict=True)
        ]
        depth += 1
    counted: dict[str, int] = {}
    distinct = []
    for name in names:
        counted[name] = counted.get(name, 0) + 1
        distinct.append(name if counted[name] == 1 else f"{name} ({counted[name]})")
    return distinct


def _repeated(names: Sequence[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}
