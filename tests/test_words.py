"""Words of other tools lead to ours, and every block takes the standard names of its parameters."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from conftest import run_convcost

import convcost
from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.cli.commands import cli
from convcost.errors import SpecError, UsageError
from convcost.language.model import STANDARD
from convcost.layers import REGISTRY
from convcost.layers.docs import layer_hint
from convcost.layers.words import ELSEWHERE, FIELDS, NO_FIELDS, field_hint, plain

WORDS = [
    tuple(row.values())
    for row in csv.DictReader((Path(__file__).parent / "data" / "words.csv").read_text("utf-8").splitlines())
]
BLOCKS = bundled_names(blocks=True)


def message(text: str) -> str:
    """The one error of a spec of one step."""
    with pytest.raises(SpecError) as caught:
        convcost.loads(f"input: [8, 6, 6]\nlayers:\n  - {text}\n")
    (problem,) = caught.value.problems
    return problem.message


@pytest.mark.parametrize(("tool", "word", "ours"), WORDS, ids=["-".join(row[:2]) for row in WORDS])
def test_a_word_of_another_tool_leads_to_ours(tool: str, word: str, ours: str) -> None:
    """The names of torch.nn, keras.layers and ONNX, and what each is here; empty where there is no such layer."""
    if word in REGISTRY:
        assert (word, tool) == (ours, "informal")
        return
    hint = layer_hint(word, BLOCKS)
    if ours:
        assert f"'{ours}'" in hint or f"write {ours}:" in hint
    else:
        assert hint
        assert "did you mean" not in hint
    assert message(f'"{word}"').endswith(hint)


def other_words() -> list[tuple[str, str]]:
    """Each word of another tool that a layer lists, with the layer's key."""
    return [(word, key) for key, layer in REGISTRY.items() for word in (*layer.also, *layer.special)]


def test_no_word_hides_a_layer_and_none_has_two_meanings() -> None:
    keys = {plain(name): name for name in (*BLOCKS, *REGISTRY)}
    words = other_words()
    assert [(word, key) for word, key in words if plain(word) in keys] == []
    elsewhere = [word for group in ELSEWHERE.values() for word in group]
    assert [
        word for word in elsewhere if plain(word) in keys and f"'{keys[plain(word)]}'" not in layer_hint(word)
    ] == []
    spelled = [plain(word) for word, _ in words] + [plain(word) for word in elsewhere]
    assert sorted({word for word in spelled if spelled.count(word) > 1 and plain(word) not in keys}) == []


@pytest.mark.parametrize(
    ("key", "arguments"), [(key, text) for key, layer in REGISTRY.items() for text in layer.special.values()]
)
def test_what_a_hint_says_to_write_can_be_written(key: str, arguments: str) -> None:
    graph = convcost.loads(f"input: [8, 6, 6]\nlayers:\n  - {key}: {arguments}\n")
    assert graph.layers[0].layer.key == key


def test_field_words_lead_to_fields_that_exist() -> None:
    known = {name for layer in REGISTRY.values() for name in layer.fields}
    assert set(FIELDS) <= known
    for layer in REGISTRY.values():
        for name in layer.fields:
            for word in FIELDS.get(name, ()):
                if word not in layer.fields:
                    assert (
                        field_hint(word, layer.fields).removeprefix("did you mean '").removesuffix("'?") in layer.fields
                    )
    for words in NO_FIELDS.values():
        assert all(word == word.lower() for word in words)


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        ("conv: {out_channels: 8, kernel: 3}", "conv has no field 'out_channels'; did you mean 'out'?"),
        ("conv: {filters: 8, kernel: 3}", "conv has no field 'filters'; did you mean 'out'?"),
        ("conv: {out: 8, kernel_size: 3}", "conv has no field 'kernel_size'; did you mean 'kernel'?"),
        ("conv: {out: 8, strides: 2}", "conv has no field 'strides'; did you mean 'stride'?"),
        ("conv: {out: 8, pads: 1}", "conv has no field 'pads'; did you mean 'padding'?"),
        ("conv: {out: 8, dilation_rate: 2}", "conv has no field 'dilation_rate'; did you mean 'dilation'?"),
        ("conv: {out: 8, group: 2}", "conv has no field 'group'; did you mean 'groups'?"),
        ("conv: {out: 8, use_bias: 0}", "conv has no field 'use_bias'; did you mean 'bias'?"),
        ("conv: {out: 8, in_channels: 8}", "conv has no field 'in_channels'; leave it out: what comes in is known"),
        (
            "conv: {out: 8, padding_mode: 1}",
            "conv has no field 'padding_mode'; leave it out: it does not change the cost",
        ),
        (
            "conv: {out: 8, activation: relu}",
            "conv has no field 'activation'; write the activation as a step of its own",
        ),
        ("linear: {units: 8}", "linear has no field 'units'; did you mean 'out'?"),
        ("dropout: {p: 0.5}", "dropout has no field 'p'; did you mean 'rate'?"),
        ("batch_norm: {eps: 0.1}", "batch_norm has no field 'eps'; leave it out: it does not change the cost"),
        ("group_norm: {num_groups: 2}", "group_norm has no field 'num_groups'; did you mean 'groups'?"),
        ("max_pool: {pool_size: 2}", "max_pool has no field 'pool_size'; did you mean 'kernel'?"),
        ("upsample: {scale_factor: 2}", "upsample has no field 'scale_factor'; did you mean 'factor'?"),
        ("standard_conv: {filters: 8}", "standard_conv has no parameter 'filters'; did you mean 'out'?"),
    ],
)
def test_a_field_of_another_tool(step: str, hint: str) -> None:
    assert message(step.replace("activation: relu", "activation: 1")) == hint


@pytest.mark.parametrize(
    "step",
    [
        "BatchNorm2d: 32",
        "LSTM: {hidden: width, layers: [1, 2]}",
        "Concatenate: {a: [nope], b: x}",
        "{Conv2d: {out_channels: many, kernel_size: 3}, repeat: 2, first: {stride: two}}",
        "Sequential: [Conv2d, ReLU]",
        "'nn.Conv2d(3, 64, 7)'",
    ],
)
def test_an_unknown_layer_is_one_error_whatever_is_inside(step: str) -> None:
    assert message(step).startswith("no layer or block is called '")


def costs(name: str, parameter: str, value: int) -> list[tuple[object, ...]]:
    """Shape and counts of each layer of a block at a value."""
    return [(node.path, node.shape, node.work.as_dict()) for node in convcost.load(name, **{parameter: value}).layers]


def another_value(name: str, parameter: str) -> int:
    """A value of a parameter that the block can be built with and that changes its cost."""
    default = convcost.load(name).parameters[parameter]
    for value in (5, 2 * default, 2, 1):
        try:
            if costs(name, parameter, value) != costs(name, parameter, default):
                return value
        except (SpecError, UsageError):
            continue
    return default


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_takes_the_standard_names_of_its_parameters(name: str) -> None:
    """K is kernel, O is out and G is groups, in both directions, at every block that has one of the two."""
    block = Catalogue().target(name)
    for pair in STANDARD.items():
        own = next((word for word in pair if word in block.parameters), None)
        if own is None:
            with pytest.raises(UsageError):
                convcost.load(name, **{pair[1]: 2})
            continue
        other = pair[0] if own == pair[1] else pair[1]
        value = another_value(name, own)
        assert costs(name, other, value) == costs(name, own, value)
        with pytest.raises(UsageError, match="given twice"):
            convcost.load(name, **{other: value, own: value})


def test_standard_names_in_steps_and_variants(tmp_path: Path) -> None:
    by_letter = convcost.loads("{input: [8, 6, 6], layers: [standard_conv: {O: 4, K: 5}]}")
    by_word = convcost.loads("{input: [8, 6, 6], layers: [standard_conv: {out: 4, kernel: 5}]}")
    assert by_letter.layers[0].work.macs == by_word.layers[0].work.macs == 4 * 8 * 25 * 36
    assert message("standard_conv: {out: 4, kernel: 5, K: 3}") == (
        "`kernel` and `K` are one parameter of standard_conv; give one of them"
    )
    file = tmp_path / "wide.yaml"
    file.write_text("extends: standard_conv\nparameters: {kernel: 7}\n")
    assert convcost.load(file, I=2, out=3, H=1, W=1).layers[0].work.weights == 2 * 3 * 49
    own = "blocks: {own: {input: {I: 1, H: 1, W: 1}, parameters: {kernel: 3}, layers: [conv: {out: 4, kernel}]}}"
    graph = convcost.loads(f"input: [8, 6, 6]\n{own}\nlayers: [own: {{K: 1}}]\n")
    assert graph.layers[0].work.macs == 4 * 8 * 36


def test_standard_names_on_the_command_line() -> None:
    by_letter = run_convcost("analyze", "standard_conv", "--set", "K=5", "--set", "O=7", "--format", "json")
    by_word = run_convcost("analyze", "standard_conv", "--set", "kernel=5", "--set", "out=7", "--format", "json")
    assert (by_letter.code, by_word.code) == (0, 0)
    assert by_letter.out == by_word.out
    twice = run_convcost("analyze", "standard_conv", "--set", "kernel=5", "--set", "K=5")
    assert (twice.code, twice.err) == (2, "error: --set gives `K` twice\n")
    both = run_convcost("compare", "standard_conv", "conv_bn", "--set", "kernel=1", "--format", "json")
    assert [item["totals"]["macs"] % 9 for item in json.loads(both.out)["items"]] != [0, 0]
    free = run_convcost("formula", "standard_conv", "--free", "kernel,out")
    assert free.code == 0
    assert "O" in free.out


def test_a_name_of_a_file_here_is_a_target_and_a_bundled_name_comes_first(tmp_path: Path) -> None:
    assert run_convcost("init", "phonenet", cwd=tmp_path).out == "wrote phonenet.yaml\n"
    by_name = run_convcost("analyze", "phonenet", cwd=tmp_path)
    assert (by_name.code, by_name.err) == (0, "")
    assert by_name.out == run_convcost("analyze", "phonenet.yaml", cwd=tmp_path).out
    assert run_convcost("init", "resnet18", cwd=tmp_path).code == 0
    bundled = run_convcost("analyze", "resnet18", "--format", "json", cwd=tmp_path)
    assert json.loads(bundled.out)["totals"]["params"] == 11_689_512  # torchvision's
    assert bundled.err == "note: resnet18 is the bundled spec; write ./resnet18.yaml for the file\n"
    own = run_convcost("analyze", "./resnet18.yaml", "--format", "json", cwd=tmp_path)
    assert (own.code, own.err) == (0, "")
    assert own.out != bundled.out


def test_show_prints_files_as_they_are(tmp_path: Path) -> None:
    text = "input: [3, 8, 8]  # caf\xe9\nlayers: [relu]\n"
    (tmp_path / "own.yaml").write_text(text, "utf-8")
    for target in ("own.yaml", "./own.yaml", "own"):
        assert run_convcost("show", target, cwd=tmp_path).out == text
    (tmp_path / "broken.yaml").write_text("layers: [relu\n")
    broken = run_convcost("show", "broken.yaml", cwd=tmp_path)
    assert (broken.code, broken.out) == (1, "")


BINARY = [
    (b"\x08\x07\x12\x07pytorch:\x00\x00", "an ONNX model"),
    (b"PK\x03\x04" + bytes(30), "a zip archive"),
    (b"\x80\x02}q\x00", "a Python pickle"),
    (b"\x89HDF\r\n\x1a\n" + bytes(30), "an HDF5 file"),
    (b"\x1c\x00\x00\x00TFL3" + bytes(30), "a TensorFlow Lite model"),
    (b"\x40\x00\x00\x00\x00\x00\x00\x00" + b'{"weight": {}}', "a safetensors file"),
]


@pytest.mark.parametrize(("data", "kind"), BINARY, ids=[kind for _, kind in BINARY])
def test_a_model_file_is_named_for_what_it_is(data: bytes, kind: str, tmp_path: Path) -> None:
    """By its first bytes, as the formats fix them, whatever the file is called and however long it is."""
    for name, content in (("net.yaml", data), ("large.pt", data + bytes(9_000_000))):
        (tmp_path / name).write_bytes(content)
        result = run_convcost("analyze", f"./{name}", cwd=tmp_path)
        assert (result.code, result.out) == (1, "")
        assert f"{name}:1:1: expected YAML, found {kind}" in result.err


@pytest.mark.parametrize(("data", "kind"), BINARY[1:], ids=[kind for _, kind in BINARY[1:]])
def test_a_model_file_with_the_suffix_of_onnx_is_named_for_what_it_is(data: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(data)
    result = run_convcost("analyze", "net.onnx", cwd=tmp_path)
    assert (result.code, result.out) == (1, "")
    assert f"net.onnx: expected an ONNX model; found {kind}" in result.err


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("analyze resnet50 --set ", {"depth=", "size=", "classes=", "variant="}),
        ("analyze resnet50 --set de", {"depth="}),
        ("analyze resnet50 --set depth=1", {"depth=18", "depth=101", "depth=152"}),
        ("formula bottleneck --free I,", {"I,M", "I,O", "I,K", "I,I", "I,H", "I,W"}),
        ("solve mobilenet_v1 --for al", {"alpha"}),
        ("compare plain bottleneck --set M", {"M="}),
        ("analyze resnet50 --convention thop", {"thop"}),
        ("roofline resnet50 --device v1", {"v100"}),
        ("layers con", {"conv", "conv_transpose", "concat"}),
        ("analyze nosuchnet --set ", set()),
    ],
)
def test_a_shell_completes_values(words: str, offered: set[str]) -> None:
    *before, incomplete = words.split(" ")
    complete = ShellComplete(cli, {}, "convcost", "_CONVCOST_COMPLETE")
    found = {item.value for item in complete.get_completions(before, incomplete)}
    assert offered <= found if incomplete == "" and offered else found == offered


def test_output_files_are_completed() -> None:
    complete = ShellComplete(cli, {}, "convcost", "_CONVCOST_COMPLETE")
    assert [item.type for item in complete.get_completions(["analyze", "resnet50", "-o"], "out")] == ["file"]


def test_every_error_about_an_unknown_name_is_made_by_one_function() -> None:
    package = Path(convcost.__file__).parent
    written = re.compile(r"is called '\{|has no \w+ ['`]\{|unknown \w+ '\{|no such \w+ '\{")
    offenders = [
        f"{path.name}: {line.strip()}"
        for path in sorted(package.rglob("*.py"))
        if path.name != "errors.py"
        for line in path.read_text("utf-8").splitlines()
        if written.search(line)
    ]
    assert offenders == []
