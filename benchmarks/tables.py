"""Write benchmarks/README.md from results/*.json, and the table of departures of docs/audit.md: no figure is typed.

python benchmarks/tables.py
"""

import json
from pathlib import Path
from typing import Any

from measured import RESULTS

DOCS = Path(__file__).parents[1] / "docs/audit.md"
START, END = "<!-- written by benchmarks/tables.py -->", "<!-- to here -->"
HEAD = """\
# Benchmarks

Every table is written by `python benchmarks/tables.py` from `results/*.json`, and every result by the command over its
table. Absolute figures drift on shared machines; ratios are of the same round of one run. Memory is of all processes of
a program together: shared pages counted once (PSS), or only what the programs allocated themselves (anonymous).
"""


def main() -> None:
    """Fill README.md with a section per result that exists."""
    sections = [HEAD]
    for write in (training, isolated, accelerator, growth, audit, latent_maps, libraries, pipeline):
        for path in sorted(RESULTS.glob(f"{write.__name__}*.json"), key=lambda path: path.stem):
            sections.append(write(json.loads(path.read_text(encoding="utf-8"))))
    Path(__file__).with_name("README.md").write_text("\n".join(sections), encoding="utf-8")
    found = RESULTS / "departures.json"
    if found.exists():
        before, _, rest = DOCS.read_text(encoding="utf-8").partition(START)
        table = departures(json.loads(found.read_text(encoding="utf-8")))
        DOCS.write_text(f"{before}{START}\n{table}{END}{rest.partition(END)[2]}", encoding="utf-8")


def section(title: str, result: dict[str, Any], words: str, header: list[str], rows: list[list[str]]) -> str:
    """A title, the command and the machine, a sentence or two, and a table."""
    machine = result["machine"]
    instructions = f" with {machine['instructions']}" if "instructions" in machine else ""
    where = f"{machine['cores']} cores of {machine['cpu']}{instructions}, {machine['memory_gib']} GiB"
    table = [header, ["---"] * len(header), *rows]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in table)
    note = f" {result['note']}" if "note" in result else ""  # what has changed since, by hand
    return f"## {title}\n\n`{result['command']}` on {where}.{note}\n\n{words}\n\n{lines}\n"


def ratio(cell: dict[str, float] | None) -> str:
    """A median with its range."""
    return "" if cell is None else f"{cell['median']:.2f} ({cell['least']:.2f} to {cell['most']:.2f})"


def rate(cell: dict[str, float]) -> str:
    """Images per second with their range."""
    return f"{cell['median']:,.0f} ({cell['least']:,.0f} to {cell['most']:,.0f})"


def training(result: dict[str, Any]) -> str:
    """Side by side: rates, ratios and memory."""
    rows = [
        [
            name, rate(one["images_per_s"]), ratio(one.get("over_keras")), ratio(one.get("over_plain")),
            "" if name.startswith("gemm") else f"{one['peak_mib']:,.0f}",
        ]
        for name, one in result["contenders"].items()
    ]  # fmt: skip
    words = (
        "The book's conv AE and VAE, 32x32 grey, batch 100, Adam, one epoch after a warm-up; median (range) of the "
        "rounds. `plain` is PyTorch as a tutorial writes it; `5 seeds` are replicates in parallel processes, their "
        "images together; `gemm` is the rate at which the network's multiply-adds would run as one large matrix "
        "product. Keras and plain PyTorch use all cores, as they do by default. Memory is of a shorter epoch."
    )
    header = ["program", "images/s", "over Keras", "over plain PyTorch", "peak MiB"]
    instructions = result["machine"].get("instructions")  # what tells one machine's table from another's
    return section(f"Training speed{f' with {instructions}' if instructions else ''}", result, words, header, rows)


def isolated(result: dict[str, Any]) -> str:
    """What each departure from ordinary PyTorch is worth."""
    rows = [[one["departure"], one["precision"], str(one["seeds"]), ratio(one["worth"])] for one in result["rows"]]
    words = (
        "Images per second with everything on over those with one departure from ordinary PyTorch switched off, in "
        "alternating rounds. A departure for speed stays where it is worth at least 1.3x. Keras' step of Adam (epsilon "
        "beside the root of the raw second moment) is no matter of speed: 1 means that it costs nothing over "
        f"torch.optim.Adam as it comes. torch {result['torch']}."
    )
    header = ["departure", "precision", "seeds side by side", "on over off"]
    return section("What each departure is worth", result, words, header, rows)


def departures(result: dict[str, Any]) -> str:
    """What the audit answers to each departure, and the test that was surest of it, size by size."""
    sizes = list(dict.fromkeys((row["d"], row["n"]) for row in result["rows"]))
    by = {(row["departure"], row["d"], row["n"]): row for row in result["rows"]}
    header = ["departure", *(f"d {d}, n {n:,}" for d, n in sizes)]
    rows = [
        [
            name,
            *(
                " ".join([by[name, *size]["may_sample"], *(f"({f})" for f in by[name, *size]["flags"][:1])])
                for size in sizes
            ),
        ]
        for name in dict.fromkeys(row["departure"] for row in result["rows"])
    ]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])
    return f"\n`{result['command']}`, one set of codes in each cell.\n\n{lines}\n\n"


def accelerator(result: dict[str, Any]) -> str:
    """The stacked study on a GPU, precision by precision."""
    rows = [
        [
            precision, f"{one['study_seconds']:.1f}", ratio(one["five_seeds_over_one"]), f"{one['peak_mib']:,.0f}",
            "yes" if one["same_bytes_again"] else "no", f"{one['elbo_from_cpu_float32']:.1e}",
        ]
        for precision, one in result["precisions"].items()
    ]  # fmt: skip
    words = (
        f"Three arms one after the other, five seeds of each stacked, on {result['accelerator']} with torch "
        f"{result['torch']}: seconds of training in all. Then one epoch of the VAE: five seeds over one, whether a "
        "second run gives the same bytes, and the relative distance of a short run's test ELBO from the CPU's float32."
    )
    header = ["precision", "study, seconds", "five seeds over one", "GPU peak MiB", "same bytes", "ELBO from CPU"]
    return section("Training on a GPU", result, words, header, rows)


def growth(result: dict[str, Any]) -> str:
    """Rate and memory against N, seeds and latent_dim."""
    rows = [
        [f"{one['n']:,}", str(one["seeds"]), str(one["latent_dim"]), f"{one['images_per_s']:,.0f}"]
        + [f"{one[kind]:,.0f}" for kind in ("anonymous", "pss")]
        for one in result["points"]
    ]
    words = (
        "One epoch of the VAE on images mapped from disk, everything else equal. What the programs allocate does not "
        "grow with N; the difference to PSS is the mapped file, which the system may drop at any time."
    )
    header = ["images", "seeds", "latent_dim", "images/s", "anonymous MiB", "PSS MiB"]
    return section("How training grows", result, words, header, rows)


def audit(result: dict[str, Any]) -> str:
    """Seconds and memory of the command."""
    rows = [
        [f"{one['n']:,} x {one['latent_dim']}", one["given"], f"{one['seconds']:.1f}", f"{one['pss']:,.0f}"]
        for one in result["points"]
    ]
    words = (
        "`latent-audit audit` from start to the written page, on codes of ten classes. With mu and logvar every table "
        "is made for mu and for z, and the KL is decomposed over all rows."
    )
    return section("An audit of codes", result, words, ["codes", "given", "seconds", "peak MiB"], rows)


def libraries(result: dict[str, Any]) -> str:
    """The same statistic by another library: time, memory, and how far the values are apart."""
    rows = [
        [
            one["library"], one["what"], f"{one['n']:,} x {one['d']}", f"{one['ours_seconds']['median']:.3g}",
            f"{one['theirs_seconds']['median']:.3g}", ratio(one["theirs_over_ours"]), f"{one['ours_mib']:,.0f}",
            f"{one['theirs_mib']:,.0f}", f"{one['largest_difference']:.0e}",
        ]
        for one in result["rows"]
    ]  # fmt: skip
    versions = ", ".join(f"{name} {version}" for name, version in result["libraries"].items())
    words = (
        "One statistic at a time, ours and the library's by turns in processes of their own, after a warm-up: CPU "
        "seconds, theirs over ours (above 1: ours is faster), by how much the call raises the process's peak memory, "
        f"and the largest difference of the values, as a share. {versions}."
    )
    header = ["library", "statistic", "codes", "ours, CPU s", "theirs, CPU s", "theirs over ours", "ours, MiB"]
    header += ["theirs, MiB", "values differ by"]
    return section("The same statistics in other libraries", result, words, header, rows)


def latent_maps(result: dict[str, Any]) -> str:
    """Seconds and memory of the command on latent maps."""
    rows = [
        [
            " x ".join(f"{length:,}" for length in one["shape"]), f"`{one['file']}`, {one['gigabytes']:.1f} GB",
            f"{one['seconds']:.0f}", f"{one['pss']:,.0f}", f"{one['anonymous']:,.0f}",
        ]
        for one in result["points"]
    ]  # fmt: skip
    words = (
        "`latent-audit audit` on float32 maps from start to the written page. The file is mapped and read twice, a "
        "block at a time; PSS counts what of it is in memory."
    )
    header = ["maps", "file", "seconds", "peak PSS, MiB", "peak anonymous, MiB"]
    return section("An audit of latent maps", result, words, header, rows)


def pipeline(result: dict[str, Any]) -> str:
    """Nothing to do, the smoke study, and the imports of the stages."""
    rows = [
        ["`dvc repro`, everything from nothing", f"{result['smoke_seconds']:.1f}", ""],
        ["`dvc repro`, nothing to do", ratio(result["nothing_to_do_seconds"]), ""],
        ["`dvc --version`, for comparison", ratio(result["dvc_version_seconds"]), ""],
        *(
            [f"imports of `stages/{name}.py`", ratio(one["seconds"]), ", ".join(one["loads"])]
            for name, one in result["imports"].items()
        ),
    ]
    words = "The smoke overlay on scikit-learn's digits: three arms, two seeds, one epoch, every stage and the page."
    return section("The pipeline", result, words, ["what", "seconds: median (range)", "heavy packages loaded"], rows)


if __name__ == "__main__":
    main()
