"""Tables: nothing is cut at any width, folding changes no sum, and every format has the rows and columns asked for."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT, representatives, run_convcost, sampled
from hypothesis import given
from hypothesis import strategies as st
from inprocess import convcost

from convcost import load
from convcost.catalogue.loader import bundled_names
from convcost.cli.output import FORMAT_NAMES
from convcost.metrics.devices import device
from convcost.metrics.registry import METRICS
from convcost.metrics.report import analyze
from convcost.render.analysis import cost_table
from convcost.tables import text as formats
from convcost.tables.table import Column, Ratio, Table
from convcost.tables.terminal import TableView, shortened, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COPY = re.compile(r"\[[\d,-]+\]")


# --- nothing is cut ---


def solid(text: str) -> str:
    """``text`` without spaces: what wrapping may not change."""
    return re.sub(r"\s+", "", text)


WORDS = st.text("ab(*+-/,)_^<=> é漢…", max_size=60)


@given(WORDS, st.integers(8, 40))
def test_wrapping_leaves_nothing_out_and_fits(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert solid("".join(lines)) == solid(text)
    assert all(len(line) + sum(character == "漢" for character in line) <= width for line in lines)


def test_a_formula_breaks_after_operators() -> None:
    lines = wrapped("M*(K^2*M+I+O)/(I*K^2*O)*(sqrt(4*I*K^4*O+I^2)-I)", 16)
    assert all(line[-1] in "+-*/" for line in lines[:-1])
    assert all(line.startswith("  ") for line in lines[1:])


PATHS = st.lists(
    st.lists(st.sampled_from(["a", "b", "unit[1]", "unit[2]", "unit", "main", "c#2", "…"]), min_size=1, max_size=5).map(
        "/".join
    ),
    max_size=12,
)


@given(PATHS)
def test_shortened_paths_stay_different(paths: list[str]) -> None:
    short = shortened(paths)
    assert len(set(short.values())) == len(set(paths))
    for path, text in short.items():
        assert text.split("/")[-1] == path.split("/")[-1]
        assert len(text) <= len(path)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_every_layer_keeps_its_own_name(width: int) -> None:
    rows = analyze(load("mobilenet_v2")).rows
    column = (Column("path", "path", "name", 9), Column("macs", "MACs", "count", 9))
    table = Table("", column, [(row.path, row.work.macs) for row in rows], None, ())
    text = TableView(table).text(width)
    names: list[str] = []
    for line in text.split("\n")[2:]:
        name = line[: -len(line.split("  ")[-1])].strip() if not line.startswith("  ") else line.strip()
        if line.startswith("  "):
            names[-1] += name
        elif name:
            names.append(name)
    assert len(set(names)) == len(rows)


def test_hidden_columns_are_named_with_the_option_that_shows_them() -> None:
    wide = convcost("analyze", "resnet18").out
    shown = TableView(cost_table(analyze(load("resnet18")), fold=True)).text(80)
    hidden = re.search(r"^hidden: (.*)", shown.replace("\n  ", " "), re.MULTILINE)
    assert hidden is not None
    assert hidden[1].endswith("(--columns shows them)")
    titles = hidden[1].removesuffix(" (--columns shows them)").split(", ")
    header = re.split(r"\s{2,}", wide.split("\n")[1])
    still = re.split(r"\s{2,}", shown.split("\n")[0])
    assert "input" in titles
    assert sorted([*titles, *still]) == sorted(header)


def test_columns_asked_for_are_not_hidden() -> None:
    keys = list(METRICS)
    text = TableView(cost_table(analyze(load("bottleneck"), device=device("v100")), columns=keys)).text(80)
    assert "hidden" not in text
    assert max(map(len, text.split("\n"))) <= 80
    for key in keys:
        if key != "reported":
            assert all(word in text for word in METRICS[key].title.split())


def test_a_table_too_wide_for_any_column_is_a_list() -> None:
    columns = (Column("a", "first", "count", 9), Column("b", "second", "count", 9))
    text = TableView(Table("", columns, [(10**15, 10**15 + 1)], None, ()), exact=True).text(32)
    assert text == "first: 1,000,000,000,000,000\nsecond: 1,000,000,000,000,001\n"
    narrow = TableView(Table("", columns, [(10**15, 10**15 + 1)], None, ()), exact=True).text(20)
    assert max(map(len, narrow.split("\n"))) <= 20
    assert solid(narrow) == solid(text)


def commands(*pages: str) -> list[str]:
    text = "\n".join((ROOT / page).read_text("utf-8") for page in pages)
    return list(dict.fromkeys(re.findall(r"^\$ convcost (.*)$", text, re.MULTILINE)))


def in_terminal(line: str, width: int, **env: str) -> str:
    """What ``convcost`` prints in a terminal of this width, without colours."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    environment = {**inherited, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **env}
    with subprocess.Popen(
        [sys.executable, "-m", "convcost", *shlex.split(line)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.STDOUT,
        env=environment,
    ) as process:
        os.close(follower)
        data = b""
        while True:
            ready, _, _ = select.select([leader], [], [], 60)
            assert ready, f"nothing more for a minute: {line}"
            try:
                part = os.read(leader, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            data += part
        process.wait(60)
    os.close(leader)
    return re.sub(r"\x1b\[[0-9;]*m", "", data.decode()).replace("\r", "")


def lost(piped: str, shown: str) -> list[str]:
    """Titles, notes and other lines without columns that are not in ``shown``, and words that are not."""
    whole, bare = solid(shown), shown.split()
    paragraphs = [line for line in piped.split("\n") if line and "  " not in line.strip() and set(line) != {"-"}]
    words = {word for word in re.findall(r"[A-Za-z]{3,}", piped) if word not in ("repeat",)}
    joined = "".join(bare)
    return [line for line in paragraphs if solid(line) not in whole and "hidden:" not in line] + [
        word for word in words if word not in joined
    ]


def test_lost_text_is_noticed() -> None:
    assert lost("M < (sqrt(4*I*K^4*O + I^2) - I)", "M < (sqrt(4*I*K^4*O + I^2") != []
    assert lost("layer  a description", "layer  a") == ["description"]


# the errors of `check` are whole lines that other programs read
RUN = [line for line in commands("docs/tour.md", "README.md") if not line.startswith("check")]


@pytest.mark.parametrize("line", RUN)
def test_a_terminal_of_80_columns_shows_all_that_a_pipe_does(line: str) -> None:
    shown = in_terminal(line, 80)
    assert max(map(len, shown.split("\n"))) <= 80 or line.startswith(("formula", "equal", "convert"))
    tree = (
        ["--by", "tree"]
        if line.startswith("analyze") and not {"--by", "--columns", "--top", "--sort"} & {*line.split()}
        else []
    )
    assert lost(convcost(*shlex.split(line), *tree).out, shown) == []


@pytest.mark.parametrize("width", [60, 120])
@pytest.mark.parametrize(
    "line",
    [
        "compare bottleneck plain",
        "layers",
        "conventions resnet50",
        "receptive inception_module",
        "explain resnet50 --reported 3.8G",
        "scaling mobilenet_v1",
        "verify mobilenet_v1",
        "memory mobilenet_v2",
        "roofline mobilenet_v1 --device raspberry_pi_4",
    ],
)
def test_other_widths_show_all_too(line: str, width: int) -> None:
    shown = in_terminal(line, width)
    assert max(map(len, shown.split("\n"))) <= width
    assert lost(convcost(*line.split()).out, shown) == []


def test_columns_is_honoured_in_a_pipe() -> None:
    narrow = run_convcost("compare", "bottleneck", "plain", COLUMNS="60").out
    wide = run_convcost("compare", "bottleneck", "plain").out
    assert max(map(len, narrow.split("\n"))) <= 60 < max(map(len, wide.split("\n")))
    assert lost(wide, narrow) == []
    for nonsense in ("", "wide", "-5", "9" * 30):
        assert run_convcost("compare", "bottleneck", "plain", COLUMNS=nonsense).out == wide


# --- folding ---


def total_of(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What all rows have together, by what each column says of its values; None where nothing can be said."""
    sums: dict[str, Any] = {}
    for place, column in enumerate(columns):
        values = [row[place] for row in rows if row[place] is not None]
        if column.combine in ("sum", "max") and values:
            sums[column.key] = sum(values) if column.combine == "sum" else max(values)
    for column in columns:
        if isinstance(column.combine, Ratio):
            over, under = sums.get(column.combine.over), sums.get(column.combine.under)
            sums[column.key] = Fraction(over) / Fraction(under) if over is not None and under else None
    return tuple(sums.get(column.key) for column in columns)


def unfolded(path: str) -> str:
    return COPY.sub("[]", path)


@pytest.mark.parametrize("name", sampled(representatives(), 4))
def test_folded_rows_are_what_the_single_rows_give(name: str) -> None:
    analysis = analyze(load(name), device=device("v100"))
    keys = [key for key in METRICS if key not in ("field", "effective_stride", "start", "repeat")]
    single = cost_table(analysis, columns=keys)
    fold = cost_table(analysis, columns=[*keys, "repeat"], fold=True)
    assert fold.total is not None
    assert single.total is not None
    assert sum(row[-1] for row in fold.rows) == len(single.rows)
    assert fold.total[1:-1] == single.total[1:]
    members: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in single.rows:
        members.setdefault((unfolded(row[0]), *row[1:]), []).append(row)
    by_path = list(members.values())
    for row, rows in zip(fold.rows, by_path, strict=True):
        for place, key in enumerate(keys):
            values = [each[place] for each in rows]
            if METRICS[key].combine == "sum":
                known = [value for value in values if value is not None]
                assert row[place] == (sum(known) if known else None), (key, row[0])
            elif key != "path":
                assert {row[place]} == set(values), (key, row[0])
    assert (
        total_of(single.columns, single.rows)[1:]
        == tuple(
            None if METRICS[key].combine == "same" else value for key, value in zip(keys, single.total, strict=True)
        )[1:]
    )


@pytest.mark.parametrize("command", ["traffic", "roofline --device v100"])
def test_intensities_of_folded_rows_are_those_of_a_layer(command: str) -> None:
    name, *options = command.split()
    rows = json.loads(convcost(name, "resnet18", *options, "--format", "json").out)["rows"]
    known = {(unfolded(row["path"]), f"{row['intensity']:.4g}") for row in rows if row["intensity"]}
    lines = convcost(name, "resnet18", *options).out.split("\n")
    place = lines[1].index("FLOPs/byte") + len("FLOPs/byte")
    shown = {(unfolded(line.split()[0]), line[:place].split()[-1]) for line in lines if "[1-2]/" in line}
    assert shown
    assert shown <= known


# --- columns and formats ---


def test_formulas_in_notes_are_math_in_latex() -> None:
    """In ``compare``: the partial fractions, the root where the order changes, and the relation before it."""
    out = convcost("compare", "bottleneck", "plain", "--format", "latex").out
    notes = [line for line in out.split("\n") if line.startswith(r"\par")]
    assert r"as partial fractions $\frac{M^{2}}{I O} + \frac{M}{I K^{2}} + \frac{M}{K^{2} O}$" in notes[0]
    root = r"$\frac{\sqrt{4 I K^{4} O + I^{2} + O^{2} + 2 I O} - I - O}{2 K^{2}}$"
    assert f"bottleneck $<$ plain exactly when $M$ $<$ {root} (229.1 at the defaults)" in notes[1]
    assert not any("textasciicircum" in note or note.count("$") % 2 for note in notes)
    proved = convcost("compare", "group_conv", "standard_conv", "--format", "latex").out
    assert r"$\le$ standard_conv".replace("_", r"\_") in proved
    assert "textgreater" not in proved
    plain = convcost("compare", "bottleneck", "plain").out
    assert "as partial fractions M^2/(I*O) + M/(I*K^2) + M/(K^2*O)\n" in plain


@pytest.mark.parametrize("how", ["json", "csv", "markdown", "latex", "table"])
def test_columns_hold_in_every_format(how: str) -> None:
    out = convcost("analyze", "lenet5", "--columns", "macs,layer,Kind", "--format", how).out
    if how == "json":
        assert {tuple(row) for row in json.loads(out)["rows"]} == {("macs", "path", "kind")}
    elif how == "csv":
        assert next(csv.reader(io.StringIO(out))) == ["macs", "path", "kind"]
    else:
        header = next(line for line in out.split("\n") if "MACs" in line)
        assert re.findall(r"\w+", header) == ["MACs", "path", "kind"]


def test_the_number_of_copies_is_shown_where_it_is_asked_for() -> None:
    lines = convcost("analyze", "resnet18", "--columns", "path,macs").out.split("\n")
    assert lines[1].split() == ["path", "MACs"]
    lines = convcost("analyze", "resnet18", "--columns", "path,repeat").out.split("\n")
    assert lines[1].split() == ["path", "repeat"]
    rows = json.loads(convcost("analyze", "resnet18", "--fold", "--format", "json", "--columns", "repeat,macs").out)
    assert sum(row["repeat"] for row in rows["rows"]) == len(analyze(load("resnet18")).rows)
    assert sum(row["macs"] for row in rows["rows"]) == rows["totals"]["macs"]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("x.json", "{"),
        ("x.csv", "path,"),
        ("x.md", "**Bottleneck"),
        ("x.tex", "% needs"),
        ("x.txt", "Bottleneck"),
        ("x.html", "<!DOCTYPE html>"),
        ("x", "Bottleneck"),
    ],
)
def test_the_suffix_says_the_format(name: str, start: str, tmp_path: Path) -> None:
    target = tmp_path / name
    assert convcost("analyze", "bottleneck", "-o", str(target)).code == 0
    assert target.read_text("utf-8").startswith(start)
    assert convcost("analyze", "bottleneck", "--format", "csv", "-o", str(target)).code == 0
    assert target.read_text("utf-8").startswith("path,")


@pytest.mark.parametrize(
    ("line", "name", "part"),
    [
        ("formula lenet5", "f.json", '"schema": "convcost/formula/'),
        ("formula lenet5", "f.tex", r"\begin{align*}"),
        ("formula lenet5", "f.py", "def lenet5("),
        ("formula lenet5", "f.txt", "total"),
        ("equal resnext_a resnext_b", "f.json", '"schema": "convcost/equal/'),
        ("compare bottleneck plain", "f.json", '"schema": "convcost/compare/'),
        ("memory lenet5", "f.tex", r"\toprule"),
        ("layers", "f.md", "|---|"),
    ],
)
def test_the_suffix_says_the_format_of_every_command(line: str, name: str, part: str, tmp_path: Path) -> None:
    target = tmp_path / name
    assert convcost(*line.split(), "-o", str(target)).code == 0
    assert part in target.read_text("utf-8")


def test_a_new_format_is_a_function_and_a_record() -> None:
    assert set(FORMAT_NAMES) == {*formats.FORMATS, "json"}
    table = Table("t", (Column("a", "A", "count", 9),), [(1,)], None, ())
    texts = {name: write([table], exact=False) for name, (write, *_) in formats.FORMATS.items()}
    assert len(set(texts.values())) == len(texts)


def test_a_format_for_programs_has_what_csv_has(tmp_path: Path) -> None:
    """A format that a stranger adds as one record has the rows and columns of CSV in every command with rows."""
    program = tmp_path / "tabs.py"
    program.write_text(
        "import sys\n"
        "from convcost.tables import text\n"
        "csv = text.as_csv\n"
        "tabs = lambda tables, *, exact: csv(tables, exact=exact).replace(',', '\\t')\n"
        "text.FORMATS['tsv'] = text.Format(tabs, '.tsv', for_programs=True)\n"
        "from convcost.cli import main\n"
        "main()\n",
        "utf-8",
    )
    for line in ("analyze lenet5", "traffic lenet5", "compare bottleneck plain", "table lenet5", "list --blocks"):
        command = [sys.executable, str(program), *line.split()]
        to_file = [*command, "-o", str(tmp_path / "out.tsv")]
        subprocess.run(to_file, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60)
        expected = convcost(*line.split(), "--format", "csv").out
        assert (tmp_path / "out.tsv").read_text("utf-8") == expected.replace(",", "\t"), line


# --- LaTeX ---

HOSTILE = ["a_b", "50 %", "x & y", "$x$", "#1", "{", "}", "\\input{/etc/passwd}", "~", "^", "[2pt]", "*", "<b>", "a\nb"]


def balanced(text: str) -> bool:
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", text.replace("\\\\", "")):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def test_latex_escapes_what_it_would_read() -> None:
    columns = (Column("name", "na_me", "name", 9), Column("n", "%", "count", 9))
    table = Table("50 % \\{", columns, [(name, 1234567) for name in HOSTILE], None, ("a_b",))
    text = formats.as_latex([table], exact=True)
    assert balanced(text)
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().split("\n")
    assert len(body) == len(HOSTILE)
    for line in body:
        assert line.endswith(r" & 1\,234\,567 \\")
        cell = line.removesuffix(r" & 1\,234\,567 \\")
        assert not cell.startswith(("[", "*"))
        plain = re.sub(r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar)\{\}", "", cell)
        assert not re.search(r"(?<!\\)[&%$#_^~\\](?![&%$#_{}])", plain), line


@pytest.mark.parametrize(
    "line",
    ["analyze resnet18", "compare bottleneck plain", "conventions lenet5", "list", "layers conv", "scaling lenet5"],
)
def test_latex_has_balanced_braces_and_one_cell_a_column(line: str) -> None:
    text = convcost(*line.split(), "--format", "latex").out
    assert balanced(text)
    for columns, body in re.findall(r"\\begin\{tabular\}\{([lr]+)\}\n(.*?)\\end\{tabular\}", text, re.DOTALL):
        for row in body.split("\n"):
            if row.endswith(r"\\"):
                assert len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1


def test_ratios_and_limits_are_math_in_latex() -> None:
    text = convcost("compare", "depthwise_separable_conv", "standard_conv", "--format", "latex").out
    # MobileNet (Howard et al., 2017), section 3.1: 1/N + 1/D_K^2, of N output channels and a kernel of D_K
    assert r"$\frac{1}{O} + \frac{1}{K^{2}}$" in text
    assert r"\text{ as } O \to \infty" in text
    assert r"\to \infty" in text
    assert re.search(r"\$\\frac\{\d+\}\{\d+\}\$", text)
    assert "K\\textasciicircum{}2" not in text.split("\\footnotesize")[0]


# --- the tree ---


def test_a_terminal_shows_a_tree_and_a_pipe_rows() -> None:
    shown = in_terminal("analyze resnet50", 80)
    assert "└─ bottleneck_residual[2-6] x 5" in shown
    assert "25,557,032" in shown  # the parameters that torchvision's resnet50 has
    assert "4,089,184,256" in shown
    assert "█" in shown
    assert len(shown.split("\n")) < 50
    assert max(map(len, shown.split("\n"))) <= 80
    assert "standard" in run_convcost("analyze", "resnet50").out
    for asked in ("--by layer", "--sort macs", "--top 3", "--columns path,macs"):
        assert "└─" not in in_terminal(f"analyze resnet18 {asked}", 80)


def test_a_tree_needs_no_more_than_ascii() -> None:
    for env in ({"TERM": "dumb"}, {"PYTHONIOENCODING": "ascii"}):
        shown = in_terminal("analyze resnet18", 80, **env)
        assert shown.isascii()
        assert "`- basic_residual[2] " in shown or "|- basic_residual[1" in shown
        assert "\\x" not in shown
        assert "\\u" not in shown


@pytest.mark.parametrize("name", bundled_names())
def test_a_tree_adds_up(name: str) -> None:
    """What is directly inside a stage or block adds up to it, and the outermost level to the network."""
    columns = "level,path,params,macs,layers"
    run = convcost("analyze", name, "--by", "tree", "--format", "json", "--fold", "--columns", columns)
    data = json.loads(run.out)
    rows = data["rows"]
    for quantity in ("params", "macs"):
        assert sum(row[quantity] for row in rows if row["level"] == 1) == data["totals"][quantity]
    for place, row in enumerate(rows):
        inside = []
        for part in rows[place + 1 :]:
            if part["level"] <= row["level"]:
                break
            if part["level"] == row["level"] + 1:
                inside.append(part)
        for quantity in ("params", "macs", "layers"):
            assert not inside or sum(part[quantity] for part in inside) == row[quantity], (row, quantity)


def test_sorting_a_tree_is_refused() -> None:
    result = convcost("analyze", "lenet5", "--by", "tree", "--sort", "macs")
    assert result.code == 2
    assert "--by layer" in result.err


@pytest.mark.parametrize(
    ("line", "suffixes"),
    [
        ("analyze lenet5", ".txt, .csv, .md, .tex, .html or .json"),
        ("sweep lenet5 --over classes=2:4", ".txt, .csv, .md, .tex, .html, .json or .parquet"),
        ("formula lenet5", None),
        ("equal bottleneck plain", ".txt or .json"),
        ("draw lenet5", ".txt, .json, .svg, .mmd or .dot"),
        ("plot lenet5", ".txt, .json, .svg, .png or .pdf"),
        ("convert lenet5", ".yaml, .yml or .onnx"),
        ("explore lenet5", ".html"),
        ("schema", ".json"),
    ],
)
def test_a_suffix_that_is_not_written_is_refused(line: str, suffixes: str | None, tmp_path: Path) -> None:
    target = tmp_path / "out.zip"
    done = convcost(*line.split(), "-o", str(target))
    assert done.code == 2
    assert suffixes is None or f"out.zip: expected a file that ends in {suffixes}, found '.zip'\n" in done.err
    assert not target.exists()
