"""Two networks row by row."""

from __future__ import annotations

import json

from inprocess import convcost as command

import convcost

WIDE = """
input: [3, 32, 32]
layers:
  - conv: {out: 16, kernel: 3}
    name: stem
  - relu
  - conv: {out: 32, kernel: 3, stride: 2}
    name: down
  - global_avg_pool
"""
CHANGED = """
input: [3, 32, 32]
layers:
  - conv: {out: 16, kernel: 5}
    name: stem
  - relu
  - conv: {out: 32, kernel: 3, stride: 2}
    name: reduce
  - sigmoid
  - global_avg_pool
"""


def test_rows_are_matched_by_path_then_by_kind_and_shape() -> None:
    difference = convcost.diff(convcost.loads(WIDE), convcost.loads(CHANGED), by="layer")
    assert [change.path for change in difference.changes] == [
        "stem",
        "relu",
        "down -> reduce",
        "sigmoid",
        "global_avg_pool",
    ]
    stem, _, moved, added, _ = difference.changes
    assert stem.before is not None
    assert stem.after is not None
    assert (stem.before.work.weights, stem.after.work.weights) == (3 * 3 * 3 * 16, 5 * 5 * 3 * 16)
    assert moved.before is not None
    assert moved.after is not None
    assert moved.before.work.macs == moved.after.work.macs == 3 * 3 * 16 * 32 * 16 * 16
    assert added.before is None


def test_every_row_of_both_networks_is_there_once() -> None:
    for first, second in (("resnet18", "resnet50"), ("mobilenet_v1", "mobilenet_v2"), ("vgg11", "vgg16")):
        for by in ("layer", "block", "stage", "kind"):
            difference = convcost.diff(first, second, by=by)
            before = [change.before.path for change in difference.changes if change.before is not None]
            after = [change.after.path for change in difference.changes if change.after is not None]
            assert before == [row.path for row in difference.before.rows]
            assert sorted(after) == sorted(row.path for row in difference.after.rows)
            for key in ("params", "macs", "bytes"):
                gained = sum(difference.after.value(key, c.after) for c in difference.changes if c.after is not None)
                lost = sum(difference.before.value(key, c.before) for c in difference.changes if c.before is not None)
                assert gained - lost == difference.after.value(key) - difference.before.value(key)


def test_a_network_does_not_differ_from_itself() -> None:
    difference = convcost.diff("googlenet", "googlenet", by="layer")
    assert all(change.before is not None and change.after is not None for change in difference.changes)
    assert all(change.before.path == change.after.path for change in difference.changes)  # type: ignore[union-attr]


def test_the_command_prints_what_the_library_gives() -> None:
    """ResNet-34 has 1, 2, 4 and 1 more basic blocks than ResNet-18, each of two 3x3 convolutions with norms."""
    data = json.loads(command("diff", "resnet18", "resnet34", "--columns", "params", "--format", "json").out)
    deltas = {row["path"]: row["params"]["delta"] for row in data["rows"]}
    blocks = {"conv2_x": (1, 64), "conv3_x": (2, 128), "conv4_x": (4, 256), "conv5_x": (1, 512)}
    for path, (more, width) in blocks.items():
        assert deltas[path] == more * (2 * 9 * width**2 + 4 * width), path
    assert data["totals"]["params"]["before"] == 11_689_512  # torchvision's resnet18 and resnet34
    assert data["totals"]["params"]["after"] == 21_797_672
    assert all(deltas[path] == 0 for path in ("conv1", "pool1", "linear"))


def test_only_changed_rows() -> None:
    rows = json.loads(command("diff", "resnet18", "resnet34", "--changed", "--format", "json").out)["rows"]
    assert [row["path"] for row in rows] == ["conv2_x", "conv3_x", "conv4_x", "conv5_x"]
    assert len(command("diff", "resnet18", "resnet34", "--changed", "--format", "csv").out.splitlines()) == 5


def test_a_metric_that_applies_to_neither_side_has_no_difference() -> None:
    """An activation that is fused and a slice move nothing, so they have no operations per byte."""
    line = ("diff", "lenet5", "lenet5", "--by", "layer", "--columns", "intensity,macs")
    rows = {row["path"]: row for row in json.loads(command(*line, "--format", "json").out)["rows"]}
    absent = {path for path, row in rows.items() if row["intensity"]["before"] is None}
    assert {"tanh", "C3/sees 3 maps/slice"} <= absent
    assert all(set(rows[path]["intensity"].values()) == {None} for path in absent)
    assert all(rows[path]["macs"]["delta"] == 0 for path in rows)
    assert len(command(*line, "--changed", "--format", "csv").out.splitlines()) == 1  # the headings


def test_a_difference_of_what_is_no_number_is_refused() -> None:
    wrong = command("diff", "resnet18", "resnet34", "--columns", "kernel")
    assert (wrong.code, wrong.err) == (2, "error: --columns: kernel is not a number\n")


def test_one_row_for_each_network() -> None:
    out = command("table", "vgg16", "resnet18", "--columns", "params,macs", "--format", "csv", "--sort", "params").out
    lines = [line.split(",") for line in out.splitlines()]
    assert lines[0] == ["network", "input_size", "params", "macs"]
    assert lines[1][:3] == ["vgg16", "3x224x224", "138357544"]  # torchvision
    assert lines[2][:3] == ["resnet18", "3x224x224", "11689512"]
    narrow = command(
        "table", "mobilenet_v1", "mobilenet_v1", "--set", "mobilenet_v1#2:alpha=0.5", "--format", "json"
    ).out
    first, second = json.loads(narrow)["items"]
    assert (first["totals"]["params"], second["totals"]["params"]) == (4_231_976, 1_331_592)
