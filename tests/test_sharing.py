"""Weights that several steps share: counted once as parameters, every time as operations and tensors."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import run_convcost

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.conventions import convention
from convcost.formulas.closed import formula
from convcost.language.interpret import build
from convcost.metrics.memory import peak
from convcost.metrics.receptive import receptive_fields
from convcost.metrics.traffic import sum_moved, traffic
from convcost.metrics.training import operations, training
from convcost.network.cost import sum_work

if TYPE_CHECKING:
    from convcost.network.graph import Graph

# A head with every kind of parameter: weights, biases, norm scales, running statistics and slopes.
HEAD = """
blocks:
  head:
    input: {I: 8, H: 16, W: 16}
    parameters: {O: I, n: 2}
    layers:
      - do: [conv: {out: I, kernel: 3}, batch_norm, prelu]
        repeat: n
      - conv: {out: O, kernel: 3, bias: false}
"""
PYRAMID = f"""
parameters: {{size: 32, O: 12}}
input: [8, size, size]
{HEAD}
layers:
  - {{relu, name: p3}}
  - {{max_pool: {{kernel: 2}}, name: p4}}
  - {{max_pool: {{kernel: 2}}, name: p5}}
  - head: {{O}}
    for: level
    in: [3, 4, 5]
    from: "p{{level}}"
    SHARES
"""


def pyramid(*, shared: bool, **values: Any) -> Graph:
    """Heads on three levels."""
    return convcost.loads(PYRAMID.replace("SHARES", "shares: head" if shared else "name: head"), **values)


def counts(graph: Graph) -> tuple[Any, Any]:
    """Parameters and MACs."""
    work = sum_work(graph.layers)
    return work.params, work.macs


@pytest.mark.parametrize(
    ("layers", "params", "macs"),
    [
        # PyTorch: `layer = Linear(10, 10)`, called twice: 10 * 10 + 10
        ("[{linear: {out: 10}, shares: w}, {linear: {out: 10}, shares: w}]", 110, 200),
        ("[{linear: {out: 10}, name: first}, {linear: {out: 10}, shares: first}]", 110, 200),
        ("[{linear: {out: 10}, repeat: 2, shares: w}]", 110, 200),
        ("[{linear: {out: 10}, for: i, in: [1, 2], shares: w}]", 110, 200),
        ("[{linear: {out: 10}, for: i, in: [1, 2, 3, 4], shares: 'w{i % 2}'}]", 220, 400),
        ("[{do: [linear: {out: 7}, relu, linear: {out: 10}], repeat: 5, shares: w}]", 157, 5 * 140),
        ("[{add: {a: [{linear: {out: 4}, shares: w}], b: [{linear: {out: 4}, shares: w}]}}]", 44, 80),
    ],
)
def test_linear_layers(layers: str, params: int, macs: int) -> None:
    assert counts(convcost.loads(f"{{input: [10], layers: {layers}}}")) == (params, macs)


def test_one_hundred_times() -> None:
    graph = convcost.loads("{input: [1024], layers: [{linear: {out: 1024}, repeat: 100, shares: w}]}")
    assert counts(graph) == (1024 * 1024 + 1024, 100 * 1024 * 1024)
    held = training(graph, "adam")
    assert held.weights == held.gradients == 4 * 1_049_600
    assert held.states == 2 * 4 * 1_049_600
    assert held.activations == 4 * 1024 * 100  # the input of every use


def test_a_shared_pyramid_differs_from_an_unshared_one_in_its_parameters_only() -> None:
    ours, other = pyramid(shared=True), pyramid(shared=False)
    params, macs = counts(ours)
    head = 2 * (8 * 8 * 9 + 8 + 2 * 8 + 8) + 8 * 12 * 9
    assert params == head
    assert counts(other) == (3 * head, macs)
    assert macs == (2 * 8 * 8 * 9 + 8 * 12 * 9) * (32 * 32 + 16 * 16 + 8 * 8)
    assert sum_work(ours.layers).buffers == 2 * 2 * 8
    assert peak(ours) == peak(other)
    for fused in (False, True):
        assert sum_moved(traffic(ours, fused=fused).values()) == sum_moved(traffic(other, fused=fused).values())
    seen, alike = receptive_fields(ours), receptive_fields(other)
    assert [seen[index].sizes for index in seen] == [alike[index].sizes for index in alike]
    backward, all_backward = operations(ours).backward, operations(other).backward
    assert (backward.macs, backward.flops) == (all_backward.macs, all_backward.flops)
    assert training(ours).activations == training(other).activations


def test_the_owner_is_the_first_and_the_others_name_it() -> None:
    graph = pyramid(shared=True)
    for node in graph.layers:
        if node.path.startswith(("head[2]", "head[3]")) and node.kind not in ("relu", "max_pool"):
            owner = next(one for one in graph.layers if one.path == node.shared)
            assert owner.path == "head[1]" + node.path[len("head[2]") :]
            assert not owner.shared
            assert node.borrowed == owner.work.params + owner.work.buffers
            assert node.work.params == node.work.buffers == 0


@pytest.mark.parametrize("size", [32, 33, 47])
def test_the_three_algebras_agree(size: int) -> None:
    graph = pyramid(shared=True, size=size, O=20)
    spec = Catalogue().text(PYRAMID.replace("SHARES", "shares: head").encode(), "pyramid", "pyramid", ".")
    form = formula(spec, ["size", "O"], {"size": size, "O": 20})
    assert (form.totals["params"].value, form.totals["macs"].value) == counts(graph)
    assert {str(name) for name in form.totals["params"].expr.free_symbols} == {"O"}
    sizes = np.array([size, size + 1])
    both = counts(build(spec, {"size": sizes, "O": 20}))
    assert list(both[1]) == [counts(pyramid(shared=True, size=int(one), O=20))[1] for one in sizes]


def test_an_equal_call_that_shares_nothing_has_its_own_parameters() -> None:
    text = f"""
input: [8, 16, 16]
{HEAD}
layers:
  - {{head, repeat: 2, shares: head}}
  - head
  - head
"""
    graph = convcost.loads(text)
    one = counts(convcost.loads(f"{{input: [8, 16, 16], {HEAD_INLINE}, layers: [head]}}"))[0]
    assert counts(graph)[0] == 3 * one


HEAD_INLINE = (
    "blocks: {head: {input: {I: 8, H: 1, W: 1}, layers: [{do: [conv: {out: I, kernel: 3}, batch_norm, prelu], "
    "repeat: 2}, conv: {out: I, kernel: 3, bias: false}]}}"
)


def test_weights_inside_a_block_are_shared_within_each_call() -> None:
    text = """
input: [4, 8, 8]
blocks:
  recurrent: [{conv: {out: x.c, kernel: 3}, repeat: 3, shares: cell}]
layers: [{recurrent, repeat: 2}, recurrent]
"""
    graph = convcost.loads(text)
    cell = 4 * 4 * 9 + 4
    assert counts(graph) == (3 * cell, 9 * 4 * 4 * 9 * 64)
    owners = {node.path: node.shared for node in graph.layers}
    assert owners["recurrent#3/conv[3]"] == "recurrent#3/conv[1]"
    assert owners["recurrent[2]/conv[2]"] == "recurrent[2]/conv[1]"


def test_sharing_of_what_shares_leads_to_the_first() -> None:
    text = """
input: [4]
blocks: {twice: [{linear: {out: 4}, repeat: 2, shares: w}]}
layers: [{twice, repeat: 3, shares: all}]
"""
    graph = convcost.loads(text)
    assert counts(graph) == (20, 6 * 16)
    assert {node.shared for node in graph.layers} == {"", "twice[1]/linear[1]"}


def test_stride_and_dilation_may_differ() -> None:
    graph = convcost.loads(
        "{input: [4, 16, 16], layers: [{conv: {out: 4, kernel: 3, stride: 2}, shares: w},"
        "{conv: {out: 4, kernel: [3, 3], dilation: 2}, shares: w}]}"
    )
    assert counts(graph)[0] == 4 * 4 * 9 + 4


def test_symbols_that_must_agree_are_recorded() -> None:
    text = """
parameters: {A: 8, B: 8}
input: [A, 8, 8]
layers: [{conv: {out: B, kernel: 3}, repeat: 2, shares: w}]
"""
    form = formula(Catalogue().text(text.encode(), "two", "two", "."), ["A", "B"], {})
    assert form.assumptions in (("A == B",), ("B == A",))


def test_tables_say_whose_parameters_a_row_uses() -> None:
    text = "{input: [10], layers: [{linear: {out: 10}, repeat: 2, shares: w}]}"
    analysis = convcost.analyze(convcost.loads(text))
    assert [(row.path, row.work.params) for row in analysis.rows] == [("linear[1]", 110), ("linear[2]", 0)]


def test_the_command_says_it(tmp_path: Any) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text("{input: [10], layers: [{linear: {out: 10}, repeat: 2, shares: w}]}", "utf-8")
    for command in ("analyze", "memory", "traffic"):
        result = run_convcost(command, path, "--by", "layer")
        assert result.code == 0
        assert "shared with" in result.out
        assert next(line for line in result.out.split("\n") if line.startswith("linear[2]")).endswith("linear[1]")


def test_depths_of_recurrent_use_grow_operations_alone() -> None:
    points = [
        counts(
            convcost.loads(f"{{input: [4, 8, 8], layers: [{{conv: {{out: 4, kernel: 3}}, repeat: {n}, shares: w}}]}}")
        )
        for n in range(1, 6)
    ]
    assert {params for params, _ in points} == {148}
    assert {Fraction(b[1] - a[1]) for a, b in pairwise(points)} == {Fraction(4 * 4 * 9 * 64)}


@pytest.mark.parametrize(
    ("tool", "operations", "params"),
    [
        # torchinfo counts the parameters of a linear layer at every call, and parameters once; so do thop and fvcore
        ("torchinfo", 3 * 110, 110),
        ("thop", 3 * 100, 110),
        ("fvcore", 3 * 100, 110),
        ("keras", 0, 110),
    ],
)
def test_tools_count_operations_at_every_use(tool: str, operations: int, params: int) -> None:
    graph = convcost.loads("{input: [10], layers: [{linear: {out: 10}, repeat: 3, shares: w}]}")
    counted = convention(tool)
    assert counted.operations.total(graph.layers) == operations
    assert counted.params.total(graph.layers) == params


def test_a_transposed_convolution_counts_its_weights_at_every_use() -> None:
    up = "conv_transpose: {out: 4, kernel: 2, stride: 2, bias: false}"
    text = f"{{input: [4, 8, 8], layers: [{{{up}, SHARED: w}}, max_pool: {{kernel: 2}}, {{{up}, SHARED: SECOND}}]}}"
    shared = convcost.loads(text.replace("SHARED", "shares").replace("SECOND", "w"))
    apart = convcost.loads(text.replace("SHARED", "name").replace("SECOND", "v"))
    for name in ("thop", "torchinfo"):
        rules = convention(name).operations
        assert rules.total(shared.layers) == rules.total(apart.layers) > 0
