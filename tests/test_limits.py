"""Every stated limit from both sides, and large but honest inputs within time and memory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sympy
from conftest import ROOT
from large import NETWORKS, measured, written_out
from onnx_writer import INT64, info, model, node, tensor

import convcost
from convcost import limits
from convcost.catalogue.loader import Catalogue
from convcost.codegen.explorer import Source, explore
from convcost.errors import ConvcostError, UnsupportedError
from convcost.importers.onnx_file import model_from
from convcost.importers.protobuf import Buffer
from convcost.language.expression import ExpressionError, compile_expression
from convcost.language.yaml import read
from convcost.limits import (
    MAX_AXIS,
    MAX_BITS,
    MAX_BYTES,
    MAX_CALL_DEPTH,
    MAX_CLAIMS,
    MAX_DEGREE,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_FUNCTION_CALLS,
    MAX_FUNCTION_DEPTH,
    MAX_ITEMS,
    MAX_LENGTH,
    MAX_NESTING,
    MAX_NODES,
    MAX_PAGE_ROWS,
    MAX_POINTS,
    MAX_STEPS,
    MAX_TERMS,
    MAX_VALUES,
)
from convcost.literature.claims import claims
from convcost.spaces.explore import explore as explore_space
from convcost.spaces.space import Space
from convcost.sweeps.axes import Axis, axes_of, count


def chain(step: str) -> str:
    return f"input: [3, 8, 8]\nlayers:\n  - {step}\n"


def calls(depth: int) -> str:
    """A spec whose blocks call one another ``depth`` deep."""
    blocks = "".join(f"  b{i}: [b{i + 1}]\n" for i in range(1, depth))
    return f"input: [3, 8, 8]\nblocks:\n{blocks}  b{depth}: [relu]\nlayers: [b1]\n"


def functions(depth: int) -> str:
    """A spec whose functions call one another ``depth`` deep."""
    lets = "".join(f"  f{i}(a): f{i + 1}(a)\n" for i in range(1, depth))
    return f"input: [3, 8, 8]\nlet:\n{lets}  f{depth}(a): a\nlayers: [conv: {{out: f1(4)}}]\n"


def doublings(times: int) -> str:
    """A spec that makes 2^times function calls."""
    lets = "".join(f"  f{i}(a): f{i + 1}(a) + f{i + 1}(a)\n" for i in range(times))
    return f"input: [3]\nlet:\n{lets}  f{times}(a): 1\nlayers: [linear: {{out: f0(1)}}]\n"


def rows(count: int) -> str:
    """A spec with a loop over ``count`` rows, written out."""
    return chain(f"{{relu, for: i, in: [{'1,' * count}]}}")


def table(count: int) -> str:
    """A spec with a table of ``count`` entries."""
    entries = ",".join(f"{i}: 1" for i in range(count))
    return f"input: [3]\nlet: {{t: {{{entries}}}}}\nlayers: [linear: {{out: 't[1]'}}]\n"


def cell(number: str) -> str:
    """A spec with a number in a table."""
    return f"input: [3]\nlet: {{t: [{number}]}}\nlayers: [linear: {{out: 't[0] // t[0]'}}]\n"


LIMITS = [
    # within, beyond, what the error says
    (
        chain(f"{{relu, repeat: {MAX_NODES}}}"),
        chain(f"{{relu, repeat: {MAX_NODES + 1}}}"),
        f"more than {MAX_NODES:,} layers",
    ),
    (
        chain(f"{{do: [{{relu, when: false}}], repeat: {MAX_STEPS // 2 - 1}}}"),
        chain(f"{{do: [{{relu, when: false}}], repeat: {MAX_STEPS // 2 + 1}}}"),
        f"more than {MAX_STEPS:,} steps",
    ),
    (chain("{relu, repeat: 1, when: false}"), chain(f"{{relu, repeat: {MAX_STEPS + 1}}}"), f"at most {MAX_STEPS:,}"),
    (
        chain(f"{{relu, for: i, in: range({MAX_ITEMS})}}"),
        chain(f"{{relu, for: i, in: range({MAX_ITEMS + 1})}}"),
        f"range may have {MAX_ITEMS:,} items",
    ),
    (calls(MAX_CALL_DEPTH), calls(MAX_CALL_DEPTH + 1), f"deeper than {MAX_CALL_DEPTH} levels"),
    (functions(MAX_FUNCTION_DEPTH), functions(MAX_FUNCTION_DEPTH + 1), f"deeper than {MAX_FUNCTION_DEPTH} levels"),
    (doublings(17), doublings(19), f"more than {MAX_FUNCTION_CALLS:,} times"),
    (
        chain(f"conv: {{out: 2**{MAX_BITS - 1} // 2**{MAX_BITS - 2}}}"),
        chain(f"conv: {{out: 2**{MAX_BITS + 1} // 2**{MAX_BITS}}}"),
        f"more than {MAX_BITS:,} bits",
    ),
    (
        chain(f"conv: {{out: 2**{MAX_BITS - 1} // (2**{MAX_BITS - 2} * 1)}}"),
        chain(f"conv: {{out: 2**{MAX_BITS - 1} * 2 // 2**{MAX_BITS - 1}}}"),
        f"grew beyond {MAX_BITS:,} bits",
    ),
    (cell("9" * MAX_DIGITS), cell("9" * (MAX_DIGITS + 1)), "needs numbers, found '999"),  # it is a word then
    (rows(MAX_ITEMS), rows(MAX_ITEMS + 1), f"may have {MAX_ITEMS:,} items"),
    (table(MAX_ITEMS), table(MAX_ITEMS + 1), f"may have {MAX_ITEMS:,} items, found {MAX_ITEMS + 1:,}"),
]  # fmt: skip


@pytest.mark.parametrize(("within", "beyond", "message"), LIMITS, ids=[message for *_, message in LIMITS])
def test_both_sides_of_a_limit(within: str, beyond: str, message: str) -> None:
    convcost.loads(within)
    with pytest.raises(ConvcostError, match=re.escape(message)):
        convcost.loads(beyond)


def test_expressions_have_a_length_and_a_depth() -> None:
    compile_expression("1" + "+1" * (MAX_DEPTH - 2))
    with pytest.raises(ExpressionError, match="nests deeper"):
        compile_expression("1" + "+1" * (MAX_DEPTH + 1))
    wide = "[" + ", ".join(["n"] * (MAX_LENGTH // 3 - 1)) + "]"
    compile_expression(wide)
    with pytest.raises(ExpressionError, match=f"{MAX_LENGTH:,} characters"):
        compile_expression(wide + " " * 0 + "+ 1" * 20)


def test_files_have_a_size_and_a_depth() -> None:
    head = b"layers: [relu]\n#"
    read(head + b"x" * (MAX_BYTES - len(head)), "f")
    with pytest.raises(ConvcostError, match=f"{MAX_BYTES:,} bytes"):
        read(head + b"x" * (MAX_BYTES - len(head) + 1), "f")
    read(b"[" * MAX_NESTING + b"]" * MAX_NESTING, "f")
    with pytest.raises(ConvcostError, match=f"deeper than {MAX_NESTING} levels"):
        read(b"[" * (MAX_NESTING + 1) + b"]" * (MAX_NESTING + 1), "f")


def test_formulas_have_a_length_and_a_degree() -> None:
    def block(out: str) -> str:
        return f"input: {{I: 1, H: 1, W: 1}}\nparameters: {{a: 1}}\nlayers: [conv: {{out: {out}}}]\n"

    names = {"I": sympy.Symbol("I", positive=True, integer=True), "a": sympy.Symbol("a", positive=True, integer=True)}
    # (I + a + 1)^43 has C(45, 2) = 990 terms, (I + a + 1)^44 has 1,035
    for within, beyond, message in (
        ("(I + a + 1)^43", "(I + a + 1)^44", f"beyond {MAX_TERMS:,} terms"),
        (f"I^{MAX_DEGREE - 1}*a", f"I^{MAX_DEGREE}*a", f"beyond degree {MAX_DEGREE}"),
    ):
        convcost.loads(block(within), **names)
        with pytest.raises(ConvcostError, match=message):
            convcost.loads(block(beyond), **names)


def test_a_spec_has_so_many_claims() -> None:
    def spec(count: int) -> str:
        return f"input: [3]\nlayers: [relu]\npublished: [{'{params: 1, class: counted},' * count}]\n"

    def found(count: int) -> int:
        return len(claims(Catalogue().text(spec(count).encode(), "<spec>", "spec", "")))

    assert found(MAX_CLAIMS) == MAX_CLAIMS
    with pytest.raises(ConvcostError, match=f"{MAX_CLAIMS:,} claims"):
        found(MAX_CLAIMS + 1)


def test_every_limit_is_stated_in_the_documentation_and_tested_here() -> None:
    page = (ROOT / "docs" / "language.md").read_text("utf-8").split("## Limits", 1)[1]
    here = Path(__file__).read_text("utf-8").split("def chain", 1)[1]
    for name, number in vars(limits).items():
        if name.startswith("MAX_"):
            assert (f"{MAX_BYTES // 2**20} MiB" if name == "MAX_BYTES" else f"{number:,}") in page, name
            assert name in here, name


@pytest.mark.parametrize(("count", "read_whole"), [(MAX_VALUES, True), (MAX_VALUES + 1, False)])
def test_values_of_a_tensor_in_an_onnx_file_are_read_up_to_a_limit(count: int, read_whole: bool) -> None:  # noqa: FBT001
    data = model(
        [node("Identity", "t", "y")],
        [],
        [info("y", count, dtype=INT64)],
        [tensor("t", [count], list(range(count)), INT64)],
    )
    graph = model_from(Buffer(data), "made.onnx").graph
    assert graph is not None
    assert graph.initializers["t"].values == (list(range(count)) if read_whole else None)


MOST_SECONDS, MOST_MEGABYTES = 20, 700
MOST_GROWTH = 15  # for ten times as many layers, on a machine that is doing something else as well


@pytest.mark.parametrize("name", NETWORKS)
def test_large_but_honest(name: str) -> None:
    found = measured(NETWORKS[name])
    assert found.macs == NETWORKS[name].macs
    assert found.seconds < MOST_SECONDS
    assert found.megabytes < MOST_MEGABYTES


@pytest.mark.long
def test_time_grows_with_layers_and_no_faster() -> None:
    few, many = (min(measured(written_out(layers)).seconds for _ in range(2)) for layers in (5_000, 50_000))
    assert many / few < MOST_GROWTH


def test_a_page_has_so_many_layers_at_most() -> None:
    spec = chain(f"{{relu: {{}}, repeat: {MAX_PAGE_ROWS + 1}}}")
    network = Catalogue().text(spec.encode(), "<spec>", "spec", "")
    with pytest.raises(UnsupportedError, match=f"more than {MAX_PAGE_ROWS:,} layers, too many for a page"):
        explore([Source("many", "many", network, {})])


def test_points_of_a_sweep() -> None:
    row, square = Axis("a", range(MAX_AXIS)), Axis("b", range(MAX_POINTS // MAX_AXIS))
    assert count([row, square], zipped=False) == MAX_POINTS
    with pytest.raises(ConvcostError, match=f"more than {MAX_POINTS:,}"):
        count([row, square, Axis("c", range(2))], zipped=False)
    spec = Catalogue().target("plain")
    assert len(axes_of(spec, {"I": f"1:{MAX_AXIS}"})[0].values) == MAX_AXIS
    with pytest.raises(ConvcostError, match=f"more than {MAX_AXIS:,}"):
        axes_of(spec, {"I": f"1:{MAX_AXIS + 1}"})


SPACE = (
    "{{parameters: {{size: {{default: 8, choose: [8, 12, 16]}}}}, input: [3, size, size], "
    "layers: [{{conv: {{out: 3, kernel: K}}, choose: {{K: {kernels}}}}}, {{conv: {{out: 3, kernel: K}}, "
    "choose: {{K: [1, 3]}}}}]}}"
)


def space_of(kernels: str = "[1, 3, 5]") -> Space:
    spec = Catalogue().text(SPACE.format(kernels=kernels).encode(), "<spec>", "spec", "")
    return Space(explore_space(spec, {}))


@pytest.mark.parametrize(
    ("where", "name", "most", "question", "message"),
    [  # the largest limit that refuses, of the space above: 3 sizes of 3 x 2 networks
        ("explore", "MAX_SPACES", 2, lambda _: space_of(), "size of .* have 3 combinations; at most 2 are tried"),
        ("explore", "MAX_OPTIONS", 13, lambda _: space_of(), "has more than 13 options"),
        ("distribution", "MAX_SUMS", 3, lambda space: space.count("params<=100"), "more than 3 different sums"),
        ("distribution", "MAX_PART_SUMS", 2, lambda space: space.count("params<=100"), "have more than 2 different"),
        ("question", "MAX_TRIED", 17, lambda space: space.count("params<=9", ["macs<=9"]), "at most 17 networks"),
        ("space", "MAX_SAMPLE", 4, lambda space: space.sample(5), "a sample has 1 to 4 networks, found 5"),
        ("front", "MAX_OBJECTIVES", 1, lambda space: space.front(["max macs", "min params"]), "at most 1 objectives"),
        ("front", "MAX_FRONT", 4, lambda space: space.front(["max macs", "min params"]), "more than 4 combinations"),
    ],
)
def test_limits_of_design_spaces(
    where: str, name: str, most: int, question: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = space_of()
    assert getattr(limits, name) > most
    monkeypatch.setattr(f"convcost.spaces.{where}.{name}", most)
    with pytest.raises(ConvcostError, match=message):
        question(space)
    monkeypatch.setattr(f"convcost.spaces.{where}.{name}", most + 1)
    question(space_of())


def test_peaks_of_so_many_combinations(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{parameters: {K: {default: 1, choose: [1, 3, 5]}}, input: [3, 8, 8], layers: [conv: {out: 3, kernel: K}]}"
    spec = Catalogue().text(text.encode(), "<spec>", "spec", "")
    monkeypatch.setattr("convcost.spaces.space.MAX_SPACES", 2)
    with pytest.raises(ConvcostError, match=r"the parameter `K`, .* makes 3 combinations: at most 2 are tried"):
        Space(explore_space(spec, {})).extremes("peak")
    monkeypatch.setattr("convcost.spaces.space.MAX_SPACES", 3)
    assert Space(explore_space(spec, {})).extremes("peak") is not None
