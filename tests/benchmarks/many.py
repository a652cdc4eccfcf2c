"""Many small specs in one process: ``python tests/benchmarks/many.py [NUMBER]``."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from files import BLOCKS

ROOT = Path(__file__).resolve().parents[2]


def main(number: int) -> None:
    """Write ``number`` specs of ten layers, analyse them by one command, and print its processor time."""
    with tempfile.TemporaryDirectory() as folder:
        names = [f"net{index}.yaml" for index in range(number)]
        for index, name in enumerate(names):
            text = BLOCKS.format(name=index, size=32, first=8 + index % 64, second=16 + index % 64)
            (Path(folder) / name).write_text(text, "utf-8")
        for how in ("csv", "json"):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, "-m", "convcost", "analyze", *names, "--format", how, "-o", f"all.{how}"]
            subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(f"{number:,} specs to {how}: {seconds:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
