"""How fast compiled networks and sweeps are; ``python tests/benchmarks/sweep.py``.

All figures are processor time on one thread, the best of several rounds. The rate of copying is that of
``numpy.copyto`` on arrays of 64 bits that do not fit a cache: what any result in memory costs at least.
"""

from __future__ import annotations

import importlib.util
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 - the path comes first

import convcost  # noqa: E402
from convcost.catalogue.loader import Catalogue  # noqa: E402
from convcost.compiled.grid import Grid  # noqa: E402
from convcost.compiled.network import Network  # noqa: E402
from convcost.solving.costs import Setting  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
CALLS = 20_000
MANY = 2_000_000
SCALARS = (("resnet50", ("size",), 100_000), ("mobilenet_v2", ("alpha", "size"), 100_000))
COMPILED = 31  # times that a network is compiled
MILLISECONDS = 20  # that this may take
BACKENDS = ("numpy", *(("numba",) if importlib.util.find_spec("numba") else ()))
WIDTHS = [Fraction(number, 1000) for number in range(100, 1100)]
SIZES = range(32, 32 + MANY // 1000)
GRIDS: tuple[tuple[str, dict[str, Any], str, int], ...] = (
    ("resnet50", {"size": range(32, 32 + MANY // 2)}, "macs", 50),
    ("mobilenet_v1", {"alpha": WIDTHS, "size": SIZES}, "macs", 50),
    ("mobilenet_v2", {"alpha": WIDTHS, "size": SIZES}, "macs", 50),
    ("resnet50", {"size": range(32, 32 + MANY // 2)}, "peak", 10),
    ("mobilenet_v1", {"alpha": WIDTHS, "size": SIZES}, "peak", 10),
    ("mobilenet_v2", {"alpha": WIDTHS, "size": SIZES}, "peak", 0),
)
COMMAND = ("mobilenet_v1", "--over", "alpha=0.251:1.25:0.001", "--over", "size=1:1000")
SECONDS, MEGABYTES = 2.0, 300  # that the command may take


def best(work: Callable[[], object]) -> float:
    """Seconds of processor time."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def compiling() -> None:
    """The median time in which a network is compiled again; its spec has been read."""
    for name, over, _ in SCALARS:
        spec, times = Catalogue().target(name), []
        point = [1, 224] if "alpha" in over else [224]
        for _ in range(COMPILED):
            start = time.process_time()
            Network(spec, over, ["macs"], {}, Setting()).at(point)
            times.append(time.process_time() - start)
        print(f"{name}({', '.join(over)}): compiled in {statistics.median(times) * 1000:.1f} ms of {MILLISECONDS}")


def scalars(backend: str) -> None:
    """Calls with new values each time."""
    generator = random.Random(1)  # noqa: S311 - repeatable, not secret
    for name, over, wanted in SCALARS:
        start = time.process_time()
        function = convcost.compile(name, over, ["macs"], backend=backend)
        function(*([1] if "alpha" in over else []), 224)
        first = time.process_time() - start
        points = [
            (*([generator.randint(30, 140) / 100] if "alpha" in over else []), generator.randint(32, 512))
            for _ in range(CALLS)
        ]
        rate = CALLS / best(lambda function=function, points=points: [function(*point) for point in points])
        label = f"{name}({', '.join(over)}), {backend}"
        print(f"{label}: {rate:,.0f} calls a second of {wanted:,}; first call {first * 1000:.0f} ms")


def arrays(backend: str) -> None:
    """Random points in arrays."""
    generator = np.random.default_rng(1)
    size, alpha = generator.integers(32, 512, MANY), generator.integers(30, 140, MANY) / 100
    for name, over, _ in SCALARS:
        function = convcost.compile(name, over, ["macs"], backend=backend)
        points = [{"size": size, "alpha": alpha}[key] for key in over]
        function(*(own[:10] for own in points))
        function(*points)
        rate = MANY / best(lambda function=function, points=points: function(*points)) / 1e6
        print(f"{name}({', '.join(over)}), random points, {backend}: {rate:.1f} M a second")


def grids() -> None:
    """Whole grids, beside the rate of copying."""
    values = np.arange(MANY * 4)
    target = np.empty_like(values)
    for name, over, metric, wanted in GRIDS:
        network = Network(Catalogue().target(name), list(over), [metric], {}, Setting())
        grid = Grid(network, list(over.values()))

        def run(grid: Grid = grid) -> int:
            return sum(len(block.points.exists) for block in grid.blocks())

        count = run()
        rate = count / best(run) / 1e6
        copied = len(values) / best(lambda: np.copyto(target, values)) / 1e6
        goal = f" of {wanted}" if wanted else ""
        label = f"{metric} of {name} over {', '.join(over)}, {count:,} points"
        print(f"{label}: {rate:.0f}{goal} M a second, {rate / copied:.0%} of copying")


def command() -> None:
    """A million points from the command to CSV."""
    with TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "convcost", "sweep", *COMMAND, "-o", str(Path(folder) / "points.csv")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(line, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        lines = (Path(folder) / "points.csv").read_bytes().count(b"\n")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{lines - 1:,} points to CSV: {seconds:.2f} s of {SECONDS}, {after.ru_maxrss / 1024:.0f} MB of {MEGABYTES}")


def main() -> None:
    """Print every figure with what is wanted."""
    command()  # first, because a new process counts the memory of the one that starts it
    compiling()
    for backend in BACKENDS:
        scalars(backend)
        arrays(backend)
    grids()


if __name__ == "__main__":
    main()
