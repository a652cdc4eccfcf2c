"""The library and the command line agree: a question has the same answer asked either way, defaults included."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from inprocess import convcost as command

import convcost
from convcost.cli.help import FUNCTIONS, GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTIONS: list[tuple[str, Callable[[], Any]]] = [
    ("analyze mobilenet_v2", lambda: convcost.analyze("mobilenet_v2")),
    (
        "analyze resnet18 --by stage --batch 4 --convention fvcore --set size=64",
        lambda: convcost.analyze("resnet18", by="stage", batch=4, convention="fvcore", size=64),
    ),
    (
        "analyze bottleneck --input 128x7x7 --set kernel=5 --depth 1",
        lambda: convcost.analyze("bottleneck", input=(128, 7, 7), kernel=5, depth=1),
    ),
    ("analyze lenet5 --convention paper", lambda: convcost.analyze("lenet5", convention="paper")),
    ("compare bottleneck plain", lambda: convcost.compare("bottleneck", "plain")),
    (
        "compare mobilenet_v1 mobilenet_v2 --set alpha=0.5 --set mobilenet_v2:alpha=1.4 --convention pycls",
        lambda: convcost.compare("mobilenet_v1", ("mobilenet_v2", {"alpha": 1.4}), alpha=0.5, convention="pycls"),
    ),
    (
        "compare depthwise_conv standard_conv --free K --input 8x9x9",
        lambda: convcost.compare("depthwise_conv", "standard_conv", free=["K"], input=(8, 9, 9)),
    ),
    (
        "compare plain plain --set plain#2:K=5",
        lambda: convcost.compare("plain", ("plain", {"K": 5})),
    ),
    ("formula bottleneck", lambda: convcost.formula("bottleneck")),
    (
        "formula resnet50 --free size --convention torch --set variant=v1_5",
        lambda: convcost.formula("resnet50", ["size"], convention="torch", variant="v1_5"),
    ),
    ("formula bottleneck_residual --free I,O --cases", lambda: convcost.cases("bottleneck_residual", ["I", "O"])),
    ("scaling mobilenet_v1", lambda: convcost.scaling("mobilenet_v1")),
    (
        "scaling mobilenet_v1 --free alpha --in macs --set rho=0.5",
        lambda: convcost.scaling("mobilenet_v1", ["alpha"], ["macs"], rho=0.5),
    ),
    (
        "scaling bottleneck --convention fvcore --free M",
        lambda: convcost.scaling("bottleneck", ["M"], convention="fvcore"),
    ),
    ("equal resnext_a resnext_b resnext_c", lambda: convcost.equal("resnext_a", "resnext_b", "resnext_c")),
    (
        "equal group_conv depthwise_conv --where G=I --where O=I --in params",
        lambda: convcost.equal("group_conv", "depthwise_conv", where={"G": "I", "O": "I"}, quantities=["params"]),
    ),
    (
        "solve bottleneck --for M --budget macs<=1/2*plain --set O=64",
        lambda: convcost.solve("bottleneck", "M", "macs<=1/2*plain", O=64),
    ),
    (
        "solve mobilenet_v2 --for size --budget peak<=1MB --dtype int8 --step 32",
        lambda: convcost.solve("mobilenet_v2", "size", "peak<=1MB", dtype="int8", step=32),
    ),
    (
        "solve mobilenet_v1 --for alpha,rho --budget macs<=100M --step alpha=0.25 --step rho=0.25 "
        "--range alpha=0.25..1 --range rho=0.25..1",
        lambda: convcost.pareto(
            "mobilenet_v1",
            {"alpha": 0.25, "rho": 0.25},
            "macs<=100M",
            ranges={"alpha": (0.25, 1), "rho": (0.25, 1)},
        ),
    ),
    ("memory mobilenet_v2 --batch 2", lambda: convcost.memory("mobilenet_v2", batch=2)),
    ("traffic lenet5 --dtype int8 --unfused", lambda: convcost.traffic("lenet5", dtype="int8", fused=False)),
    ("receptive alexnet --by block", lambda: convcost.receptive("alexnet", by="block")),
    ("roofline lenet5 --device v100", lambda: convcost.roofline("lenet5", "v100")),
    ("roofline lenet5 --peak 1T --bandwidth 25G", lambda: convcost.roofline("lenet5", peak="1T", bandwidth="25G")),
    ("diff resnet18 resnet34", lambda: convcost.diff("resnet18", "resnet34")),
    (
        "diff resnet18 resnet34 --by kind --set size=64 --batch 2",
        lambda: convcost.diff("resnet18", "resnet34", by="kind", size=64, batch=2),
    ),
    (
        "table lenet5 lenet5 alexnet --columns macs --sort macs",
        lambda: convcost.table("lenet5", "lenet5", "alexnet", columns=["macs"], sort="macs"),
    ),
    (
        "table mobilenet_v1 mobilenet_v2 --columns peak,time --device v100 --set alpha=0.5",
        lambda: convcost.table("mobilenet_v1", "mobilenet_v2", columns=["peak", "time"], device="v100", alpha=0.5),
    ),
    ("explain resnet50 --reported 3.8G", lambda: convcost.explain("resnet50", "3.8G")),
    (
        "explain mobilenet_v2 --reported 3.4M --in params --top 2",
        lambda: convcost.explain("mobilenet_v2", "3.4M", what="params", top=2),
    ),
    ("verify lenet5 alexnet", lambda: convcost.verify("lenet5", "alexnet")),
    ("conventions", convcost.list_conventions),
    ("conventions vgg16", lambda: convcost.survey("vgg16")),
    ("list --blocks", lambda: convcost.list_specs(blocks=True)),
    ("list --networks --convention torch", lambda: convcost.list_specs(blocks=False, convention="torch")),
    ("layers", convcost.list_layers),
    ("layers conv", lambda: convcost.list_layers("conv")),
]


@pytest.mark.parametrize(("line", "asked"), QUESTIONS, ids=[line for line, _ in QUESTIONS])
def test_library_and_command_agree(line: str, asked: Callable[[], Any]) -> None:
    answer = command(*line.split(), "--format", "json")
    assert answer.err == ""
    assert json.loads(answer.out) == json.loads(json.dumps(asked().data()))


@pytest.mark.parametrize(("line", "asked"), QUESTIONS, ids=[line for line, _ in QUESTIONS])
def test_a_result_prints_what_the_command_shows(line: str, asked: Callable[[], Any]) -> None:
    result = asked()
    assert str(result).rstrip("\n") == command(*line.split()).out.rstrip("\n")
    assert len(repr(result)) <= 200
    assert "<script" not in result._repr_html_()


def test_schema_and_source_are_those_of_the_commands() -> None:
    assert json.loads(command("schema").out) == json.loads(json.dumps(convcost.schema()))
    assert command("show", "plain").out == convcost.show("plain")


def test_check_agrees_with_the_command() -> None:
    for budgets in (["macs<=300M", "params<=4M"], ["macs<=400M"]):
        verdicts = convcost.check("mobilenet_v2", *budgets)
        line = [word for budget in budgets for word in ("--budget", budget)]
        answer = command("check", "mobilenet_v2", *line)
        assert (answer.code == 0) is verdicts.met is verdicts.data()["met"]
        printed = [line.partition(": ")[2] for line in answer.err.splitlines()]
        assert printed == [line for line in str(verdicts).splitlines() if not line.endswith(": met")]


def test_every_command_has_its_function() -> None:
    commands = [name for members in GROUPS.values() for name in members]
    functions = {name: FUNCTIONS.get(name, name) for name in commands}
    assert {name for name in functions.values() if name not in convcost.__all__} == set()
    assert set(FUNCTIONS) <= set(commands)


def test_markup_in_a_spec_is_escaped_in_a_notebook() -> None:
    graph = convcost.loads("{title: '<script>alert(1)</script>', input: [3, 8, 8], layers: [conv: {out: 4}]}")
    shown = convcost.analyze(graph)._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown


def test_a_value_of_a_pair_comes_before_that_for_all() -> None:
    half, plain = convcost.compare(("mobilenet_v1", {"alpha": 0.5}), "mobilenet_v1", alpha=1).items
    assert (half.totals.params, plain.totals.params) == (1_331_592, 4_231_976)  # Howard et al., 2017: 1.3 and 4.2 M


def test_a_graph_takes_no_parameters() -> None:
    graph = convcost.load("plain")
    with pytest.raises(convcost.UsageError, match="a graph is built already"):
        convcost.analyze(graph, K=5)
    with pytest.raises(convcost.UsageError, match="a graph is built already"):
        convcost.analyze(graph, input=(8, 4, 4))
    with pytest.raises(convcost.UsageError, match="the convention `paper` is that of one network"):
        convcost.analyze(graph, convention="paper")


def test_unknown_names_are_refused_the_same_way() -> None:
    with pytest.raises(convcost.UsageError, match="no parameter of the targets is called 'Z'"):
        convcost.equal("plain", "bottleneck", free=["Z"])
    with pytest.raises(convcost.UsageError, match="plain has no parameter 'Z'"):
        convcost.compare(("plain", {"Z": 1}), "bottleneck")
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        convcost.analyse  # noqa: B018


def documented() -> set[str]:
    """The functions that an example of the page on the library calls."""
    text = (ROOT / "docs" / "library.md").read_text("utf-8")
    return set(re.findall(r"convcost\.(\w+)", text))


def test_every_public_function_has_an_example_and_says_what_it_raises() -> None:
    errors = {name for name in convcost.__all__ if name.endswith("Error")}
    functions = set(convcost.__all__) - errors
    assert functions - documented() == {"plugin"}  # it is in the page on extensions: it runs code
    without_arguments = {"list_conventions", "schema"}
    for name in functions - without_arguments - {"loads"}:
        assert "Raises:" in (getattr(convcost, name).__doc__ or ""), name
