"""Rooflines: arithmetic by hand, devices with their sources, and what the article says of depthwise layers."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
import sympy
from inprocess import convcost

from convcost.api import load, loads, plot, roofline
from convcost.errors import SpecError, UnsupportedError, UsageError
from convcost.metrics.devices import device, device_names, made_up
from convcost.metrics.roofline import points
from convcost.numbers.printed import positive
from convcost.render.roofline import text_plot

if TYPE_CHECKING:
    from pathlib import Path


def test_by_hand() -> None:
    # 1x1, 32 -> 64 channels on 56x56: 2*32*64*3136 operations, 4*((32+64)*3136 + 2048) bytes
    graph = load("pointwise_conv")
    operations, size = 2 * 32 * 64 * 3136, 4 * (96 * 3136 + 2048)
    slow = roofline(graph, made_up("1G", "25G", "float32"))
    assert (slow.value("time"), slow.value("limit")) == (Fraction(operations, 10**9), "compute")
    assert slow.value("of_peak") == 1
    fast = roofline(graph, made_up("100T", "25G", "float32"))
    assert (fast.value("time"), fast.value("limit")) == (Fraction(size, 25 * 10**9), "memory")
    assert fast.images_per_second == 25 * 10**9 / Fraction(size)
    assert fast.value("of_peak") == Fraction(operations, 10**14) / Fraction(size, 25 * 10**9)
    assert fast.ridge == 4000


def test_a_batch_reads_weights_once() -> None:
    graph = loads("{input: [100], layers: [linear: {out: 50, bias: false}]}")
    machine = made_up("1T", "1G", "float32")
    single, many = roofline(graph, machine), roofline(graph, machine, batch=1000)
    assert single.value("bytes") == 4 * (100 + 50 + 5000)
    assert many.value("bytes") == 4 * (1000 * 150 + 5000)
    assert many.images_per_second > 30 * single.images_per_second
    assert (single.value("limit"), many.value("limit")) == ("memory", "memory")
    assert roofline(graph, machine, dtype="float32", weights_dtype="int8").value("bytes") == 4 * 150 + 5000


def test_groups_add_up() -> None:
    graph, machine = load("mobilenet_v2"), device("v100")
    by_layer = roofline(graph, machine)
    for by in ("block", "stage", "kind"):
        grouped = roofline(graph, machine, by=by)
        for key in ("time", "executed"):
            assert sum(row[key] for row in grouped.records(key)) == by_layer.value(key)


@pytest.mark.parametrize("name", ["raspberry_pi_4", "snapdragon_855_cpu", "snapdragon_855_gpu", "pixel_xl_gpu"])
def test_depthwise_layers_are_memory_bound_on_small_devices(name: str) -> None:
    found = roofline(load("mobilenet_v1"), device(name))
    depthwise = [row for row in found.records() if row["kind"] == "depthwise"]
    assert len(depthwise) == 13
    assert {row["limit"] for row in depthwise} == {"memory"}
    operations = Fraction(sum(row["executed"] for row in depthwise), found.value("executed"))
    time = sum(row["time"] for row in depthwise) / found.value("time")
    assert time > operations * 3 / 2  # cheap in operations, not in time
    assert any(row["limit"] == "compute" for row in found.records() if row["kind"] == "pointwise")


def test_ridges_of_devices() -> None:
    assert device("v100").ridge("float32") == Fraction(157, 10) * 10**12 / (900 * 10**9)
    assert device("a100").ridge("float16") == Fraction(312_000, 1555)
    assert device("raspberry_pi_4").ridge("float32") == Fraction(15, 4)


@pytest.mark.parametrize("name", device_names())
def test_every_figure_of_a_device_has_a_source(name: str) -> None:
    found = device(name)
    assert found.title
    for figure in (*found.peak.values(), found.bandwidth):
        assert figure.value > 0
        assert figure.source


def test_kinds_of_devices() -> None:
    assert len(device_names()) >= 8
    assert {"v100", "a100", "xeon_8180", "raspberry_pi_4", "rk3588_npu"} <= set(device_names())


def test_own_device(tmp_path: Path) -> None:
    file = tmp_path / "board.yaml"
    file.write_text("title: Our board\npeak: {int8: 2T, float32: {value: 50G, source: measured}}\nbandwidth: 6.4G\n")
    result = convcost("roofline", "mobilenet_v1", "--device", str(file), "--dtype", "int8", "--format", "json")
    data = json.loads(result.out)
    assert data["device"]["title"] == "Our board"
    assert data["ridge"] == 312.5
    assert data["totals"]["images_per_second"] == pytest.approx(1 / data["totals"]["time"])
    assert data["totals"]["images_per_second"] == pytest.approx(1 / sum(row["time"] for row in data["rows"]))
    assert sum(row["time_share"] for row in data["rows"]) == pytest.approx(1)


BAD = [
    ("bandwidth: 1G", "1:1: a device needs `peak`: operations a second by number format"),
    ("peak: {float32: 1T}", "1:1: a device needs `bandwidth`: bytes a second"),
    ("peak: {flot32: 1T}\nbandwidth: 1G", "1:8: `peak` has no key 'flot32'; did you mean 'float32'?"),
    (
        "peak: {float32: fast}\nbandwidth: 1G",
        "1:17: a figure takes a positive number such as 4.11G or 25,557,032; found 'fast'",
    ),
    ("peak: {float32: {source: me}}\nbandwidth: 1G", "1:17: a figure needs `value`"),
    ("peak: {float32: 1T}\nbandwith: 1G", "2:1: a device has no key 'bandwith'; did you mean 'bandwidth'?"),
    (
        "peak: {float32: 0}\nbandwidth: 1G",
        "1:17: a figure takes a positive number such as 4.11G or 25,557,032; found '0'",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_bad_devices_say_where_and_what(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(SpecError) as caught:
        device(str(file))
    assert str(caught.value).startswith(f"{file}:{message}")


def test_misuse() -> None:
    with pytest.raises(UsageError, match="raspberry_pi_4 states no peak for int8; it has float32"):
        roofline(load("bottleneck"), device("raspberry_pi_4"), dtype="int8").value("time")
    with pytest.raises(UsageError, match="no device is called 'v10'; did you mean 'v100'"):
        device("v10")
    both = convcost("roofline", "bottleneck", "--device", "v100", "--peak", "1T", "--bandwidth", "1G")
    assert (both.code, both.err) == (2, "error: --device or --peak and --bandwidth, not both\n")
    neither = convcost("roofline", "bottleneck", "--peak", "1T")
    assert neither.code == 2
    assert "needs --device NAME|FILE (a100, " in neither.err
    wrong = convcost("roofline", "bottleneck", "--peak", "fast", "--bandwidth", "1G")
    assert (wrong.code, wrong.err) == (
        2,
        "error: --peak takes a positive number such as 4.11G or 25,557,032; found 'fast'\n",
    )


def test_command_says_that_it_is_a_lower_bound() -> None:
    out = convcost("roofline", "resnet50", "--peak", "1T", "--bandwidth", "25G", "--by", "stage").out
    assert "a lower bound: max(FLOPs / peak, bytes / bandwidth)" in out
    assert "the ridge is at 40 FLOPs/byte" in out
    listed = convcost("roofline", "--format", "csv").out.splitlines()
    assert listed[0] == "name,title,dtype,peak,bandwidth,ridge,source"
    assert len(listed) > 10


def test_text_plot_puts_layers_under_the_roof() -> None:
    found = roofline(load("mobilenet_v1"), device("raspberry_pi_4"))
    lines = text_plot(found).splitlines()
    assert lines[-1].split("  ")[-5:] == ["A standard", "B depthwise", "C pointwise", "D global_avg_pool", "E linear"]
    grid = [line[16:] for line in lines[:20]]
    ceiling = next(index for index, line in enumerate(grid) if "-" in line)
    assert "C" in grid[ceiling]  # pointwise layers reach the peak
    assert all("B" not in line for line in grid[: ceiling + 1])  # depthwise layers do not
    assert "nothing to plot" in text_plot(roofline(loads("{input: [4, 2, 2], layers: [flatten]}"), device("v100")))


def test_a_figure_draws_the_roof_and_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "roof.svg"
    done = convcost("roofline", "mobilenet_v1", "--device", "v100", "--figure", str(path))
    assert (done.code, done.err) == (0, "")
    drawn = path.read_text("utf-8")
    assert drawn == plot("mobilenet_v1", kind="roofline", device="v100").svg()
    for kind in ("standard", "depthwise", "pointwise", "global_avg_pool", "linear"):
        assert f">{kind}</text>" in drawn
    wrong = convcost("roofline", "mobilenet_v1", "--device", "v100", "--figure", "roof.gif")
    assert wrong.code == 2
    assert "--figure roof.gif: expected a file that ends in .svg, .png or .pdf, found '.gif'" in wrong.err


def test_printed_numbers() -> None:
    number = positive("4.11G", "value")
    assert (number.value, number.unit) == (4_110_000_000, 10_000_000)
    assert positive("25,557,032", "value").value == 25_557_032
    assert positive("3.8e9", "value").unit == 10**8
    assert positive("138 M", "value").value == 138_000_000
    assert number.rounds_from(4_114_000_000)
    assert not number.rounds_from(4_116_000_000)
    assert number.truncates_from(4_119_999_999)
    assert not number.truncates_from(4_109_999_999)
    for text in ("", "abc", "1.2.3G", "-5", "4.11X", "1,23", "1e999", "0"):
        with pytest.raises(UsageError):
            positive(text, "value")


def test_a_device_of_two_numbers() -> None:
    machine = made_up("1.5T", "25G", "int8")
    assert (machine.name, machine.title, machine.notes) == ("device", "1.5T operations and 25G bytes a second", "")
    assert machine.peak == {"int8": (Fraction(1_500_000_000_000), "--peak 1.5T", "")}
    assert machine.bandwidth == (Fraction(25_000_000_000), "--bandwidth 25G", "")
    for peak, bandwidth, option in (("fast", "25G", "--peak"), ("1T", "fast", "--bandwidth")):
        with pytest.raises(UsageError) as caught:
            made_up(peak, bandwidth, "float32")
        assert str(caught.value).startswith(f"{option} takes a positive number such as")


def test_all_that_a_file_says_of_a_device(tmp_path: Path) -> None:
    file = tmp_path / "board.yaml"
    file.write_text(
        "title: Our  board\nnotes: its caches are small\n"
        "peak: {int8: 2T, float32: {value: 50G, source: measured here, note: 4 cores}}\n"
        "bandwidth: {value: 6.4G, source: data sheet, note: one channel}\n"
    )
    found = device(str(file))
    assert (found.name, found.title, found.notes) == ("board", "Our board", "its caches are small")
    assert found.peak == {"int8": (2 * 10**12, "", ""), "float32": (5 * 10**10, "measured here", "4 cores")}
    assert found.bandwidth == (6_400_000_000, "data sheet", "one channel")
    with pytest.raises(UsageError, match=r"^board states no peak for float16; it has int8, float32$"):
        found.peak_of("float16")
    bare = tmp_path / "bare.yaml"
    bare.write_text("peak: {int8: 2T}\nbandwidth: 1G\n")
    assert (device(str(bare)).title, device(str(bare)).notes) == ("bare", "")


FORMATS = "float32, float16, bfloat16, int8, int4"
WHOLE = [
    ("bandwidth: 1G", f"1:1: a device needs `peak`: operations a second by number format ({FORMATS})"),
    ("bandwidth: 1G\npeak: {}", f"2:7: a device needs `peak`: operations a second by number format ({FORMATS})"),
    ("bandwidth: 1G\npeak: 5T", f"2:7: a device needs `peak`: operations a second by number format ({FORMATS})"),
    ("peak: {float32: 1T}", "1:1: a device needs `bandwidth`: bytes a second"),
    (
        "peak: {float32: 1T}\nbandwidth: 1G\nzebra: 1",
        "3:1: a device has no key 'zebra'; it has title, peak, bandwidth, notes",
    ),
    ("peak: {zebra: 1T}\nbandwidth: 1G", f"1:8: `peak` has no key 'zebra'; it has {FORMATS}"),
    ("peak: {float32: [1T]}\nbandwidth: 1G", "1:17: a figure is a number, or `{value, source, note}`"),
    ("peak: {float32: 1T}\nbandwidth: [1G]", "2:12: a figure is a number, or `{value, source, note}`"),
    ("peak: {float32: {source: me}}\nbandwidth: 1G", "1:17: a figure needs `value`"),
    (
        "peak: {float32: {value: 1T, zebra: 1}}\nbandwidth: 1G",
        "1:29: a figure has no key 'zebra'; it has value, source, note",
    ),
    ("peak: {float32: {value: 1T, note: [1]}}\nbandwidth: 1G", "1:35: `note` must be text"),
    (
        "peak: {float32: {value: [1]}}\nbandwidth: 1G",
        "1:25: a figure takes a positive number such as 4.11G or 25,557,032; found ''",
    ),
]


@pytest.mark.parametrize(("text", "message"), WHOLE)
def test_what_a_device_lacks_in_full(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(SpecError) as caught:
        device(str(file))
    assert str(caught.value) == f"{file}:{message}"


CHAIN = """
input: [64]
layers:
  - {linear: {out: 64}, name: narrow}
  - {linear: {out: 64}, name: same}
  - flatten
  - softmax
"""


def test_groups_are_sums_of_their_layers() -> None:
    # linear: 2*64*64 + 64 operations on 4*(64 + 64 + 64*65) bytes; softmax on 2*256 bytes: 63 comparisons,
    # 64 differences, 63 additions, 64 exponentials, 64 quotients
    operations, size = 2 * 64 * 64 + 64, 4 * (128 + 64 * 65)
    ridge = Fraction(operations, size)
    graph = loads(CHAIN)
    machine = made_up("1000", "1000", "float32")._replace(
        bandwidth=device("v100").bandwidth._replace(value=1000 / ridge)
    )
    analysis = roofline(graph, machine, by="kind", fused=False)
    linear, view, softmax = analysis.records()
    assert [row["kind"] for row in (linear, view, softmax)] == ["linear", "flatten", "softmax"]
    found = (linear["executed"], linear["bytes"], linear["time"])
    assert found == (2 * operations, 2 * size, Fraction(2 * operations, 1000))
    assert linear["limit"] == "memory"  # on the ridge, where more bytes would cost
    assert (softmax["executed"], softmax["bytes"]) == (63 + 64 + 63 + 64 + 64, 512)
    assert softmax["intensity"] == Fraction(318, 512)
    assert softmax["time"] == max(Fraction(318, 1000), 512 * ridge / 1000)
    assert softmax["of_peak"] == Fraction(318, 1000) / softmax["time"]
    assert [point.kind for point in points(analysis.context)] == ["linear", "linear", "softmax"]
    assert (view["time"], view["limit"], view["of_peak"]) == (0, None, None)  # a view takes no time
    last = points(analysis.context)[-1]
    assert (last.intensity, last.rate) == (softmax["intensity"], 318 / softmax["time"])
    assert isinstance(linear["time"], Fraction)


def test_a_group_is_limited_by_both_where_its_layers_differ() -> None:
    graph, machine = load("mobilenet_v1"), device("raspberry_pi_4")
    layers = [row for row in roofline(graph, machine, batch=2, weights_dtype="int8").records() if row["time"]]
    stages = roofline(graph, machine, by="stage", batch=2, weights_dtype="int8").records()
    assert {row["limit"] for row in stages} == {"compute", "memory", "both"}
    by_stage: dict[str, set[str]] = {}
    for layer in layers:
        by_stage.setdefault(layer["path"].split("/")[0], set()).add(layer["limit"])
    assert {len(limits) for limits in by_stage.values()} == {1, 2}
    for row in stages:
        limits = by_stage[row["path"]]
        assert row["limit"] == (next(iter(limits)) if len(limits) == 1 else "both")
    assert sum(row["bytes"] for row in stages) == sum(layer["bytes"] for layer in layers)
    kinds = roofline(graph, machine, by="kind").records()
    assert next(row for row in kinds if row["kind"] == "depthwise")["limit"] == "memory"


def test_nothing_takes_no_time() -> None:
    idle = roofline(loads("{input: [4, 2, 2], layers: [flatten]}"), device("v100"))
    totals = [idle.value(key) for key in ("time", "executed", "of_peak")]
    assert (totals, idle.images_per_second, points(idle.context)) == ([0, 0, None], 0, [])


def test_symbols_have_no_roofline() -> None:
    size = sympy.Symbol("H", positive=True, integer=True)
    with pytest.raises(UnsupportedError, match=r"^time on a roofline is .* numbers; this network has symbolic sizes$"):
        roofline(load("two_3x3", H=size), device("v100")).value("time")
