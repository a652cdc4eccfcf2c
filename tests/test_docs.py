"""The documentation cannot lie: pages are current, examples run, every command and layer is in them."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from conftest import ROOT, run_convcost

import convcost
from convcost.cli.commands import COMMANDS, cli
from convcost.cli.help import EXAMPLES, GROUPS, OTHER_WORDS
from convcost.layers import REGISTRY, Layer
from convcost.layers.base import STATEMENTS

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = [page for page in PAGES if page.name != "contributing.md"]  # whose example is a whole layer, tested below
FEWEST_DOCTESTS = 40


def test_generated_pages_and_outputs_are_current() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("page", CODE, ids=lambda page: page.name)
def test_python_examples_run(page: Path) -> None:
    failed, _ = doctest.testfile(str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_the_base_classes_of_the_contribution_guide_leave_open_what_it_lists() -> None:
    page = (ROOT / "docs" / "contributing.md").read_text("utf-8")
    rows = re.findall(r"^\| `(_\w+)` \| `(\w+)\.py` \| .* \| (.*) \| `(\w+)` \|$", page, re.MULTILINE)
    assert len(rows) == 8
    for name, file, listed, example in rows:
        module = importlib.import_module(f"convcost.layers.{file}")
        base = getattr(module, name)
        above = [vars(cls) for cls in base.__mro__ if cls not in (Layer, object)]
        annotated = {word for words in above for word in words.get("__annotations__", ())}
        known = {word for words in above for word in words}
        assert set(re.findall(r"`(\w+)`", listed)) == (annotated | set(STATEMENTS)) - known, name
        assert issubclass(getattr(module, example), base)


def test_the_layer_of_the_contribution_guide_is_one() -> None:
    page = (ROOT / "docs" / "contributing.md").read_text("utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    program = (
        "import convcost\n"
        "from convcost.layers.activation import _Elementwise\n"
        f"{code[0]}\n"
        "assert Abs().work((64, 8, 8), (64, 8, 8)).comparisons == 4096\n"
        "graph = convcost.loads('{input: [3, 8, 8], layers: [abs]}')\n"
        "print(graph.layers[0].kind, graph.layers[0].work.comparisons)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "abs 192\n"


def test_the_layer_from_scratch_of_the_contribution_guide_is_right_in_every_metric() -> None:
    page = (ROOT / "docs" / "contributing.md").read_text("utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[1]
    program = (
        "from __future__ import annotations\n"
        "import convcost\n"
        "from convcost.layers.base import Backward, Layer, Saved, Shape, Work, elements\n"
        "from convcost.metrics.receptive import receptive_fields\n"
        "from convcost.metrics.training import kept, operations\n"
        "from convcost.metrics.traffic import traffic\n"
        f"{code}\n"
        "conv = 'conv: {out: 4, kernel: 3, padding: 1, bias: false}'\n"
        "graph = convcost.loads('{input: [3, 8, 8], layers: [' + conv + ', max_norm, ' + conv + ']}')\n"
        "print(receptive_fields(graph)[3].sizes, kept(graph).elements, traffic(graph)[2].written)\n"
        "print(operations(graph).backward.divisions)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    # two 3x3 windows see 5x5; kept are the image, the norm's input, and its output, which the second convolution reads
    assert done.stdout == f"(5, 5) {3 * 64 + 4 * 64 + 4 * 64} {4 * 64}\n{4 * 64 + 64}\n"
    for left_out in ("is_view", "reads", "saves", "backward", "kinds", "family", "fusing"):
        lines = code.splitlines(keepends=True)
        start = next(n for n, line in enumerate(lines) if re.match(rf"    (def )?{left_out}\b", line))
        end = start + 1
        while lines[start].startswith("    def") and end < len(lines) and not re.match(r"    \S", lines[end]):
            end += 1
        refused = program.replace(code, "".join(lines[:start] + lines[end:]))
        failed = subprocess.run([sys.executable, "-c", refused], cwd=ROOT, capture_output=True, text=True, check=False)
        assert f"TypeError: layer max_norm does not state\n  {left_out}: " in failed.stderr, left_out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_ci_runs_the_readmes_test_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "pip install '.[test]' && python -m pytest\n" in readme
    assert "pip install --quiet --disable-pip-version-check '.[test]'\npython -m pytest\n" in ci


def test_every_command_is_shown_in_the_documentation() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    missing = [name for name in COMMANDS if f"convcost {name}" not in text]
    assert missing == []


def test_every_command_and_option_is_in_the_command_reference() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^###? |\Z)", page, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(COMMANDS)
    for name, section in sections.items():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for param in command.params:
            for option in param.opts if isinstance(param, click.Option) and not param.hidden else ():
                assert option in section, (name, option)
        assert EXAMPLES[name][0] in section


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_and_they_run(name: str, tmp_path: Path) -> None:
    text = run_convcost(name, "--help").out
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    for example in EXAMPLES[name]:
        assert f"    {example}\n" in text
        words = shlex.split(example)
        assert words[:2] == ["convcost", name]
        done = run_convcost(*words[1:], cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), example
        assert done.out or "-o" in words


def test_help_shows_every_command_in_a_group_on_a_line_of_80_columns() -> None:
    text = run_convcost("--help", COLUMNS="80").out
    for group, members in GROUPS.items():
        assert f"\n{group}:\n" in text
        for name, summary in members.items():
            assert re.search(rf"^  {name} +{re.escape(summary)}$", text, re.MULTILINE), name
    assert "..." not in text.replace("[ARGS]...", "")


def test_help_is_a_command_and_other_words_lead_to_the_right_one() -> None:
    assert run_convcost("help").out == run_convcost("--help").out
    assert run_convcost("help", "solve").out == run_convcost("solve", "--help").out
    for word, name in OTHER_WORDS.items():
        done = run_convcost(word, "resnet50")
        assert done.code == 2
        assert f"no command is called '{word}'; did you mean '{name}'?" in done.err


def test_every_layer_is_in_the_reference() -> None:
    headings = re.findall(r"^### (\w+)$", (ROOT / "docs" / "layers.md").read_text("utf-8"), re.MULTILINE)
    assert set(headings) == set(REGISTRY)


def test_there_are_doctests() -> None:
    found = [
        example
        for path in (ROOT / "convcost").rglob("*.py")
        for example in re.findall(r"^\s+>>> ", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert len(found) >= FEWEST_DOCTESTS


def test_public_functions_are_documented_with_what_they_raise() -> None:
    page = (ROOT / "docs" / "library.md").read_text("utf-8")
    for name in convcost.__all__:
        assert re.search(rf"\b{name}\b", page), name
        doc = getattr(convcost, name).__doc__
        assert doc, name
        if name.islower():
            assert "Raises:" in doc or "as :func:`load`" in doc or name in ("list_conventions", "schema"), name
            assert ">>> " in doc or name in ("from_torch", "plugin"), name  # they need PyTorch, and a file of code
