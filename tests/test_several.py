"""Several inputs and outputs, and names that are computed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import run_convcost

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.errors import ConvcostError, SpecError, UnsupportedError, UsageError
from convcost.formulas.closed import formula
from convcost.language.interpret import build
from convcost.metrics.memory import peak
from convcost.metrics.receptive import receptive_fields
from convcost.metrics.training import kept, operations
from convcost.network.cost import sum_work
from convcost.numbers.polynomial import replaced

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.network.graph import Graph

TWO = """
title: Two
parameters: {n: 16, m: 16, c: 1}
input: {image: [3, n, n], depth: [c, m, m]}
layers:
  - {conv: {out: 8, kernel: 3}, name: a}
  - {conv: {out: 8, kernel: 3}, from: depth}
  - concat: {a: a, b: x}
  - conv: {out: depth.c + image.c}
"""


def shapes(graph: Graph) -> dict[str, Any]:
    """Shape of every named output."""
    return {name: graph.nodes[index].shape for name, index in graph.outputs.items()}


def test_a_convolution_on_each_of_two_inputs() -> None:
    graph = convcost.loads(TWO)
    work = sum_work(graph.layers)
    assert work.params == (3 * 9 + 1) * 8 + (1 * 9 + 1) * 8 + (16 + 1) * 4
    assert work.macs == (3 * 9 * 8 + 1 * 9 * 8 + 16 * 4) * 16 * 16
    assert [graph.nodes[index].shape for index in graph.inputs.values()] == [(3, 16, 16), (1, 16, 16)]
    assert len(graph.layers) == 4


def test_metrics_of_two_inputs() -> None:
    graph = convcost.loads(TWO)
    image, depth, half, whole = 3 * 256, 256, 8 * 256, 16 * 256
    # at the concatenation: its operands and its output; the inputs are read and gone
    assert peak(graph).elements == max(image + depth + 2 * half, 2 * half + whole, whole + 4 * 256)
    assert kept(graph).elements == image + depth + whole
    assert {receptive_fields(graph)[node.index].sizes for node in graph.layers} == {(3, 3)}
    forward = sum_work(graph.layers).macs
    assert operations(graph).backward.macs == forward + 16 * 4 * 256  # neither input needs a gradient


def test_sizes_of_inputs_by_name() -> None:
    full, spatial = {"image": (3, 8, 8), "depth": (1, 8, 8)}, {"depth": (8, 8), "image": (8, 8)}
    for sizes, parameters in ((full, {}), (spatial, {"c": 1})):
        graph = convcost.loads(TWO, input=sizes)
        assert graph.layers[-1].shape == (4, 8, 8)
        assert graph.parameters == parameters
    graph = convcost.loads(TWO, input={"depth": (2, 16, 16)})
    assert graph.layers[-1].shape == (5, 16, 16)
    assert graph.parameters == {"n": 16}
    assert convcost.loads(TWO.replace(", m, m", ", n, n"), input={"image": (3, 16, 16)}).parameters == {
        "n": 16,
        "m": 16,
        "c": 1,
    }


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((3, 8, 8), "spec has the inputs image, depth: give their sizes by name, as image=3x8x8"),
        ({"dept": (1, 8, 8)}, "dept"),
        ({"depth": (8, 8, 1, 1, 1)}, "four|up to three|number of sizes"),
        ({"image": (8, 8, 3)}, "spec has the input image [3, n, n]; found 8x8x3: channels come first: write 3x8x8"),
    ],
)
def test_sizes_that_do_not_fit(sizes: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        convcost.loads(TWO, input=sizes)
    assert any(part in str(caught.value) for part in message.split("|"))


def test_the_three_algebras_agree_on_two_inputs() -> None:
    spec = Catalogue().text(TWO.encode(), "two", "two", ".")
    form = formula(spec, ["n", "m", "c"], {})
    assert form.assumptions in (("m == n",), ("n == m",))
    n, m, c = form.symbols["n"], form.symbols["m"], form.symbols["c"]
    macs = form.totals["macs"].polynomial
    assert replaced(macs, {m: n}) == 27 * 8 * n**2 + 9 * c * 8 * n**2 + 16 * (c + 3) * n**2
    sizes = np.array([8, 12])
    both = sum_work(build(spec, {"n": sizes, "m": sizes}).layers).macs
    assert list(both) == [sum_work(convcost.loads(TWO, n=int(one), m=int(one)).layers).macs for one in sizes]


def test_commands_show_every_input(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(TWO, "utf-8")
    sizes = ("--input", "image=3x8x8,depth=1x8x8")
    for command in ("analyze", "memory", "traffic", "receptive", "formula"):
        result = run_convcost(command, path, *(() if command == "formula" else sizes))
        assert result.code == 0, result.err
        assert "inputs image 3x" in result.out.replace("(", "").replace(")", ""), command
    assert "image 3x16x16, depth 1x16x16 -> 4x16x16" in run_convcost("check", path).out
    data = json.loads(run_convcost("analyze", path, *sizes, "--format", "json").out)
    assert data["inputs"] == {"image": [3, 8, 8], "depth": [1, 8, 8]}


def test_inputs_of_different_axes() -> None:
    graph = convcost.loads(
        "{input: {image: [3, 8, 8], pose: [7]}, layers: [{linear: {out: 3}, from: pose}, multiply: {i: image, p: x}]}"
    )
    assert graph.layers[-1].shape == (3, 8, 8)
    with pytest.raises(UnsupportedError):
        receptive_fields(graph)


def test_listed_outputs() -> None:
    text = """
input: [4, 16, 16]
outputs: OUTPUTS
layers:
  - {conv: {out: 8}, name: p3}
  - {max_pool: {kernel: 2}, name: p4}
  - {max_pool: {kernel: 2}, name: p5}
  - conv: {out: 1}
"""
    graph = convcost.loads(text.replace("OUTPUTS", "[p4, p5]"))
    assert graph.nodes[graph.output].shape == (8, 8, 8)
    assert shapes(graph) == {"p4": (8, 8, 8), "p5": (8, 4, 4)}
    graph = convcost.loads(text.replace("OUTPUTS", "{fine: p3, coarse: p5}"))
    assert shapes(graph) == {"fine": (8, 16, 16), "coarse": (8, 4, 4)}
    # outputs stay in memory to the end: after the last layer all that leaves is alive
    assert peak(graph).steps[-1][1] == 8 * 256 + 8 * 16 + 16


def test_outputs_of_a_called_spec(tmp_path: Path) -> None:
    (tmp_path / "pyramid.yaml").write_text(
        "{input: [8, 16, 16], outputs: {fine: a, coarse: b},"
        "layers: [{relu, name: a}, {max_pool: {kernel: 2}, name: b}]}"
    )
    (tmp_path / "whole.yaml").write_text(
        "{input: [8, 16, 16],layers: [{pyramid, name: p}, {conv: {out: 2}, name: c}, {conv: {out: 3}, from: p/coarse}]}"
    )
    graph = convcost.load(str(tmp_path / "whole.yaml"))
    assert [node.shape for node in graph.layers] == [(8, 16, 16), (8, 8, 8), (2, 16, 16), (3, 8, 8)]
    assert not graph.outputs


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("[{do: [{conv: {out: 4, stride: 2}}, output: {loc: [conv: {out: 6}]}], repeat: 3}]", ["loc1", "loc2", "loc3"]),
        (
            "[{do: [conv: {out: 4, stride: 2}, output: {'loc{i}': [conv: {out: 6}]}], for: i, in: [3, 4, 5]}]",
            ["loc3", "loc4", "loc5"],
        ),
        ("[head, head]", ["loc1", "loc2"]),
        ("[head, conv: {out: 2}]", ["loc"]),
        ("[output: {loc: {for: k, in: [4, 6], do: [conv: {out: k}]}}]", ["loc1", "loc2"]),
        ("[output: {'loc{k}': {for: k, in: [4, 6], do: [conv: {out: k}]}}]", ["loc4", "loc6"]),
    ],
)
def test_side_outputs_from_loops_and_blocks(layers: str, expected: list[str]) -> None:
    head = "blocks: {head: [conv: {out: 4}, output: {loc: [conv: {out: 6}]}]}"
    blocks = f"{head}, " if "head" in layers else ""
    graph = convcost.loads(f"{{input: [8, 16, 16], {blocks}layers: {layers}}}")
    assert list(graph.outputs) == expected
    paths = [node.path for node in graph.layers]
    assert len(set(paths)) == len(paths)


def test_two_cells_back() -> None:
    """Every cell reads the two before it; the first two read the stem."""
    text = """
parameters: {cells: 5}
input: [3, 8, 8]
layers:
  - {conv: {out: 4, kernel: 3}, name: c0}
  - for: i
    in: range(1, cells + 1)
    name: "c{i}"
    concat:
      before: {from: "c{max(i - 2, 0)}", do: [conv: {out: 4}]}
      last: {from: "c{i - 1}", do: [conv: {out: 4}]}
"""
    graph = convcost.loads(text)
    cell = [node for node in graph.layers if node.kind == "concat"]
    index = {f"c{number}": node.index for number, node in enumerate(cell, 1)} | {"c0": 1}
    for number, node in enumerate(cell, 1):
        sources = [graph.nodes[graph.nodes[made].inputs[0][0]].index for made, _ in node.inputs]
        assert sources == [index[f"c{max(number - 2, 0)}"], index[f"c{number - 1}"]]


def test_a_siamese_network() -> None:
    text = """
input: {left: [1, 28, 28], right: [1, 28, 28]}
blocks:
  tower: [conv: {out: 8, kernel: 5, padding: 0}, relu, max_pool: {kernel: 2}, flatten, linear: {out: 16}]
layers:
  - subtract:
      left: {from: left, do: [{tower, shares: tower}]}
      right: {from: right, do: [{tower, shares: tower}]}
  - linear: {out: 1}
"""
    work = sum_work(convcost.loads(text.replace("subtract", "add")).layers)
    assert work.params == (25 + 1) * 8 + (8 * 12 * 12 + 1) * 16 + 17
    assert work.macs == 2 * (25 * 8 * 24 * 24 + 8 * 12 * 12 * 16) + 16


@pytest.mark.parametrize(
    "text",
    [
        "{input: {a: [3, 8, 8], b: 4}, layers: [relu]}",
        "{input: {a: [3, 8, 8], x: [4]}, layers: [relu]}",
        "{input: {a: [1, 3, 224, 224]}, layers: [relu]}",
        "{input: {a: [3, 8, 8]}, parameters: {a: 3}, layers: [conv: {out: a}]}",
        "{input: {a: [3, 8, 8]}, layers: [{relu, name: a}]}",
        "{input: {a: []}, layers: [relu]}",
        "{input: [3, 8, 8], outputs: [b], layers: [relu]}",
        "{input: [3, 8, 8], outputs: [x, x], layers: [relu]}",
        "{input: [3, 8, 8], outputs: 3, layers: [relu]}",
        "{input: [3, 8, 8], layers: [output: {'a{j}': [relu]}]}",
        "{input: [3, 8, 8], layers: [output: {'a{': [relu]}]}",
        "{input: [3, 8, 8], blocks: {b: {input: {i: [3, 8, 8]}, layers: [relu]}}, layers: [b]}",
        "{input: [3, 8, 8], layers: [{do: [output: {a: [relu]}], repeat: 2}, output: {a1: [relu]}]}",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(ConvcostError) as caught:
        convcost.loads(text)
    assert isinstance(caught.value, SpecError)
    assert str(caught.value).startswith("<spec>:1:")
