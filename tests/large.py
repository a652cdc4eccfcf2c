"""Large but honest networks, what they cost by hand, and what counting them takes: ``python tests/large.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
_HEAD = "input: [8, 16, 16]\nlayers:\n"
_CONV = "  - conv: {out: 8, kernel: 3}\n"  # 8*8*9 weights on 16*16 positions
_PROGRAM = """
import re, sys, time
import convcost
text = sys.stdin.read()
before = time.process_time()
macs = convcost.analyze(convcost.loads(text)).totals.macs
# not ru_maxrss, which is also that of the process that this one was forked from
peak = re.search(r"VmHWM:\\s*([0-9]+)", open("/proc/self/status").read())[1]
print(macs, time.process_time() - before, peak)
"""


class Network(NamedTuple):
    """A spec, and its multiply-accumulates counted by hand."""

    text: str
    macs: int


class Measured(NamedTuple):
    """What a fresh process found, the processor time from text to totals, and the most memory it held."""

    macs: int
    seconds: float
    megabytes: float


def written_out(layers: int) -> Network:
    """So many convolutions, each a line of the file."""
    return Network(_HEAD + _CONV * layers, layers * 8 * 8 * 9 * 256)


NETWORKS = {
    "100,000 layers written out": written_out(100_000),
    "100,000 layers by `repeat`": Network(
        _HEAD + "  - {conv: {out: 8, kernel: 3}, repeat: 100000}\n", 100_000 * 8 * 8 * 9 * 256
    ),
    "a concat of 1,000 branches": Network(
        _HEAD + "  - concat: {" + ", ".join(f"b{i}: [conv: {{out: {i + 1}}}]" for i in range(1000)) + "}\n",
        8 * 256 * sum(range(1, 1001)),
    ),
    "a `for` over 10,000 rows": Network(
        _HEAD + "  - {conv: {out: c, kernel: k}, for: [c, k], in: [" + "[8, 3]," * 10_000 + "]}\n",
        10_000 * 8 * 8 * 9 * 256,
    ),
    "sizes of 10^9": Network(
        "input: [3, 1000000000, 1000000000]\nlayers: [conv: {out: 64, kernel: 3, stride: 2}]\n",
        64 * 3 * 9 * 500_000_000**2,
    ),
}


def measured(network: Network) -> Measured:
    """Count ``network`` in a process of its own."""
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(command, input=network.text, cwd=ROOT, capture_output=True, text=True, check=True)
    macs, seconds, kilobytes = done.stdout.split()
    return Measured(int(macs), float(seconds), int(kilobytes) / 1024)


def main() -> None:
    """Count them all, and say how time grows with layers."""
    for name, network in NETWORKS.items():
        found = measured(network)
        right = "right" if found.macs == network.macs else "wrong"
        print(f"{name:27} {found.seconds:6.2f} s {found.megabytes:6.0f} MB  {right}")
    few, many = (min(measured(written_out(layers)).seconds for _ in range(3)) for layers in (10_000, 100_000))
    print(f"10,000 layers {few:.2f} s, 100,000 layers {many:.2f} s: {many / few:.1f} times")


if __name__ == "__main__":
    main()
