"""What must hold of modules of PyTorch as targets where PyTorch is not installed: nothing is imported unasked."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import DATA, sampled

import convcost
from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.importers.torch import TorchSource
from convcost.language.given import find

if TYPE_CHECKING:
    from pathlib import Path

TRAP = "raise SystemExit('this code must not run')\n"


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "trap.py").write_text(TRAP, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "{input: [3, 8, 8], layers: ['torch:trap:net']}",
        "{input: [3, 8, 8], layers: ['torch:trap:net': {out: 3}]}",
        "{input: [3, 8, 8], layers: [{add: ['torch:trap:net', identity]}]}",
    ],
)
def test_no_spec_can_name_a_module(text: str, trap: Path) -> None:
    assert trap
    with pytest.raises(convcost.SpecError):
        convcost.loads(text)
    assert "trap" not in sys.modules


def test_completion_runs_no_code(trap: Path) -> None:
    from convcost.cli import completion  # noqa: PLC0415

    class Context:
        args: tuple[str, ...] = ()
        params: dict[str, Any] = {"target": "torch:trap:net", "targets": ("torch:trap:net",)}  # noqa: RUF012

    assert trap
    assert completion.parameter(Context(), None, "") == []  # type: ignore[arg-type]
    assert "trap" not in sys.modules


def test_without_pytorch_an_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(convcost.UsageError, match="PyTorch is not installed: pip install torch"):
        Catalogue().target("torch:json:loads")


def test_a_module_is_asked_for() -> None:
    with pytest.raises(convcost.UsageError, match=r"expected a torch\.nn\.Module, found str"):
        convcost.from_torch("resnet50", input=(3, 8, 8))
    with pytest.raises(convcost.UsageError, match=r"expected torch:package.module:callable, found 'torch:json'"):
        Catalogue().target("torch:json")


def test_the_sizes_of_a_module_cannot_be_free() -> None:
    with pytest.raises(convcost.UsageError, match=r"net has no parameter 'h'; .* an ONNX file of it with dynamic axes"):
        find(TorchSource(lambda: None, "net"), "h")


def counted_by_pytorch() -> dict[str, dict[str, str]]:
    lines = (DATA / "torch_models.csv").read_text("utf-8").splitlines()
    return {row["model"]: row for row in csv.DictReader(lines[1:])}


MODELS = counted_by_pytorch()
# of torchvision's models those that are bundled networks; its AlexNet and GoogLeNet are other networks than the papers'
BUNDLED = [name for name in MODELS if name in {*bundled_names()} - {"alexnet", "googlenet"}]


@pytest.mark.parametrize("name", sampled(BUNDLED, 8))
def test_bundled_networks_are_those_of_torchvision(name: str) -> None:
    model = MODELS[name]
    totals = convcost.analyze(name, input=tuple(map(int, model["input"].split("x")))).totals
    assert (totals.params, totals.macs) == (int(model["params"]), int(model["macs"]))
