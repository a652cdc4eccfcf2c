"""What enters a network: its own input, others in its place, and layouts that people mix up."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import sympy
from conftest import run_convcost

import convcost
from convcost.errors import ConvcostError, ShapeError, SpecError, UsageError
from convcost.layers.base import REGISTRY

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "layers: [relu]"


def entering(input_: str, **given: Any) -> tuple[int, ...]:
    text = f"{{parameters: {{c: 3, n: 24}}, input: {input_}, {HEAD}}}"
    return convcost.loads(text, **given).input


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        ("[3, n, n]", (3, 40, 20), (3, 40, 20)),
        ("[3, n, n]", (40, 20), (3, 40, 20)),
        ("[c, n, n]", (40, 20), (3, 40, 20)),
        ("[c, n, n]", (1, 40, 20), (1, 40, 20)),
        ("[c, n, n]", (40, 40, 5), (40, 40, 5)),
        ("[c, n, n]", (8, 8, 3), (8, 8, 3)),
        ("[3, 8, n, n]", (8, 30, 30), (3, 8, 30, 30)),
        ("[3, 8, n, n]", (3, 1, 30, 30), (3, 1, 30, 30)),
        ("[64, n]", (100,), (64, 100)),
        ("{c: 3, h: 4, w: 4}", (1, 3, 40, 40), (1, 3, 40, 40)),
        ("{c: 3, h: 4, w: 4}", (40, 40, 3), (40, 40, 3)),
        ("{c: 3, h: 4, w: 4}", (40, 20), (40, 20)),
    ],
)
def test_another_input(own: str, other: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert entering(own.replace("c:", "I:"), input=other) == expected


REFUSED = [
    ("[3, n, n]", (1, 3, 40, 40), "a shape has no batch axis: write 3x40x40"),
    ("[3, n, n]", (8, 3, 40, 40), "a shape has no batch axis: write 3x40x40"),
    ("[c, n, n]", (1, 2, 40, 40), "a shape has no batch axis: write 2x40x40"),
    ("[3, n, n]", (40, 40, 3), "channels come first: write 3x40x40"),
    ("[3, 8, n, n]", (8, 40, 40, 3), "channels come first: write 3x8x40x40"),
    ("[c, n, n]", (40, 30, 1), "channels come first: write 1x40x30, or add `layout: chw` to the spec if it has 40"),
    ("[64, n]", (100, 64), "channels come first: write 64x100"),
    ("[3, n, n]", (1, 40, 40), "the channels differ, and only a spec whose `input` begins with a parameter takes"),
    ("[3, n, n]", (3, 40), "write 3x3x40, or 3x40x40"),
    ("[c, n, n]", (3, 40), "write 3x3x40, or 3x40x40"),
    ("[3, n, n]", (40,), "the number of sizes differs"),
    ("[3, 8, n, n]", (40, 40), "the number of sizes differs"),
    ("[7]", (8,), "the channels differ"),
]


@pytest.mark.parametrize(("own", "other", "message"), REFUSED)
def test_an_input_that_does_not_fit(own: str, other: tuple[int, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        entering(own, input=other)
    assert message in str(caught.value)
    assert f"the input {own}; found {'x'.join(map(str, other))}: " in str(caught.value)


def test_symbols_in_place_of_sizes() -> None:
    height = sympy.Symbol("H", integer=True, positive=True)
    assert entering("[3, n, n]", input=(height, 8)) == (3, height, 8)
    with pytest.raises(UsageError, match="channels differ"):
        entering("[3, n, n]", input=(height, 8, 8))


@pytest.mark.parametrize(
    ("own", "better"),
    [
        ("[1, 3, 224, 224]", "[3, 224, 224]"),
        ("[1, 1, 28, 28]", "[1, 28, 28]"),
        ("[32, 3, 32, 32]", "[3, 32, 32]"),
        ("[c, 3, n, n]", "[3, n, n]"),
        ("[224, 224, 3]", "[3, 224, 224]"),
        ("[28, 28, 1]", "[1, 28, 28]"),
        ("[n, 2*n, 3]", "[3, n, 2*n]"),
        ("[1, 224, 224, 3]", "[3, 224, 224]"),
        ("[16, 112, 112, 3]", "[3, 16, 112, 112]"),
    ],
)
def test_a_spec_in_another_layout(own: str, better: str, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(f"parameters: {{c: 3, n: 24}}\ninput: {own}\n{HEAD}\n")
    with pytest.raises(SpecError) as caught:
        convcost.load(path)
    assert str(caught.value).startswith(f"{path}:2:9: {own} looks like ")
    assert f": write {better}, or add `layout: " in str(caught.value)
    for command in ("check", "analyze", "memory"):
        assert run_convcost(command, str(path)).code == 1
    meant = "cdhw" if own.count(",") == 3 else "chw"
    path.write_text(f"parameters: {{c: 3, n: 24}}\ninput: {own}\nlayout: {meant}\n{HEAD}\n")
    assert len(convcost.load(path).input) == len(meant)


@pytest.mark.parametrize(
    "own",
    [
        "[3, 224, 224]",
        "[1, 16, 112, 112]",  # a volume
        "[3, 16, 112, 112]",  # a video
        "[1, 3, 15, 15]",
        "[64, 8, 3]",
        "[2048, 1, 1]",
        "[4, 224, 224]",
        "[n, n, c]",  # a parameter was put there on purpose
        "[1, c, n, n]",
        "[224, 3]",
        "[3]",
    ],
)
def test_what_is_no_other_layout(own: str) -> None:
    assert len(entering(own)) == own.count(",") + 1


def test_a_variant_keeps_the_layout(tmp_path: Path) -> None:
    (tmp_path / "volume.yaml").write_text(f"input: [1, 3, 64, 64]\nlayout: cdhw\n{HEAD}\n")
    (tmp_path / "variant.yaml").write_text("extends: volume\n")
    assert convcost.load(tmp_path / "variant.yaml").input == (1, 3, 64, 64)


def test_the_heading_says_what_entered() -> None:
    found = run_convcost("analyze", "resnet50", "--input", "160x160", "--by", "kind")
    assert found.out.split("\n")[0].endswith("input 3x160x160")
    assert run_convcost("analyze", "resnet50", "--input", "3x160x160", "--by", "kind").out == found.out
    wrong = run_convcost("analyze", "resnet50", "--input", "1x3x224x224")
    assert wrong.code == 2
    assert wrong.out == ""


def test_channels_given_as_a_parameter_stay_with_spatial_sizes() -> None:
    text = f"{{parameters: {{c: 3, n: 24}}, input: [c, n, n], {HEAD}}}"
    graph = convcost.loads(text, c=5, input=(8, 9))
    assert graph.input == (5, 8, 9)
    assert graph.parameters == {"c": 5}
    assert convcost.loads(text, input=(6, 8, 9)).parameters == {}


@pytest.mark.parametrize("layers", ["linear: {out: 10}", "rbf: {out: 10}"])
def test_a_map_is_not_flattened_unasked(layers: str) -> None:
    for shape in ("[64, 128]", "[64, 8, 16]", "[64, 1, 2]", "[2, 4, 4, 4]"):
        with pytest.raises(ConvcostError, match=r"needs a flat input, found a map of .*: put `flatten` before it"):
            convcost.loads(f"{{input: {shape}, layers: [{layers}]}}")
        asked = convcost.loads(f"{{input: {shape}, layers: [flatten, {layers}]}}")
        assert asked.nodes[-1].shape == (10,)
    for shape in ("[64]", "[64, 1]", "[64, 1, 1]", "[64, 1, 1, 1]"):
        assert convcost.loads(f"{{input: {shape}, layers: [{layers}]}}").nodes[-1].shape == (10,)


def test_linear_over_the_channels_of_a_sequence() -> None:
    # keras.layers.Dense(10) on 128 steps of 64 features, torch.nn.Linear(64, 10) on the same: 650 parameters
    graph = convcost.loads("{input: [64, 128], layers: [linear: {out: 10, axis: c}]}")
    totals = convcost.analyze(graph).totals
    assert (totals.params, totals.macs, graph.nodes[-1].shape) == (64 * 10 + 10, 64 * 10 * 128, (10, 128))
    pointwise = convcost.loads("{input: [64, 128], layers: [conv: {out: 10, kernel: 1}]}")
    assert graph.nodes[-1].work.as_dict() == pointwise.nodes[-1].work.as_dict()


@pytest.mark.parametrize("step", ["{relu, when: false, name: t}", "{relu, repeat: 0, name: t}"])
def test_a_step_without_a_layer_names_what_it_passes_on(step: str) -> None:
    head = "{input: [3, 4, 4], layers: [conv: {out: 5}, "
    graph = convcost.loads(f"{head}{step}, max_pool: {{kernel: 2}}, {{relu, from: t}}]}}")
    assert [node.shape for node in graph.layers] == [(5, 4, 4), (5, 2, 2), (5, 4, 4)]
    looped = convcost.loads(f"{head}{{relu, for: i, in: [], name: t}}, max_pool: {{kernel: 2}}, {{relu, from: t}}]}}")
    assert [node.shape for node in looped.layers] == [(5, 4, 4), (5, 2, 2), (5, 4, 4)]


@pytest.mark.parametrize("deep", ["true", "false"])
def test_alternatives_share_a_name(deep: str) -> None:
    steps = "{conv: {out: 5}, name: t, when: deep}, {conv: {out: 6}, name: t, when: not deep}, flatten, {relu, from: t}"
    graph = convcost.loads(f"{{parameters: {{deep: {deep}}}, input: [3, 4, 4], layers: [{steps}]}}")
    assert graph.layers[-1].shape == ((5 if deep == "true" else 6), 4, 4)


@pytest.mark.parametrize("merge", ["add", "concat", "multiply"])
@pytest.mark.parametrize("repeat", ["1", "2 - 1"])
def test_a_merge_of_one_branch_is_that_branch(merge: str, repeat: str) -> None:
    branch = "{repeat: REPEAT, do: [conv: {out: 4}]}".replace("REPEAT", repeat)
    merged = convcost.loads(f"{{input: [4, 8, 8], layers: [{merge}: {{a: {branch}}}]}}")
    plain = convcost.loads("{input: [4, 8, 8], layers: [conv: {out: 4}]}")
    assert [node.layer.key for node in merged.layers] == ["conv"]
    keys = ("read", "constants", "written")
    assert convcost.traffic(merged).records(*keys) == convcost.traffic(plain).records(*keys)


@pytest.mark.parametrize(("text", "found"), [("yes", "'yes'"), ("True", "'True'"), ("on", "'on'"), ("1", "1")])
def test_switches_are_set_with_the_words_of_a_spec(text: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("parameters: {b: true}\ninput: [3, 8, 8]\nlayers: [{relu, when: b}]\n")
    refused = run_convcost("analyze", str(path), "--set", f"b={text}")
    assert (refused.code, refused.err) == (2, f"error: `b` must be true or false, found {found}\n")
    assert run_convcost("analyze", str(path), "--set", "b=false").code == 0


def test_every_window_of_a_pool_reads_something() -> None:
    # PyTorch's pooling_output_shape; windows are slid one by one here
    checked = 0
    for size, kernel, stride, before, after in product(range(1, 9), range(1, 6), range(1, 5), range(3), range(3)):
        wide = max(before, after) > kernel // 2
        for ceil_mode in (False, True):
            pool = REGISTRY["avg_pool"](kernel=kernel, stride=stride, padding=((before, after),), ceil_mode=ceil_mode)
            if wide or (kernel > size + before + after and not ceil_mode):
                with pytest.raises(ShapeError):
                    pool.shape((1, size))
                continue
            try:
                windows = pool.shape((1, size))[1]
            except ShapeError:
                assert kernel > size + before + after
                continue
            last = (windows - 1) * stride - before
            assert last < size  # it begins inside
            assert last + kernel > 0
            end = last + kernel
            assert (end >= size + after or last + stride >= size) if ceil_mode else end + stride > size + after
            checked += 1
    assert checked > 1000
