"""What the spec language means: small specs, and the layers and shapes that they must give."""

from __future__ import annotations

import contextlib
import re
from fractions import Fraction
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run_convcost
from hypothesis import given, settings
from hypothesis import strategies as st

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.errors import ConvcostError, SpecError, UsageError
from convcost.language.check import free_names
from convcost.language.interpret import build

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.network.graph import Graph


def load(text: str, **values: Any) -> Graph:
    return convcost.loads(dedent(text), **values)


def paths(graph: Graph) -> list[str]:
    return [node.path for node in graph.layers]


def outputs(graph: Graph) -> list[tuple[int, ...]]:
    return [node.shape for node in graph.layers]


# a spec's layers, and the (path, output) pairs they make of a 4x8x8 input
STEPS: list[tuple[str, list[tuple[str, tuple[int, ...]]]]] = [
    ("[relu, {relu: }, relu: {}]", [("relu", (4, 8, 8)), ("relu#2", (4, 8, 8)), ("relu#3", (4, 8, 8))]),
    ("[conv: {out: 2*x.c, kernel: 3, stride: 2}]", [("conv", (8, 4, 4))]),
    ("[conv: {out: 8, kernel: 1x7}]", [("conv", (8, 8, 8))]),
    ("[conv: {out: 8, kernel: [3, 5], padding: valid}]", [("conv", (8, 6, 4))]),
    ("[conv: {out: 8, kernel: 3, padding: [[0, 1], [2, 3]]}]", [("conv", (8, 7, 11))]),
    ("[{relu, when: x.c == 4}, {conv: {out: 1}, when: x.c != 4}]", [("relu", (4, 8, 8))]),
    ("[{conv: {out: 6}, name: head}]", [("head", (6, 8, 8))]),
    ("[{relu, repeat: 3}]", [(f"relu[{i}]", (4, 8, 8)) for i in (1, 2, 3)]),
    ("[{relu, repeat: 0}, tanh]", [("tanh", (4, 8, 8))]),
    ("[{conv: {out: 4, kernel: 3}, repeat: 2, first: {stride: 2}}]", [("conv[1]", (4, 4, 4)), ("conv[2]", (4, 4, 4))]),
    ("[{conv: {out: c}, for: c, in: [6, 10]}]", [("conv[1]", (6, 8, 8)), ("conv[2]", (10, 8, 8))]),
    (
        "[{conv: {out: c, kernel: k}, for: [c, k], in: [[6, 3], [10, 1]], name: 'c{c}'}]",
        [("c6", (6, 8, 8)), ("c10", (10, 8, 8))],
    ),
    (
        "[{conv: {out: c, stride: s}, for: {c: [6, 8], s: [1, 2]}, repeat: s}]",
        [("conv[1]", (6, 8, 8)), ("conv[2]", (8, 4, 4)), ("conv[3]", (8, 2, 2))],
    ),
    ("[{do: [relu, tanh], repeat: 2}]", [(path, (4, 8, 8)) for path in ("relu", "tanh", "relu#2", "tanh#2")]),
    ("[{do: [relu], name: 's{i}', for: i, in: [1, 2]}]", [("s1/relu", (4, 8, 8)), ("s2/relu", (4, 8, 8))]),
    ("[add: {main: [relu], shortcut: x}]", [("main/relu", (4, 8, 8)), ("add", (4, 8, 8))]),
    ("[add: {main: [relu], shortcut: []}]", [("main/relu", (4, 8, 8)), ("add", (4, 8, 8))]),
    ("[add: {main: [relu], shortcut: {from: x, when: x.c == 5}}]", [("main/relu", (4, 8, 8))]),
    ("[concat: {a: [conv: {out: 3}], b: x}]", [("a/conv", (3, 8, 8)), ("concat", (7, 8, 8))]),
    (
        "[{concat: {a: [conv: {out: 3}], b: x}, name: mixed}]",
        [("mixed/a/conv", (3, 8, 8)), ("mixed/concat", (7, 8, 8))],
    ),
    ("[concat: {a: {repeat: 5, do: [conv: {out: 3}]}}]", [("a/conv", (3, 8, 8)), ("concat", (15, 8, 8))]),
    (
        "[concat: {a: {for: c, in: [1, 2], do: [conv: {out: c}]}}]",
        [("a[1]/conv", (1, 8, 8)), ("a[2]/conv", (2, 8, 8)), ("concat", (3, 8, 8))],
    ),
    ("[multiply: {map: x, gate: [global_avg_pool]}]", [("gate/global_avg_pool", (4, 1, 1)), ("multiply", (4, 8, 8))]),
    (
        "[{conv: {out: 2}, name: a}, relu, {concat: {now: x, then: a, input: input}}]",
        [("a", (2, 8, 8)), ("relu", (2, 8, 8)), ("concat", (8, 8, 8))],
    ),
    (
        "[{max_pool: {kernel: 2}, name: down}, {upsample: {factor: 4}}, crop: {size: [down.h, input.w]}]",
        [("down", (4, 4, 4)), ("upsample", (4, 16, 16)), ("crop", (4, 4, 8))],
    ),
    ("[{conv: {out: 2}, name: a}, {conv: {out: 3}, from: input}]", [("a", (2, 8, 8)), ("conv", (3, 8, 8))]),
    ("[{for: c, in: [2, 3], do: [{conv: {out: c}, name: t}]}, {relu, from: t}]",
     [("t", (2, 8, 8)), ("t#2", (3, 8, 8)), ("relu", (3, 8, 8))]),
    ("[output: {side: [conv: {out: 2}]}, relu]", [("side/conv", (2, 8, 8)), ("relu", (4, 8, 8))]),
    ("[flatten, linear: {out: 10}]", [("flatten", (256,)), ("linear", (10,))]),
    ("[global_avg_pool, linear: {out: 10}]", [("global_avg_pool", (4, 1, 1)), ("linear", (10,))]),
    ("[linear: {out: 10, axis: c}]", [("linear", (10, 8, 8))]),
    ("[conv_bn_relu: {out: 6}]", [(f"conv_bn_relu/{k}", (6, 8, 8)) for k in ("conv", "batch_norm", "relu")]),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "expected"), STEPS, ids=[layers[:50] for layers, _ in STEPS])
def test_steps(layers: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    graph = load(f"input: [4, 8, 8]\nlayers: {layers}\n")
    assert list(zip(paths(graph), outputs(graph), strict=True)) == expected


# an expression, and its value: as the field `out` of a convolution
VALUES: list[tuple[str, int]] = [
    ("7 // 2 + 7 % 2 + 2**3", 3 + 1 + 8),
    ("2^3", 8),
    ("0.75*8", 6),
    ("1e2", 100),
    ("010", 10),
    ("floor(7/2) + ceil(7/2) + round(5/2) + round(7/2)", 3 + 4 + 2 + 4),
    ("round_to(12, 8)", 16),
    ("make_divisible(12, 8)", 16),
    ("make_divisible(8*0.35*10, 8)", 32),
    ("min(3, 2) + max(3, 4, 5) + abs(-1)", 8),
    ("sum([1, 2, 3]) + len([1, 1])", 8),
    ("sum(range(4)) + sum(range(2, 8, 3))", 6 + 7),
    ("gcd(12, 18)", 6),
    ("3 if x.h > 4 and not x.w == 9 else 5", 3),
    ("5 if 2 in [1, 2] or false else 6", 5),
    ("[4, 5, 6][1]", 5),
    ("[4, 5, 6][-1]", 6),
    ("1 if 1 < 2 <= 2 != 3 else 9", 1),
    ("7 if none == none else 8", 7),
    ("7 if 'a' == 'a' and 'a' != 'b' else 8", 7),
]


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_expressions(expression: str, value: int) -> None:
    graph = load(f'input: [4, 8, 8]\nlayers:\n  - conv: {{out: "{expression}"}}\n')
    assert graph.layers[0].shape == (value, 8, 8)


def test_parameters_defaults_and_examples() -> None:
    text = """
        input: {I: 4, H: 8, W: 8}
        parameters:
          O: {example: 6, doc: output channels}
          K: {default: 3, min: 1, max: 7}
          M: 2*O
          on: true
          act: {default: relu, choices: [relu, tanh]}
        layers:
          - conv: {out: M, kernel: K, bias: on}
          - conv: {out: O}
          - activation: {kind: act}
    """
    graph = load(text)
    assert graph.parameters == {"I": 4, "H": 8, "W": 8, "O": 6, "K": 3, "M": 12, "on": True, "act": "relu"}
    assert outputs(graph) == [(12, 8, 8), (6, 8, 8), (6, 8, 8)]
    assert [node.kind for node in graph.layers] == ["standard", "pointwise", "relu"]
    assert outputs(load(text, O=5, I=3, H=10))[0] == (10, 10, 8)
    for bad in ({"K": 8}, {"act": "gelu"}, {"on": 1}, {"N": 3}):
        with pytest.raises(UsageError):
            load(text, **bad)


def test_lets_tables_and_functions_stand_in_any_order() -> None:
    graph = load("""
        input: [in_channels, 8, 8]
        let:
          in_channels: base + 1
          base: table[model].w[1]
          table: {small: {w: [1, 3]}, large: {w: [1, 7]}}
          double(c): 2*scaled(c)
          scaled(c): c*factor
        parameters:
          model: {default: small, choices: [small, large]}
          factor: 1.5
        layers:
          - conv: {out: double(4)}
          - conv: {out: "table['large'].w[1]"}
    """)
    assert (graph.input, outputs(graph)) == ((4, 8, 8), [(12, 8, 8), (7, 8, 8)])


def test_tables_are_data() -> None:
    graph = load("""
        input: [3, 8, 8]
        let: {a: 5, rows: [[a, -], [b, 7]]}
        layers:
          - conv: {out: 4 if word == 'a' else number}
            for: [word, number]
            in: rows
    """)
    assert outputs(graph) == [(4, 8, 8), (7, 8, 8)]


def test_local_blocks_see_the_spec_around_them() -> None:
    graph = load("""
        input: [3, 8, 8]
        parameters: {alpha: 2.0}
        let: {"w(c)": c*alpha}
        blocks:
          unit:
            input: {I: 3, H: 8, W: 8}
            parameters: {c, s: 1}
            blocks:
              inner: [conv: {out: w(c) + I, stride: s}]
            layers: [inner, relu]
        layers:
          - unit: {c: 4}
          - {unit: {c: 4, s: 2}, name: second}
          - {relu, from: second}
    """)
    assert outputs(graph)[0::2] == [(11, 8, 8), (19, 4, 4), (19, 4, 4)]
    assert paths(graph)[0] == "unit/inner/conv"


def test_taps_reach_into_named_blocks_and_loops_rebind_them() -> None:
    graph = load("""
        input: [3, 8, 8]
        blocks:
          net:
            - {conv: {out: 5}, name: a}
            - {conv: {out: 6}, name: b}
        layers:
          - {net, name: body}
          - concat: {early: body/a, late: body}
    """)
    assert outputs(graph)[-1] == (11, 8, 8)


def test_a_block_in_a_merge_keeps_its_repeats_apart() -> None:
    graph = load("""
        input: [6, 8, 8]
        blocks:
          tower: [slice: {out: 3}, conv: {out: 2}]
        layers:
          - concat: {gpu: {repeat: 2, do: [tower]}}
          - concat: {gpu: {repeat: 2, do: [tower]}}
    """)
    assert [(node.path, node.count) for node in graph.layers if node.kind == "pointwise"] == [
        ("gpu/tower/conv", 2),
        ("gpu#2/tower/conv", 2),
    ]
    assert sum(node.work.weights * node.count for node in graph.layers) == 2 * (2 * 3 * 2)


def test_equal_calls_are_repeated_not_shared() -> None:
    repeated = load("input: [4, 8, 8]\nlayers:\n  - {bottleneck_residual: {M: 2, O: 4}, repeat: 3}\n")
    indices = [node.index for node in repeated.layers]
    assert indices == list(range(1, len(indices) + 1))
    for node in repeated.layers:
        assert all(source < node.index for source, _ in node.inputs)
    for node in repeated.layers:  # within a copy, norms and activations read the layer just before them
        if node.kind in ("batch_norm", "relu"):
            assert [source for source, _ in node.inputs] == [node.index - 1]
    adds = [node for node in repeated.layers if node.kind == "add"]
    assert [source for source, _ in adds[2].inputs][1] == adds[1].index + 1  # the relu after the second add
    assert len(set(paths(repeated))) == len(indices)


def test_other_axes() -> None:
    signal = load("input: [2, 100]\nlayers: [conv: {out: 4, kernel: 5, stride: 2}, max_pool: {kernel: 2}]\n")
    assert outputs(signal) == [(4, 50), (4, 25)]
    video = load("input: [3, 16, 32, 32]\nlayers: [conv: {out: 4, kernel: [3, 7, 7], stride: [1, 2, 2]}]\n")
    assert (outputs(video), video.layers[0].work.weights) == ([(4, 16, 16, 16)], 4 * 3 * 3 * 7 * 7)
    assert outputs(load("input: [7]\nlayers: [linear: {out: 3}, relu]\n")) == [(3,), (3,)]


def test_extends_changes_defaults_only(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "parameters: {n: 4, k: 3}\ninput: [3, 8, 8]\nlayers: [conv: {out: n, kernel: k}]\n"
    )
    (tmp_path / "wide.yaml").write_text("title: Wide\nextends: base\nparameters: {n: 32}\n")
    (tmp_path / "wider.yaml").write_text("extends: wide\nparameters: {k: 1}\n")
    assert convcost.load(tmp_path / "wide.yaml").layers[0].work.weights == 32 * 3 * 9
    assert convcost.load(tmp_path / "wider.yaml").layers[0].work.weights == 32 * 3


def test_neighbours_come_before_bundled_blocks(tmp_path: Path) -> None:
    (tmp_path / "conv_bn_relu.yaml").write_text("input: {I: 3}\nparameters: {out}\nlayers: [conv: {out: 2*out}]\n")
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "own.yaml").write_text("input: {I: 3}\nlayers: [conv: {out: I + 1}]\n")
    (tmp_path / "net.yaml").write_text("input: [3, 8, 8]\nlayers: [conv_bn_relu: {out: 5}, own, plain]\n")
    assert outputs(convcost.load(tmp_path / "net.yaml")) == [(10, 8, 8), (11, 8, 8), (11, 8, 8)]


def test_an_input_in_place_of_the_specs_own() -> None:
    graph = convcost.load("mobilenet_v1", input=(3, 256, 192))
    assert (graph.input, graph.layers[0].shape) == ((3, 256, 192), (32, 128, 96))
    assert "size" not in graph.parameters


def test_what_is_never_used_is_a_warning_with_a_place() -> None:
    catalogue = Catalogue()
    catalogue.text(
        b"parameters: {n: 3, m: 4}\nlet: {k: 5}\nblocks:\n  lost: [relu]\ninput: [3, 8, 8]\nlayers: [conv: {out: n}]\n",
        "s.yaml",
        "s",
        "",
    )
    assert sorted(f"{w.position}: {w.message}" for w in catalogue.warnings.all) == [
        "s.yaml:1:20: parameter `m` is never used",
        "s.yaml:2:7: `k` under let is never used",
        "s.yaml:4:3: block `lost` is never used",
    ]


def contents(part: Any, seen: set[int]) -> Any:
    """Everything that can be reached from a part of a checked spec, each part once."""
    if isinstance(part, str | int | Fraction | type(None)):
        return part
    if id(part) in seen or callable(part):
        return id(part)
    seen.add(id(part))
    if isinstance(part, dict):
        return [(contents(key, seen), contents(value, seen)) for key, value in part.items()]
    if isinstance(part, tuple | list | set):
        return [contents(item, seen) for item in part]
    slots = [slot for base in type(part).__mro__ for slot in getattr(base, "__slots__", ())]
    return id(part), [contents(getattr(part, slot), seen) for slot in slots]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("bottleneck", {"M": 32}),
        ("shufflenet_v1", {"g": 3}),
        ("resnet50", {"classes": 10}),
        ("googlenet", {}),
        ("mobilenet_v2", {"alpha": Fraction(1, 1000)}),  # refused by a layer
    ],
)
def test_a_run_changes_nothing_of_a_checked_spec(name: str, given: dict[str, Any]) -> None:
    spec = Catalogue().target(name)
    before = contents(spec, set())
    free = free_names(spec)
    for values in (given, {}):
        with contextlib.suppress(SpecError):
            build(spec, values)
    assert contents(spec, set()) == before
    assert free_names(spec) == free
    spec.constants["new"] = 1
    try:
        assert contents(spec, set()) != before
    finally:
        del spec.constants["new"]


def test_problems_are_reported_together() -> None:
    with pytest.raises(SpecError) as caught:
        load("input: [3, 8, 8]\nlayers:\n  - rellu\n  - conv: {kernal: 3}\n  - {relu, when: y}\n")
    assert [problem.position.line for problem in caught.value.problems] == [3, 4, 4, 5]


def test_a_merge_of_copies_is_one_for_symbols_and_numbers_alike() -> None:
    """A closed form over the number of copies has the merge, so a network of one copy has it too."""
    branch = "{{a: {{repeat: {}, do: [conv: {{out: 4, kernel: 1}}]}}}}"
    text = "{{input: [3, 8, 8], parameters: {{S: 2}}, layers: [concat: " + branch + "]}}"
    kinds = [[node.kind for node in convcost.loads(text.format(count), S=1).layers] for count in ("S", "1")]
    assert kinds == [["pointwise", "concat"], ["pointwise"]]


@settings(max_examples=500, deadline=None, derandomize=True)
@given(text=st.from_regex(r"[+-]?[0-9][0-9_.eExXbBoOA-F+-]{0,6}", fullmatch=True))
def test_a_literal_is_the_same_in_fields_and_in_data(text: str) -> None:
    def found(where: str) -> Any:
        try:
            return load(f"{where}\ninput: [3]\nlayers: [relu]\n").parameters["p"]
        except ConvcostError:
            return None

    field, cell = found(f"parameters: {{p: '{text}'}}"), found(f"let: {{t: ['{text}']}}\nparameters: {{p: 't[0]'}}")
    if "+" in text[1:] or "-" in text[1:]:  # a field computes 1-2, data do not
        assert cell is None or isinstance(cell, str) or cell == field
    elif isinstance(cell, str):  # a word, which no field takes for a number
        assert field is None
    else:
        assert (cell, type(cell)) == (field, type(field))


@pytest.mark.parametrize("text", ["0b11", "0o10", "0x1F", "1__0", "5_", "1e1_0", "1e400"])
def test_other_ways_to_write_a_number_are_refused_everywhere(text: str) -> None:
    for spec in (
        f"parameters: {{p: {text}}}\nlayers: [relu]",
        f"let: {{t: [{text}]}}\nlayers: [{{relu: {{}}, name: 'a{{t[0]}}'}}]",
        f"let: {{t: {{{text}: 1}}}}\nlayers: [{{relu: {{}}, name: 'a{{t[0]}}'}}]",
        f"layers: [{{relu: {{}}, for: p, in: [{text}]}}]",
        f"parameters: {{p: {{default: 1, choices: [1, {text}]}}}}\nlayers: [relu]",
    ):
        with pytest.raises(SpecError, match=re.escape(f"'{text}' is n")):
            load(f"input: [3]\n{spec}\n")
    shown = run_convcost("analyze", "mobilenet_v1", "--set", f"classes={text}")
    assert shown.code == 2


@pytest.mark.parametrize(("text", "value"), [("010", 10), ("010 + 1", 11), ("0_5", 5), ("00", 0), ("2*007", 14)])
def test_leading_zeros_are_none(text: str, value: int) -> None:
    assert load(f"parameters: {{p: {text}}}\ninput: [3]\nlayers: [relu]\n").parameters == {"p": value}


def test_quoted_zeros_are_text() -> None:
    graph = load("let: {t: {'007x': 4}}\ninput: [3]\nlayers: [linear: {out: \"t['007x']\"}]\n")
    assert graph.layers[-1].shape == (4,)


def test_sizes_in_a_table_are_a_list() -> None:
    steps = "[{conv: {out: 4, kernel: k}, name: 'k{k}', for: k, in: [1x7, 7x1]}]"
    graph = load(f"input: [3, 8, 8]\nlayers: {steps}\n")
    assert [(node.path, node.layer.__dict__["kernel"]) for node in graph.layers] == [("k1x7", (1, 7)), ("k7x1", (7, 1))]
