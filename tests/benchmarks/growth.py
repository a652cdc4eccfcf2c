"""Time against the number of layers: ``python tests/benchmarks/growth.py [--plot docs/growth.svg]``.

Networks of 10 to 100,000 convolutions, written out one by one (reading the YAML included) and as one repeated step,
with the garbage collector as rare as it is in a command. Processor time, the best of at least three.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import convcost
from convcost.__main__ import COLLECT_AFTER
from convcost.drawing.chart import Chart, Curve, logarithmic, short

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTS = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
FORMS: dict[str, Callable[[int], str]] = {
    "written out, YAML included": lambda count: HEAD + "  - conv: {out: 8, kernel: 3}\n" * count,
    "one step, repeated": lambda count: f"{HEAD}  - {{conv: {{out: 8, kernel: 3}}, repeat: {count}}}\n",
}
HEAD = "input: [8, 16, 16]\nlayers:\n"


def best(text: str, runs: int) -> float:
    """The least seconds of ``runs`` analyses, from the text to the totals."""
    times = []
    for _ in range(runs):
        began = time.process_time()
        convcost.analyze(convcost.loads(text))
        times.append(time.process_time() - began)
    return min(times)


def plot(times: dict[str, list[float]], path: Path) -> None:
    """Both forms on logarithmic axes, with the slope of 1 beside them."""
    curves = [Curve(name, tuple(zip(COUNTS, seconds, strict=True))) for name, seconds in times.items()]
    curves.append(Curve("20 us a layer", tuple((count, count * 2e-5) for count in COUNTS)))
    heights = [y for curve in curves for _, y in curve.points]
    x, y = logarithmic("layers", COUNTS, short), logarithmic("seconds, text to totals", heights, short)
    content = Chart("growth", "Time against the number of layers", x, y, curves=curves).written(path.suffix.lstrip("."))
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def main() -> None:
    """Print the times, and draw them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--plot", type=Path, help="an SVG or PNG file to write")
    path = parser.parse_args().plot
    gc.freeze()  # as a command does
    gc.set_threshold(COLLECT_AFTER)
    times: dict[str, list[float]] = {name: [] for name in FORMS}
    print(f"{'layers':>8}" + "".join(f"{name:>30}{'us a layer':>12}" for name in FORMS))
    for count in COUNTS:
        line = f"{count:>8,}"
        for name, text in FORMS.items():
            seconds = best(text(count), max(3, min(20, 10_000 // count)))
            times[name].append(seconds)
            line += f"{seconds * 1e3:>27,.2f} ms{seconds / count * 1e6:>12.1f}"
        print(line, flush=True)
    if path:
        plot(times, path)


if __name__ == "__main__":
    main()
