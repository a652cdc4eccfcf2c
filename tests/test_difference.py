"""Two networks row by row."""

from __future__ import annotations

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
