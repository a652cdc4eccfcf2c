"""Drawings: what is in the boxes, where they are, and the same network in every format."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from conftest import DATA, representatives, sampled
from inprocess import convcost as command
from pictures import cross, crossings, enters, read

import convcost
from convcost.catalogue.loader import bundled_names
from convcost.drawing.diagram import diagram
from convcost.drawing.exports import arrows, numbered
from convcost.tables.values import si

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from convcost.drawing.diagram import Part

BLOCKS = bundled_names(blocks=True)
FEW = representatives()
NAMES = [*FEW, *(pytest.param(name, marks=pytest.mark.long) for name in bundled_names() if name not in FEW)]
DEEP = 99


def every(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from every(part.parts)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_overlaps(name: str) -> None:
    picture = read(convcost.draw(name).svg())
    solid, frames = picture.solid, [box.where for box in picture.boxes if box.form == "frame"]
    for one, other in itertools.combinations([box.where for box in solid], 2):
        assert not one.overlaps(other)
    for one, other in itertools.combinations(frames, 2):
        assert not one.overlaps(other) or one.contains(other) or other.contains(one)
    for frame, box in itertools.product(frames, [box.where for box in solid]):
        assert not frame.overlaps(box) or frame.contains(box)
    for segment, box in itertools.product(picture.segments, solid):
        assert not enters(segment, box.where), (segment, box)
    texts = [words for box in picture.boxes for words in box.texts]
    for words in [*texts, *picture.loose]:
        assert picture.page.contains(words.where), words
    for one, other in itertools.combinations([*texts, *picture.loose], 2):
        assert not one.where.overlaps(other.where), (one, other)
    for box in solid:
        inside = [words for words in box.texts if words.where.overlaps(box.where)]
        assert inside
        assert all(box.where.contains(words.where) for words in inside), box
    labels = [words for box in picture.boxes for words in box.texts if not words.where.overlaps(box.where)]
    labels += [words for box in picture.boxes if box.form == "frame" for words in box.texts]
    for words, box in itertools.product(labels, solid):
        assert not words.where.overlaps(box.where), (words, box)
    for segment, words in itertools.product(picture.segments, labels):
        assert not enters(segment, words.where), (segment, words)
    assert (
        crossings(picture.segments) == 0 or convcost.load(name).outputs
    )  # a pyramid hands maps on to levels beside each other


@pytest.mark.parametrize("name", BLOCKS)
def test_lines_of_a_block_do_not_cross(name: str) -> None:
    picture = read(convcost.draw(name, depth=DEEP).svg())
    crossed = crossings(picture.segments)
    # a pyramid hands maps on to levels beside each other, which no order of its columns can untangle
    assert crossed == 0 if not convcost.load(name).outputs else crossed <= 4
    # every arrow ends in the middle of the upper side of a box, or inside that of a merge
    tops = [(box.form, box.where) for box in picture.solid]
    for x, y in picture.tips:
        assert any(
            y == where.y and (x == (where.x + where.right) / 2 or (form == "join" and where.x < x < where.right))
            for form, where in tops
        )


def test_a_crossing_is_found() -> None:
    assert cross((0, 5, 10, 5), (5, 0, 5, 10))
    assert not cross((0, 5, 10, 5), (5, 5, 5, 10))  # a line that forks
    assert not cross((0, 5, 10, 5), (10, 0, 10, 10))
    assert crossings([(0, 5, 10, 5), (5, 0, 5, 10), (0, 7, 10, 7), (10, 0, 10, 10), (4, 5, 4, 10)]) == 3


@pytest.mark.parametrize("name", ["bottleneck", "inverted_residual", "depthwise_separable_conv", "resnext_c"])
def test_a_chain_is_straight(name: str) -> None:
    picture = read(convcost.draw(name).svg())
    middles = {(box.where.x + box.where.right) / 2 for box in picture.solid}
    assert len(middles) == 1


@pytest.mark.parametrize("depth", [1, 2, DEEP, None])
@pytest.mark.parametrize("name", sampled(FEW, 4))
def test_every_layer_is_in_one_box(name: str, depth: int | None) -> None:
    graph = convcost.load(name)
    made = diagram(graph, depth if depth != DEEP or len(graph.layers) < 400 else None)
    drawn = [index for box in made.boxes for index in box.layers]
    assert len(drawn) == len(set(drawn))
    everything = {index for part in made.parts for index in part.layers}
    assert everything == {node.index for node in graph.layers}
    for part in every(made.parts):
        inside = {index for each in part.parts for index in each.layers}
        if part.form == "frame":
            assert inside <= set(part.layers)
            assert len(inside) * part.times == len(part.layers)


@pytest.mark.parametrize("name", sampled(BLOCKS, 2))
def test_the_lines_are_the_tensors(name: str) -> None:
    graph = convcost.load(name)
    made = diagram(graph, DEEP, repeats=False)
    numbers = numbered(made)
    of_box = {index: numbers[id(box)] for box in made.boxes for index in box.layers}
    for part in made.parts:
        for index in graph.inputs.values():
            if part.form == "input":
                of_box[index] = numbers[id(part)]
    expected = {
        (of_box[index], of_box[node.index])
        for node in graph.layers
        for index, _ in (node.inputs if node.kind != "parameter" else ())  # which reads nothing
        if of_box[index] != of_box[node.index]
    }
    ends = {numbers[id(part)] for part in made.parts if part.form == "output"}
    assert {(arrow.source, arrow.target) for arrow in arrows(made) if arrow.target not in ends} == expected


def test_no_line_leads_to_a_tensor_of_parameters() -> None:
    """Dosovitskiy et al. (2021), equation 1: the class token and the positions are learned, not computed."""
    (item,) = convcost.draw("vit", depth=DEEP).data()["items"]
    tokens = {box["id"] for box in item["boxes"] if box["text"][0].startswith("parameter")}
    assert len(tokens) == 2
    assert not [edge for edge in item["edges"] if edge["target"] in tokens]
    assert len([edge for edge in item["edges"] if edge["source"] in tokens]) == 2


def test_every_activation_norm_and_stride_of_a_block_is_written() -> None:
    for name in BLOCKS:
        graph = convcost.load(name)
        made = diagram(graph, DEEP)
        text = "\n".join(line for box in made.boxes for line in box.lines for _ in range(1))
        copies = {index: part.times for part in every(made.parts) for index in part.layers if part.times > 1}
        for kind, word in {
            "relu": r"\bReLU\b",
            "relu6": r"\bReLU6\b",
            "batch_norm": r"\bBN\b",
            "gelu": r"\bGELU\b",
        }.items():
            count = sum(node.kind == kind for node in graph.layers)
            if not copies:
                assert len(re.findall(word, text)) == count, (name, kind)
        strided = [node for node in graph.layers if getattr(node.layer, "stride", None) == 2]
        if not copies:
            assert len(re.findall(r", [/x]2\b", text)) == len(strided), name
        macs = sum(int(node.work.macs) * int(node.count) for node in graph.layers)
        if macs:
            assert sum((box.share or 0) for box in made.boxes) == 1, name


def test_the_boxes_of_a_bottleneck_block_are_those_of_the_paper() -> None:
    made = diagram(convcost.load("bottleneck_residual", I=256, M=64, stride=2, O=512))
    texts = [box.lines[:2] for box in made.boxes]  # He et al. (2016), figure 5 and table 1
    assert texts[:4] == [
        ("1x1 conv, 64", "BN ReLU"),
        ("3x3 conv, 64, /2", "BN ReLU"),
        ("1x1 conv, 512", "BN"),
        ("1x1 conv, 512, /2", "BN"),
    ]
    assert texts[4] == ("+  ReLU",)


@pytest.mark.parametrize(("name", "times"), [("resnet50", [2, 3, 5, 2]), ("resnet152", [2, 7, 35, 2])])
def test_repeats_are_drawn_once(name: str, times: list[int]) -> None:
    made = diagram(convcost.load(name))
    assert [part.times for part in every(made.parts) if part.times > 1] == times
    picture = read(convcost.draw(name).svg())
    assert picture.page.low < 1.8 * picture.page.right  # a page
    assert [words.text for box in picture.boxes for words in box.texts if " x " in words.text] == [
        f"bottleneck_residual x {count}" for count in times
    ]


@pytest.mark.parametrize("depth", [1, 2, None])
def test_a_u_net_goes_down_and_up_with_its_levels_side_by_side(depth: int | None) -> None:
    """Ronneberger et al. (2015), figure 1: a map of each of four levels leads across to the level of its size."""
    drawing = convcost.draw("unet", depth=depth)
    (item,) = drawing.data()["items"]
    tops = {box["text"][0].split(" x ")[0]: box for box in item["boxes"] if box["inside"] is None}
    down, up = ([tops[f"{way}{width}"] for width in (64, 128, 256, 512)] for way in ("down", "up"))
    bottoms = [(box["y"] + box["height"], other["y"] + other["height"]) for box, other in zip(down, up, strict=True)]
    assert all(left == right for left, right in bottoms)
    assert sorted(bottoms) == bottoms
    assert tops["bottom"]["y"] > max(bottoms)[0]
    assert tops["output 2x388x388"]["y"] < up[0]["y"]
    assert max(box["x"] + box["width"] for box in down) < min(box["x"] for box in up)
    across = [line["points"] for line in item["lines"] if line["points"][0][0] < up[0]["x"] < line["points"][-1][0]]
    assert len(across) == 5  # those of the levels, and the way up from the bottom
    assert all(points[-1][1] < points[-2][1] for points in across)  # they end from below
    picture = read(drawing.svg())
    assert crossings(picture.segments) == 0


@pytest.mark.parametrize(("name", "columns"), [("darts", 3), ("nasnet", 3)])
def test_cells_that_read_two_cells_before_continue_in_further_columns(name: str, columns: int) -> None:
    picture = read(convcost.draw(name, depth=1).svg())
    middles = {(box.where.x + box.where.right) / 2 for box in picture.solid}
    assert len(middles) == columns
    assert picture.page.low < 2 * picture.page.right
    assert crossings(picture.segments) == 0


def test_a_chain_in_a_frame_continues_in_further_columns() -> None:
    drawing = convcost.draw("densenet121")
    boxes = {box["id"]: box for box in drawing.data()["items"][0]["boxes"]}
    for name, layers in (("dense1", 6), ("dense2", 12), ("dense3", 24), ("dense4", 16)):  # Huang et al., table 1
        (frame,) = [box for box in boxes.values() if box["form"] == "frame" and box["text"][0] == name]
        inside = [box for box in boxes.values() if box["inside"] == frame["id"]]
        assert len(inside) == layers
        assert len({box["x"] + box["width"] / 2 for box in inside}) == {6: 1, 12: 2, 24: 3, 16: 3}[layers]
    page = read(drawing.svg()).page
    assert page.low < 1.5 * page.right


@pytest.mark.parametrize("name", ["inception_module", "inception_v3_c", "nats_bench"])
def test_lines_into_a_merge_have_room_for_their_tips(name: str) -> None:
    tips = sorted(read(convcost.draw(name).svg()).tips)
    for (x, y), (right, low) in itertools.pairwise(tips):
        assert y != low or right - x >= 8 or right == x, (x, y)  # the width of a tip


@pytest.mark.parametrize(("name", "times"), [("swin_t", 3), ("swin_s", 9)])
def test_blocks_that_alternate_are_drawn_once(name: str, times: int) -> None:
    """Liu et al. (2021), section 3.3: stage 3 has 6 layers in Swin-T and 18 in Swin-S; every second one is shifted."""
    made = diagram(convcost.load(name))
    (frame,) = [part for part in every(made.parts) if part.form == "frame" and len(part.parts) == 2 and part.times > 1]
    assert frame.times == times
    assert [part.lines[0] for part in frame.parts] == ["layer", "layer"]
    assert frame.lines[0] == f"layer, layer x {times}"
    whole = diagram(convcost.load(name), repeats=False, depth=2)
    assert sum(part.lines[0] == "layer" for part in whole.boxes) == 6 + 2 * times


@pytest.mark.parametrize(("name", "times"), [("swin_t", 6), ("swin_s", 18)])
def test_blocks_whose_boxes_are_equal_are_drawn_once(name: str, times: int) -> None:
    """Liu et al. (2021), section 3.3: layers {2, 2, n, 2}; what differs between them is in no box at this depth."""
    made = diagram(convcost.load(name), 2)
    assert [box.lines[0] for box in made.boxes if box.lines[0].startswith("layer")] == [
        f"layer  x {count}" for count in (2, 2, times, 2)
    ]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("a b a b", ["a, b x 2", "a", "b"]),
        ("a b a b a", ["a, b x 2", "a", "b", "a"]),
        ("a a b a a b", ["a, a, b x 2", "a x 2", "b"]),
        ("a b c a b c a b c", ["a, b, c x 3", "a", "b", "c"]),
        ("a a a b", ["a x 3", "b"]),
        ("a b b a", ["a", "b x 2", "a"]),
        ("a a a a a a", ["a x 6"]),
    ],
)
def test_the_smallest_period_that_covers_most_is_one_frame(order: str, expected: list[str]) -> None:
    kernels = {"a": 1, "b": 3, "c": 5}
    blocks = {name: [{"conv": {"out": out, "kernel": kernel}} for out in (16, 8)] for name, kernel in kernels.items()}
    graph = convcost.loads(json.dumps({"input": [8, 4, 4], "blocks": blocks, "layers": order.split()}))
    made = diagram(graph, DEEP)
    assert [part.lines[0] for part in every(made.parts) if part.form == "frame"] == expected
    assert sum(len(part.layers) for part in made.parts) == len(graph.layers)
    boxes = [part.lines[0].partition("  x ")[0] for part in diagram(graph, 1).boxes]
    assert set(boxes) == set(order.split())


@pytest.mark.parametrize("name", ["lenet5", "siamese", "unet", "nats_bench", "mobilenet_v2"])
def test_the_same_file_every_time(name: str) -> None:
    for format_ in ("svg", "mermaid", "dot", "text"):
        assert convcost.draw(name).written(format_) == convcost.draw(name).written(format_)


# --- formats ---

_BOX = re.compile(r'  +n(\d+)(?:\["([^"]+)"\]|\("([^"]+)"\)|\(\["([^"]+)"\]\))')
_FRAME = re.compile(r'  +subgraph n(\d+) \["([^"]+)"\]')
_LINE = re.compile(r'  n(\d+) -->(?:\|"([^"]+)"\|)? n(\d+)')
_TEXT = re.compile(r"(?:[a-zA-Z0-9 _.,%+/-]|#\d+;|<br/>)*")


@pytest.mark.parametrize("name", sampled(FEW, 4))
def test_mermaid_has_every_box_and_line(name: str) -> None:
    made = diagram(convcost.load(name))
    first, *rest = convcost.draw(name).mermaid().splitlines()
    assert first == "flowchart TB"
    known, open_, lines = set(), 0, 0
    for line in rest:
        if (match := _BOX.fullmatch(line)) is not None or (match := _FRAME.fullmatch(line)) is not None:
            number, *texts = match.groups()
            assert _TEXT.fullmatch(next(filter(None, texts)))
            known.add(int(number))
            open_ += "subgraph" in line
        elif line.strip() == "end":
            open_ -= 1
        else:
            match = _LINE.fullmatch(line)
            assert match is not None, line
            assert {int(match[1]), int(match[3])} <= known
            lines += 1
    assert open_ == 0
    assert known == set(numbered(made).values())
    assert lines == len(arrows(made))


HOSTILE = """
title: 'T"]; <script>alert(1)</script> & `x` \\N %%{init}%% 模块'
parameters: {n: 8}
input: [3, 8, 8]
layers:
  - name: end
    do: [conv: {out: 8}, relu, conv: {out: 4}, relu]
  - {conv: {out: n}}
"""


def test_names_do_not_leave_their_place() -> None:
    graph = convcost.loads(HOSTILE, name='<a> "b" \\N & \x07')
    drawing = convcost.draw(graph)
    root = ET.fromstring(drawing.svg())  # noqa: S314 - our own file
    assert "<script>alert(1)</script>" in "".join(root.itertext())
    assert not [node for node in root.iter() if node.tag.endswith("script")]
    assert "\x07" not in drawing.svg() + drawing.dot() + drawing.mermaid() + drawing.text()
    assert drawing.dot().splitlines()[0] == r'digraph "<a> \"b\" \\N & \\x07" {'
    assert 'subgraph n1 ["end' in drawing.mermaid()


def test_mermaid_writes_marks_as_numbers() -> None:
    text = convcost.draw(convcost.loads("{input: {'a': [3, 8, 8]}, layers: [relu]}", name="x")).mermaid()
    assert 'n0(["a 3x8x8"])' in text


@pytest.mark.parametrize("name", sampled(BLOCKS, 3))
def test_a_terminal_drawing_has_the_same_boxes(name: str) -> None:
    made = diagram(convcost.load(name), DEEP)
    text = convcost.draw(name, depth=DEEP).text()
    plain = convcost.draw(name, depth=DEEP).text(ascii_only=True)
    assert plain.isascii() or "模" in plain
    assert text.count("\u25bc") == len(arrows(made))
    for box in made.boxes:
        assert all(line in text for line in box.lines)
    if not any(part.form == "frame" for part in made.parts):
        assert text.count("\u250c") >= len(made.boxes) + 1


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "inception_v4", "efficientnet_b7", "unet", "darts"])
def test_a_terminal_drawing_fits(name: str) -> None:
    assert max(map(len, convcost.draw(name).text(80).splitlines())) <= 80


def test_the_format_follows_the_name_of_the_file(tmp_path: Path) -> None:
    starts = {"a.svg": "<svg ", "a.MMD": "flowchart", "a.dot": "digraph", "a.txt": " "}
    for name, start in starts.items():
        done = command("draw", "fire", "-o", str(tmp_path / name))
        assert (done.code, done.out, done.err) == (0, "", "")
        assert (tmp_path / name).read_text("utf-8").startswith(start)
    wrong = command("draw", "fire", "-o", str(tmp_path / "a.png"))
    assert wrong.code == 2
    assert "a.png: expected a file that ends in .txt, .json, .svg, .mmd or .dot, found '.png'" in wrong.err
    assert command("draw", "fire", "--format", "mermaid").out.startswith("flowchart TB\n")


@pytest.mark.parametrize("names", [("resnet18",), ("shuffle_unit", "bottleneck_residual")])
def test_the_data_are_those_of_the_picture(names: tuple[str, ...]) -> None:
    drawing = convcost.draw(*names)
    data, picture = drawing.data(), read(drawing.svg())
    boxes = [box for item in data["items"] for box in item["boxes"]]
    places = {(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]) for box in boxes}
    assert places == {tuple(box.where) for box in picture.boxes}
    lines = [line["points"] for item in data["items"] for line in item["lines"]]
    segments = [[*first, *second] for points in lines for first, second in itertools.pairwise(points)]
    drawn = [tuple(sorted((a, c)) + sorted((b, d))) for a, b, c, d in segments]
    assert sorted(drawn) == sorted((x, right, y, low) for x, y, right, low in picture.segments)
    assert {text for box in boxes for text in box["text"]} == {
        words.text for box in picture.boxes for words in box.texts if words.where.y < box.where.low
    }
    for name, item in zip(names, data["items"], strict=True):
        graph = convcost.load(name)
        ids = {box["id"]: box for box in item["boxes"]}
        layers = [path for box in item["boxes"] if box["form"] != "frame" for path in box["layers"]]
        folded = [path for box in item["boxes"] if box["form"] == "frame" for path in box["layers"]]
        assert len(layers) == len(set(layers))
        assert {*layers, *folded} == {node.path for node in graph.layers}
        macs = sum(box["macs"] * box["times"] for box in item["boxes"] if box["inside"] is None and box["macs"])
        assert macs == convcost.analyze(graph).totals.macs
        for outer in (None, *(box for box in item["boxes"] if box["form"] == "frame")):
            inside = [box["share"] or 0 for box in item["boxes"] if box["inside"] == (outer and outer["id"])]
            assert sum(inside) == pytest.approx(outer["share"] if outer else 1)
        for edge in item["edges"]:
            assert ids[edge["source"]]["form"] != "frame" != ids[edge["target"]]["form"]
        assert all(box["inside"] is None or ids[box["inside"]]["form"] == "frame" for box in item["boxes"])


def test_a_summary_says_by_how_much_the_map_becomes_smaller() -> None:
    lines = [box.lines[1] for box in diagram(convcost.load("unet"), 1).boxes if box.form == "summary"]
    assert lines == ["4 layers"] * 5 + ["7 layers"] * 4  # convolutions without padding only cut off the border
    assert "16 layers, /2" in [box.lines[1] for box in diagram(convcost.load("darts"), 1).boxes if len(box.lines) > 1]


def test_an_imported_graph_is_drawn() -> None:
    path = DATA / "onnx" / "exports" / "export-tv_resnet18.ts11.onnx"
    graph = convcost.load(str(path))
    made = diagram(graph, DEEP)
    assert sum(len(box.layers) * 1 for box in made.boxes) == len(graph.layers)
    picture = read(convcost.draw(graph).svg())
    assert len(picture.solid) == len(diagram(graph).boxes) + 2


def test_depth_is_at_least_1() -> None:
    with pytest.raises(convcost.UsageError, match="`depth` must be at least 1, found 0"):
        convcost.draw("lenet5", depth=0)


# --- colours ---


def _luminance(colour: tuple[float, ...]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _rgb(text: str) -> tuple[float, ...]:
    return tuple(int(text[index : index + 2], 16) / 255 for index in (1, 3, 5))


def test_text_is_readable_in_both_schemes() -> None:
    """The contrast that WCAG 2.1 asks for (1.4.3): 4.5, on every fill, with the strongest tint."""
    svg = convcost.draw("bottleneck_residual").svg()
    style = ET.fromstring(svg).find("{http://www.w3.org/2000/svg}style")  # noqa: S314 - our own file
    assert style is not None
    assert style.text is not None
    light, dark = style.text.split("@media")
    strongest = max(map(float, re.findall(r'fill-opacity="([\d.]+)"', svg)))
    for scheme in (light, dark):
        fill = {name: _rgb(colour) for name, colour in re.findall(r"picture \.?(\w+){fill:(#\w{6})", scheme)}
        for text, ground in itertools.product(("text", "quiet"), ("page", "box", "join", "end")):
            assert _contrast(fill[text], fill[ground]) >= 4.5, (text, ground)
        tint = tuple(
            strongest * over + (1 - strongest) * under for over, under in zip(fill["tint"], fill["box"], strict=True)
        )
        assert _contrast(fill["text"], tint) >= 4.5
        assert _contrast(fill["quiet"], tint) >= 4.5
        assert all(_contrast(fill[f"c{index}"], fill["page"]) >= 3 for index in range(8))  # 1.4.11, for what is no text


def test_several_networks_are_beside_each_other() -> None:
    names = ["bottleneck", "plain", "resnext_c"]
    drawing = convcost.draw(*names)
    picture = read(drawing.svg())
    boxes = [box.where for box in picture.solid]
    assert len(boxes) == sum(len(diagram(convcost.load(name)).boxes) + 2 for name in names)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert not any(enters(segment, box) for segment, box in itertools.product(picture.segments, boxes))
    texts = [words.text for words in picture.loose]
    for name in names:
        totals = convcost.analyze(name).totals
        assert f"{si(totals.params)} parameters, {si(totals.macs)} MACs" in texts
    assert repr(drawing) == "<drawing of bottleneck, plain, resnext_c: 8 boxes for 8 layers>"
    assert drawing.text().count("input 256x") == 6
    with pytest.raises(convcost.UsageError, match="the format dot holds one network, found 3"):
        drawing.dot()
    with pytest.raises(convcost.UsageError, match="a drawing needs a network"):
        convcost.draw()
