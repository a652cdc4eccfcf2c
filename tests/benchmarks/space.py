"""How fast design spaces are counted; ``python tests/benchmarks/space.py``.

All figures are those of a whole process: processor time on one thread, and the largest memory of a process.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS, MEGABYTES = 10, 1024  # that the count of Once-for-all may take
QUESTIONS = (
    ("ofa_mobilenet_v3 at 224: MACs", "--set", "size=224", "--count", "macs<=300M", "--quantile", ".5", "--in", "macs"),
    ("ofa_mobilenet_v3 at 224: front", "--set", "size=224", "--front", "max params, min macs, min peak"),
    ("ofa_mobilenet_v3 at 25 sizes: networks", "--in", "macs"),
    ("tinynas_space, 108 spaces: within 256 KiB", "--where", "peak<=256Ki", "--dtype", "int8", "--in", "macs"),
    ("nats_bench, 15,625 cells: MACs", "--count", "macs<=50M", "--in", "macs"),
    ("nats_bench, 15,625 cells: peaks", "--in", "peak"),
    ("regnet_space, 576 networks: MACs", "--quantile", ".5", "--in", "macs"),
)


def main() -> None:
    """Print the time and the memory of every question."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    most = 0.0
    for label, *options in QUESTIONS:
        name = label.split()[0].rstrip(",:")
        line = [sys.executable, "-m", "convcost", "space", name, *options]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(line, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        memory = after.ru_maxrss / 1024
        shown = f"{memory:.0f} MB" if memory > most else "less"  # of all processes so far, the largest is known
        most = max(most, memory)
        print(f"{label}: {seconds:.1f} s, {shown}")
    print(f"the first may take {SECONDS} s and {MEGABYTES} MB")


if __name__ == "__main__":
    main()
