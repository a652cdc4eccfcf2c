"""convcost against other counters in their best form: ``python tests/benchmarks/peers.py``.

Needs ``pip install torch fvcore torchinfo thop ptflops onnx-tool onnx`` beside convcost; what is not installed is left
out. The tools for PyTorch get a ResNet-50 that is written with ``torch`` alone, so that none of them waits for
torchvision, on the device ``meta``, where nothing is computed. onnx-tool reads the same network from an ONNX file with
weights, which PyTorch exports.

Cold: a whole process, from its start to the printed total of ResNet-50, in seconds of processor time (user and system).
Each round runs every program once, in random order; the figures are medians, and the ratio is the median of the ratios
of the rounds. Warm: analyses a second of processor time in a process that has imported everything and built the model,
each of a size that it has not seen.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 3  # of warm analyses
MODEL = """
import logging
import warnings
import torch
from torch import nn

logging.disable()
warnings.simplefilter("ignore")


class Bottleneck(nn.Module):
    def __init__(self, inside, out, stride, into):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(into, inside, 1, bias=False), nn.BatchNorm2d(inside), nn.ReLU(),
            nn.Conv2d(inside, inside, 3, stride, 1, bias=False), nn.BatchNorm2d(inside), nn.ReLU(),
            nn.Conv2d(inside, out, 1, bias=False), nn.BatchNorm2d(out),
        )
        fits = stride == 1 and into == out
        self.shortcut = nn.Identity() if fits else nn.Sequential(
            nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out)
        )
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.main(x) + self.shortcut(x))


def resnet50():
    layers, into = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)], 64
    for stage, copies in enumerate((3, 4, 6, 3)):
        for copy in range(copies):
            stride = 2 if stage and not copy else 1
            layers.append(Bottleneck(64 << stage, 256 << stage, stride, into))
            into = 256 << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000)).eval()


def image(size):
    return torch.empty(1, 3, size, size, device=DEVICE)


with torch.device(DEVICE):
    model = resnet50()
"""
META = f"DEVICE = 'meta'\n{MODEL}"
EXPORT = f"""DEVICE = "cpu"
{MODEL}
torch.onnx.export(
    model, image(224), FILE, input_names=["input"], dynamic_axes={{"input": {{2: "h", 3: "w"}}}}, dynamo=False
)
"""


class Peer(NamedTuple):
    """A way to one total: the module it needs, what is done once, and the function of a size that gives the total."""

    name: str
    module: str
    once: str
    count: str


OURS = Peer("convcost", "convcost", "import convcost", "convcost.analyze('resnet50', size=size).totals.macs")
COMPILED = Peer(
    "convcost, compiled",
    "convcost",
    "import convcost\nmacs = convcost.compile('resnet50', over=['size'], quantities=['macs'])",
    "macs(size)['macs']",
)
PEERS = (
    Peer(
        "onnx-tool",
        "onnx_tool",
        "import logging\nlogging.disable()\nimport numpy, onnx_tool\nmodel = onnx_tool.Model(FILE)\n"
        "def count(size):\n"
        "    model.graph.shape_infer({'input': numpy.zeros((1, 3, size, size), numpy.float32)})\n"
        "    model.graph.profile()\n"
        "    return model.graph.macs[0]",
        "count(size)",
    ),
    Peer(
        "FlopCounterMode",
        "torch",
        f"{META}\nfrom torch.utils.flop_counter import FlopCounterMode\n"
        "def count(size):\n"
        "    with torch.no_grad(), FlopCounterMode(display=False) as mode:\n"
        "        model(image(size))\n"
        "    return mode.get_total_flops()",
        "count(size)",
    ),
    Peer("thop", "thop", f"{META}\nimport thop", "thop.profile(model, (image(size),), verbose=False)[0]"),
    Peer(
        "torchinfo",
        "torchinfo",
        f"{META}\nimport torchinfo",
        "torchinfo.summary(model, input_data=image(size), device='meta', verbose=0).total_mult_adds",
    ),
    Peer(
        "ptflops",
        "ptflops",
        f"{META}\nimport ptflops",
        "ptflops.get_model_complexity_info(model, (3, size, size), as_strings=False, print_per_layer_stat=False,"
        " input_constructor=lambda shape: {'input': image(size)})[0]",
    ),
    Peer(
        "fvcore",
        "fvcore",
        f"{META}\nfrom fvcore.nn import FlopCountAnalysis",
        "FlopCountAnalysis(model, image(size)).total()",
    ),
)


def program(peer: Peer, file: str) -> str:
    """The code that imports everything and defines ``count``."""
    return f"FILE = {file!r}\n{peer.once}\ndef analysis(size):\n    return int({peer.count})\n"


def run(command: list[str]) -> tuple[float, str]:
    """Seconds of processor time of a whole process on one thread, and the last line that it printed."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    printed = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)[-300:]}: exit {process.returncode}")
    return usage.ru_utime + usage.ru_stime, printed.rstrip("\n").rpartition("\n")[2]


def python(code: str) -> list[str]:
    """A process of Python that runs ``code``."""
    return [sys.executable, "-W", "ignore", "-c", code]


def cold(there: list[Peer], file: str, rounds: int) -> dict[str, str]:
    """Print the table of whole processes; what each printed, without those that fail."""
    command = "command `analyze resnet50`"
    runs = {command: [sys.executable, "-m", "convcost", "analyze", "resnet50"]}
    runs |= {peer.name: python(f"{program(peer, file)}print(analysis(224))") for peer in (OURS, *there)}
    totals = {}
    for name, line in list(runs.items()):  # once before the rounds, so that files are in the cache, and compiled
        try:
            totals[name] = run(line)[1]
        except SystemExit as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            del runs[name]
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name in random.sample(list(runs), len(runs)):
            times[name].append(run(runs[name])[0])
    print(f"\n{'cold: process to printed total':<32}{'s':>8}{'to the command':>16}{'to the library':>16}   total")
    for name, seconds in times.items():
        ratios = [statistics.median(map(float.__truediv__, seconds, times[other])) for other in (command, OURS.name)]
        total = "" if name == command else f"{int(totals[name]):,}"
        print(f"{name:<32}{statistics.median(seconds):>8.3f}{ratios[0]:>16.1f}{ratios[1]:>16.1f}   {total}", flush=True)
    return totals


def warm(peer: Peer, file: str) -> float:
    """Analyses a second of processor time, each of a new size, once everything is loaded."""
    loop = (
        "import itertools, time\nsizes = itertools.count(224)\nanalysis(next(sizes))\n"
        "done, began = 0, time.process_time()\n"
        f"while time.process_time() - began < {SECONDS}:\n    analysis(next(sizes))\n    done += 1\n"
        "print(done / (time.process_time() - began))"
    )
    return float(run(python(program(peer, file) + loop))[1])


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=9, help="processes of each")
    rounds = parser.parse_args().rounds
    there = [peer for peer in PEERS if importlib.util.find_spec(peer.module)]
    if not there:
        raise SystemExit("no peer is installed: pip install torch fvcore torchinfo thop ptflops onnx-tool onnx")
    print(
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; ResNet-50, batch 1, one thread"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "resnet50.onnx")
        run(python(f"FILE = {file!r}\n{EXPORT}"))
        totals = cold(there, file, rounds)
        print(f"\n{'warm, a new size each time':<32}{'analyses a second':>20}")
        for peer in (OURS, COMPILED, *there):
            if peer is COMPILED or peer.name in totals:
                print(f"{peer.name:<32}{warm(peer, file):>20,.1f}", flush=True)


if __name__ == "__main__":
    main()
