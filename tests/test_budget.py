"""Budgets: exact bounds on any metric of a network, with an exit code."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
import yaml
from conftest import ROOT
from inprocess import convcost

from convcost import load
from convcost.errors import UsageError
from convcost.metrics.budget import budget, budget_names, check
from convcost.metrics.devices import device
from convcost.metrics.registry import METRICS
from convcost.metrics.report import analyze

if TYPE_CHECKING:
    from pathlib import Path

MOBILENET_V2_MACS = 300_774_272  # torchvision's network, tests/data/totals.csv
SPEC = "input: [3, 32, 32]\nbudget: {}\nlayers:\n  - conv: {{out: 8, kernel: 3}}\n  - relu\n"
CONV_MACS = 32 * 32 * 3 * 3 * 3 * 8


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("macs<=150M", Fraction(150_000_000)),
        ("macs <= 0.15G", Fraction(150_000_000)),
        ("params<1500000", Fraction(1_500_000)),
        ("peak<=512k", Fraction(512_000)),
        ("peak<=512kB", Fraction(512_000)),
        ("peak<=256KiB", Fraction(262_144)),
        ("bytes>=1.5MiB", Fraction(3, 2) * 2**20),
        ("time<=3ms", Fraction(3, 1000)),
        ("latency<=2.5us", Fraction(5, 2_000_000)),
        ("of_peak>=40%", Fraction(2, 5)),
        ("intensity>=10", Fraction(10)),
    ],
)
def test_a_bound_is_exact(text: str, bound: Fraction) -> None:
    assert budget(text).bound == bound


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("macs", "METRIC<=VALUE"),
        ("macs<=", "METRIC<=VALUE"),
        ("macs<=-3", "METRIC<=VALUE"),
        ("macs<=1e9", "METRIC<=VALUE"),
        ("macs<=1e", "units k, K, M, G, T"),
        ("time<=3", "units s, ms, us, ns; found none"),
        ("macs<=3ms", "found 'ms'"),
        ("mac<=3", "did you mean 'macs'"),
        ("kernel<=3", "not a number to bound"),
        ("macs<=" + "9" * 40, "METRIC<=VALUE"),
    ],
)
def test_what_is_no_budget_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        budget(text)


@pytest.mark.parametrize("name", budget_names())
def test_every_number_can_be_bounded_and_is_compared_exactly(name: str) -> None:
    analysis = analyze(load("mobilenet_v1"), device=device("v100"))
    value = analysis.value(name)
    record = budget("macs<=1")
    unit = "s" if METRICS[name].form == "duration" else ""
    if isinstance(value, tuple):  # a size for each axis, here all equal
        (value,) = set(value)
    for relation, holds in {"<=": True, ">=": True, "==": True, "<": False, ">": False}.items():
        exactly = record._replace(metric=budget(f"{name}<=1{unit}").metric, relation=relation)
        assert check(analysis, [exactly._replace(bound=Fraction(value))])[0].met == holds


def test_the_exit_code_and_one_line_for_each_budget_exceeded() -> None:
    met = convcost("check", "mobilenet_v2", "--budget", f"macs<={MOBILENET_V2_MACS}", "--budget", "params<=3504872")
    assert (met.code, met.err) == (0, "")
    assert met.out.endswith("2 budgets met\n")
    over = convcost("check", "mobilenet_v2", "--budget", f"macs<={MOBILENET_V2_MACS - 1}", "--budget", "params<=3M")
    assert over.code == 1
    assert over.out == ""
    lines = over.err.splitlines()
    assert [line.split(" is ")[0] for line in lines] == ["mobilenet_v2: macs", "mobilenet_v2: params"]
    assert lines[1].endswith("3.505 M (3,504,872), not params<=3M: 16.8 % above")
    wrong = convcost("check", "mobilenet_v2", "--budget", "time<=3ms")
    assert (wrong.code, wrong.out) == (2, "")


def test_a_spec_states_its_budget(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC.format(f"macs<={CONV_MACS}"))
    assert convcost("check", str(path)).code == 0
    path.write_text(SPEC.format(f"[macs<{CONV_MACS}, params<=1k]"))
    over = convcost("check", str(path))
    assert over.code == 1
    assert "macs is 221.2 k (221,184), not macs<221184" in over.err
    path.write_text(SPEC.format("[macs<=1, mac<=2]"))
    wrong = convcost("check", str(path))
    assert wrong.code == 1
    assert "tiny.yaml:2:19: no metric is called 'mac'; did you mean 'macs'" in wrong.err
    path.write_text(SPEC.format("{macs: 3}"))
    assert "tiny.yaml:2:9: `budget` takes METRIC<=VALUE" in convcost("check", str(path)).err


def test_the_hook_and_the_examples_of_the_page_are_valid() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"] == "convcost check"
    page = (ROOT / "docs" / "ci.md").read_text()
    blocks = [yaml.safe_load(block.split("```")[0]) for block in page.split("```yaml\n")[1:]]
    assert blocks[1]["repos"][0]["hooks"][0]["id"] == hook["id"]
    command = blocks[2]["jobs"]["check"]["steps"][-1]["run"]
    assert command.startswith("convcost check ")
    assert all(budget(part) for part in command.split("'")[1::2])


def test_the_spec_of_the_page_meets_its_budget(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    path = tmp_path / "page.yaml"
    path.write_text(page.split("```yaml\n")[1].split("```")[0])
    done = convcost("check", str(path))
    assert (done.code, done.err) == (0, "")
