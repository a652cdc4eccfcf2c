"""Presets: what ``analyze``, ``memory``, ``traffic``, ``receptive`` and ``roofline`` show of the same rows.

A preset is a choice of metrics. Any other metric can be asked for in their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

TREE = "tree"
DIFFERENCE_COLUMNS = ("params", "macs")  # of `diff`
NETWORK_COLUMNS = ("params", "macs", "flops", "size", "peak")  # of `table`
COSTS = ("params", "params_share", "macs", "macs_share", "flops", "flops_share")
_MOVED = ("read", "constants", "written", "bytes", "executed", "intensity")
_FIELD = ("field", "effective_stride", "start")
_TIME = ("executed", "bytes", "intensity", "limit", "time", "time_share", "of_peak")
_HELD = ("params", "size", "outputs", "saved", "live", "peak")


class Preset(NamedTuple):
    """What a command shows where nothing else is asked for.

    Attributes:
        command: its name.
        by: what a row stands for; :data:`TREE` for a tree on a terminal and layers elsewhere.
        columns: metrics by grouping, for people.
        machine: metrics in CSV and JSON.
        tree: metrics in a tree.
        totals: metrics of the whole network that stand for it in one line.
        subject: the metric without which a row is left out, where no columns are asked for; empty if none is.
        absent: what the rows that are left out lack, in words.
        hides: whether columns may be hidden in a narrow terminal; without that, the table is split.
    """

    command: str
    by: str
    columns: Mapping[str, tuple[str, ...]]
    machine: tuple[str, ...]
    tree: tuple[str, ...]
    totals: tuple[str, ...]
    subject: str = ""
    absent: str = ""
    hides: bool = False


def _of_groups(*keys: str) -> dict[str, tuple[str, ...]]:
    """The same metrics for every group of layers, with what names the group."""
    return {
        "block": ("path", "kind", *keys),
        "stage": ("path", *keys),
        "kind": ("kind", *(key for key in keys if key not in ("input", "output"))),
    }


PRESETS: dict[str, Preset] = {
    preset.command: preset
    for preset in (
        Preset(
            "analyze",
            TREE,
            {
                **_of_groups("input", "output", "layers", *COSTS),
                "layer": ("path", "kind", "input", "output", "kernel", "stride", "groups", *COSTS),
            },
            (
                *("path", "kind", "input", "output", "kernel", "stride", "groups", "count", "layers"),
                *("params", "macs", "flops"),
            ),
            ("path", "output", "params", "macs", "macs_share"),
            ("params", "macs", "flops"),
            hides=True,
        ),
        Preset(
            "memory",
            "stage",
            {
                **_of_groups("output", "layers", *_HELD),
                "layer": ("path", "kind", "output", *_HELD),
            },
            ("path", "kind", "output", "layers", *_HELD),
            ("path", "output", *_HELD),
            ("size", "peak"),
        ),
        Preset(
            "traffic",
            "layer",
            {**_of_groups(*_MOVED), "layer": ("path", "kind", *_MOVED, "excess")},
            (
                *("path", "kind", "read", "constants", "written", "elements", "bytes", "executed", "intensity"),
                *("access_cost", "access_cost_bound", "excess"),
            ),
            ("path", *_MOVED),
            ("bytes",),
            "elements",
            "move nothing",
        ),
        Preset(
            "receptive",
            "layer",
            {
                **_of_groups("output", *_FIELD),
                "layer": ("path", "kind", "output", "kernel", "stride", *_FIELD, "through"),
            },
            ("path", "kind", "output", "kernel", "stride", *_FIELD, "padding", "through", "everywhere"),
            ("path", "output", *_FIELD),
            _FIELD,
            "field",
            "have no positions",
        ),
        Preset(
            "roofline",
            "layer",
            {**_of_groups(*_TIME), "layer": ("path", "kind", *_TIME)},
            ("path", "kind", *_TIME),
            ("path", *_TIME),
            ("time", "of_peak"),
            "time",
            "take no time",
        ),
    )
}
