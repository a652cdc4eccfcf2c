"""convcost against the counters that run a network: ``python tests/benchmarks/peers.py``.

Needs ``pip install torchvision fvcore torchinfo thop ptflops`` beside convcost; what is not installed is left out.

Cold: a whole process, from its start to the printed total of ResNet-50. Warm: analyses a second in a process that has
imported everything and built the model. Every process of a peer is followed by one of convcost, so that a machine that
slows down slows both; the figures are medians, and the ratio is the median of the ratios of the pairs.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 5  # of warm analyses
MODEL = "import torch, torchvision\nmodel = torchvision.models.resnet50().eval()\nx = torch.zeros(1, 3, 224, 224)\n"


class Peer(NamedTuple):
    """A way to one total: what is done once, and the expression that analyses."""

    name: str
    module: str
    once: str
    analysis: str


OURS = Peer("convcost", "convcost", "import convcost\n", "convcost.analyze('resnet50').totals.macs")
PARSED = Peer(
    "convcost, spec parsed once",
    "convcost",
    "from convcost.network.cost import sum_work\n"
    "from convcost.language.interpret import build\n"
    "from convcost.catalogue.loader import Catalogue\n"
    "spec = Catalogue().target('resnet50')\n",
    "sum_work(build(spec).layers).macs",
)
PEERS = (
    Peer(
        "fvcore",
        "fvcore",
        f"{MODEL}import logging\nlogging.disable()\nfrom fvcore.nn import FlopCountAnalysis\n",
        "FlopCountAnalysis(model, x).total()",
    ),
    Peer(
        "torchinfo",
        "torchinfo",
        f"{MODEL}import torchinfo\n",
        "torchinfo.summary(model, x.shape, verbose=0).total_mult_adds",
    ),
    Peer("thop", "thop", f"{MODEL}import thop\n", "thop.profile(model, (x,), verbose=False)[0]"),
    Peer(
        "ptflops",
        "ptflops",
        f"{MODEL}import ptflops\n",
        "ptflops.get_model_complexity_info(model, (3, 224, 224), as_strings=False, print_per_layer_stat=False)[0]",
    ),
    Peer(
        "FlopCounterMode",
        "torch",
        f"{MODEL}from torch.utils.flop_counter import FlopCounterMode\n"
        "def count():\n"
        "    with torch.no_grad(), FlopCounterMode(display=False) as mode:\n"
        "        model(x)\n"
        "    return mode.get_total_flops()\n",
        "count()",
    ),
)


def python(code: str) -> str:
    """What ``code`` prints on its last line, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.splitlines()[-1]


def cold(peer: Peer) -> tuple[float, int]:
    """Seconds of a whole process, and the total that it printed."""
    began = time.perf_counter()
    printed = python(f"{peer.once}print(int({peer.analysis}))")
    return time.perf_counter() - began, int(printed)


def warm(peer: Peer) -> float:
    """Analyses a second once everything is loaded."""
    loop = (
        f"import time\n{peer.analysis}\ndone, began = 0, time.perf_counter()\n"
        f"while time.perf_counter() - began < {SECONDS}:\n    {peer.analysis}\n    done += 1\n"
        "print(done / (time.perf_counter() - began))"
    )
    return float(python(peer.once + loop))


def pairs(peer: Peer, runs: int) -> tuple[float, float, float, int]:
    """Median seconds of ``peer`` and of convcost, the median ratio, and the total of ``peer``."""
    cold(peer), cold(OURS)  # so that files are in the cache and compiled
    found = [(cold(peer), cold(OURS)) for _ in range(runs)]
    theirs, ours = ([pair[side][0] for pair in found] for side in (0, 1))
    ratio = statistics.median(one / other for one, other in zip(theirs, ours, strict=True))
    return statistics.median(theirs), statistics.median(ours), ratio, found[0][0][1]


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=9, help="processes of each")
    runs = parser.parse_args().runs
    there = [peer for peer in PEERS if all(map(importlib.util.find_spec, (peer.module, "torchvision")))]
    if not there:
        raise SystemExit("no peer is installed: pip install torchvision fvcore torchinfo thop ptflops")
    print(
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; ResNet-50, 224 x 224, batch 1"
    )
    print(f"\n{'cold: process to printed total':<30}{'s':>8}{'convcost, s':>14}{'ratio':>8}   total")
    for peer in there:
        seconds, ours, ratio, total = pairs(peer, runs)
        print(f"{peer.name:<30}{seconds:>8.2f}{ours:>14.3f}{ratio:>8.0f}   {total:,}")
    print(f"\n{'warm':<30}{'analyses a second':>20}")
    for peer in (OURS, PARSED, *there):
        print(f"{peer.name:<30}{warm(peer):>20,.1f}")


if __name__ == "__main__":
    main()
