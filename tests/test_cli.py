"""The command line as its users meet it: output, formats, exit codes, files, pipes."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT, run_convcost
from inprocess import convcost as command
from rich.console import Console

import convcost
from convcost.cli.commands import COMMANDS
from convcost.metrics.report import analyze
from convcost.render.analysis import cost_table
from convcost.tables.terminal import TableView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NET = "title: Net\ninput: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 3}\n  - relu\n"

TABLE = """\
Bottleneck (I=256, H=14, W=14, M=64, O=256, K=3), input 256x14x14
path    kind       input      output     kernel  stride  groups   params  params %     MACs   MACs %    FLOPs  FLOPs %
----------------------------------------------------------------------------------------------------------------------
conv    pointwise  256x14x14  64x14x14   1x1     1x1          1  16.38 k    23.5 %  3.211 M   23.5 %  6.423 M   23.5 %
conv#2  standard   64x14x14   64x14x14   3x3     1x1          1  36.86 k    52.9 %  7.225 M   52.9 %  14.45 M   52.9 %
conv#3  pointwise  64x14x14   256x14x14  1x1     1x1          1  16.38 k    23.5 %  3.211 M   23.5 %  6.423 M   23.5 %
----------------------------------------------------------------------------------------------------------------------
total                                                            69.63 k   100.0 %  13.65 M  100.0 %  27.30 M  100.0 %
"""


def test_a_table_for_people() -> None:
    result = run_convcost("analyze", "bottleneck")
    assert result.code == 0
    assert result.out.startswith(TABLE)
    last = result.out.splitlines()[-1]
    assert all(word in last for word in ("params", "MACs", "FLOPs", "2 x MACs"))


def test_exact_digits_on_request() -> None:
    result = command("analyze", "bottleneck", "--exact")
    assert "69,632" in result.out
    assert "13,647,872" in result.out


def test_json_is_a_contract() -> None:
    data = json.loads(command("analyze", "shufflenet_v1", "--set", "g=8", "--format", "json").out)
    assert data["schema"] == "convcost/analyze/2"
    assert data["name"] == "shufflenet_v1"
    assert data["parameters"] == {
        "g": 8,
        "s": 1,
        "width": 384,
        "repeats": [4, 8, 4],
        "reduction": 0,
        "size": 224,
        "classes": 1000,
    }
    assert data["input"] == [3, 224, 224]
    assert {"name", "params", "macs", "flops"} <= set(data["convention"])
    rows = data["rows"]
    assert {"path", "kind", "input", "output", "kernel", "stride", "groups", "count", "params", "macs", "flops"} <= set(
        rows[0]
    )
    for quantity in ("params", "macs", "flops"):
        assert sum(row[quantity] for row in rows) == data["totals"][quantity]
    assert data["totals"]["macs"] == 138_365_952  # the architecture's own count, with the classifier
    first = rows[0]
    assert (first["kind"], first["kernel"], first["stride"], first["groups"]) == ("standard", [3, 3], [2, 2], 1)


def test_identical_branches_are_one_row_for_all_of_them() -> None:
    rows = json.loads(command("analyze", "resnext_a", "--format", "json").out)["rows"]
    path = [row for row in rows if row["path"] == "path/conv#2"]
    assert [(row["count"], row["params"]) for row in path] == [(32, 32 * 9 * 4 * 4)]


def test_csv_reads_back() -> None:
    rows = list(csv.DictReader(io.StringIO(command("analyze", "bottleneck", "--format", "csv").out)))
    assert [row["kernel"] for row in rows] == ["1x1", "3x3", "1x1"]
    assert sum(int(row["params"]) for row in rows) == 69_632


def test_markdown_is_a_table() -> None:
    lines = command("analyze", "plain", "--format", "markdown", "--exact").out.splitlines()
    assert lines[2].count("|") == lines[3].count("|") == lines[4].count("|")
    assert "589,824" in lines[4]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("stage", ["conv1", "pool1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "global_avg_pool", "linear"]),
        ("kind", ["standard", "batch_norm", "relu", "max_pool", "pointwise", "add", "global_avg_pool", "linear"]),
    ],
)
def test_rows_by_group(by: str, names: list[str]) -> None:
    data = json.loads(command("analyze", "resnet50", "--by", by, "--format", "json").out)
    assert [row["path"] for row in data["rows"]] == names
    assert sum(row["macs"] for row in data["rows"]) == data["totals"]["macs"] == 4_089_184_256


def test_rows_by_block_and_depth() -> None:
    blocks = json.loads(command("analyze", "resnet18", "--by", "block", "--format", "json").out)["rows"]
    assert [row["path"] for row in blocks][:4] == [
        "conv1",
        "pool1",
        "conv2_x/basic_residual[1]",
        "conv2_x/basic_residual[2]",
    ]
    assert (blocks[2]["kind"], blocks[2]["input"], blocks[2]["layers"]) == ("basic_residual", [64, 56, 56], 7)
    depth = json.loads(command("analyze", "resnet18", "--depth", "1", "--format", "json").out)["rows"]
    assert len(depth) == 8


def test_sort_top_and_columns() -> None:
    result = command(
        "analyze", "resnet50", "--by", "kind", "--sort", "macs", "--top", "2", "--columns", "kind,macs", "--exact"
    )
    lines = result.out.splitlines()
    assert lines[1].split() == ["kind", "MACs"]
    assert [line.split()[0] for line in lines[3:5]] == ["pointwise", "standard"]
    assert "6 more rows" in result.out


def test_batch_multiplies_work_but_not_parameters() -> None:
    one, four = (
        json.loads(command("analyze", "plain", "--batch", batch, "--format", "json").out)["totals"]
        for batch in ("1", "4")
    )
    assert (four["params"], four["macs"]) == (one["params"], 4 * one["macs"])


def test_equal_repeats_are_folded_for_people() -> None:
    folded = command("analyze", "resnet50").out
    assert "conv3_x/bottleneck_residual[2-4]/main/conv_bn_relu/conv" in folded
    whole = command("analyze", "resnet50", "--no-fold").out
    assert len(whole.splitlines()) > len(folded.splitlines()) + 60


def test_a_narrow_terminal_drops_columns_before_digits() -> None:
    table = cost_table(analyze(convcost.load("mobilenet_v2")), fold=True)
    for width in (200, 120, 80, 60):
        console = Console(width=width, record=True, color_system=None, file=io.StringIO(), highlight=False)
        console.print(TableView(table))
        lines = console.export_text().splitlines()
        body = [line for line in lines if not line.startswith("params:")]
        assert max(map(len, body)) <= width
        total = next(line for line in lines if line.startswith("total"))
        assert "3.505 M" in total
        assert "300.8 M" in total


def test_input_in_place_of_the_specs_own() -> None:
    data = json.loads(command("analyze", "vgg16", "--input", "3x256x192", "--by", "kind", "--format", "json").out)
    assert data["input"] == [3, 256, 192]
    convolutions = next(row for row in data["rows"] if row["kind"] == "standard")
    assert convolutions["macs"] == 15_346_630_656 * 256 * 192 // (224 * 224)


def test_standard_input() -> None:
    result = command("analyze", "-", "--format", "json", stdin=NET.encode())
    assert json.loads(result.out)["totals"]["params"] == 4 * 3 * 9 + 4


def test_bundled_names_work_anywhere_and_own_specs_use_bundled_blocks(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("input: [3, 8, 8]\nlayers: [conv_bn_relu: {out: 4}]\n")
    assert command("analyze", "resnet18", cwd=tmp_path).code == 0
    assert command("analyze", "own.yaml", cwd=tmp_path).code == 0


MISUSE = [
    (["analize", "resnet50"], "no command is called 'analize'; did you mean 'analyze'?"),
    (["analyze"], "Missing argument"),
    (["analyze", "resnet50", "--by", "stages"], "'stages' is not one of"),
    (["analyze", "resnet50", "--set", "dpth=18"], "resnet50 has no parameter 'dpth'; did you mean 'depth'?"),
    (["analyze", "resnet50", "--set", "depth"], "--set takes NAME=VALUE, found 'depth'"),
    (["analyze", "resnet50", "--set", "depth=19"], "`depth` must be one of 18, 34, 50, 101, 152; found 19"),
    (["analyze", "resnet50", "--set", "size=big"], "`size`: expected a value, found 'big'"),
    (["analyze", "resnet50", "--set", "size=8", "--set", "size=9"], "--set gives `size` twice"),
    (["analyze", "resnet50", "--input", "3x"], "--input takes sizes such as 3x256x192, found '3x'"),
    (["analyze", "resnet50", "--input", "3x0x3"], "--input: sizes must be at least 1, found 3x0x3"),
    (["analyze", "resnet50", "--columns", "parms"], "no metric is called 'parms'; did you mean 'params'?"),
    (["analyze", "resnet50", "--batch", "0"], "0 is not in the range"),
    (["analyze", "mobilenet_v1", "--set", "alpha=-1"], "`alpha` must be a positive number, found -1"),
    (["analyze", "bottleneck", "--set", "I=0"], "`I` must be a whole number of at least 1, found 0"),
    (["formula", "resnet50", "--free", "depth"], "`depth` of resnet50 cannot be free"),
    (["formula", "resnet50", "--free", "sze"], "resnet50 has no parameter 'sze'; did you mean 'size'?"),
    (["compare", "resnet50"], "compare needs at least two targets"),
    (["compare", "plain", "bottleneck", "--set", "Q=3"], "no parameter of the targets is called 'Q'"),
    (["compare", "plain", "bottleneck", "--set", "plane:K=3"], "no target is called 'plane'; did you mean 'plain'?"),
    (["layers", "cnv"], "no layer is called 'cnv'; did you mean 'conv'?"),
    (["init", "conv"], "'conv' is a layer"),
    (["analyze", "resnet5o"], "no bundled spec or file is called 'resnet5o'; did you mean 'resnet50'?"),
    (["check", "resnet5o"], "no bundled spec or file is called 'resnet5o'; did you mean 'resnet50'?"),
    (
        ["analyze", "conv"],
        "no bundled spec or file is called 'conv'; it is a layer, which `convcost layers conv` describes",
    ),
    (["table", "lenet5", "--columns", "macs,,"], "expected the name of a metric, found nothing"),
    (["show", "plian"], "no bundled spec or file is called 'plian'; did you mean 'plain'?"),
    (
        ["analyze", "specs/shuflenet_v1.yaml"],
        "no file is called 'specs/shuflenet_v1.yaml'; did you mean 'shufflenet_v1'?",
    ),
    (
        ["analyze", "../nowhere/resnet50.yaml"],
        "no file is called '../nowhere/resnet50.yaml'; 'resnet50' is a bundled name",
    ),
    (["analyze", "resnet50", "--convention", "fvcor"], "no convention is called 'fvcor'; did you mean 'fvcore'?"),
    (["roofline", "resnet50", "--device", "v10"], "no device is called 'v10'; did you mean 'v100'?"),
    (["roofline", "resnet50", "--device", "v10.yaml"], "no device file is called 'v10.yaml'"),
    (["analyze", "resnet50", "--convention", "fvcor.yaml"], "no convention file is called 'fvcor.yaml'"),
]


@pytest.mark.parametrize(("args", "message"), MISUSE, ids=[" ".join(args) for args, _ in MISUSE])
def test_misuse_exits_2(args: list[str], message: str) -> None:
    result = command(*args)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "Traceback" not in result.err


WRONG = [
    (["analyze", "specs"], "specs is a directory; expected a spec file"),
    (["analyze", "plain", "-o", "no/such/folder/x"], "cannot write"),
    (["analyze", "mobilenet_v1", "--set", "alpha=0.01"], "`out` must be a whole number of at least 1, found 0"),
]


@pytest.mark.parametrize(("args", "message"), WRONG, ids=[" ".join(args) for args, _ in WRONG])
def test_what_cannot_be_done_exits_1(args: list[str], message: str) -> None:
    result = command(*args)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
    assert "Traceback" not in result.err


def test_binary_and_empty_files(tmp_path: Path) -> None:
    for name, data, message in (
        ("binary.yaml", bytes(range(256)), "not text in UTF-8"),
        ("empty.yaml", b"", "the file is empty"),
        ("control.yaml", b"title: \x07\nlayers: [relu]\n", "control character"),
        ("deep.yaml", b"[" * 50_000, "nest deeper than 60 levels"),
        ("latin.yaml", b"title: caf\xe9\nlayers: [relu]\n", "latin.yaml:1:1: this is not text in UTF-8"),
    ):
        (tmp_path / name).write_bytes(data)
        result = command("analyze", name, cwd=tmp_path)
        assert (result.code, result.out) == (1, "")
        assert message in result.err


def test_bombs_end_quickly(tmp_path: Path) -> None:
    doubling = "".join(f"  f{i}(a): f{i + 1}(a) + f{i + 1}(a)\n" for i in range(30))
    for name, text, message in (
        (
            "calls",
            f"input: [3]\nlet:\n{doubling}  f30(a): a\nlayers: [linear: {{out: f0(1)}}]\n",
            "functions are called",
        ),
        ("layers", "input: [3]\nlayers:\n  - {do: [{do: [relu], repeat: 1000}], repeat: 1000}\n", "250,000 layers"),
        ("steps", "input: [3]\nlayers:\n  - {do: [{do: [], repeat: 1000}], repeat: 1000000}\n", "1,000,000 steps"),
    ):
        (tmp_path / f"{name}.yaml").write_text(text)
        began = time.monotonic()
        result = command("analyze", f"{name}.yaml", cwd=tmp_path)
        assert result.code == 1
        assert message in result.err
        assert time.monotonic() - began < 20


def test_output_is_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")
    assert command("analyze", "resnet5o", "-o", str(target)).code == 2
    assert target.read_text() == "old"
    result = command("analyze", "plain", "--format", "json", "-o", str(target))
    assert (result.code, result.out) == (0, "")
    assert json.loads(target.read_text())["totals"]["params"] == 589_824
    assert os.listdir(tmp_path) == ["out.json"]


def test_the_input_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "link.yaml").symlink_to("net.yaml")
    for output in ("net.yaml", "link.yaml", "./net.yaml"):
        result = command("analyze", "net.yaml", "--format", "json", "-o", output, cwd=tmp_path)
        assert result.code == 2
        assert "would overwrite" in result.err
    assert (tmp_path / "net.yaml").read_text() == NET


def test_names_from_a_file_cannot_steer_the_output(tmp_path: Path) -> None:
    (tmp_path / "evil.yaml").write_text(
        'title: "=cmd()\\e[31m"\ninput: [3, 8, 8]\nlayers:\n  - {relu, name: "=1+2"}\n  - {relu, name: "a|b"}\n'
    )
    table = command("analyze", "evil.yaml", cwd=tmp_path).out
    assert "\x1b" not in table
    assert "\\x1b[31m" in table
    cells = list(csv.reader(io.StringIO(command("analyze", "evil.yaml", "--format", "csv", cwd=tmp_path).out)))
    assert [row[0] for row in cells[1:]] == ["'=1+2", "a|b"]
    markdown = command("analyze", "evil.yaml", "--format", "markdown", cwd=tmp_path).out
    assert "a\\|b" in markdown


def test_pipes_get_no_colour_and_close_quietly() -> None:
    assert "\x1b" not in run_convcost("analyze", "resnet50", TERM="xterm-256color", FORCE_COLOR="").out
    with subprocess.Popen(
        [sys.executable, "-m", "convcost", "analyze", "resnet152", "--no-fold"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""


def _interruptible() -> None:
    """In the child: a shell that starts the suite in the background makes its children ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(params=["foreground", "background"])
def start(request: pytest.FixtureRequest) -> Iterator[None]:
    """How the suite was started: in the background of a script, SIGINT is ignored."""
    handler = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN if request.param == "background" else signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("start")
def test_interrupt_exits_130_without_a_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "convcost", "analyze", "-"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=_interruptible,  # noqa: PLW1509 - it only resets a signal
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"#" * 200_000)  # more than a pipe holds: once it is gone, the command is reading
        process.stdin.flush()
        for _ in range(10):  # a signal just between two reads of a pipe is only seen at the next
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
                break
        else:
            process.kill()
        assert process.stderr is not None
        error = process.stderr.read()
    assert (process.returncode, error.strip()) == (130, b"")


def test_every_command_has_help() -> None:
    everything = command("-h").out
    for name in COMMANDS:
        assert name in everything
        for flag in ("-h", "--help"):
            result = command(name, flag)
            assert (result.code, result.out.startswith("Usage: convcost " + name)) == (0, True)


def test_version() -> None:
    assert run_convcost("--version").out == f"convcost {convcost.__version__}\n"


def test_completion_knows_commands_and_names() -> None:
    def complete(words: str, count: int) -> str:
        return run_convcost(_CONVCOST_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(count)).out

    assert "plain,analyze" in complete("convcost ana", 1)
    assert "plain,resnet50" in complete("convcost analyze resnet5", 2)


def test_show_gives_the_source() -> None:
    assert command("show", "plain").out == (ROOT / "specs" / "blocks" / "plain.yaml").read_text("utf-8")


def test_init_writes_specs_that_check(tmp_path: Path) -> None:
    for args in (["mine"], ["unit", "--block"]):
        assert command("init", *args, cwd=tmp_path).code == 0
        result = command("check", "--strict", f"{args[0]}.yaml", cwd=tmp_path)
        assert (result.code, result.err) == (0, "")
        assert command("init", *args, cwd=tmp_path).code == 2
    (tmp_path / "uses.yaml").write_text("input: [64, 8, 8]\nlayers: [unit]\n")
    assert command("check", "uses.yaml", cwd=tmp_path).code == 0


def test_check_warns_and_strict_fails(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("parameters: {n: 3}\n" + NET)
    loose = command("check", "net.yaml", cwd=tmp_path)
    assert (loose.code, loose.err) == (0, "net.yaml:1:14: warning: parameter `n` is never used\n")
    assert command("check", "--strict", "net.yaml", cwd=tmp_path).code == 1


def test_layers_reference_covers_fields_and_source() -> None:
    data = json.loads(command("layers", "--format", "json").out)["layers"]
    assert len(data) > 35
    for layer in data:
        assert layer["summary"]
        assert layer["source"]
        assert all(field["doc"] for field in layer["fields"])
    text = command("layers", "conv").out
    assert "weights = O * K^n * I/G" in text


def test_list_names_everything_bundled() -> None:
    data = json.loads(command("list", "--format", "json").out)
    names = {entry["name"] for group in ("networks", "blocks") for entry in data[group]}
    files = {path.stem for path in (ROOT / "specs").rglob("*.yaml")}
    assert names == files
