"""Command lines without options run without click, and as click would run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from inprocess import convcost

from convcost.cli.asked import Asked
from convcost.cli.plain import plain

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["analyze", "lenet5"],
        ["analyze", "bottleneck", "plain"],
        ["analyze", "lenet"],
        ["analyze", "lenet5", "lenet"],
        ["analyze", "missing.yaml"],
        ["analyze", "lenet5", "missing.yaml"],
    ],
    ids=" ".join,
)
def test_click_says_the_same(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert plain(words) is not None
    without = convcost(*words)
    monkeypatch.setattr("convcost.cli.plain", lambda _words: None)
    assert convcost(*words) == without


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["analyze"],
        ["list", "resnet50"],
        ["nosuch", "resnet50"],
        ["analyze", "resnet50", "--by", "stage"],
        ["analyze", "-"],
        ["--version"],
        ["analyze", "--", "resnet50"],
    ],
    ids=" ".join,
)
def test_the_rest_is_left_to_click(words: list[str]) -> None:
    assert plain(words) is None


def test_completion_is_left_to_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_CONVCOST_COMPLETE", "bash_complete")
    assert plain(["analyze", "resnet50"]) is None


def test_click_hands_over_the_same_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Asked] = []
    monkeypatch.setattr("convcost.cli.plain", lambda _words: None)
    monkeypatch.setattr("convcost.cli.analyze.report", lambda asked, *_rest, **_named: handed.append(asked) or 0)
    convcost("analyze", "lenet5", "plain")
    assert handed == [Asked(("lenet5", "plain"))]


def test_a_file_hidden_by_a_bundled_name_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain.yaml").write_text((ROOT / "specs" / "blocks" / "plain.yaml").read_text("utf-8"), "utf-8")
    without = convcost("analyze", "plain", cwd=tmp_path)
    assert "note: plain is the bundled spec; write ./plain.yaml for the file" in without.err
    monkeypatch.setattr("convcost.cli.plain", lambda _words: None)
    assert convcost("analyze", "plain", cwd=tmp_path) == without
