"""JSON is a contract: every key that is printed is documented, and every documented key is printed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from inprocess import convcost

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "json.md").read_text("utf-8")
COMMANDS = {
    "analyze": [
        "analyze lenet5",
        "analyze lenet5 --by kind --convention fvcore --device v100",
        "analyze lenet5 --by tree --fold",
        "analyze lenet5 alexnet",
    ],
    "compare": [
        "compare bottleneck plain --traffic",
        "compare depthwise_separable_conv standard_conv",
        "compare group_conv standard_conv",
    ],
    "diff": ["diff resnet18 resnet34", "diff lenet5 alexnet --columns macs,size,peak"],
    "table": ["table lenet5 alexnet"],
    "formula": [
        "formula mobilenet_v1 --free alpha --latex",
        "formula inverted_residual",
        "formula lenet5 --convention fvcore",
    ],
    "scaling": ["scaling mobilenet_v1", "scaling lenet5 --convention fvcore"],
    "equal": ["equal depthwise_separable_conv pointwise_depthwise_conv"],
    "space": ["space tinynas_space --set size=48 --set alpha=0.2 --sample 1 --quantile .5 --count macs<=5M --in macs"],
    "solve": [
        "solve mobilenet_v1 --for alpha --budget macs<=300M",
        "solve mobilenet_v1 --for alpha --budget reported<=300M --convention fvcore",
        "solve mobilenet_v1 --for alpha,size --budget macs<=100M --step alpha=0.25 --step size=64",
    ],
    "sweep": ["sweep lenet5 --over classes=2:4 --keep params<=1M --pareto min:macs --columns macs,peak"],
    "verify": ["verify lenet5"],
    "conventions": ["conventions", "conventions lenet5"],
    "explain": ["explain lenet5 --reported 61k --in params"],
    "memory": ["memory squeezenet1_1", "memory lenet5 --steps"],
    "traffic": ["traffic lenet5"],
    "receptive": ["receptive lenet5"],
    "roofline": ["roofline", "roofline lenet5 --device v100"],
    "draw": ["draw bottleneck resnet18"],
    "plot": [
        "plot lenet5",
        "plot stacked_group_convs --kind channels",
        "plot lenet5 --kind roofline --device v100",
        "plot lenet5 alexnet --kind scatter",
        "plot bottleneck plain --kind ratio --over M=8:64:8",
    ],
    "list": ["list"],
    "layers": ["layers"],
}  # fmt: skip
# under these keys stand names of the data: of parameters, networks, quantities, number formats ...
NAMED_BY_DATA = {
    "parameters", "witness", "ratios", "lets", "settings", "of", "at", "quantities", "from", "counterexample", "values",
    "costs", "peak", "causes", "verdicts", "formulas", "formats", "given",
}  # fmt: skip
VERSIONS = {"analyze": 2, "traffic": 2, "receptive": 2, "roofline": 2}
WEIGHTS = ("operations", "params")  # of a convention: names of layers, then of counts


def keys(value: Any, inside: str = "") -> set[str]:
    """Every key of a result, but for names of the data."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, entry in value.items():
            if inside not in NAMED_BY_DATA:
                found.add(key)
            if not ("operations" in value and key in WEIGHTS):
                found |= keys(entry, key)
    elif isinstance(value, list):
        for entry in value:
            found |= keys(entry)
    return found


def documented(command: str) -> set[str]:
    """The words in code in the section on ``command``, in the one that others refer to, and before all sections."""
    parts = re.split(r"^## (.*)$", PAGE, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    section = next(text for title, text in sections.items() if command in title.split(", "))
    code = re.findall(r"`([^`]*)`", parts[0] + sections["analyze"] + section)
    return {word for piece in code for word in re.findall(r"[a-z_]+", piece)}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_key_is_documented(command: str) -> None:
    known = documented(command)
    for line in COMMANDS[command]:
        result = convcost(*line.split(), "--format", "json")
        assert result.code == (line.startswith("equal")), result.err
        data = json.loads(result.out)
        assert data["schema"] == f"convcost/{command}/{VERSIONS.get(command, 1)}"
        assert keys(data) - known == set(), line


def test_integers_are_exact(tmp_path: Path) -> None:
    """2^53 + 1 is the first whole number that a float cannot hold."""
    spec = tmp_path / "wide.yaml"
    spec.write_text("{input: [1, 1, 1], layers: [conv: {out: 9007199254740993}]}\n", "utf-8")
    for command in ("analyze", "memory", "traffic", "conventions"):
        assert "9007199254740993" in convcost(command, str(spec), "--format", "json").out
    explained = convcost("explain", str(spec), "--reported", "9007199254740993", "--format", "json")
    assert json.loads(explained.out)["candidates"][0]["value"] == 9007199254740993
