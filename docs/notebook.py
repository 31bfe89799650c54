"""Run docs/audit.ipynb from top to bottom and keep what its cells give, so that it can be read without running it.

python docs/notebook.py
"""

import ast
import base64
import contextlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import matplotlib

NOTEBOOK = Path(__file__).with_name("audit.ipynb")
DPI = 72


def main() -> None:
    """Run it in an empty folder and write its outputs into it."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            run(notebook)
        finally:
            os.chdir(before)
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """Execute the code cells in one namespace, put their outputs into them, and give the namespace."""
    matplotlib.use("agg")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        cell["execution_count"], cell["outputs"] = number, _outputs("".join(cell["source"]), namespace, number)
    return namespace


def _outputs(source: str, namespace: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """What a cell prints, draws, and gives as its last expression."""
    tree, last = ast.parse(source), None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), namespace)
        value = None if last is None else eval(compile(last, f"cell {number}", "eval"), namespace)
    found: list[dict[str, Any]] = []
    if text := printed.getvalue():
        found.append({"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)})
    if value is not None:
        found.append(
            {"data": _shown(value), "execution_count": number, "metadata": {}, "output_type": "execute_result"}
        )
    return found + _figures()


def _shown(value: Any) -> dict[str, list[str]]:
    data = {"text/plain": repr(value).splitlines(keepends=True)}
    if callable(html := getattr(value, "_repr_html_", None)):
        data["text/html"] = str(html()).splitlines(keepends=True)
    return data


def _figures() -> list[dict[str, Any]]:
    """The figures that pyplot holds, as PNG; they are closed."""
    import matplotlib.pyplot as plt

    found = []
    for number in plt.get_fignums():
        buffer, figure = io.BytesIO(), plt.figure(number)
        size = [round(DPI * side) for side in figure.get_size_inches()]
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        data = {
            "image/png": base64.b64encode(buffer.getvalue()).decode(),
            "text/plain": [f"<Figure {size[0]}x{size[1]}>"],
        }
        found.append({"data": data, "metadata": {}, "output_type": "display_data"})
        plt.close(figure)
    return found


if __name__ == "__main__":
    main()
