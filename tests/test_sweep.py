"""Sweeps give what ``analyze`` gives at every point, and select the points that brute force selects."""

from __future__ import annotations

import csv
import io
import json
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inprocess import convcost as run
from pyarrow import parquet

import convcost
from convcost.api.sweeps import Wanted, plan_of
from convcost.cli.sweep import command
from convcost.compiled import factored, grid
from convcost.errors import ConvcostError, UsageError
from convcost.limits import MAX_AXIS
from convcost.numbers.front import unbeaten, unbeaten_of_arrays
from convcost.sweeps.axes import axes_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SWEEPS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "size": ("resnet50", {"size": "1:600"}, ("macs", "peak", "bytes")),
    "width and size": ("mobilenet_v1", {"alpha": "0.01:1.4:0.01", "size": "1:300"}, ("params", "macs", "intensity")),
    "rounded widths": ("mobilenet_v2", {"alpha": "0.02:2:0.01", "size": "32:256:8"}, ("params", "macs", "peak")),
    "three names": (
        "mobilenet_v2",
        {"size": "96:256:32", "alpha": "0.25:1.4:0.05", "classes": "10,100,1000"},
        ("params", "flops"),
    ),
    "choices": ("shufflenet_v1", {"g": "*", "s": "0.5:2:0.5", "size": "64:256:8"}, ("params", "macs")),
    "choices last": ("shufflenet_v1", {"size": "64:256:8", "g": "*"}, ("macs", "live")),
    "overflow": ("resnet50", {"size": "1:4000000000:9999999"}, ("macs", "activations")),
    "overflow of products": ("mobilenet_v1", {"alpha": "1:100000:999", "size": "1:4000000000:99999999"}, ("macs",)),
    "repeats": ("resnet_cifar", {"depth": "8:74:6", "size": "8:64:8"}, ("params", "macs")),
    "time": ("mobilenet_v2", {"alpha": "0.5,1", "size": "64:96:16"}, ("macs", "time")),
}
DEVICE = "raspberry_pi_4"


def equal(value: Any, expected: Any) -> bool:
    """Ratios are doubles in arrays."""
    return bool(value == (float(expected) if isinstance(value, float) else expected))


def check(name: str, points: int) -> None:
    """Compare random points of a sweep with ``analyze``: those that are there, and those that are left out."""
    target, over, metrics = SWEEPS[name]
    result = convcost.sweep(target, over, metrics, device=DEVICE)
    spec = result.plan.network.spec
    axes = axes_of(spec, over)
    rows = {tuple(point[axis.name] for axis in axes): point for point in result}
    generator = random.Random(name)  # noqa: S311 - repeatable, not secret
    names = dict(zip(metrics, result.names[len(axes) :], strict=True))
    for _ in range(points):
        values = {axis.name: generator.choice(axis.values) for axis in axes}
        row = rows.get(tuple(values.values()))
        try:
            analysis = convcost.analyze((target, values), device=DEVICE)
        except ConvcostError:
            assert row is None, values
            continue
        assert row is not None, values
        for metric in metrics:
            assert equal(row[names[metric]], analysis.value(metric)), (values, metric)
    assert len(rows) == len(result)


@pytest.mark.parametrize("name", SWEEPS)
def test_points_equal_analyze(name: str) -> None:
    check(name, 8)


@pytest.mark.long
@pytest.mark.parametrize("name", SWEEPS)
def test_many_points_equal_analyze(name: str) -> None:
    check(name, 1000)


def test_overflow_is_met() -> None:
    """The sweeps above have numbers on both sides of 2^53 and of 2^63."""
    macs = convcost.sweep(*SWEEPS["overflow of products"][:2], ["macs"])["macs"]
    assert min(macs) < 2**53
    assert max(macs) > 2**63
    assert any(2**53 < number < 2**63 for number in macs)


def test_products_are_used_and_equal_single_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grid is evaluated as matrix products; without them the result is the same."""
    over = {"size": "200:231", "alpha": "0.1:1.4:0.1", "classes": "1:3"}
    products = factored.Factored.at
    calls = []
    monkeypatch.setattr(grid, "BLOCK", 100)  # the first block derives the forms
    monkeypatch.setattr(factored.Factored, "at", lambda *args: calls.append(1) or products(*args))
    first = convcost.sweep("mobilenet_v2", over, ["params", "macs", "peak", "intensity"])
    assert calls
    monkeypatch.setattr(grid, "factored", lambda *_: None)
    second = convcost.sweep("mobilenet_v2", over, ["params", "macs", "peak", "intensity"])
    for name in first.names:
        assert np.array_equal(first[name], second[name])


def test_order_is_that_of_the_axes() -> None:
    result = convcost.sweep("resnet_cifar", {"depth": [14, 8], "size": [32, 16]})
    assert [(point["depth"], point["size"]) for point in result] == [(14, 32), (14, 16), (8, 32), (8, 16)]
    zipped = convcost.sweep("resnet_cifar", {"depth": [14, 8], "size": [32, 16]}, zip=True)
    assert [(point["depth"], point["size"]) for point in zipped] == [(14, 32), (8, 16)]
    assert zipped["macs"].tolist() == [result[0]["macs"], result[3]["macs"]]


def test_values_of_axes() -> None:
    spec = plan_of("shufflenet_v1", {"g": "*"}, Wanted(["macs"], (), (), None, None, zipped=False)).network.spec
    half = Fraction(1, 2)
    for text, values in [
        ("0.5:1.5:0.5", [half, 1, 3 * half]),
        ("1,2,4:6", [1, 2, 4, 5, 6]),
        ("1/2:1:1/4", [half, Fraction(3, 4), 1]),
        ("1:2:0.75", [1, Fraction(7, 4)]),
        ("3", [3]),
    ]:
        assert list(axes_of(spec, {"s": text})[0].values) == values
    assert list(axes_of(spec, {"g": "*"})[0].values) == [1, 2, 3, 4, 8]
    assert list(axes_of(spec, {"s": np.array([0.1, 0.7])})[0].values) == [Fraction(1, 10), Fraction(7, 10)]


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({}, "needs a parameter to vary"),
        ({"alfa": "1"}, "no parameter 'alfa'"),
        ({"alpha": "1:0.5"}, "LOW is at most HIGH"),
        ({"alpha": "0:1:0"}, "STEP above 0"),
        ({"alpha": "1:2:3:4"}, "takes VALUE, LOW:HIGH or LOW:HIGH:STEP"),
        ({"alpha": "a:b"}, "expected a value, found 'a'"),
        ({"alpha": ""}, "expected a value"),
        ({"alpha": "*"}, "is for a parameter with choices"),
        ({"alpha": []}, "no values"),
        ({"alpha": 3}, "expected a list of values"),
        ({"size": f"1:{MAX_AXIS + 1}"}, f"more than {MAX_AXIS:,}"),
    ],
)
def test_wrong_axes_are_refused(over: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as raised:
        convcost.sweep("mobilenet_v2", over)
    assert words in str(raised.value)


def test_wrong_wishes_are_refused() -> None:
    over = {"alpha": [1], "size": [224, 160]}
    for options, words in [
        ({"keep": ["macs"]}, "--keep takes METRIC<=VALUE"),
        ({"pareto": ["best macs"]}, "--pareto takes max NAME"),
        ({"pareto": ["max mac"]}, "did you mean 'macs'"),
        ({"sort": "mac"}, "did you mean 'macs'"),
        ({"top": 0}, "at least 1"),
        ({"zip": True}, "axes of equal length"),
        ({"metrics": ["mac"]}, "did you mean 'macs'"),
    ]:
        with pytest.raises(UsageError) as raised:
            convcost.sweep("mobilenet_v2", over, **options)  # type: ignore[arg-type]
        assert words in str(raised.value)
    with pytest.raises(UsageError, match="no column"):
        convcost.sweep("mobilenet_v2", over)["flops"]


def test_points_without_a_network_are_left_out_and_noted() -> None:
    result = convcost.sweep("inception_v4", {"size": "60:90:5"})
    assert [point["size"] for point in result] == [75, 80, 85, 90]
    assert result.plan.absent == 3
    assert "3 of them have no network; the first: " in str(result)
    with pytest.raises(ConvcostError, match="larger than the input"):
        convcost.sweep("inception_v4", {"size": "60:70:5"})


def test_budgets_sorting_and_the_first_points_equal_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "BLOCK", 50)
    over = {"alpha": "0.3:1.4:0.1", "size": "96:224:32"}
    every = [*convcost.sweep("mobilenet_v2", over, ["params", "macs", "peak", "intensity"])]
    bounds = ["macs<=200M", "params>1500000", "peak<3M", "intensity>=4.5"]
    kept = [
        point
        for point in every
        if point["macs"] <= 200_000_000
        and point["params"] > 1_500_000
        and point["peak"] < 3_000_000
        and point["intensity"] >= 4.5
    ]
    assert 0 < len(kept) < len(every)
    metrics = ["params", "macs", "peak", "intensity"]
    assert [*convcost.sweep("mobilenet_v2", over, metrics, keep=bounds)] == kept
    ranked = sorted(kept, key=lambda point: -point["macs"])
    assert [*convcost.sweep("mobilenet_v2", over, metrics, keep=bounds, sort="macs")] == ranked
    assert [*convcost.sweep("mobilenet_v2", over, metrics, keep=bounds, sort="macs", top=3)] == ranked[:3]
    smallest = sorted(kept, key=lambda point: (point["alpha"]))
    assert [*convcost.sweep("mobilenet_v2", over, metrics, keep=bounds, sort="min alpha", top=4)] == smallest[:4]
    assert [*convcost.sweep("mobilenet_v2", over, metrics, keep=bounds, top=4)] == kept[:4]
    assert [*convcost.sweep("mobilenet_v2", over, metrics, keep=["macs==300774272"])] == [
        point for point in every if point["macs"] == 300_774_272
    ]


def beaten(point: Sequence[int], points: Sequence[Sequence[int]]) -> bool:
    return any(
        all(a >= b for a, b in zip(other, point, strict=True)) and tuple(other) != tuple(point) for other in points
    )


@settings(max_examples=60)
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[st.integers(-6, 6)] * width), max_size=60)))
def test_a_front_is_what_brute_force_finds(points: list[tuple[int, ...]]) -> None:
    if not points:
        return
    columns = [np.array(column) for column in zip(*points, strict=True)]
    expected = [place for place, point in enumerate(points) if not beaten(point, points)]
    assert unbeaten_of_arrays(columns).tolist() == expected
    kept = unbeaten(points)
    assert {points[place] for place in kept} == {points[place] for place in expected}
    assert len(kept) == len({points[place] for place in expected})
    assert [points[place] for place in kept] == sorted({points[place] for place in kept}, reverse=True)


def test_scores_of_two_kinds_are_not_rounded() -> None:
    """Beside doubles, whole numbers stay apart that one double would stand for."""
    counts = np.array([2**60, 2**60 + 1, 2**60], np.int64)
    assert unbeaten_of_arrays([counts, np.array([0.5, 0.5, 0.75])]).tolist() == [1, 2]
    huge = np.array([10**30, 10**30 + 1, 10**30], object)
    assert unbeaten_of_arrays([huge, counts, np.array([0.5, 0.5, 0.5])]).tolist() == [1]


def test_large_fronts_span_blocks() -> None:
    generator = np.random.default_rng(3)
    points = generator.integers(0, 60, (2500, 3))
    kept = unbeaten_of_arrays([*points.T])
    listed = [tuple(point) for point in points.tolist()]
    assert [listed[place] for place in kept] == [point for point in listed if not beaten(point, listed)]


def test_a_front_of_a_sweep_equals_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "BLOCK", 40)
    over = {"alpha": "0.3:1.4:0.1", "size": "96:224:32"}
    metrics = ["params", "macs", "peak"]
    every = [*convcost.sweep("mobilenet_v2", over, metrics)]
    scores = [(point["params"], -point["macs"], -point["peak"]) for point in every]
    expected = [point for point, score in zip(every, scores, strict=True) if not beaten(score, scores)]
    assert [*convcost.sweep("mobilenet_v2", over, metrics, pareto=["max params", "min macs", "min peak"])] == expected
    by_names = convcost.sweep("mobilenet_v2", over, metrics, pareto=["max alpha", "max size"])
    assert [(point["alpha"], point["size"]) for point in by_names] == [(Fraction(14, 10), 224)]


# --- the command ---

FEW = ("--over", "alpha=0.3,1", "--over", "size=96,160")
OVER = ("--over", "alpha=0.3:1.4:0.1", "--over", "size=96:224:32")


def test_csv_and_json_have_the_points_of_the_library(tmp_path: Path) -> None:
    metrics = ["params", "macs", "intensity", "field"]
    points = [*convcost.sweep("mobilenet_v2", {"alpha": "0.3,1", "size": "96,160"}, metrics)]
    path = tmp_path / "points.csv"
    done = run("sweep", "mobilenet_v2", *FEW, "--columns", ",".join(metrics), "-o", str(path))
    assert (done.code, done.out, done.err) == (0, "", "")
    rows = [*csv.DictReader(io.StringIO(path.read_text("utf-8")))]
    assert len(rows) == len(points) == 4
    for row, point in zip(rows, points, strict=True):
        assert Fraction(row["alpha"]) == point["alpha"]
        assert [int(row[key]) for key in ("size", "params", "macs")] == [
            point[key] for key in ("size", "params", "macs")
        ]
        assert float(row["intensity"]) == point["intensity"]
        assert row["field"] == "x".join(map(str, point["field"]))
    data = json.loads(run("sweep", "mobilenet_v2", *FEW, "--columns", ",".join(metrics), "--format", "json").out)
    assert [point["costs"]["macs"] for point in data["points"]] == [point["macs"] for point in points]
    assert data["points"][0]["values"] == {"alpha": 0.3, "size": 96}


def test_csv_is_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("sweep", "mobilenet_v2", *OVER, "--format", "csv").out
    monkeypatch.setattr(grid, "BLOCK", 7)
    assert run("sweep", "mobilenet_v2", *OVER, "--format", "csv").out == whole
    assert whole.count("\n") == 61


def test_large_and_negative_numbers_are_written_in_full() -> None:
    from convcost.sweeps.csv import _column, _lines  # noqa: PLC0415

    numbers = [0, 9, 10, 99, 100, 2**63 - 1, -1, -987654321]
    assert _lines([_column(np.array(numbers))]).decode() == "".join(f"{number}\n" for number in numbers)
    large = np.array([2**80, 5], object)
    assert _lines([_column(large), _column(large)]).decode() == f"{2**80},{2**80}\n5,5\n"


@pytest.mark.parametrize("block", [3, 10**6])
def test_parquet_has_the_points_of_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(grid, "BLOCK", block)
    columns = ("--columns", "size,macs,intensity,field", "--keep", "macs<=300M")
    path = tmp_path / "points.parquet"
    done = run("sweep", "shufflenet_v1", "--over", "g=*", "--over", "size=64,96", *columns, "-o", str(path))
    assert (done.code, done.err) == (0, "")
    table = parquet.read_table(path)
    assert [str(field.type) for field in table.schema] == ["int64", "int64", "int64", "int64", "double", "string"]
    text = run("sweep", "shufflenet_v1", "--over", "g=*", "--over", "size=64,96", *columns, "--format", "csv").out
    rows = [*csv.reader(io.StringIO(text))]
    assert table.column_names == rows[0]
    written = [[*map(str, row.values())] for row in table.to_pylist()]
    assert written == rows[1:]
    assert len(written) == 10


def test_parquet_needs_a_file_and_64_bits(tmp_path: Path) -> None:
    done = run("sweep", "resnet50", "--over", "size=224", "--format", "parquet")
    assert done.code == 2
    assert "needs a file" in done.err
    path = str(tmp_path / "points.parquet")
    done = run("sweep", "resnet50", "--over", "size=224,4000000000", "--columns", "macs", "-o", path)
    assert done.code == 1
    assert "macs exceeds 64 bits" in done.err
    assert [*tmp_path.iterdir()] == []


def test_a_metric_that_is_called_like_a_parameter_has_another_column() -> None:
    done = run("sweep", "resnet50", "--over", "size=224", "--columns", "size,macs", "--format", "csv")
    assert done.out == f"size,metric_size,macs\n224,{convcost.analyze('resnet50').value('size')},4089184256\n"


def test_the_table_says_what_it_leaves_out() -> None:
    done = run("sweep", "mobilenet_v2", *OVER)
    assert "the first 20 of 60 points; --top N shows more" in done.out
    assert run("sweep", "mobilenet_v2", *OVER, "--top", "25").out.count("\n") == 29
    assert run("sweep", "mobilenet_v2", *OVER, "--keep", "macs<=1").code == 1


def test_an_interrupted_sweep_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "points.csv"
    written = []

    def interrupted(*_: object) -> bytes:
        written.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr("convcost.sweeps.csv._lines", interrupted)
    assert run("sweep", "mobilenet_v2", *OVER, "-o", str(path)).code != 0
    assert written
    assert [*tmp_path.iterdir()] == []


class Terminal(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_at_a_terminal_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "BLOCK", 10)
    monkeypatch.setattr("convcost.cli.progress._PAUSE", 0)
    arguments = ["sweep", "mobilenet_v1", "--over", "size=1:40", "-o", str(tmp_path / "points.csv")]
    assert run(*arguments).err == ""
    terminal = Terminal()
    monkeypatch.setattr("convcost.cli.progress.sys.stderr", terminal)
    command.main(arguments[1:], standalone_mode=False)
    lines = [line.strip() for line in terminal.getvalue().split("\r") if line.strip()]
    assert lines == [f"{seen} of 40 points" for seen in (10, 20, 30)]
    assert terminal.getvalue().endswith("\r")
    assert terminal.getvalue().rsplit("\r", 2)[1].strip() == ""


def test_errors_of_the_command() -> None:
    for arguments, words in [
        (["--over", "alpha"], "--over takes NAME=VALUES"),
        (["--over", "alpha=1", "--over", "alpha=2"], "--over gives `alpha` twice"),
        (["--over", "alpha=1", "--set", "alpha=2"], "`alpha` is given twice"),
    ]:
        done = run("sweep", "mobilenet_v2", *arguments)
        assert done.code == 2
        assert words in done.err
