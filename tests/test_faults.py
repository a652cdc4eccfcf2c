"""What happens to outputs when something goes wrong: kills, full disks, closed pipes, hostile names."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT, run_convcost
from inprocess import convcost

from convcost.cli import output
from convcost.cli.output import FORMAT_NAMES
from convcost.errors import ConvcostError

SPEC = "title: Net\ninput: {I: 3, H: 8, W: 8}\nparameters: {O: 4}\nlayers: [conv: {out: O, kernel: 3}, unit]\n"
UNIT = "input: {I: 4, H: 8, W: 8}\nlayers: [relu]\n"
CONVENTION = "extends: convcost\noperations: {relu: {comparisons: 2}}\n"
DEVICE = "title: Chip\npeak: {float32: 1T}\nbandwidth: 25G\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("net", SPEC), ("unit", UNIT), ("mine", CONVENTION), ("chip", DEVICE)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


# The process is killed inside or around every call that touches the file. Of fsync: with half of the text written.
KILLED = """
import os, signal, sys, tempfile
from convcost.cli import main
where, when = sys.argv.pop(1), sys.argv.pop(1)
module = tempfile if where == "mkstemp" else os
original = getattr(module, where)
def deadly(*arguments, **named):
    if where == "fsync":
        os.ftruncate(arguments[0], os.fstat(arguments[0]).st_size // 2)
    if when == "after":
        original(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, where, deadly)
main()
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("where", ["mkstemp", "fsync", "chmod", "replace"])
def test_a_kill_leaves_the_old_file_or_the_new_one(where: str, when: str, folder: Path) -> None:
    target = folder / "out.json"
    target.write_text("old")
    command = [sys.executable, "-c", KILLED, where, when, "analyze", "plain", "--format", "json", "-o", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    if (where, when) == ("replace", "after"):
        assert json.loads(target.read_text())["totals"]["params"] == 589_824
    else:
        assert target.read_text() == "old"


@pytest.mark.parametrize("fault", ["fdopen", "fsync", "chmod", "replace"])
def test_a_fault_leaves_no_temporary_file(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "out").write_text("old")
    monkeypatch.setattr(output.os, fault, full)
    with pytest.raises(ConvcostError, match=r"cannot write .*/out: No space left on device"):
        output.write("new", str(tmp_path / "out"))
    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out").read_text() == "old"


def test_an_interrupt_while_writing_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(output.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        output.write("new", str(tmp_path / "out"))
    assert os.listdir(tmp_path) == []


def test_a_file_that_may_not_grow_is_reported_in_a_line(tmp_path: Path) -> None:
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    program = f"import resource\nfrom convcost.cli import main\n{limit}\nmain()\n"
    (tmp_path / "out").write_text("old")
    command = [sys.executable, "-c", program, "analyze", "plain", "-o", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: cannot write {tmp_path / 'out'}: File too large\n"
    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out").read_text() == "old"


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("net.yaml/out", "Not a directory"),
        ("missing/out", "No such file or directory"),
        ("/proc/out", "No such file or directory"),
        (".", "Is a directory"),
        ("/dev/full", "No space left on device"),
        ("x" * 300, "File name too long"),
    ],
)
def test_what_cannot_be_written_is_reported_in_a_line(output: str, reason: str, folder: Path) -> None:
    result = run_convcost("analyze", "net.yaml", "-o", output, cwd=folder)
    assert (result.code, result.out) == (1, "")
    assert re.fullmatch(rf"error: cannot write [^\n]+: {reason}\n", result.err), result.err


def test_a_read_only_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkstemp", read_only)
    result = convcost("analyze", "plain", "-o", str(tmp_path / "out"))
    assert (result.code, result.out) == (1, "")
    assert result.err == f"error: cannot write {tmp_path / 'out'}: Read-only file system\n"


def test_a_full_disk_behind_standard_output() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "convcost", "analyze", "plain"]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: cannot write the output: No space left on device\n")


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        output.write("text", str(tmp_path / "out"))
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "line",
    [
        "analyze net.yaml -o net.yaml",
        "analyze net.yaml -o ./unit.yaml",
        "analyze net.yaml --convention mine.yaml -o mine.yaml",
        "roofline net.yaml --device chip.yaml -o chip.yaml",
        "conventions net.yaml --convention mine.yaml -o mine.yaml",
        "compare net.yaml plain -o net.yaml",
        "equal net.yaml plain -o net.yaml",
        "formula net.yaml -o unit.yaml",
        "solve net.yaml --for O --budget macs<=100k -o net.yaml",
        "analyze net.yaml -o hard-link.yaml",
        "analyze net.yaml -o symbolic-link.yaml",
    ],
)
def test_nothing_that_was_read_is_overwritten(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "symbolic-link.yaml").symlink_to("net.yaml")
    (folder / "hard-link.yaml").hardlink_to(folder / "net.yaml")
    before = {path.name: path.read_text() for path in folder.iterdir()}
    result = convcost(*line.split(), "--format", "json", cwd=folder)  # without it the suffix is refused
    assert result.code == 2, result.err
    assert "would overwrite the command's own input" in result.err
    assert {path.name: path.read_text() for path in folder.iterdir()} == before


HOSTILE = r"""
title: "=cmd()\e[31m [bold]T[/bold] | $x$ \\input{y} \u202e"
input: {I: 3, H: 8, W: 8}
parameters: {O: 4}
layers:
  - {conv: {out: O, kernel: 3}, name: "=1+2"}
  - {conv: {out: O}, name: " +1|2 [red]c[red]\e[2J"}
  - {conv: {out: O}, name: "-1\n\r\t2 \x9b\u202e\x7f"}
  - {conv: {out: O}, name: "@\\input %_$ #&~^`*<b>"}
  - {conv: {out: O}, name: "\uff1dcmd"}
"""
NAMES = ["=1+2", " +1|2 [red]c[red]\x1b[2J", "-1\n\r\t2 \x9b\u202e\x7f", "@\\input %_$ #&~^`*<b>", "\uff1dcmd"]
LINES = [
    "analyze {}",
    "analyze {} --no-fold --by block",
    "conventions {}",
    "memory {} --steps",
    "traffic {}",
    "receptive {}",
    "roofline {} --device v100",
    "compare {} plain",
    "scaling {} --free O",
    "solve {} --for O --budget macs<=100k",
]
OTHERS = [
    "formula {}", "formula {} --format unicode", "formula {} --format latex", "formula {} --format python",
    "formula {} --format numpy", "formula {} --format c", "formula {} --format javascript", "formula {} --format json",
    "equal {} plain", "check {}", "roofline {} --device v100 --plot",
]  # fmt: skip


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    path = tmp_path / "net.yaml"
    path.write_text(HOSTILE)
    return str(path)


@pytest.mark.parametrize("line", [*(f"{line} --format {how}" for line in LINES for how in FORMAT_NAMES), *OTHERS])
def test_names_steer_no_terminal(line: str, hostile: str) -> None:
    result = convcost(*line.format(hostile).split())
    assert result.code in (0, 1), result.err
    assert result.out
    assert [one for one in result.out + result.err if not one.isprintable() and one != "\n"] == []


@pytest.mark.parametrize("line", LINES)
def test_names_start_no_formula_in_a_spreadsheet(line: str, hostile: str) -> None:
    cells = list(csv.reader(io.StringIO(convcost(*line.format(hostile).split(), "--format", "csv").out)))
    assert len({len(row) for row in cells}) == 1
    for cell in (cell for row in cells for cell in row):
        number = re.fullmatch(r"-[0-9.e+-]+", cell)
        assert number or not cell.lstrip().startswith(tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")), cell


@pytest.mark.parametrize("line", LINES)
def test_names_break_no_markdown_table(line: str, hostile: str) -> None:
    text = convcost(*line.format(hostile).split(), "--format", "markdown").out
    tables = [part.split("\n") for part in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]
    assert tables
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row.replace("\\\\", ""))) for row in table if row}) == 1
    for markup in ("[red]", "[bold]", "<b>", "\n-1"):
        assert markup not in text


def test_json_gives_names_back_as_they_were(hostile: str) -> None:
    rows = json.loads(convcost("analyze", hostile, "--format", "json").out)["rows"]
    assert [row["path"] for row in rows] == NAMES


def test_latex_has_no_command_from_a_name(hostile: str) -> None:
    text = convcost("formula", hostile, "--format", "latex", "--in", "params").out
    body = [line for line in text.split("\n") if line.startswith(r"\text{")]
    assert len(body) == len(NAMES) + 1
    for line in body:
        label = line.split(": params}", 1)[0].removeprefix(r"\text{")
        assert not re.search(r"(?<!\\)[%$#&_{}]", label.replace("{}", "").replace(r"\textbackslash", "")), label
        assert r"\input" not in label


def test_names_that_the_terminal_has_no_characters_for(hostile: str) -> None:
    result = run_convcost("formula", hostile, "--format", "unicode", PYTHONIOENCODING="ascii")
    assert result.code == 0
    assert "\\xb7" in result.out
    assert result.out.isascii()


def test_misuse_shows_no_control_characters() -> None:
    for line in (["anal\x1byze"], ["analyze", "plain", "\x9b31m"], ["analyze", "plain", "--\u202eexact"]):
        result = convcost(*line)
        assert (result.code, result.out) == (2, "")
        assert all(one.isprintable() or one == "\n" for one in result.err), result.err


def test_a_zero_byte_in_a_path_is_reported(tmp_path: Path) -> None:
    for line in (["analyze", "a\0.yaml"], ["conventions", "a\0.yaml"], ["analyze", "plain", "-o", f"{tmp_path}/a\0b"]):
        result = convcost(*line)
        assert (result.code, result.out) == (1, "")
        assert re.fullmatch(
            r"error: cannot (read|write) .*: (lstat: )?embedded null (byte|character)( in path)?\n", result.err
        )


def test_a_thousand_faults_are_not_a_thousand_lines(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("input: [3]\nlayers:\n" + "  - nonsense\n" * 1000)
    result = convcost("analyze", str(tmp_path / "net.yaml"))
    lines = result.err.rstrip("\n").split("\n")
    assert (result.code, len(lines), lines[-1]) == (1, 101, "... and 900 lines more")
