"""How fast, as ratios within one run: ``python tests/benchmarks/speed.py``.

Whole processes are timed in turn with the floor they are measured against (the imports that any such command
needs), so that a machine that slows down slows both. Medians of interleaved runs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.language.interpret import build
from convcost.network.cost import sum_work

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 15
FLOOR = "import click, yaml, rich.console, rich.table"
COMMANDS = (
    (["analyze", "resnet50"], FLOOR, 1.6),
    (["analyze", "shufflenet_v1", "--format", "json"], FLOOR, 1.6),
    (["compare", "resnext50", "resnet50"], FLOOR, 1.6),
    (["formula", "resnet50", "--free", "size"], "import sympy", 1.5),
    (["compare", "bottleneck", "plain"], "import sympy", 2.5),
)


def seconds(*command: str) -> float:
    """Wall time of one whole process."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def paired(args: list[str], floor: str) -> tuple[float, float]:
    """Median seconds of the command and of its floor, in turn."""
    command = (sys.executable, "-m", "convcost", *args)
    bare = (sys.executable, "-c", floor)
    seconds(*command), seconds(*bare)  # so that files are in the cache and compiled
    times = [(seconds(*command), seconds(*bare)) for _ in range(RUNS)]
    return statistics.median(one for one, _ in times), statistics.median(other for _, other in times)


def best(function: Callable[[], object], runs: int = 50) -> float:
    """The least seconds of ``runs`` calls."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Print everything."""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, convcost {convcost.__version__}")
    print(f"\n{'whole process':<44}{'ms':>8}{'floor':>8}{'ratio':>8}   (at most)")
    for args, floor, most in COMMANDS:
        command, bare = paired(args, floor)
        name = f"convcost {' '.join(args)}"
        print(f"{name:<44}{command * 1e3:>8.0f}{bare * 1e3:>8.0f}{command / bare:>8.2f}   ({most})")
    spec = Catalogue().target("resnet50")
    cost = best(lambda: sum_work(build(spec).layers), 200)
    print(f"\nResNet-50, parsed spec to totals: {cost * 1e3:.2f} ms, {1 / cost:,.0f} a second")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
