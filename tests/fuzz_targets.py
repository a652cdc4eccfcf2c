"""What the fuzzer feeds: for every kind of untrusted input a function of bytes, and valid inputs to start from.

A target ends quietly, or in a ``ConvcostError`` where it refuses its input. Whatever else it raises is a finding.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import gzip
import io
import json
import os
import shutil
import sys
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from unittest import mock

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.cli import main, output
from convcost.cli.commands import COMMANDS
from convcost.cli.equal import ties
from convcost.cli.typed import parse_input, target_of
from convcost.conventions import catalogue as conventions
from convcost.errors import ConvcostError
from convcost.importers.keras import KerasSource
from convcost.importers.keras_file import config_of, network_from
from convcost.importers.onnx import OnnxSource
from convcost.importers.onnx_file import model_from
from convcost.importers.protobuf import Buffer
from convcost.language.expression import compile_expression
from convcost.language.interpret import build
from convcost.literature.claims import claims
from convcost.metrics.devices import device
from convcost.metrics.report import analyze
from convcost.render.analysis import cost_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.language.model import Spec
    from convcost.network.graph import Graph

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(tempfile.mkdtemp(prefix="convcost-fuzz-files-"))
atexit.register(shutil.rmtree, HERE, ignore_errors=True)
SEPARATOR = "\x1f"  # between the words of one input


class Target(NamedTuple):
    """One kind of input: what takes it, what to start from, and how many of a thousand inputs are of the kind."""

    run: Callable[[bytes], None]
    seeds: list[bytes]
    share: int


def words(data: bytes) -> list[str]:
    """The words of one input."""
    return data.decode("utf-8", "replace").split(SEPARATOR)


@cache
def spec_of(name: str) -> Spec:
    """A bundled spec."""
    return Catalogue().target(name)


@cache
def graph_of(name: str) -> Graph:
    """A bundled network."""
    return build(spec_of(name))


def spec_from_bytes(data: bytes) -> None:
    """A spec file: read, checked, linked, its claims read, run, reported."""
    spec = Catalogue().text(data, "<fuzz>", "fuzz", str(ROOT / "specs"))
    claims(spec)
    table = cost_table(analyze(build(spec)), fold=True)
    assert table.columns


def expression(data: bytes) -> None:
    """An expression, evaluated over a small scope."""
    compiled = compile_expression(data.decode("utf-8", "replace"))
    compiled.evaluate(_Scope(n=7, table={"a": (1, 2), 3: 4}, word="same", yes=True))


class _Scope(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        raise ConvcostError(f"unknown name '{name}'")


def settings(data: bytes) -> None:
    """A bundled name and values for ``--set``."""
    name, *given = words(data)
    target_of(name, tuple(given)).build()


def input_size(data: bytes) -> None:
    """``--input``."""
    build(spec_of("squeeze_excite"), {}, parse_input(data.decode("utf-8", "replace")))


def budget(data: bytes) -> None:
    """``--for`` and ``--budget`` of ``solve``."""
    name, *budgets = words(data)
    convcost.solve("bottleneck", name, *budgets)


def tie(data: bytes) -> None:
    """``--where`` of ``equal``."""
    assert convcost.equal("depthwise_separable_conv", "plain", where=ties(words(data)))


def reported(data: bytes) -> None:
    """``--reported`` of ``explain``."""
    convcost.explain("lenet5", data.decode("utf-8", "replace"))


def device_file(data: bytes) -> None:
    """A device, and a network on it."""
    path = HERE / "device.yaml"
    path.write_bytes(data)
    machine = device(str(path))
    for dtype in machine.peak:
        assert convcost.roofline(graph_of("lenet5"), machine, dtype=dtype).value("time")


def convention_file(data: bytes) -> None:
    """A convention, and the number of a network under it."""
    path = HERE / "convention.yaml"
    path.write_bytes(data)
    found = conventions.convention(str(path))
    analyze(graph_of("lenet5"), convention=found).reported.causes()


def onnx_file(data: bytes) -> None:
    """An ONNX file: read, evaluated at small sizes, reported."""
    source = OnnxSource(model_from(Buffer(data), "fuzz.onnx"), "fuzz")
    graph = source.make(dict.fromkeys(source.size_parameters(), 8), None)
    assert cost_table(analyze(graph), fold=True).columns
    exported(graph)


def keras_model(data: bytes) -> None:
    """A model of Keras as JSON: read, evaluated at small sizes, reported."""
    source = KerasSource(network_from(data, "fuzz.json"), "fuzz.json", "fuzz")
    graph = source.make(dict.fromkeys(source.size_parameters(), 8), None)
    assert cost_table(analyze(graph), fold=True).columns
    exported(graph)


def keras_archive(data: bytes) -> None:
    """A ``.keras`` file: unpacked and read."""
    network_from(config_of(io.BytesIO(data), "fuzz.keras"), "fuzz.keras")


def converted(data: bytes) -> None:
    """A spec file: built, written as a spec."""
    exported(build(Catalogue().text(data, "<fuzz>", "fuzz", str(ROOT / "specs"))))


def exported(graph: Graph) -> None:
    """A graph is refused, or it is written as an ONNX file and as a spec that can be read and have the same counts."""
    try:
        assert convcost.to_onnx(graph)
        assert convcost.convert(graph)
    except ConvcostError as error:
        if "please report" in str(error):
            raise AssertionError(error) from error
        raise


NUMBERS = ("analyze", "memory", "traffic", "receptive", "check", "conventions", "roofline", "verify")
FORMULAS = ("formula", "scaling", "compare", "equal", "solve")
MORE = {
    "roofline": ["--device", "v100"],
    "compare": ["plain"],
    "equal": ["plain"],
    "solve": ["--for", "O", "--budget", "macs<=1M"],
}


def file_in_command(data: bytes) -> None:
    """A spec file given to one of the commands, which one and in which format by the bytes of the file."""
    (HERE / "net.yaml").write_bytes(data)
    chance = zlib.crc32(data)
    commands = FORMULAS if b"input: {" in data else NUMBERS
    name = commands[chance % len(commands)]
    formats = ("text", "json", "latex", "unicode", "python", "c") if name == "formula" else ("table", "json", "csv")
    if name == "equal":
        formats = ("text", "json")
    chosen = [] if name == "check" else ["--format", formats[chance // 16 % len(formats)]]
    command([name, "net.yaml", *MORE.get(name, []), *chosen])


def command_line(data: bytes) -> None:
    """A whole command line, on files that are there."""
    for name, text in FILES.items():
        (HERE / name).write_text(text)
    command([word for word in words(data) if word])


def command(arguments: list[str]) -> None:
    """Run the command in this process.

    Raises:
        ConvcostError: it exited 1 or 2 after saying why.
    """
    out, err = io.StringIO(), io.StringIO()
    code = None
    with (
        mock.patch.object(sys, "argv", ["convcost", *arguments]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO())),
        mock.patch.object(output, "_replacing", _replacing_here),
        contextlib.chdir(HERE),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    printed = out.getvalue() + err.getvalue()
    assert code in (0, 1, 2), code
    assert "Traceback" not in printed
    assert "cannot write the output" not in printed
    assert all(one.isprintable() or one == "\n" for one in printed), printed
    if code:
        assert printed.strip()
        raise ConvcostError(printed)


_replacing = output._replacing  # noqa: SLF001 - what is replaced by _replacing_here


def _replacing_here(output: str) -> contextlib.AbstractContextManager[BinaryIO]:
    """Nothing is written outside the fuzzer's own folder, whatever path an input spells."""
    if os.path.dirname(output) != os.path.realpath(HERE):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    return _replacing(output)


FILES = {
    "net.yaml": "title: Net\ninput: [3, 8, 8]\nparameters: {n: 4}\nlayers:\n  - conv: {out: n, kernel: 3}\n  - relu\n",
    "mine.yaml": "title: Mine\nunit: FLOPs\nextends: convcost\noperations: {relu: {comparisons: 2}}\n",
    "chip.yaml": "title: Chip\npeak: {float32: 1T}\nbandwidth: 25G\n",
}
_LINES = """
analyze net.yaml --by kind --sort macs --top 2 --format csv
analyze plain --columns path,macs --exact --batch 4 --no-fold
analyze net.yaml --set n=8 --input 3x16x16 --convention mine.yaml --format json -o out.json
analyze bottleneck --depth 1 --convention fvcore --format markdown
compare bottleneck plain --set plain:K=5 --traffic
explore plain net.yaml --free K --device chip.yaml -o page.html
compare plain net.yaml --free K --format csv
diff bottleneck net.yaml --set net:n=8 --columns macs,bytes --by layer --format csv
table plain net.yaml --columns params,peak,time --device chip.yaml --sort macs
check net.yaml --budget macs<=1k --budget time<=1ms --device chip.yaml
analyze net.yaml --by tree --columns path,bytes,peak,saved --dtype int8
formula plain --free K,O --form named --in params,macs --total
formula squeeze_excite --format latex
formula depthwise_separable_conv --format python -o f.py
formula bottleneck --format json --latex
scaling plain --free K --in macs --format csv
equal plain depthwise_separable_conv --where O=I --in params --free I,K
solve bottleneck --for M --budget macs<=1/2*plain --max
solve bottleneck --for M,O --step 16 --range M=16..64 --objective max --budget params<=100k
solve net.yaml --for n --budget macs~10k --step 2 --format json
space net.yaml --count macs<=10k --quantile .5 --sample 2 --seed 1 --measure choices --in params,macs
sweep net.yaml --over n=1:9:2 --over n=* --keep macs<=10k --format json
sweep plain --over K=1,3 --over I=4:8 --zip --pareto max:I,min:macs --sort peak --top 3 -o points.csv
conventions
conventions net.yaml --convention mine.yaml --format markdown
explain lenet5 --reported 416k --in macs --top 3
memory net.yaml --steps --unfused --dtype int8 --weights-dtype float16 --batch 2
traffic net.yaml --format csv
receptive net.yaml --format json
roofline net.yaml --device chip.yaml --by stage --plot
roofline plain --peak 1T --bandwidth 25G --unfused --figure x.svg
convert net.yaml --set n=8 --input 3x9x9 -o out.yaml
convert net.yaml -o out.onnx
draw net.yaml --depth 2 --format dot --set n=8
plot net.yaml --metric params --set n=8 -o bars.svg
plot plain net.yaml --kind ratio --over K=1:5:2
show plain
layers conv --format json
layers
check net.yaml --strict
verify lenet5 --format markdown
init other --block --force
schema -o schema.json
--version
analyze - --help
"""


def _read(*patterns: str) -> list[bytes]:
    return [path.read_bytes() for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def _keras_models() -> list[bytes]:
    known = json.loads(gzip.decompress((ROOT / "tests" / "data" / "keras" / "layers.json.gz").read_bytes()))["models"]
    return [json.dumps(item["model"]).encode() for item in known]


_SPECS = _read("specs/**/*.yaml", "tests/errors/*.yaml")
_BLOCKS = _read("specs/blocks/*.yaml")
_COMMANDS = [line.replace(" ", SEPARATOR).encode() for line in _LINES.strip().split("\n")]
assert {line.split(b"\x1f")[0].decode() for line in _COMMANDS} >= set(COMMANDS) - {"list"}  # which takes too long

TARGETS = {
    "spec": Target(spec_from_bytes, _SPECS, 500),
    "expression": Target(
        expression,
        [b"7 // 2 + n*(3 - 1)**2", b"make_divisible(n*0.75, 8)", b"table['a'][1] if n > 3 and yes else sum(range(n))",
         b"[1, 2.5e1, 'w'][-1] in [1, 2]", b"min(n, 3, max([1, 2])) % 5 != 1 or not yes", b"gcd(12, n) + len(table)"],
        80,
    ),
    "settings": Target(
        settings,
        [b"mobilenet_v2\x1falpha=0.75", b"mobilenet_v2\x1fsize=192\x1fclasses=10", b"inverted_residual\x1ft=1\x1fI=16",
         b"plain\x1fK=1x7", b"bottleneck\x1fO=4*M", b"inverted_residual\x1fstride=2"],
        60,
    ),
    "input": Target(input_size, [b"3x224x224", b"64", b"64x100", b"3x16x32x32"], 30),
    "budget": Target(
        budget,
        [b"M\x1fmacs<=1/2*plain", b"M\x1fparams<=100k", b"M\x1fflops>=1.5G\x1fmacs<=3G", b"M\x1fmacs~plain.macs/3",
         b"H\x1factivations<1M", b"K\x1fmacs==params*196"],
        50,
    ),
    "tie": Target(tie, [b"O=I", b"O=2*I\x1fH=W", b"K=1", b"O=max(I, 3)", b"I=O//2 + 1", b"O=make_divisible(I, 8)"], 50),
    "reported": Target(reported, [b"416k", b"0.42M", b"61,706", b"4.2x10^5", b"416520", b"~1.5 million", b"60K"], 10),
    "device": Target(device_file, _read("convcost/devices/*.yaml"), 50),
    "convention": Target(convention_file, _read("convcost/conventions/bundled/*.yaml"), 50),
    "converted": Target(converted, _SPECS, 50),
    "onnx": Target(
        onnx_file, _read("tests/data/onnx/traps/*.onnx", "tests/data/onnx/exports/export-own*.onnx"), 50
    ),
    "keras": Target(keras_model, _keras_models(), 50),
    "keras archive": Target(keras_archive, _read("tests/data/keras/V*.keras", "tests/data/keras/MobileNet.keras"), 10),
    "file in command": Target(file_in_command, [*_BLOCKS, *_SPECS[:: len(_SPECS) // 20]], 20),
    "command line": Target(command_line, _COMMANDS, 50),
}  # fmt: skip
