"""How long closed forms and answers take, against what they may take; ``python tests/benchmarks/symbolic.py``.

Closed form: a bundled spec over every name that can be free, from its YAML to the text of its totals, in a process
that has imported sympy. Solve: a whole ``convcost solve``, start of Python and import of sympy included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from convcost.catalogue.loader import Catalogue, bundled_names  # noqa: E402
from convcost.formulas.closed import everything_free, formula  # noqa: E402
from convcost.formulas.views import readable  # noqa: E402
from convcost.metrics.quantities import QUANTITIES  # noqa: E402 - the path comes first
from convcost.numbers.printing import text  # noqa: E402

ONE, ALL, SOLVE = 0.5, 30.0, 1.0  # seconds allowed
SOLVED = (
    ("mobilenet_v1", "alpha", "macs<=300M"),
    ("mobilenet_v2", "alpha", "macs<=200M"),
    ("mobilenet_v3", "alpha", "params<=4M"),
    ("efficientnet_b7", "width", "macs<=20G"),
    ("shufflenet_v1", "width", "macs~140M"),
    ("inception_resnet_v2", "size", "macs<=10G"),
    ("resnet152", "size", "macs<=20G"),
    ("bottleneck", "M", "macs<=1/2*plain"),
)


def closed_form(name: str) -> float:
    """Seconds from the name to the text of its totals."""
    start = time.perf_counter()
    spec = Catalogue().target(name)
    found = formula(spec, everything_free(spec))
    shown = readable(found)
    for quantity in QUANTITIES:
        text(shown.shown(quantity))
    return time.perf_counter() - start


def solve(name: str, free: str, budget: str) -> float:
    """Seconds of a whole process."""
    command = [sys.executable, "-m", "convcost", "solve", name, "--for", free, "--budget", budget]
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print every measurement with its share of what is allowed."""
    closed_form("plain")  # what the first call of sympy's functions costs is not the network's
    times = {name: closed_form(name) for name in bundled_names()}
    for name, seconds in sorted(times.items(), key=lambda one: -one[1])[:10]:
        print(f"closed form of {name}: {seconds:.3f} s, {seconds / ONE:.0%} of {ONE} s")
    total = sum(times.values())
    print(f"closed forms of all {len(times)}: {total:.1f} s, {total / ALL:.0%} of {ALL:.0f} s")
    for name, free, budget in SOLVED:
        seconds = min(solve(name, free, budget) for _ in range(3))
        print(f"solve {name} for {free}, {budget}: {seconds:.2f} s, {seconds / SOLVE:.0%} of {SOLVE} s")


if __name__ == "__main__":
    main()
