"""Commands with rows are presets over one table: a metric has one value, whichever command shows it and however."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from inprocess import convcost

from convcost.api import analyze, loads, receptive
from convcost.metrics.presets import PRESETS, TREE
from convcost.metrics.registry import METRICS
from convcost.metrics.rows import GROUPINGS
from convcost.tables.table import Ratio

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CONTEXT = ("--device", "v100", "--dtype", "float16", "--batch", "3", "--convention", "fvcore")
GOOD = "{input: [3, 8, 8], layers: [conv: {out: 4, kernel: 3}]}\n"  # 4 * (27 + 1) parameters, 27 * 256 MACs
BAD = "{input: [3, 8, 8],\n layers: [conf: {out: 4, kernel: 3}]}\n"


COMBINED = [key for key, record in METRICS.items() if record.combine != "same"]


def rows(command: str, network: str, by: str, *more: str, keys: Iterable[str] = METRICS) -> dict[str, Any]:
    """The result of a command with every metric as a column, or some of them."""
    result = convcost(command, network, "--by", by, "--columns", ",".join(keys), *CONTEXT, "--format", "json", *more)
    assert result.code == 0, result.err
    data: dict[str, Any] = json.loads(result.out)
    return data


@pytest.mark.parametrize("by", [*GROUPINGS, TREE])
@pytest.mark.parametrize("network", ["resnet18", "shufflenet_v2", "lenet5"])
def test_every_metric_is_the_same_in_every_command(network: str, by: str) -> None:
    usual = rows("analyze", network, by)
    assert {key for row in usual["rows"] for key in row} == METRICS.keys()
    shown = [key for key in usual["totals"] if key in METRICS]
    for command in PRESETS:
        data = rows(command, network, by)
        assert data["rows"] == usual["rows"], command
        assert [data["totals"][key] for key in shown] == [usual["totals"][key] for key in shown], command


def together(key: str, values: dict[str, list[Any]]) -> Any:
    """What a metric of all rows must be, from those of the rows."""
    combine = METRICS[key].combine
    if isinstance(combine, Ratio):
        over, under = (sum(values[name]) for name in (combine.over, combine.under))
        return over / under
    numbers = [value for value in values[key] if value is not None]
    return sum(numbers) if combine == "sum" else max(numbers)


@pytest.mark.parametrize("by", GROUPINGS)
@pytest.mark.parametrize("network", ["resnet18", "shufflenet_v2", "lenet5"])
def test_the_total_is_that_of_the_rows_folded_or_not(network: str, by: str) -> None:
    keys = ("path", *COMBINED)  # receptive fields differ in every repeat
    single, folded = (rows("analyze", network, by, how, keys=keys) for how in ("--no-fold", "--fold"))
    assert folded["totals"] == single["totals"]
    assert sum(row["repeat"] for row in folded["rows"]) == len(single["rows"])
    if (network, by) == ("resnet18", "layer"):
        assert len(folded["rows"]) < len(single["rows"])
    for data in (single, folded):
        values = {key: [row[key] for row in data["rows"]] for key in COMBINED}
        assert {*COMBINED} - {"repeat"} <= data["totals"].keys()
        for key in COMBINED:
            if key != "repeat":
                assert data["totals"][key] == pytest.approx(together(key, values), rel=1e-12), key


def test_rows_without_the_subject_of_a_command_are_counted() -> None:
    """Of a convolution, its norm and ReLU, two are fused, and a flattened tensor has no positions."""
    spec = b"{input: [3, 8, 8], layers: [conv: {out: 4}, batch_norm, relu, flatten, linear: {out: 2}]}"
    for command, left, line in (
        ("traffic", 2, "3 more rows, which move nothing"),
        ("roofline", 2, "3 more rows, which take no time"),
        ("receptive", 3, "2 more rows, which have no positions"),
        ("analyze", 5, "params: all trainable"),
    ):
        lines = convcost(command, "-", "--no-fold", "--device", "v100", stdin=spec).out.split("\n")
        rules = [place for place, text in enumerate(lines) if text and set(text) == {"-"}]
        assert rules[1] - rules[0] - 1 == left, command
        assert any(text.startswith(line) for text in lines), command
    asked = convcost("traffic", "-", "--columns", "path,params", "--format", "csv", stdin=spec).out
    assert len(asked.splitlines()) == 1 + 5  # what is asked for is shown of every row


def test_analyses_and_rows_say_what_they_are() -> None:
    """A 3x3 convolution from 3 to 4 channels on 8x8: 4 * (27 + 1) parameters, 64 * 4 * 27 MACs."""
    analysis = analyze(loads(GOOD, name="net"))
    assert repr(analysis) == "<analyze net: 1 rows by layer, params 112, macs 6,912, flops 14,080>"
    assert repr(analysis.rows) == "(<row conv: standard, params 112, MACs 6912>,)"
    bare = receptive(loads("{input: [3], layers: [linear: {out: 2}]}", name="flat"))
    assert repr(bare) == "<receptive flat: 1 rows by layer>"  # which has no receptive field


# --- many targets ---


def folder(path: Path) -> list[str]:
    """Two networks and, between them, one that is wrong."""
    for name, text in (("a", GOOD), ("b", BAD), ("c", GOOD)):
        (path / f"{name}.yaml").write_text(text, "utf-8")
    return ["a.yaml", "b.yaml", "c.yaml"]


@pytest.mark.parametrize("command", PRESETS)
def test_a_wrong_spec_does_not_keep_the_others_back(command: str, tmp_path: Path) -> None:
    targets = folder(tmp_path)
    columns = ("--columns", "path,params,macs", "--device", "v100")
    done = convcost(command, *targets, *columns, "--format", "csv", cwd=tmp_path)
    assert done.code == 1
    assert done.err.startswith("b.yaml:2:11: no layer or block is called 'conf'")
    assert list(csv.reader(io.StringIO(done.out))) == [
        ["target", "path", "params", "macs"],
        ["a.yaml", "conv", "112", "6912"],
        ["c.yaml", "conv", "112", "6912"],
    ]
    data = json.loads(convcost(command, *targets, *columns, "--format", "json", cwd=tmp_path).out)
    assert [item["target"] for item in data["items"]] == ["a.yaml", "c.yaml"]
    assert {item["totals"]["macs"] for item in data["items"]} == {6912}
    text = convcost(command, *targets, *columns, cwd=tmp_path)
    assert (text.code, text.out.count("\ntotal ")) == (1, 2)


def test_what_cannot_be_measured_is_reported_with_its_target(tmp_path: Path) -> None:
    (tmp_path / "flat.yaml").write_text("{input: [3], layers: [linear: {out: 2}]}\n", "utf-8")
    folder(tmp_path)
    done = convcost("receptive", "a.yaml", "flat.yaml", "--format", "csv", cwd=tmp_path)
    assert done.code == 1
    assert done.err == "error: flat.yaml: a flat input has no positions, so nothing has a receptive field\n"
    assert len(done.out.splitlines()) == 2


def test_misuse_ends_a_command_for_all_targets(tmp_path: Path) -> None:
    folder(tmp_path)
    for wrong in (["--columns", "zebra"], ["--columns", "time"], ["--set", "zebra=1"], ["d.yaml"]):
        done = convcost("analyze", "a.yaml", "c.yaml", *wrong, cwd=tmp_path)
        assert (done.code, done.out) == (2, "")
        assert len(done.err.splitlines()) == 1
    plot = convcost("roofline", "lenet5", "alexnet", "--device", "v100", "--plot")
    assert (plot.code, plot.err) == (2, "error: --plot and --figure draw one target\n")


def test_settings_reach_every_target_or_one() -> None:
    both = convcost("analyze", "resnet18", "resnet34", "--set", "classes=10", "--format", "json")
    totals = [item["totals"]["params"] for item in json.loads(both.out)["items"]]
    assert totals == [11_689_512 - 990 * 513, 21_797_672 - 990 * 513]  # torchvision's, with 990 classes fewer
    one = convcost("analyze", "resnet18", "resnet34", "--set", "resnet34:classes=10", "--format", "json")
    assert [item["totals"]["params"] for item in json.loads(one.out)["items"]] == [11_689_512, totals[1]]


@pytest.mark.parametrize("command", [*PRESETS, "table", "diff lenet5"])
@pytest.mark.parametrize(
    ("suffix", "start"),
    [("csv", ""), ("json", "{\n"), ("md", ""), ("tex", "% needs \\usepackage{booktabs}"), ("txt", "")],
)
def test_the_suffix_of_the_output_says_the_format(command: str, suffix: str, start: str, tmp_path: Path) -> None:
    args = (*command.split(), "lenet5", "--device", "v100", "--columns", "params,macs")
    written = convcost(*args, "-o", f"out.{suffix}", cwd=tmp_path)
    assert (written.code, written.out) == (0, ""), written.err
    formats = {"md": "markdown", "tex": "latex", "txt": "table"}
    text = (tmp_path / f"out.{suffix}").read_text("utf-8")
    assert text.startswith(start)
    assert text == convcost(*args, "--format", formats.get(suffix, suffix)).out
