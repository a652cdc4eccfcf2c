"""Whole commands against the imports they cannot do without: ``python tests/benchmarks/speed.py [--against CHECKOUT]``.

A round runs every command and every floor once, in random order, so that a machine that slows down slows all of them.
The figures are medians of processor time (user and system) over the rounds. Floors import what a command cannot do
without and nothing else: ``click, yaml``, or ``sympy`` where a command needs algebra. Output goes to a pipe.

With an empty ``CONVCOST_CACHE`` it measures first runs: no command uses what an earlier one has kept.

Warm: one process analyses ResNet-50 for a size that it has not seen, again and again.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PLAIN, ALGEBRA = "import click, yaml", "import sympy"
FLOORS = ("pass", "import click", PLAIN, ALGEBRA)


class Command(NamedTuple):
    """A command, the floor that it is compared with, and the ratio that the project allows itself."""

    line: str
    floor: str
    most: float


COMMANDS = (
    Command("--version", PLAIN, 1.0),
    Command("check resnet50", PLAIN, 1.15),
    Command("analyze resnet50", PLAIN, 1.15),
    Command("analyze shufflenet_v1 --format json", PLAIN, 1.2),
    Command("compare resnext50 resnet50", PLAIN, 1.2),
    Command("list", PLAIN, 1.1),
    Command("verify", PLAIN, 6),
    Command("explain resnet50 --reported 4.11G", PLAIN, 2),
    Command("formula resnet50 --free size --total", ALGEBRA, 0.35),
    Command("compare bottleneck plain", ALGEBRA, 1.3),
    Command("compare mobilenet_v1 mobilenet_v2 --free alpha", ALGEBRA, 2),
    Command("equal resnext_a resnext_c", ALGEBRA, 0.6),
    Command("solve mobilenet_v2 --for alpha --budget macs<=200M", ALGEBRA, 1.3),
)
WARM = """
import itertools, time
import convcost
sizes = itertools.count(224)
convcost.analyze("resnet50", size=next(sizes))
done, began = 0, time.process_time()
while time.process_time() - began < 3:
    convcost.analyze("resnet50", size=next(sizes)).totals
    done += 1
print(done / (time.process_time() - began))
"""


def environment(root: Path) -> dict[str, str]:
    """The environment of a process: the package of ``root``, compiled files kept, nothing that changes the output."""
    names = ("PATH", "HOME", "LANG", "TMPDIR", "CONVCOST_CACHE")
    kept = {name: value for name, value in os.environ.items() if name in names}
    return {**kept, "PYTHONPATH": str(root)}


def seconds(command: list[str], root: Path) -> float:
    """Processor time of one whole process, which must end well; ``equal`` and ``verify`` answer by their exit code."""
    process = subprocess.Popen(
        command, cwd="/", env=environment(root), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 and not (process.returncode == 1 and printed):
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def measure(lines: list[str], roots: list[Path], rounds: int) -> dict[tuple[str, Path], float]:
    """Median seconds of each floor and of each command in each checkout."""
    runs = {(floor, ROOT): [sys.executable, "-c", floor] for floor in FLOORS}
    runs |= {(line, root): [sys.executable, "-m", "convcost", *line.split()] for line in lines for root in roots}
    for (_, root), command in runs.items():
        seconds(command, root)  # so that files are in the cache of the disk, and compiled
    times: dict[tuple[str, Path], list[float]] = {key: [] for key in runs}
    for _ in range(rounds):
        for key in random.sample(list(runs), len(runs)):
            times[key].append(seconds(runs[key], key[1]))
    return {key: statistics.median(of_one) for key, of_one in times.items()}


def warm(root: Path) -> float:
    """Analyses a second of processor time, each of a new size, in one process."""
    command = [sys.executable, "-c", WARM]
    done = subprocess.run(command, cwd="/", env=environment(root), check=True, text=True, stdout=subprocess.PIPE)
    return float(done.stdout)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=11, help="processes of each command")
    parser.add_argument("--against", type=Path, help="another checkout, measured in the same rounds")
    parser.add_argument("--only", default="", help="commands that contain this text")
    asked = parser.parse_args()
    roots = [*([asked.against.resolve()] if asked.against else []), ROOT]
    commands = [command for command in COMMANDS if asked.only in command.line]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; milliseconds of processor time")
    times = measure([command.line for command in commands], roots, asked.rounds)
    print("\n" + ", ".join(f"`{floor}` {times[floor, ROOT] * 1e3:.0f}" for floor in FLOORS))
    before = f"{'before':>8}{'ratio':>7}" if asked.against else ""
    print(f"\n{'convcost ...':<52}{'floor':<20}{before}{'ms':>8}{'ratio':>7}   at most")
    for line, floor, most in commands:
        cells = "".join(
            f"{times[line, root] * 1e3:>8.0f}{times[line, root] / times[floor, ROOT]:>7.2f}" for root in roots
        )
        print(f"{line:<52}{floor:<20}{cells}   {most}")
    print("\nResNet-50, a new size each time: " + ", then ".join(f"{warm(root):,.0f} a second" for root in roots))


if __name__ == "__main__":
    main()
