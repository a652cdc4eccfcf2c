"""ONNX files as networks: MACs that onnxruntime executed, parameters that modules have, traps, and bad files."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sympy
from conftest import ROOT
from inprocess import convcost as command
from onnx_writer import BOOL, INT64, Graph, info, ints, model, node, tensor

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.errors import ConvcostError, UnsupportedError, UsageError
from convcost.importers.onnx_file import model_from, read_model
from convcost.importers.protobuf import Buffer
from convcost.metrics.report import analyze
from convcost.network.cost import sum_work
from convcost.numbers.polynomial import Symbol
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from convcost.layers.base import Work
    from convcost.network.graph import Graph as Network

DATA = ROOT / "tests" / "data" / "onnx"
TRAPS = json.loads((DATA / "traps.json").read_text("utf-8"))["files"]
EXPORTS = json.loads((DATA / "exports.json").read_text("utf-8"))["files"]


def trap(name: str) -> str:
    return str(DATA / "traps" / f"{name}.onnx")


def export(name: str) -> str:
    return str(DATA / "exports" / f"{name}.onnx")


def counted(path: str, values: dict[str, Any]) -> tuple[Network, Work]:
    network = convcost.load(path, **values)
    return network, sum_work(network.layers)


@pytest.mark.parametrize("name", TRAPS)
def test_traps(name: str) -> None:
    facts = TRAPS[name]
    network, work = counted(trap(name), facts.get("set", {}))
    assert work.macs == facts["macs"]
    assert work.weights == facts["weights"]
    assert work.biases == facts.get("biases", 0)
    assert work.norm_params == facts.get("norm_params", 0)
    assert work.other_params == 0
    assert (network.status == "partial") == facts.get("partial", False)


def test_every_trap_file_has_a_figure() -> None:
    assert set(TRAPS) == {path.stem for path in (DATA / "traps").glob("*.onnx")}
    assert set(EXPORTS) == {path.stem for path in (DATA / "exports").glob("*.onnx")}


@pytest.mark.parametrize("name", EXPORTS)
def test_macs_are_those_that_onnxruntime_executed(name: str) -> None:
    facts = EXPORTS[name]
    network, work = counted(export(name), facts["dims"])
    assert network.status == "complete"
    assert not network.unknown
    assert work.macs == facts["macs"]


# of modules whose exporter neither folded batch norms nor left biases of zero out
WHOLE = [
    "export-tv_mobilenet_v2.ts17.bnkept",
    "export-tv_convnext_tiny.ts13",
    "export-tv_convnext_tiny.ts17.dynhw",
    "export-tv_vit_b_16.ts14",
    *(name for name in EXPORTS if "own_" in name),
]


@pytest.mark.parametrize("name", WHOLE)
def test_parameters_are_those_of_the_module(name: str) -> None:
    _, work = counted(export(name), EXPORTS[name]["dims"])
    assert work.params == EXPORTS[name]["module_params"]


@pytest.mark.parametrize("name", EXPORTS)
def test_weights_are_those_of_the_initializers(name: str) -> None:
    _, work = counted(export(name), EXPORTS[name]["dims"])
    assert work.weights == EXPORTS[name]["weights"]


BUNDLED = {
    "export-tv_resnet18.ts11": "resnet18",
    "export-tv_resnet50.ts17.dynhw": "resnet50",
    "export-tv_mobilenet_v2.ts17.bnkept": "mobilenet_v2",
    "export-tv_mobilenet_v3_large.ts11.dynhw": "mobilenet_v3_large",
    "light-vgg19": "vgg19",
}


@pytest.mark.parametrize("name", BUNDLED)
def test_a_file_costs_what_the_spec_of_its_network_says(name: str) -> None:
    _, work = counted(export(name), EXPORTS[name]["dims"])
    assert work.macs == convcost.analyze(BUNDLED[name]).totals.macs


def symbolic(path: str, at: dict[str, int]) -> tuple[Any, dict[Any, int], Network]:
    """The closed form of the MACs in the open sizes of a file, decided at some sizes."""
    from convcost.numbers.assumptions import Session, assuming  # noqa: PLC0415

    names = {name: Symbol(name) for name in at}
    session = Session({names[name]: size for name, size in at.items()})
    with assuming(session):
        network = convcost.load(path, **names)
    return sum_work(network.layers).macs, {names[name]: size for name, size in at.items()}, network


@pytest.mark.parametrize("size", [(97, 131), (225, 161), (224, 320)])
def test_a_closed_form_in_the_open_sizes_is_that_of_the_spec(size: tuple[int, int]) -> None:
    macs, _, network = symbolic(export("export-tv_resnet50.ts17.dynhw"), {"h": 224, "w": 224})
    assert not network.unknown
    at = {Symbol("h"): size[0], Symbol("w"): size[1]}
    spec = convcost.load("resnet50", input=(3, *size))
    assert evaluate(macs, at) == sum_work(spec.layers).macs


@pytest.mark.parametrize("name", ["export-tv_convnext_tiny.ts17.dynhw", "export-own_unet.ts17.dynhw"])
def test_a_closed_form_is_right_at_the_size_that_was_executed(name: str) -> None:
    dims = {key: size for key, size in EXPORTS[name]["dims"].items() if key != "batch"}
    macs, at, _ = symbolic(export(name), dims)
    assert macs.symbols
    assert evaluate(macs, at) == EXPORTS[name]["macs"]


def test_a_size_that_depends_on_data_can_be_given() -> None:
    network, work = counted(trap("data_dependent_then_matmul"), {"nz.1": 144})
    assert network.status == "complete"
    assert work.macs == 7920


def test_what_is_unknown_is_named_with_its_reason() -> None:
    network, work = counted(trap("data_dependent_then_matmul"), {})
    assert [(one.operator, one.heavy) for one in network.unknown] == [
        ("NonZero", False),
        ("Transpose", False),
        ("Cast", False),
        ("MatMul", True),
    ]
    assert "--set nz.1=N gives it" in network.unknown[0].reason
    assert work.weights == 4 * 3 * 3 * 3 + 4 * 7  # those of the product are known all the same


def test_a_branch_is_chosen_by_its_condition() -> None:
    _, dearer = counted(trap("if_on_an_input"), {})
    _, then = counted(trap("if_on_an_input"), {"c": True})
    network, other = counted(trap("if_on_an_input"), {"c": False})
    assert (dearer.macs, then.macs, other.macs) == (3888, 3888, 8 * 8 * 4 * 3)
    assert (then.weights, other.weights) == (108, 12)
    assert not network.notes


def test_a_loop_counts_its_trips_and_stores_its_weights_once() -> None:
    for trips in (1, 5, 40):
        network, work = counted(trap("loop_trip_count_from_input"), {"n": trips})
        assert (work.macs, work.weights, network.status) == (64 * trips, 64, "complete")
    n = sympy.Symbol("n", positive=True, integer=True)
    assert counted(trap("loop_trip_count_from_input"), {"n": n})[1].macs == 64 * n
    network, work = counted(trap("loop_trip_count_from_input"), {})
    assert (work.macs, work.weights, network.status) == (0, 64, "partial")
    assert "64 MACs a trip" in network.unknown[0].reason


def test_conditions_and_trips_have_options_of_their_own() -> None:
    """``--assume`` is ``--set`` by another word; ``--trips`` names the loop."""
    columns = ("--columns", "macs", "--format", "csv")
    for path, short, long in (
        ("loop_trip_count_from_input", ("--trips", "y=40"), ("--set", "y.trips=40")),
        ("if_on_an_input", ("--assume", "c=false"), ("--set", "c=false")),
    ):
        file = trap(path)
        shown = command("analyze", file, *short, *columns)
        assert shown.code == 0
        assert shown.out == command("analyze", file, *long, *columns).out
        assert shown.out != command("analyze", file, *columns).out
    assert "--trips takes LOOP=N, found '40'" in command("analyze", file, "--trips", "40").err
    twice = command("analyze", file, "--assume", "c=true", "--set", "c=false")
    assert (twice.code, "--set gives `c` twice" in twice.err) == (2, True)


def test_a_file_and_its_spec_agree_in_every_metric() -> None:
    """MobileNet V2, whose exporter kept the batch norms: the same layers, so the same numbers."""
    file, spec = convcost.analyze(export("export-tv_mobilenet_v2.ts17.bnkept")), convcost.analyze("mobilenet_v2")
    keys = ("params", "buffers", "macs", "flops", "activations", "outputs", "peak", "bytes", "intensity", "saved")
    for key in (*keys, "backward_macs", "backward_flops", "field", "effective_stride"):
        assert file.value(key) == spec.value(key), key


def test_inputs_by_name_in_python() -> None:
    network = convcost.load(trap("dims_minus_one_and_question_marks"), input={"x": (1, 3, 9, 11)})
    assert sum_work(network.layers).macs == 6804
    with pytest.raises(UsageError, match="has one input, without a name"):
        convcost.load("lenet5", input={"x": (1, 32, 32)})


def test_two_exports_cost_the_same_at_every_size() -> None:
    files = [export(f"export-tv_resnet50.{how}.dynhw") for how in ("ts17", "dynamo18")]
    done = command("equal", *files, "--set", "h=224", "--set", "w=224", "--free", "h,w", "--in", "macs")
    assert done.code == 0, done.err
    assert "proved" in done.out


def test_shared_layers_are_counted_once_and_named() -> None:
    network, work = counted(trap("layer_used_twice"), {})
    first, _, second = network.layers
    assert (second.shared, second.borrowed) == (first.path, 148)
    assert (work.params, work.macs) == (148, 18432)
    assert convcost.analyze(network).value("constants") == 2 * 148  # memory is read for each use


def test_several_inputs_and_outputs() -> None:
    network, _ = counted(trap("two_inputs_two_outputs"), {})
    assert list(network.inputs) == ["a", "b"]
    assert [network.nodes[index].shape for index in network.inputs.values()] == [(3, 8, 8), (3, 8, 8)]
    assert list(network.outputs) == ["p"]
    report = analyze(network)
    assert report.value("peak") == 4 * (2 * 192 + 144)  # both inputs and the first map
    assert report.value("field") == (3, 3)


# the command line


def test_a_table_says_what_is_unknown() -> None:
    done = command("analyze", trap("custom_domain"))
    assert done.code == 0
    assert ">= 3.888 k" in done.out
    assert "Not known: 1 mmdeploy:DeformAttn (no rule for this operator)" in done.out


def test_strict_refuses_what_is_partial_and_nothing_else() -> None:
    assert command("analyze", trap("custom_domain"), "--strict").code == 1
    assert command("analyze", trap("batch_of_8"), "--strict").code == 0


def test_json_has_null_for_what_is_not_known() -> None:
    result = json.loads(command("analyze", trap("custom_domain"), "--format", "json").out)
    assert result["status"] == "partial"
    assert result["totals"]["macs"] is None
    assert result["totals"]["at_least"]["macs"] == 3888
    assert result["unknown"] == [
        {"operator": "mmdeploy:DeformAttn", "count": 1, "reason": "no rule for this operator", "may_have_macs": True}
    ]
    assert [row["macs"] for row in result["rows"]] == [3888, None]


def test_other_commands_refuse_what_is_partial() -> None:
    for words in (["memory"], ["formula"], ["check", "--budget", "macs<=1G"], ["compare", "lenet5"]):
        done = command(words[0], trap("custom_domain"), *words[1:])
        assert done.code == 1, words
        assert "known in part only" in done.err, words


def test_open_sizes_are_asked_for_by_name() -> None:
    done = command("analyze", trap("dims_minus_one_and_question_marks"))
    assert done.code == 2
    assert "leaves the sizes x.2, x.3 open: give them with --set x.2=N --set x.3=N" in done.err
    for words in (["--set", "x.2=9", "--set", "x.3=11"], ["--input", "3x9x11"], ["--input", "x=1x3x9x11"]):
        done = command("analyze", trap("dims_minus_one_and_question_marks"), *words, "--exact")
        assert done.code == 0, words
        assert "6,804" in done.out, words
        assert ("x.0 = 1, since nothing else was asked for" in done.out) == ("x=1" not in words[1]), words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--input", "y=1x3x9x11"], "has no input 'y'; it has x"),
        (["--input", "9x11"], "input x has 4 sizes"),
        (["--set", "x.4=3"], "has no parameter 'x.4'"),
        (["--set", "x.2=0", "--set", "x.3=4"], "must be at least 1"),
        (["--set", "x.2=9", "--input", "3x8x8"], "the size x.2 is given twice: 9 and 8"),
    ],
)
def test_wrong_sizes_are_refused(words: list[str], message: str) -> None:
    done = command("analyze", trap("dims_minus_one_and_question_marks"), *words)
    assert done.code == 2
    assert message in done.err


def test_a_static_size_can_be_changed() -> None:
    twice = convcost.load(export("export-tv_resnet18.ts11"), **{"input.2": 448, "input.3": 224})
    assert sum_work(twice.layers).macs == sum_work(convcost.load("resnet18", input=(3, 448, 224)).layers).macs


def test_named_inputs_are_for_files_only() -> None:
    done = command("analyze", "lenet5", "--input", "x=1x32x32")
    assert done.code == 2
    assert "has one input, without a name" in done.err


def test_stages_and_blocks_follow_the_modules() -> None:
    network = convcost.load(export("export-tv_resnet50.ts17.dynhw"), h=224, w=224)
    stages = [row.path for row in convcost.analyze(network, by="stage").rows]
    assert stages[:7] == ["conv1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"]
    blocks = [row for row in convcost.analyze(network, by="block").rows if row.path.startswith("layer")]
    assert [row.path for row in blocks] == [f"layer{i}/{j}" for i, n in enumerate((3, 4, 6, 3), 1) for j in range(n)]
    spec = convcost.analyze("resnet50", by="block")
    units = [row for row in spec.rows if "unit" in row.path or row.work.macs in {one.work.macs for one in blocks}]
    assert [row.work.macs for row in blocks] == [row.work.macs for row in units if row.layers > 1]


# every command takes a file


@pytest.mark.parametrize(
    "words",
    [
        ["memory", "{}"],
        ["traffic", "{}"],
        ["receptive", "{}"],
        ["roofline", "{}", "--device", "v100"],
        ["diff", "{}", "resnet18"],
        ["table", "{}", "resnet18"],
        ["compare", "{}", "resnet18"],
        ["check", "{}", "--budget", "macs<=2G"],
        ["explain", "{}", "--reported", "1.814G"],
        ["conventions", "{}"],
    ],
    ids=lambda words: words[0],
)
def test_commands_take_a_file(words: list[str]) -> None:
    done = command(*(word.format(export("export-tv_resnet18.ts11")) for word in words))
    assert done.code == 0, done.err


def test_a_budget_on_a_file() -> None:
    assert command("check", export("export-tv_resnet18.ts11"), "--budget", "macs<=1G").code == 1


def test_a_file_and_its_spec_cost_the_same() -> None:
    words = ["--in", "macs", "--set", "size=224", "--set", "classes=1000"]
    done = command("equal", export("export-tv_resnet18.ts11"), "resnet18", *words)
    assert done.code == 0, done.err
    assert "== resnet18, proved" in done.out
    assert command("equal", export("export-tv_resnet18.ts11"), "resnet34", *words).code == 1


def test_a_size_of_a_file_is_solved_for() -> None:
    path = export("export-tv_resnet50.ts17.dynhw")
    done = command("solve", path, "--for", "h", "--budget", "macs<=2G", "--set", "w=224", "--set", "h=224")
    assert done.code == 0, done.err
    best = convcost.solve(path, "h", "macs<=2G", h=224, w=224).place.value
    for size, fits in ((best, True), (best + 1, False)):
        macs = sum_work(convcost.load("resnet50", input=(3, size, 224)).layers).macs
        assert (macs <= 2 * 10**9) == fits


def test_a_formula_of_a_file() -> None:
    done = command("formula", export("export-own_unet.ts17.dynhw"), "--set", "h=64", "--set", "w=96", "--in", "macs")
    assert done.code == 0, done.err
    assert "MACs = 496*h*w + 9216*ceil(h/2)*ceil(w/2)" in done.out  # 16*27 + 2*32 at full size, 2*(16*32*9) at half
    given = command("formula", export("export-own_unet.ts17.dynhw"), "--input", "3x64x96", "--in", "macs", "--total")
    assert given.code == 0, given.err


# bad files


def test_every_beginning_of_a_file_is_refused_or_read(tmp_path: Path) -> None:
    whole = Path(trap("flatten_by_shape_chain")).read_bytes()
    path = tmp_path / "cut.onnx"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        try:
            convcost.load(str(path))
        except ConvcostError as error:
            assert "cut.onnx" in str(error)  # noqa: PT017 - a file may also be whole enough


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected an ONNX model, found an empty file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "found a Git LFS pointer"),
        (b"input: [3, 8, 8]\nlayers: []\n", "expected an ONNX model; byte"),
        (b"\x08\x08", "expected a graph, found none"),
        (b"\x3a\xff\x01", "expected 255 bytes of field 7, found 0"),
        (b"\xff" * 20, "expected an integer of at most 64 bits"),
        (b"\x0b", "expected a field of wire type 0, 1, 2 or 5, found 3"),
        (b"\x3a\x00", "expected a graph with nodes, found an empty one"),
    ],
)
def test_what_is_no_model_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    done = command("analyze", str(path))
    assert done.code == 1
    assert message in done.err
    assert done.err.count("\n") == 1


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    assert command("analyze", str(tmp_path / "none.onnx")).code == 2
    (tmp_path / "folder.onnx").mkdir()
    assert command("analyze", str(tmp_path / "folder.onnx")).code == 1


def test_an_error_names_the_file_and_the_node(tmp_path: Path) -> None:
    conv = node("Conv", "x w", "y", name="stem")
    path = tmp_path / "net.onnx"
    path.write_bytes(model([conv], [info("x", 1, 3, 8, 8)], [info("y", 1, 4, 6, 6)], [tensor("w", [4, 5, 3, 3])]))
    with pytest.raises(ConvcostError, match=r"net\.onnx: node 0 \(Conv 'stem'\): expected 5 channels, found"):
        convcost.load(str(path))


def test_graphs_inside_one_another_are_limited() -> None:
    graph = Graph([node("Identity", "x", "y")], [], [info("y", 1)])
    for _ in range(100):
        graph = Graph([node("If", "c", "y", then_branch=graph, else_branch=graph)], [], [info("y", 1)])
        if len(graph.data) > 10**6:
            break
    data = model([node("If", "c", "y", then_branch=graph)], [info("c", dtype=BOOL)], [info("y", 1)])
    with pytest.raises(ConvcostError, match=r"inside one another|expected"):
        built(data)


def test_functions_that_call_themselves_are_refused() -> None:
    from onnx_writer import field  # noqa: PLC0415

    function = field(1, "f") + field(4, "a") + field(5, "b") + field(7, node("f", "a", "b", domain="own"))
    data = model([node("f", "x", "y", domain="own")], [info("x", 1, 3)], [info("y", 1, 3)])
    data += field(25, function + field(10, "own"))
    with pytest.raises(ConvcostError, match="inside one another more than"):
        built(data)


def test_calls_of_functions_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx_writer import field  # noqa: PLC0415

    monkeypatch.setattr("convcost.importers.evaluate.MAX_NODES", 5_000)
    data = model([node("f0", "x", "y", domain="own")], [info("x", 1, 3)], [info("y", 1, 3)])
    for level in range(30):
        inner = "Relu" if level == 29 else f"f{level + 1}"
        domain = "" if level == 29 else "own"
        calls = b"".join(
            field(7, node(inner, before, after, domain=domain)) for before, after in (("a", "t"), ("t", "b"))
        )
        data += field(25, field(1, f"f{level}") + field(4, "a") + field(5, "b") + calls + field(10, "own"))
    with pytest.raises(ConvcostError, match="more than 5,000 nodes, calls of functions written out"):
        built(data)


def built(data: bytes, **values: Any) -> Network:
    from convcost.importers.onnx import OnnxSource  # noqa: PLC0415

    return OnnxSource(model_from(Buffer(data), "made.onnx"), "made").make(values, None)


def test_weights_are_not_read(tmp_path: Path) -> None:
    """The data of a tensor may be anything: a hole of 4 GB in the file is never touched."""
    from onnx_writer import field, varint  # noqa: PLC0415

    size = 1 << 32
    head = field(1, size // 4) + field(2, 1) + field(8, "w") + varint(9 << 3 | 2) + varint(size)
    graph = field(1, node("Relu", "x", "y")) + field(11, info("x", 1, 3, 8, 8)) + field(12, info("y", 1, 3, 8, 8))
    graph += varint(5 << 3 | 2) + varint(len(head) + size) + head
    path = tmp_path / "large.onnx"
    with path.open("wb") as stream:
        stream.write(field(1, 8) + varint(7 << 3 | 2) + varint(len(graph) + size) + graph)
        stream.truncate(stream.tell() + size)
    assert read_model(str(path), "large.onnx").graph is not None
    assert len(convcost.load(str(path)).layers) == 1


def test_numbers_of_all_kinds_are_read() -> None:
    from onnx_writer import field  # noqa: PLC0415

    one = model([node("Identity", "x", "y")], [info("x", 1, 2)], [info("y", 1, 2)])
    cases = {
        "raw": (tensor("t", [2], [3, -4], INT64), [3, -4]),
        "int64_data": (field(1, 2) + field(2, 7) + field(8, "t") + field(7, 3) + field(7, -4), [3, -4]),
        "int32_data": (field(1, 1) + field(2, 6) + field(8, "t") + field(5, -7), [-7]),
        "float_data": (field(1, 2) + field(2, 1) + field(8, "t") + field(4, struct.pack("<2f", 1.5, -2)), [1.5, -2]),
        "double_data": (field(1, 1) + field(2, 11) + field(8, "t") + field(10, struct.pack("<d", 0.25)), [0.25]),
        "uint64_data": (field(1, 1) + field(2, 13) + field(8, "t") + field(11, 2**63), [2**63]),
        "float16": (field(1, 1) + field(2, 10) + field(8, "t") + field(5, 0x3E00), [1.5]),
        "bool": (tensor("t", [2], [True, False], BOOL), [True, False]),
    }
    for name, (data, values) in cases.items():
        graph = field(5, data)
        read = model_from(Buffer(one + field(7, graph + field(1, node("Identity", "x", "y")))), "f").graph
        assert read is not None
        assert read.initializers["t"].values == values, name
    with pytest.raises(ConvcostError, match="expected 2 values, found 1"):
        model_from(Buffer(field(7, field(5, field(1, 2) + field(2, 7) + field(8, "t") + field(7, 3)))), "f")


def test_a_source_is_read_once() -> None:
    catalogue = Catalogue()
    assert catalogue.target(trap("batch_of_8")) is catalogue.target(trap("batch_of_8"))


def test_library_errors() -> None:
    with pytest.raises(UsageError):
        convcost.load(trap("dims_minus_one_and_question_marks"))
    with pytest.raises(UnsupportedError):
        convcost.formula(trap("custom_domain"))
    assert convcost.analyze(trap("custom_domain")).graph.status == "partial"
    assert ints("a", 1)
