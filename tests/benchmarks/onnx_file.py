"""A large ONNX file, and what the command takes for it: ``python tests/benchmarks/onnx_file.py [ROUNDS]``.

The file is a ViT-B/16 as :func:`convcost.to_onnx` writes it, with embedded weights: an initialiser in place of each
constant, whose bytes are a hole of the file. It has 346 MB, and takes no room on a disk with sparse files.
Processor time and the most memory are those of ``convcost analyze`` in a process of its own, less those of a process
that only starts Python; the two alternate, and the figures are medians.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import onnx  # noqa: E402 - of the test dependencies
from onnx_writer import varint  # noqa: E402

import convcost  # noqa: E402

_START = [sys.executable, "-c", "pass"]
# Starts a command from a small process, since the memory of a process begins with that of the one it was started from.
_LAUNCH = """
import os, sys
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent), 0)
print(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def key(number: int) -> bytes:
    """The start of a field that has a length."""
    return varint(number << 3 | 2)


def write(stream: BinaryIO, graph: onnx.GraphProto, model: onnx.ModelProto) -> None:
    """The model, with a hole for the bytes of each tensor that a constant of it makes."""
    pieces: list[tuple[bytes, int]] = []
    kept = []
    for node in graph.node:
        attribute = node.attribute[0] if node.op_type == "Constant" else None
        if attribute is None or attribute.name != "sparse_value":
            kept.append(node)
            continue
        tensor = onnx.TensorProto(name=node.output[0], data_type=1, dims=attribute.sparse_tensor.dims)
        size = 4 * math.prod(tensor.dims)
        head = tensor.SerializeToString() + key(9) + varint(size)
        pieces.append((key(5) + varint(len(head) + size) + head, size))
    del graph.node[:]
    graph.node.extend(kept)
    inner = graph.SerializeToString()
    model.ClearField("graph")
    length = len(inner) + sum(len(head) + size for head, size in pieces)
    stream.write(model.SerializeToString() + key(7) + varint(length) + inner)
    for head, size in pieces:
        stream.write(head)
        stream.seek(size, os.SEEK_CUR)
    stream.truncate()


def measured(command: list[str]) -> tuple[float, float]:
    """Seconds of processor time and MB of memory that a process takes."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    launched = [sys.executable, "-c", _LAUNCH, *command]
    done = subprocess.run(launched, capture_output=True, text=True, env=environment, check=True)
    status, seconds, memory = map(float, done.stdout.split())
    if status:
        raise SystemExit(f"{command} failed: {done.stderr}")
    return seconds, memory


def main(rounds: int) -> None:
    """Print the size of the file, and the medians."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vit_b_16.onnx"
        model = onnx.load_model_from_string(convcost.to_onnx("vit_b_16"))
        graph = onnx.GraphProto()
        graph.CopyFrom(model.graph)
        with path.open("wb") as stream:
            write(stream, graph, model)
        totals = convcost.analyze(str(path)).totals
        command = [sys.executable, "-m", "convcost", "analyze", str(path)]
        pairs = [(measured(command), measured(_START)) for _ in range(rounds)]
    seconds, memory = (statistics.median(ours[i] - bare[i] for ours, bare in pairs) for i in (0, 1))
    print(f"{path.name}: {totals.params:,} parameters, {totals.macs:,} MACs")
    print(f"convcost analyze, above an empty process: {seconds:.2f} s of processor time, {memory:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
