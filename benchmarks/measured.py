"""Run a command, time it and watch the memory of all its processes; medians with their range."""

import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
INSTRUCTIONS = {"avx512_bf16": "AVX-512 and bfloat16", "avx512f": "AVX-512", "avx2": "AVX2"}  # the first that is there
PAUSE = 0.5  # seconds between looks at the memory: each one halts the process for a moment


class Memory(NamedTuple):
    """Of a process tree, in MiB: `pss` counts shared pages once and mapped files as far as they are in memory;
    `anonymous` is what the programs allocated themselves.
    """

    pss: float
    anonymous: float


class Measured(NamedTuple):
    """A finished command: wall seconds, the largest memory of its process tree, and what it printed."""

    seconds: float
    peak: Memory
    output: str


def run(*command: str, cwd: Path = ROOT, watch: bool = True, **environment: str) -> Measured:
    """Run `command` to its end; its memory is looked at twice a second, unless not to `watch`: each look costs time.

    Raises
    ------
    RuntimeError : the command failed; its output is in the message.
    """
    variables = os.environ | {"PYTHONPATH": str(ROOT / "src")} | environment
    peak = Memory(0.0, 0.0)
    with tempfile.TemporaryFile("w+") as output:  # not a pipe: a long output would fill it
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=variables, stdout=output, stderr=subprocess.STDOUT, text=True)
        while not _ended(process):
            if watch:
                peak = Memory(*map(max, peak, memory(process.pid)))
        seconds = time.perf_counter() - start
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text[-2000:]}")
    return Measured(seconds, peak, text)


def rate_in(output: str) -> float:
    """Images per second, from the last line `{"rate": ...}` that a program printed."""
    return json.loads([line for line in output.splitlines() if line.startswith('{"rate"')][-1])["rate"]


def _ended(process: subprocess.Popen) -> bool:
    try:
        process.wait(timeout=PAUSE)
    except subprocess.TimeoutExpired:
        return False
    return True


def memory(pid: int) -> Memory:
    """Memory of a process and all its descendants now."""
    total = {"Pss:": 0, "Anonymous:": 0}
    try:
        root = psutil.Process(pid)
        pids = [pid, *(child.pid for child in root.children(recursive=True))]
    except psutil.Error:
        pids = []
    for one in pids:
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        for line in lines:
            key, *value = line.split()
            if key in total:
                total[key] += int(value[0])
    return Memory(total["Pss:"] / 1024, total["Anonymous:"] / 1024)


def spread(values: list[float]) -> dict[str, float]:
    """Median and range."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), platform.processor())
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return {
        "cpu": model,
        "instructions": next((name for flag, name in INSTRUCTIONS.items() if flag in flags), "unknown"),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
    }


def save(name: str, command: str, result: dict[str, Any], folder: Path = RESULTS) -> None:
    """Write `folder`/<name>.json: the command that made it, the machine, the figures rounded to 4 digits."""
    folder.mkdir(exist_ok=True)
    content = {"command": command, "machine": machine(), **_rounded(result)}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
