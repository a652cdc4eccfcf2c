"""What must hold of modules of PyTorch as targets where PyTorch is not installed: nothing is imported unasked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.importers.torch import TorchSource
from convcost.language.interpret import find

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
