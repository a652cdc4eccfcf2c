"""Layers and metrics from outside the package: the examples of the contribution guide, as files and as entry points."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT, Result, run_convcost

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = (ROOT / "docs" / "contributing.md").read_text("utf-8").split("## From outside the package", 1)[1]
LAYER, METRIC = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
SPEC = """
input: [3, 8, 8]
layers:
  - conv: {out: 4, kernel: 3, padding: 1}
  - squared_relu
  - conv: {out: 4, kernel: 3, padding: 1}
"""
FIRST, SECOND = 3 * 4 * 9 * 64, 4 * 4 * 9 * 64  # MACs of the two convolutions on maps of 8x8
PARAMS = 3 * 4 * 9 + 4, 4 * 4 * 9 + 4
ELEMENTS = 4 * 64  # of the map between them


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of the guide, and no copy of the package."""
    (tmp_path / "primer.py").write_text(LAYER, "utf-8")
    (tmp_path / "reuse.py").write_text(METRIC, "utf-8")
    (tmp_path / "net.yaml").write_text(SPEC, "utf-8")
    return tmp_path


@pytest.fixture
def site(folder: Path) -> Path:
    """A folder of installed packages with that module, and its entry points as an installer writes them."""
    installed = folder / "site"
    information = installed / "my_package-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n", "utf-8")
    sections = re.search(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert sections is not None
    entries = re.sub(r'\[project.entry-points."(.*)"\]', r"[\1]", sections[1]).replace('"', "")
    (information / "entry_points.txt").write_text(entries, "utf-8")
    package = installed / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (folder / "primer.py").rename(package / "primer.py")
    (folder / "reuse.py").rename(package / "reuse.py")
    return installed


def with_plugins(folder: Path, command: str, *args: str) -> Result:
    return run_convcost(command, *args, "--plugin", "primer.py", "--plugin", "reuse.py", cwd=folder)


def installed(folder: Path, site: Path, *args: str) -> Result:
    return run_convcost(*args, cwd=folder, PYTHONPATH=f"{ROOT}:{site}")


def assert_right(done: Result) -> None:
    assert (done.code, done.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["kind"] for row in rows] == ["standard", "squared_relu", "standard"]
    assert [int(row["flops"]) for row in rows] == [2 * FIRST + ELEMENTS, 2 * ELEMENTS, 2 * SECOND + ELEMENTS]
    assert [float(row["reuse"] or 0) for row in rows] == pytest.approx([FIRST / PARAMS[0], 0, SECOND / PARAMS[1]])


def test_a_layer_and_a_metric_from_files(folder: Path) -> None:
    assert_right(with_plugins(folder, "analyze", "net.yaml", "--columns", "kind,flops,reuse", "--format", "csv"))


def test_the_layer_is_known_to_every_command(folder: Path) -> None:
    written = []
    for fusing in ("--fused", "--unfused"):
        done = with_plugins(folder, "analyze", "net.yaml", fusing, "--columns", "field,written", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(done.out)))
        assert rows[-1]["field"] == "5x5"  # two 3x3 windows
        written.append(sum(int(row["written"]) for row in rows))
    assert written[1] - written[0] == ELEMENTS
    for command in ("memory", "traffic", "receptive", "conventions"):
        assert with_plugins(folder, command, "net.yaml").code == 0, command
    formula = with_plugins(folder, "formula", "net.yaml", "--total", "--in", "macs")
    assert str(FIRST + SECOND) in formula.out.replace(",", "")
    reference = with_plugins(folder, "layers", "squared_relu")
    assert "max(x, 0) ** 2" in reference.out
    schema = json.loads(with_plugins(folder, "schema").out)
    assert "squared_relu" in json.dumps(schema)


def test_the_metric_is_a_budget(folder: Path) -> None:
    exact = (FIRST + SECOND) / sum(PARAMS)
    assert with_plugins(folder, "check", "net.yaml", "--budget", f"reuse<={exact + 0.01:.3f}").code == 0
    over = with_plugins(folder, "check", "net.yaml", "--budget", f"reuse<={exact - 0.01:.3f}")
    assert (over.code, over.out) == (1, "")
    assert "reuse is" in over.err


def test_from_python(folder: Path) -> None:
    program = (
        "import convcost\n"
        "convcost.plugin('primer.py')\n"
        "convcost.plugin('./primer.py')\n"  # once is enough
        "print(convcost.analyze('net.yaml').totals.macs)\n"
    )
    environment = {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) == FIRST + SECOND


def test_entry_points_of_an_installed_package(folder: Path, site: Path) -> None:
    assert_right(installed(folder, site, "analyze", "net.yaml", "--columns", "kind,flops,reuse", "--format", "csv"))
    assert "squared_relu" in installed(folder, site, "layers").out
    assert "squared_relu" in installed(folder, site, "schema").out
    (folder / "mine.yaml").write_text("source: test\noperations:\n  squared_relu: {comparisons: 7}\n", "utf-8")
    reported = installed(folder, site, "analyze", "net.yaml", "--convention", "./mine.yaml", "--format", "json")
    assert json.loads(reported.out)["totals"]["reported"] == 7 * ELEMENTS


def test_entry_points_are_not_searched_where_nothing_is_unknown(folder: Path, site: Path) -> None:
    (site / "my_package" / "primer.py").write_text("raise RuntimeError('loaded')\n", "utf-8")
    assert installed(folder, site, "analyze", "bottleneck").code == 0
    program = (
        "import sys\n"
        "from convcost.cli import main\n"
        "sys.argv = ['convcost', 'analyze', 'resnet50']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert 'importlib.metadata' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)


def test_an_installed_plugin_that_fails_does_not_hide_the_error_of_the_spec(folder: Path, site: Path) -> None:
    (site / "my_package" / "primer.py").write_text("raise RuntimeError('no such thing')\n", "utf-8")
    failed = installed(folder, site, "analyze", "net.yaml")
    assert failed.code == 1
    assert "net.yaml:5:5: no layer or block is called 'squared_relu'" in failed.err
    assert "primer (my_package.primer): the plug-in raises RuntimeError: no such thing" in failed.err
    assert "Traceback" not in failed.err


@pytest.mark.parametrize(
    ("code", "message", "exit_code"),
    [
        (None, "error: no plug-in file is called 'own.py'\n", 2),
        ("a = 1\nb = c\n", "error: own.py:2: the plug-in raises NameError: name 'c' is not defined\n", 1),
        ("a = (\n", "error: own.py:1: the plug-in raises SyntaxError: '(' was never closed (own.py, line 1)\n", 1),
        (
            LAYER.replace('key = "squared_relu"', 'key = "relu"'),
            "error: own.py:10: the plug-in raises TypeError: there is a layer relu already: "
            "convcost.layers.activation.ReLU\n",
            1,
        ),
        (
            METRIC.replace('key="reuse"', 'key="macs"'),
            "error: own.py:7: the plug-in raises ValueError: there is a metric macs already\n",
            1,
        ),
        (
            METRIC.replace('form="decimal"', 'form="number"'),
            "error: own.py:7: the plug-in raises ValueError: no form is called 'number'; did you mean 'name'?\n",
            1,
        ),
        (
            METRIC.replace('Ratio("macs", "params")', '"summ"'),
            "error: own.py:7: the plug-in raises ValueError: no combination is called 'summ'; did you mean 'sum'?\n",
            1,
        ),
        (
            METRIC.replace('"params")', '"weigths")'),
            "error: own.py:7: the plug-in raises ValueError: no metric is called 'weigths'; did you mean 'weights'?\n",
            1,
        ),
        (
            LAYER.replace('fusing = "follows"', 'fusing = "follow"'),
            "error: own.py:10: the plug-in raises TypeError: layer squared_relu: `fusing` is one of head, folds, "
            "follows, alone; found 'follow'\n",
            1,
        ),
    ],
)
def test_faults_of_a_plugin(code: str | None, message: str, exit_code: int, tmp_path: Path) -> None:
    if code is not None:
        (tmp_path / "own.py").write_text(code, "utf-8")
    done = run_convcost("analyze", "bottleneck", "--plugin", "own.py", cwd=tmp_path)
    assert (done.code, done.err) == (exit_code, message)


def test_an_error_inside_a_rule_of_a_plugin_names_its_line(folder: Path, site: Path) -> None:
    layer, metric = site / "my_package" / "primer.py", site / "my_package" / "reuse.py"
    layer.write_text(LAYER.replace("Work(comparisons=count, m", "Work(comparison=count, m", 1), "utf-8")
    line = next(number for number, text in enumerate(layer.read_text("utf-8").splitlines(), 1) if "comparison=" in text)
    message = "the plug-in raises TypeError: no count is called 'comparison'; did you mean 'comparisons'?\n"
    failed = installed(folder, site, "analyze", "net.yaml")
    assert (failed.code, failed.err) == (1, f"error: {layer}:{line}: {message}")
    (folder / "own.py").write_text(layer.read_text("utf-8"), "utf-8")
    failed = run_convcost("memory", "net.yaml", "--plugin", "own.py", cwd=folder)
    assert (failed.code, failed.err) == (1, f"error: own.py:{line}: {message}")
    metric.write_text(METRIC.replace("row.work.macs", "row.mac"), "utf-8")
    failed = installed(folder, site, "analyze", "lenet5", "--columns", "reuse")
    assert failed.code == 1
    assert failed.err.endswith("the plug-in raises AttributeError: 'Row' object has no attribute 'mac'\n")


def test_a_plugin_is_a_python_file_and_is_not_overwritten(folder: Path) -> None:
    refused = run_convcost("analyze", "net.yaml", "--plugin", "net.yaml", cwd=folder)
    assert (refused.code, refused.err) == (2, "error: a plug-in is a Python file NAME.py, found 'net.yaml'\n")
    assert with_plugins(folder, "analyze", "net.yaml", "-o", "primer.py").code == 2
    assert (folder / "primer.py").read_text("utf-8") == LAYER


def test_completion_runs_no_plugin(folder: Path) -> None:
    (folder / "own.py").write_text("open('ran', 'w').close()\n", "utf-8")
    words = "convcost analyze --plugin own.py net"
    done = run_convcost(cwd=folder, _CONVCOST_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD="4")
    assert not (folder / "ran").exists(), done


CONVENTION = "source: test\nunit: MACs\noperations:\n  conv: {macs: 3}\n"
DEVICE = "title: Own\npeak:\n  float32: 1e9\nbandwidth: 1e9\n"


@pytest.mark.parametrize("path", ["./own.yaml", "own.yaml", "sub/../own.yaml", "own"])
def test_conventions_and_devices_by_path(path: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "own.yaml").write_text(CONVENTION, "utf-8")
    (tmp_path / "net.yaml").write_text(SPEC.replace("  - squared_relu\n", ""), "utf-8")

    def totals(*args: str) -> Any:
        done = run_convcost(*args, "--format", "json", cwd=tmp_path)
        assert (done.code, done.err) == (0, "")
        return json.loads(done.out)["totals"]

    assert totals("analyze", "net.yaml", "--convention", path)["reported"] == 3 * (FIRST + SECOND)
    assert run_convcost("list", "--blocks", "--convention", path, cwd=tmp_path).code == 0
    (tmp_path / "own.yaml").write_text(DEVICE, "utf-8")
    assert totals("roofline", "net.yaml", "--device", path)
    assert totals("analyze", "net.yaml", "--device", path, "--columns", "time")
    assert run_convcost("check", "net.yaml", "--device", path, "--budget", "time<=1s", cwd=tmp_path).code == 0
