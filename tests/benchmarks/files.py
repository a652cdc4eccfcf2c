"""Time from the text of specs to totals: ``python tests/benchmarks/files.py [--rounds N] [--against CHECKOUT]``.

A thousand distinct small files, each loaded and analysed in one process; and a spec of 100,000 written layers, its
lines few different ones or no two alike. Beside them what PyYAML takes for the same texts, with libyaml: ``yaml.load``,
and the events alone. A round runs each in a process of its own, in random order. The figures are medians of processor
time over the rounds, without the start of the process; that of ``import click, yaml`` is the whole process.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES, LAYERS = 1_000, 100_000
CHAIN = """\
title: net {name}
input: [3, {size}, {size}]
layers:
  - conv: {{out: {first}, kernel: 3, stride: 2}}
  - batch_norm
  - relu
  - conv: {{out: {second}, kernel: 3}}
  - batch_norm
  - relu
  - global_avg_pool
  - flatten
  - linear: {{out: 10}}
"""
BLOCKS = """\
title: net {name}
input: [3, {size}, {size}]
blocks:
  unit:
    parameters: {{O: 16}}
    layers: [conv: {{out: O, kernel: 3, bias: false}}, batch_norm, relu]
layers:
  - unit: {{O: {first}}}
  - unit: {{O: {second}}}
  - max_pool: {{kernel: 2}}
  - global_avg_pool
  - flatten
  - linear: {{out: 10}}
"""
BEGIN = "import sys, time\nfrom pathlib import Path\nfiles = sorted(map(str, Path(sys.argv[1]).iterdir()))\n"
END = "print(time.process_time() - began)"
OURS = f"""{BEGIN}
import convcost
convcost.analyze(convcost.load(files.pop())).totals.macs
began = time.process_time()
for file in files:
    convcost.analyze(convcost.load(file)).totals.macs
{END}"""
YAML = f"""{BEGIN}
import yaml
texts = [Path(file).read_text("utf-8") for file in files[:-1]]
began = time.process_time()
for text in texts:
    yaml.load(text, yaml.CSafeLoader)
{END}"""
EVENTS = f"""{BEGIN}
import yaml
texts = [Path(file).read_text("utf-8") for file in files[:-1]]
began = time.process_time()
for text in texts:
    for event in iter(yaml.CSafeLoader(text).get_event, None):
        pass
{END}"""
FLOOR = "import time, click, yaml\nprint(time.process_time())"


def texts(what: str) -> list[str]:
    """The specs of a measurement, and one more that is read before the clock starts."""
    if what in ("chains", "blocks"):
        form = CHAIN if what == "chains" else BLOCKS
        return [
            form.format(name=number, first=8 + number % 64, second=16 + number % 61, size=32 + number % 59)
            for number in range(FILES + 1)
        ]
    if what == "few lines":
        lines = [f"  - conv: {{out: {8 + number % 97}, kernel: {1 + number % 3}}}\n" for number in range(LAYERS)]
    else:
        lines = [f"  - {{conv: {{out: 8, kernel: 3}}, name: layer {number}}}\n" for number in range(LAYERS)]
    head = "input: [8, 16, 16]\nlayers:\n"
    return [head + "".join(lines), head + lines[0]]


def seconds(code: str, folder: str, root: Path) -> float:
    """What a new process prints: processor time, in seconds."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code, folder], cwd="/", env=environment, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    """Print the medians, and their ratios to what PyYAML takes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", type=Path, help="another checkout, measured in the same rounds")
    arguments = parser.parse_args()
    programs = {"convcost": (OURS, ROOT), "yaml.load": (YAML, ROOT), "events": (EVENTS, ROOT)}
    if arguments.against:
        programs["other checkout"] = (OURS, arguments.against)
    floor = statistics.median(seconds(FLOOR, "", ROOT) for _ in range(arguments.rounds))
    print(f"import click, yaml: {floor * 1e3:.0f} ms\n")
    print(f"{'':12}" + "".join(f"{name:>16}" for name in programs) + f"{'/ yaml.load':>13}{'/ import':>10}")
    for what in ("chains", "blocks", "few lines", "no two alike"):
        with tempfile.TemporaryDirectory() as folder:
            for number, text in enumerate(texts(what)):
                (Path(folder) / f"{number:06}.yaml").write_text(text, "utf-8")
            taken: dict[str, list[float]] = {name: [] for name in programs}
            for _ in range(arguments.rounds):
                for name in random.sample(sorted(programs), len(programs)):
                    taken[name].append(seconds(programs[name][0], folder, programs[name][1]))
        medians = {name: statistics.median(values) for name, values in taken.items()}
        ratio = medians["convcost"] / medians["yaml.load"], medians["convcost"] / floor
        print(
            f"{what:12}" + "".join(f"{median:>14.3f} s" for median in medians.values()),
            f"{ratio[0]:>11.2f}{ratio[1]:>10.1f}",
        )


if __name__ == "__main__":
    main()
