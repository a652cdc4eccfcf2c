"""Modules of PyTorch as networks, where it is installed; ``tests/modules.py`` does all of torchvision's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch
from inprocess import convcost as command
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import convcost
from convcost.network.cost import sum_work

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Result


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return x + functional.relu(self.norm(self.conv(x)), inplace=True) * self.gain


class Convolutional(nn.Module):
    """Strides, groups, dilation, ceil_mode, a transposed convolution, a branch, and a block that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.BatchNorm2d(8), nn.ReLU6(inplace=True))
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.block = Residual(8)
        self.wide = nn.Conv2d(8, 16, 3, padding=2, dilation=2, groups=4)
        self.same = nn.Conv2d(16, 16, (5, 3), padding="same")
        self.up = nn.ConvTranspose2d(32, 6, 3, stride=2, padding=1, output_padding=1)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block(self.block(self.pool(self.stem(x))))
        x = functional.hardswish(self.wide(x))
        x = torch.cat([x, self.same(x)], 1)
        return self.head(self.up(x).mean((2, 3)))


class Attending(nn.Module):
    """Positions, attention that is written out, a layer norm, and weights that two layers share."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 12)
        self.positions = nn.Parameter(torch.zeros(1, 7, 12))
        self.norm = nn.LayerNorm(12)
        self.qkv = nn.Linear(12, 36)
        self.out = nn.Linear(12, 11, bias=False)
        self.out.weight = self.words.weight

    def forward(self, x: Tensor) -> Tensor:
        x = self.words(x) + self.positions
        q, k, v = self.qkv(self.norm(x)).unflatten(-1, (3, 2, 6)).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-2, -1) * 6**-0.5, -1)
        x = x + (weights @ v).transpose(1, 2).flatten(2)
        return self.out(x + functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Computed(nn.Module):
    """Weights that are computed in each run, and a table that a small network makes."""

    def __init__(self) -> None:
        super().__init__()
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(10, 10))
        self.table = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 10))
        self.parts = nn.Parameter(torch.zeros(30, 10))
        self.register_buffer("places", torch.zeros(4, 2))

    def forward(self, x: Tensor) -> Tensor:
        a, b, c = self.parts.chunk(3)
        x = self.normed(x) + self.table(self.places).sum(0)
        return functional.linear(functional.linear(x, a) * functional.linear(x, b), c)


class Fixed(nn.Module):
    """Products of numbers that are no parameters: of buffers, and of a tensor that the run makes."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("rows", torch.ones(7, 5))
        self.register_buffer("columns", torch.ones(5, 3))
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.rows @ self.columns + self.head(x.new_zeros((7, 4)))


CASES: list[tuple[nn.Module, Any]] = [
    (Fixed(), torch.zeros(1, 7, 3)),
    (Convolutional(), torch.zeros(1, 3, 33, 47)),
    (Convolutional(), torch.zeros(4, 3, 32, 32)),
    (Attending(), torch.zeros(1, 7, dtype=torch.long)),
    (Computed(), torch.zeros(1, 10)),
    (nn.Sequential(nn.Conv1d(4, 6, 3), nn.AvgPool1d(2), nn.GroupNorm(2, 6), nn.GELU()), torch.zeros(1, 4, 20)),
    (nn.Sequential(nn.Conv3d(2, 4, 3, padding=1), nn.AdaptiveAvgPool3d(1), nn.Flatten()), torch.zeros(1, 2, 6, 7, 8)),
    (nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), torch.zeros(1, 9, 16)),
]


def counted(module: nn.Module, given: Tensor) -> int:
    """MACs that PyTorch's own counter sees in a run on the device ``meta``, of all samples."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        module.to("meta")(given.to("meta"))
    return int(counter.get_total_flops()) // 2


@pytest.mark.parametrize("mode", ["real", "meta"])
@pytest.mark.parametrize("place", range(len(CASES)))
def test_macs_and_parameters_are_those_of_pytorch(place: int, mode: str) -> None:
    made, given = CASES[place]
    module = made.eval()
    graph = convcost.load(convcost.from_torch(module.to("meta") if mode == "meta" else module, example_inputs=given))
    work = sum_work(graph.layers)
    assert graph.status == "complete"
    assert graph.unknown == ()
    assert work.params == sum(parameter.numel() for parameter in module.parameters())
    samples = len(given) if given.dim() >= 4 else 1
    assert work.macs * samples == counted(module, given)


def test_nothing_is_changed_or_left_behind() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    graph = convcost.load(convcost.from_torch(module, input=(3, 8, 8)))
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert module(torch.zeros(1, 3, 8, 8)).shape == (1, 4, 6, 6)
    assert not module._forward_hooks  # noqa: SLF001
    assert "the module is in training mode; module.eval() gives the costs of inference" in graph.notes


def test_rows_have_the_paths_of_modules() -> None:
    rows = [node.path for node in convcost.load(convcost.from_torch(Convolutional().eval(), input=(3, 32, 32))).layers]
    assert rows[:8] == [
        "stem/0",
        "stem/1",
        "stem/2",
        "pool",
        "block/conv",
        "block/norm",
        "block/relu",
        "block/mul",
    ]
    assert "block/conv#2" in rows
    assert rows[-1] == "head"


def test_a_module_that_is_used_twice_has_its_parameters_once() -> None:
    graph = convcost.load(convcost.from_torch(Convolutional().eval(), input=(3, 32, 32)))
    layers = {node.path: node for node in graph.layers}
    assert layers["block/conv"].work.params == 8 * 8 * 9
    assert layers["block/conv#2"].work.params == 0
    assert layers["block/conv#2"].shared == "block/conv"
    assert layers["block/norm#2"].shared == "block/norm"
    assert layers["block/conv#2"].work.macs == layers["block/conv"].work.macs > 0


def test_frozen_and_unread_parameters_are_said() -> None:
    module = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2)).eval()
    module[0].requires_grad_(requires_grad=False)
    module.register_parameter("unused", nn.Parameter(torch.zeros(3)))
    graph = convcost.load(convcost.from_torch(module, example_inputs=torch.zeros(1, 4)))
    assert "25 of the parameters are frozen (requires_grad is false)" in graph.notes
    assert "3 parameters of the module are not read in this run, and are not counted" in graph.notes
    assert sum_work(graph.layers).params == 25 + 12


def test_an_operator_without_a_rule_makes_the_total_partial() -> None:
    library = torch.library.Library("convcost_tests", "DEF")
    library.define("mystery(Tensor x) -> Tensor")
    library.impl("mystery", lambda x: x.new_empty(x.shape[0], 5), "Meta")

    class Unknown(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(4, 4), nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(torch.ops.convcost_tests.mystery(self.first(x)))

    target = convcost.from_torch(Unknown().eval(), example_inputs=torch.zeros(1, 4))
    report = convcost.analyze(target)
    assert report.graph.status == "partial"
    assert [(item.operator, item.heavy) for item in report.graph.unknown] == [("convcost_tests::mystery", True)]
    assert sum_work(report.graph.layers).macs == 4 * 4 + 5 * 2
    with pytest.raises(convcost.UnsupportedError, match="known in part only"):
        convcost.memory(target)
    assert library is not None


def test_a_write_into_a_part_of_a_tensor_is_seen() -> None:
    class Writing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            whole = torch.zeros(1, 2, 8, 8)
            whole[:, :, 2:6, 2:6] = x
            return self.conv(whole)

    graph = convcost.load(convcost.from_torch(Writing().eval(), input=(2, 4, 4)))
    assert sum_work(graph.layers).macs == 2 * 2 * 64


def test_every_function_takes_it() -> None:
    small, large = nn.Conv2d(3, 4, 3).eval(), nn.Conv2d(3, 8, 3).eval()
    one, two = (convcost.from_torch(module, input=(3, 10, 10)) for module in (small, large))
    assert convcost.analyze(one).totals.macs == 4 * 27 * 64
    assert convcost.analyze(one, input=(3, 12, 12)).totals.macs == 4 * 27 * 100
    assert convcost.diff(one, two).data()["totals"]["macs"]["after"] == 8 * 27 * 64
    assert [item.totals.params for item in convcost.compare(one, two).items] == [112, 224]
    assert convcost.memory(one).value("outputs") == 4 * 64
    assert convcost.roofline(one, "raspberry_pi_4").data()
    assert convcost.equal(one, one).equal
    assert convcost.receptive(one).last_map.sizes == (3, 3)


def test_sizes_are_numbers() -> None:
    net = convcost.from_torch(nn.Conv2d(3, 4, 3).eval(), input=(3, 10, 10))
    with pytest.raises(convcost.UsageError, match="an ONNX file of it with dynamic axes has sizes that can be free"):
        convcost.formula(net, free=["h"])


def test_a_module_is_written_as_an_onnx_file(tmp_path: Path) -> None:
    net = convcost.from_torch(Attending().eval(), example_inputs=torch.zeros(1, 7, dtype=torch.long))
    path = tmp_path / "net.onnx"
    path.write_bytes(convcost.to_onnx(net))
    ours, written = (convcost.analyze(target).totals for target in (net, str(path)))
    assert (written.params, written.macs) == (ours.params, ours.macs)


def test_bad_calls() -> None:
    module = nn.Conv2d(3, 4, 3)
    with pytest.raises(convcost.UsageError, match=r"expected a torch\.nn\.Module, found str"):
        convcost.from_torch("resnet50", input=(3, 8, 8))
    with pytest.raises(convcost.UsageError, match="expected `input` or `example_inputs`"):
        convcost.from_torch(module)
    with pytest.raises(convcost.ConvcostError, match="Conv2d: a run without numbers failed"):
        convcost.load(convcost.from_torch(module, input=(4, 8, 8)))

    class Depends(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum().item() > 0 else -x

    with pytest.raises(convcost.ConvcostError, match="Depends: a run without numbers failed"):
        convcost.load(convcost.from_torch(Depends(), input=(4, 8, 8)))


SOURCE = """
from torch import nn
def small(): return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
made = nn.Conv2d(3, 8, 3)
def broken(): raise RuntimeError("not today")
"""


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nets.py").write_text(SOURCE, "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])  # the command searches its folder too

    def run(*args: str) -> Result:
        return command(*args, cwd=tmp_path)

    shown = run("analyze", "torch:nets:small", "--input", "3x10x10", "--columns", "params,macs", "--format", "csv")
    assert shown.out.splitlines()[1:] == ["112,6912", "0,0"]
    compared = run("compare", "torch:nets:small", "torch:nets:made", "--input", "3x10x10", "--format", "json")
    assert compared.code == 0
    missing = run("analyze", "torch:nets:small")
    assert missing.code == 2
    assert "give the sizes of the input with --input" in missing.err
    assert "has no attribute 'smal'" in run("analyze", "torch:nets:smal", "--input", "3x9x9").err
    failed = run("analyze", "torch:nets:broken", "--input", "3x9x9")
    assert failed.code == 1
    assert failed.err == "error: broken: the call that makes the module failed: RuntimeError: not today\n"
