"""Which files of ours a script imports, directly or not, read from the source by ast (nothing is executed)."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"


def module_file(name: str) -> Path | None:
    """The file of the module `name` of ours, or None."""
    path = SRC.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None


def imported_files(path: Path) -> set[Path]:
    """Files of ours that the source at `path` imports, wherever in it the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            names |= {name for argument in node.args for name in _found_in(argument)}
    names = {prefix for name in names for prefix in _prefixes(name)}
    return {file for name in names if name.startswith("latent_audit") and (file := module_file(name))}


def _found_in(argument: ast.expr) -> set[str]:
    """The modules of a package of ours whose name is given to a function: a registry imports all that it finds."""
    name = argument.value if isinstance(argument, ast.Constant) else None
    folder = SRC.joinpath(*name.split(".")) if isinstance(name, str) and name.startswith("latent_audit.") else None
    return {f"{name}.{file.stem}" for file in folder.glob("*.py")} if folder is not None and folder.is_dir() else set()


def closure(path: Path) -> set[Path]:
    """Every file of ours that runs when `path` does, itself excluded; packages whose __init__ is empty do not count."""
    seen: set[Path] = set()
    todo = [path]
    while todo:
        for file in imported_files(todo.pop()) - seen:
            seen.add(file)
            todo.append(file)
    return {file for file in seen if file != path and not is_empty(file)}


def _prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


def is_empty(file: Path) -> bool:
    """Whether the file does nothing when it is imported, as the __init__ of a room without a public face."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)
