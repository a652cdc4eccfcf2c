"""Charts: the values that are read back from the geometry of an SVG file are those of ``analyze``."""

from __future__ import annotations

import re
import sys
import types
from fractions import Fraction
from itertools import accumulate, combinations, pairwise
from math import log10
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest
from inprocess import convcost as command
from pictures import SVG, Words, points_of, words

import convcost
from convcost.drawing.chart import short

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from convcost.drawing.chart import Chart

ADDS_UP = "a bar needs a metric that adds up, such as params, macs, flops or bytes"
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "%": Fraction(1, 100)}


def number(text: str) -> float:
    """The value of a mark on an axis: ``20 MB``, ``0.5``, ``40%``."""
    match = re.fullmatch(r"([\d.]+) ?([kMGTP%]?)B?", text)
    assert match is not None, text
    return float(match[1]) * float(UNITS[match[2]])


class Drawn(NamedTuple):
    """A chart as a reader sees it: a scale from the marks of each axis, and what is between the axes."""

    across: Callable[[float], float]
    up: Callable[[float], float]
    root: ET.Element

    def all(self, name: str, class_: str) -> list[ET.Element]:
        return [node for node in self.root.iter(SVG + name) if class_ in node.get("class", "").split()]

    def curve(self, index: int = 0) -> list[tuple[float, float]]:
        points = points_of(self.all("path", "curve")[index])
        return [(self.across(x), self.up(y)) for x, y in points]


def scale(marks: list[tuple[float, float]]) -> Callable[[float], float]:
    """From places to values, by two marks; a third one says whether the axis is logarithmic."""
    (x, low), (right, high) = marks[0], marks[-1]
    middle = marks[len(marks) // 2]
    linear = low + (middle[0] - x) / (right - x) * (high - low)
    if len(marks) > 2 and abs(linear - middle[1]) > 0.02 * (high - low):
        return lambda place: 10 ** (log10(low) + (place - x) / (right - x) * (log10(high) - log10(low)))
    return lambda place: low + (place - x) / (right - x) * (high - low)


def drawn(chart: Chart) -> Drawn:
    root = ET.fromstring(chart.svg())  # noqa: S314 - our own file
    ticks = [node for node in root.iter(SVG + "text") if "tick" in node.get("class", "").split()]
    marks: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for node in ticks:
        upright = "up" in node.get("class", "").split()
        place = float(node.get("y", "")) - 4 if upright else float(node.get("x", ""))
        marks[upright].append((place, number(node.text or "")))
    across, up = (scale(own) if own else float for own in marks.values())
    return Drawn(across, up, root)


def close(value: float, expected: Any, of: Any = None) -> bool:
    """Whether a place is right to a few hundredths of a pixel on several hundred."""
    return abs(value - float(expected)) <= 4e-4 * abs(float(expected if of is None else of)) + 1e-12


@pytest.mark.parametrize("metric", ["params", "macs", "flops"])
@pytest.mark.parametrize("name", ["lenet5", "alexnet", "fire", "inception_module"])
def test_a_bar_is_as_long_as_its_value(name: str, metric: str) -> None:
    rows = [row for row in convcost.analyze(name).records("path", metric) if row[metric]]
    picture = drawn(convcost.plot(name, metric=metric))
    bars = picture.all("rect", "bar")
    assert len(bars) == len(rows)
    most = max(row[metric] for row in rows)
    for bar, row in zip(bars, rows, strict=True):
        left, width = float(bar.get("x", "")), float(bar.get("width", ""))
        assert close(picture.across(left), 0, most)
        assert close(picture.across(left + width), row[metric], most)


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v1", "shufflenet_v1", "efficientnet_b0"])
def test_the_bars_of_a_network_with_repeats_add_up(name: str) -> None:
    chart = convcost.plot(name)
    assert sum(bar.value for bar in chart.bars) == convcost.analyze(name).totals.macs
    assert len(chart.bars) <= 48
    picture = drawn(chart)
    lengths = [float(bar.get("width", "")) for bar in picture.all("rect", "bar")]
    longest = max(chart.bars, key=lambda bar: bar.value)
    for length, bar in zip(lengths, chart.bars, strict=True):
        assert abs(length - max(lengths) * float(Fraction(bar.value) / longest.value)) < 0.02


def test_cumulative_costs_are_sums_of_the_rows() -> None:
    rows = convcost.analyze("alexnet").records("macs", "params")
    picture = drawn(convcost.plot("alexnet", kind="cumulative"))
    for index, key in enumerate(("macs", "params")):
        sums = [0, *accumulate(row[key] for row in rows)]
        curve = picture.curve(index)
        assert len(curve) == len(sums)
        for place, ((x, y), part) in enumerate(zip(curve, sums, strict=True)):
            assert close(x, place, len(rows))
            assert close(y, Fraction(part, sums[-1]), 1)


@pytest.mark.parametrize("name", ["mobilenet_v2", "unet", "resnet18"])
def test_the_memory_curve_is_what_is_alive_at_every_step(name: str) -> None:
    analysis = convcost.memory(name, dtype="int8", fused=False)
    steps = [count for _, count in analysis.peaks[0].steps]
    picture = drawn(convcost.plot(name, kind="memory", dtype="int8", fused=False))
    curve = picture.curve()
    heights = [y for (x, y), (after, _) in pairwise(curve) if after - x > 0.5]
    assert len(heights) == len(steps)
    assert all(close(height, value, max(steps)) for height, value in zip(heights, steps, strict=True))
    rule = points_of(picture.all("path", "rule")[0])
    assert close(picture.up(rule[0][1]), analysis.value("peak"))


def test_the_receptive_curve_is_that_of_the_layers() -> None:
    records = [record["field"] for record in convcost.receptive("vgg16", by="layer").records("field")]
    fields = [sizes[0] for sizes in records if sizes is not None]
    picture = drawn(convcost.plot("vgg16", kind="receptive"))
    heights = [y for (x, y), (after, _) in pairwise(picture.curve()) if after - x > 0.5]
    assert len(heights) == len(records)
    maps = zip(heights, fields, strict=False)  # a flat layer after them has no field of its own
    assert all(close(height, field, max(fields)) for height, field in maps)
    assert close(picture.up(points_of(picture.all("path", "rule")[0])[0][1]), 224)


def test_a_roofline_has_time_as_area_and_marks_the_ridge() -> None:
    analysis = convcost.roofline("alexnet", "v100")
    rows = [row for row in analysis.records("executed", "intensity", "time") if row["executed"] and row["time"]]
    picture = drawn(convcost.plot("alexnet", kind="roofline", device="v100"))
    discs = [(*(float(node.get(name, "")) for name in ("cx", "cy", "r")),) for node in picture.all("circle", "disc")]
    assert len(discs) == len(rows)
    slowest = max(row["time"] for row in rows)
    largest = max(radius for *_, radius in discs)
    for (x, y, radius), row in zip(discs, sorted(rows, key=lambda row: -row["time"]), strict=True):
        assert abs(log10(picture.across(x)) - log10(row["intensity"])) < 1e-3
        assert abs(log10(picture.up(y)) - log10(row["executed"] / row["time"])) < 1e-3
        assert abs(radius**2 / largest**2 - float(row["time"] / slowest)) < 2e-3
    ridge = points_of(picture.all("path", "rule")[0])
    assert abs(log10(picture.across(ridge[0][0])) - log10(analysis.ridge)) < 1e-3
    texts = "".join(picture.root.itertext())
    assert "ridge: 17.44 FLOPs per byte" in texts  # 15.7 TFLOP/s over 900 GB/s: Jia et al. (2018), table 2.1
    rows = [row for row in analysis.records("path", "time", "time_share") if row["time"] == slowest]
    assert f"{rows[0]['path']}, {float(rows[0]['time_share']):.1%}".replace("%", " %") in texts


def test_the_names_of_a_scatter_do_not_collide() -> None:
    chart = convcost.plot(kind="scatter")
    picture = drawn(chart)
    names = [words(node) for node in picture.all("text", "of-dot")]
    assert [name.text for name in names] == [dot.label for dot in chart.dots]
    assert len(names) > 70
    for one, other in combinations(names, 2):
        assert not one.where.overlaps(other.where), (one, other)
    dots = [(float(node.get("cx", "")), float(node.get("cy", ""))) for node in picture.all("circle", "dot")]
    for name in names:
        assert not any(name.where.x < x < name.where.right and name.where.y < y < name.where.low for x, y in dots), name


def test_a_scatter_has_every_network_at_its_cost() -> None:
    targets = ["alexnet", "vgg16", "resnet50", "mobilenet_v1", "mobilenet_v2", "squeezenet", "lenet5"]
    picture = drawn(convcost.plot(*targets, kind="scatter", metric="params,flops"))
    dots = [(float(node.get("cx", "")), float(node.get("cy", ""))) for node in picture.all("circle", "dot")]
    table = convcost.table(*targets, columns=["params", "flops"])
    for (x, y), entry in zip(dots, table, strict=True):
        assert abs(log10(picture.across(x)) - log10(entry["params"])) < 1e-3
        assert abs(log10(picture.up(y)) - log10(entry["flops"])) < 1e-3


def test_a_ratio_shows_its_limit_and_break_even() -> None:
    """Howard et al. (2017), equation 5: 1/N + 1/D_K^2; a K x K kernel is K^2 times as dear as its depthwise part."""
    chart = convcost.plot("depthwise_separable_conv", "standard_conv", kind="ratio", over="O=2:64")
    picture = drawn(chart)
    curve = picture.curve()
    assert len(curve) == 63
    for outputs, (x, y) in enumerate(curve, 2):
        assert close(x, outputs, 64)
        assert close(y, Fraction(1, outputs) + Fraction(1, 9), 1)
    assert [picture.up(points_of(node)[0][1]) for node in picture.all("path", "rule")] == pytest.approx(
        [1, 1 / 9], abs=1e-3
    )
    assert "limit 1/9 as O -> oo" in "".join(picture.root.itertext())

    chart = convcost.plot("bottleneck", "plain", kind="ratio", over="M=16:320:16")
    (even,) = [rule for rule in chart.rules if rule.axis == "x"]
    # M (9 M + 512) = 9 * 256 * 256, solved by hand
    assert float(even.value) == pytest.approx((512**2 + 4 * 9 * 9 * 256 * 256) ** 0.5 / 18 - 512 / 18)
    points = dict(chart.curves[0].points)
    assert all((value < 1) == (width < even.value) for width, value in points.items())
    for width in (16, 160, 320):
        assert points[width] == Fraction(width * (9 * width + 512), 9 * 256 * 256)


def test_the_break_even_is_where_both_cost_the_same_at_one_value() -> None:
    """Also where the defaults of both differ: 240 and 256 channels here."""
    chart = convcost.plot("shuffle_unit", "bottleneck_residual", kind="ratio", over="I=240:4800:240")
    (even,) = [rule.value for rule in chart.rules if rule.axis == "x"]
    points = dict(chart.curves[0].points)
    assert all((value < 1) == (width < even) for width, value in points.items())
    first, second = (convcost.analyze(name, I=3360).totals.macs for name in ("shuffle_unit", "bottleneck_residual"))
    assert points[3360] == Fraction(first, second)


@pytest.mark.parametrize(
    ("over", "values"),
    [
        ("alpha=0.5,0.25,1", [Fraction(1, 4), Fraction(1, 2), 1]),
        ("alpha=0.5:1:0.25,2", [Fraction(1, 2), Fraction(3, 4), 1, 2]),
        ("classes=2:5", [2, 3, 4, 5]),
        ("classes=1:481", [1 + 10 * step for step in range(49)]),
    ],
)
def test_values_are_given_as_for_a_sweep(over: str, values: list[Any]) -> None:
    chart = convcost.plot("mobilenet_v1", kind="scaling", over=over, metric="params")
    assert [x for x, _ in chart.curves[0].points] == values


@pytest.mark.parametrize(
    ("targets", "options"),
    [
        (["depthwise_separable_conv", "standard_conv"], {"kind": "ratio", "over": "O=1:64"}),
        (["bottleneck", "plain"], {"kind": "ratio", "over": "M=16:320:16"}),
        (["unet"], {"kind": "memory"}),
        (["resnet50"], {"kind": "receptive"}),
    ],
)
def test_texts_of_rules_cover_no_line(targets: list[str], options: dict[str, Any]) -> None:
    picture = drawn(convcost.plot(*targets, **options))
    texts = [words(node).where for node in picture.all("text", "of-rule")]
    assert texts
    lines = [points_of(node) for name in ("curve", "rule") for node in picture.all("path", name)]
    for line in lines:
        for (x, y), (right, low) in pairwise(line):
            for part in range(101):  # points of the line, close to each other
                place = (x + (right - x) * part / 100, y + (low - y) * part / 100)
                assert not any(at.x < place[0] < at.right and at.y < place[1] < at.low for at in texts)


def test_scaling_is_what_analyze_counts() -> None:
    chart = convcost.plot("mobilenet_v1", "mobilenet_v2", kind="scaling", over="alpha=0.5:1.5:0.25", metric="params")
    picture = drawn(chart)
    for index, name in enumerate(("mobilenet_v1", "mobilenet_v2")):
        values = [convcost.analyze(name, alpha=Fraction(step, 4)).totals.params for step in range(2, 7)]
        curve = picture.curve(index)
        assert [round(x, 2) for x, _ in curve] == [0.5, 0.75, 1.0, 1.25, 1.5]
        for (_, y), value in zip(curve, values, strict=True):
            assert close(y, value, max(values)) or abs(log10(y) - log10(value)) < 1e-3


def test_a_name_alone_has_values_around_its_default() -> None:
    points = convcost.plot("mobilenet_v1", kind="scaling", over="alpha").curves[0].points
    assert (points[0][0], points[-1][0]) == (Fraction(1, 4), 2)
    points = convcost.plot("bottleneck", kind="scaling", over="M").curves[0].points
    assert (points[0][0], points[-1][0]) == (1, 127)
    assert all(isinstance(value, int) for value, _ in points)


# --- the terminal ---


@pytest.mark.parametrize("kind", ["layers", "cumulative", "memory", "receptive", "roofline"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_has_bars_that_fit(kind: str, width: int) -> None:
    options = {"device": "v100"} if kind == "roofline" else {}
    chart = convcost.plot("resnet18", kind=kind, **options)
    text = chart.text(width)
    assert max(map(len, text.splitlines())) <= width
    assert chart.text(width, ascii_only=True).isascii() or "\u2026" in text
    bars = [line for line in text.splitlines() if "\u2588" in line]
    assert len({line.rstrip("0123456789.<% kMGTBusm").count("\u2588") for line in bars}) > 1


@pytest.mark.parametrize("kind", ["cumulative", "memory", "receptive"])
def test_what_the_bars_of_a_terminal_are_is_written_in_the_terminal_alone(kind: str) -> None:
    chart = convcost.plot("lenet5", kind=kind)
    assert chart.text().splitlines()[-1] == chart.about_rows
    assert chart.about_rows.startswith("rows: ")
    assert "rows: " not in chart.svg()
    assert chart.data()["about_rows"] == chart.about_rows


def test_bars_are_exact_to_an_eighth() -> None:
    rows = convcost.plot("lenet5", metric="params").text(80).splitlines()
    bars = [re.search(r" ([\u2588-\u258f]*) +[\d.]+ ?[kM]?$", line) for line in rows]
    found = [match[1] for match in bars if match]
    eighths = [8 * bar.count("\u2588") + (0x2590 - ord(bar[-1]) if bar and bar[-1] != "\u2588" else 0) for bar in found]
    values = [row["params"] for row in convcost.analyze("lenet5").records("params") if row["params"]]
    for eighth, value in zip(eighths, values, strict=True):
        assert abs(eighth - max(eighths) * value / max(values)) <= 1


def test_the_command_writes_what_the_library_makes(tmp_path: Path) -> None:
    assert command("plot", "lenet5").out == convcost.plot("lenet5").text()
    path = tmp_path / "bars.svg"
    done = command("plot", "lenet5", "--metric", "params", "-o", str(path))
    assert (done.code, done.out, done.err) == (0, "", "")
    assert path.read_text("utf-8") == convcost.plot("lenet5", metric="params").svg()
    assert convcost.plot("lenet5", metric="params").svg() == convcost.plot("lenet5", metric="params").svg()
    done = command(
        "plot", "plain", "bottleneck", "--kind", "ratio", "--over", "M=8:64:8", "-o", str(tmp_path / "r.txt")
    )
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lenet5 --kind ratio", "a plot of kind ratio needs `over`: a name, such as alpha or alpha=0.25:1.5"),
        ("lenet5 --kind ratio --over classes", "a plot of kind ratio takes two networks, found 1"),
        ("lenet5 alexnet", "a plot of kind layers takes one network, found 2"),
        ("lenet5 --over size", "`over` is for plots of kind ratio and scaling, found layers"),
        ("lenet5 --kind memory --by stage", "`by` is for plots of kind layers, found memory"),
        (
            "lenet5 --metric field",
            "a bar needs a metric that adds up, such as params, macs, flops or bytes; found 'field'",
        ),
        ("lenet5 --kind scatter --metric macs", "a scatter takes two metrics, such as params,macs; found 'macs'"),
        (
            "lenet5 --kind scaling --over size=3:1",
            "--over size: LOW is at most HIGH and STEP above 0, found '3:1'",
        ),
        ("lenet5 --kind scaling --over size=a:b", "`size`: expected a value, found 'a'"),
        (
            "lenet5 --kind scaling --over size=1:9:0",
            "--over size: LOW is at most HIGH and STEP above 0, found '1:9:0'",
        ),
        (
            "lenet5 --kind scaling --over size=1:9000:1",
            "`over` takes at most 2,000 values, found 9,000 in 'size=1:9000:1'",
        ),
        ("resnet18 --kind scaling --over variant=*", "a line needs numbers; --over variant=* has v1"),
        ("lenet5 --kind scaling --over classes=7", "--over classes=7: one value makes no line"),
        ("lenet5 --kind scaling --over sise", "lenet5 has no parameter 'sise'; did you mean 'size'?"),
        ("lenet5 -o a.jpg", "-o a.jpg: expected a file that ends in .txt, .json, .svg, .png or .pdf, found '.jpg'"),
        ("lenet5 --format png", "--format png needs a file: -o FILE.png"),
        ("global_avg_pool --kind cumulative", "global_avg_pool has none of macs, params"),
    ],
)
def test_misuse_is_refused_in_words(line: str, message: str) -> None:
    done = command("plot", *line.split())
    assert (done.code, done.out, done.err) == (2, "", f"error: {message}\n")


def test_the_data_are_exact() -> None:
    data = convcost.plot("depthwise_separable_conv", "standard_conv", kind="ratio", over="O=2:9").data()
    for outputs, point in enumerate(data["curves"][0]["points"], 2):
        exact = Fraction(1, outputs) + Fraction(1, 9)
        assert (point["x"], point["y"]) == (outputs, float(exact))
        assert point["exact"] == [str(outputs), str(exact)]
    assert {"axis": "y", "value": 1 / 9, "exact": "1/9", "text": "limit 1/9 as O -> oo"} in data["rules"]
    data = convcost.plot("resnet50").data()
    assert sum(bar["value"] for bar in data["bars"]) == convcost.analyze("resnet50").totals.macs
    assert data["bars"] == data["rows"]
    assert all(bar["exact"] is None and isinstance(bar["value"], int) for bar in data["bars"])


def test_a_hostile_title_stays_text() -> None:
    graph = convcost.loads("{title: '</text><script>x</script>\"&', input: [3, 8, 8], layers: [{conv: {out: 4}}]}")
    root = ET.fromstring(convcost.plot(graph).svg())  # noqa: S314 - our own file
    assert not [node for node in root.iter() if node.tag.endswith("script")]
    assert "</text><script>" in "".join(root.itertext())


# --- images ---


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is handed to CairoSVG, by a stand-in for it."""
    given: list[bytes] = []

    def image(*, bytestring: bytes, scale: int = 1) -> bytes:
        given.append(bytestring)
        return b"image" * scale

    module = types.ModuleType("cairosvg")
    module.svg2png = module.svg2pdf = image  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cairosvg", module)
    return given


def test_images_are_made_of_the_svg(converted: list[bytes], tmp_path: Path) -> None:
    for name, content in (("a.png", b"imageimage"), ("a.PDF", b"image")):
        assert command("plot", "lenet5", "-o", str(tmp_path / name)).code == 0
        assert (tmp_path / name).read_bytes() == content
    assert converted == [convcost.plot("lenet5").svg().encode()] * 2


def test_an_image_without_cairosvg_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    done = command("plot", "lenet5", "-o", str(tmp_path / "a.png"))
    assert done.code == 1
    assert done.err == "error: a PNG or PDF file needs CairoSVG: pip install 'convcost[plot]'\n"
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.5, "0.5"), (999, "999"), (1000, "1 k"), (25e9, "25 G")])
def test_marks_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_words_have_a_place() -> None:
    node = ET.Element("text", {"x": "10", "y": "20", "font-size": "10", "text-anchor": "end"})
    node.text = "mm"
    assert isinstance(words(node), Words)
    assert words(node).where.right == 10
