"""``convcost solve``: what it prints, and what it refuses."""

from __future__ import annotations

import json

import pytest
from inprocess import convcost


def test_command() -> None:
    result = convcost("solve", "mobilenet_v1", "--for", "alpha", "--budget", "macs<=300M")
    assert result.code == 0, result.err
    assert [line.split()[0] for line in result.out.splitlines()[3:6]] == ["0.719", "0.72", "0.721"]
    assert "<- largest" in result.out
    assert "without rounding, macs<=300M is met exactly at alpha = " in result.out
    data = json.loads(
        convcost("solve", "bottleneck", "--for", "M", "--budget", "macs<=1/2*plain", "--format", "json").out
    )
    assert (data["schema"], data["answer"]["value"], data["above"]["broken"]) == (
        "convcost/solve/1",
        154,
        ["macs<=1/2*plain"],
    )


def test_command_for_several() -> None:
    options = ("--for", "alpha,size", "--budget", "macs<=150M", "--step", "alpha=1/4", "--step", "size=32")
    result = convcost("solve", "mobilenet_v1", *options, "--format", "csv")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0] == "alpha,size,params,macs"
    assert "0.5,224,1331592,149497088" in lines


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            "--for alpha --budget macs",
            2,
            "error: --budget takes METRIC<=VALUE, as macs<=150M or time<=3ms; found 'macs'",
        ),
        (
            "--for alpha --budget macs<=",
            2,
            "error: --budget takes METRIC<=VALUE, as macs<=150M or time<=3ms; found 'macs<='",
        ),
        ("--for alpha --budget mac<=3", 2, "error: no metric is called 'mac'; did you mean 'macs'?"),
        (
            "--for alpha --budget macs<=3*plane",
            2,
            "error: --budget: no metric, network or block is called 'plane'; did you mean 'plain'?",
        ),
        ("--for alpha --budget macs<=__import__(1)", 2, "error: --budget: '__import__(1)' is not an expression"),
        ("--for alpha --budget macs<=10^10^10", 2, "error: --budget macs<=10^10^10: 10**10000000000 is too large"),
        ("--for alpha --budget macs<=[1]", 2, "error: --budget macs<=[1]: a bound is a number, found [1]"),
        ("--for alpha --budget macs<=true", 2, "error: --budget macs<=true: a bound is a number, found true"),
        ("--for alhpa --budget macs<=1", 2, "error: mobilenet_v1 has no parameter 'alhpa'; did you mean 'alpha'?"),
        ("--for variant --budget macs<=1", 2, "error: `variant` of mobilenet_v1 cannot be free"),
        ("--for alpha --budget macs<=1M --step 0", 2, "error: --step takes positive numbers, found '0'"),
        ("--for alpha,size --budget macs<=1M", 2, "error: `alpha` needs a step: --step alpha=VALUE"),
        (
            "--for alpha,size --budget macs~1M --step alpha=1/4 --step size=32",
            2,
            "error: --budget macs~1M: the nearest value is found for one parameter; use <= or >= for several",
        ),
        ("--for alpha,size --budget macs<=1M --max", 2, "error: --max and --min are for one name"),
        ("--for alpha,size --budget macs<=1M --step 1", 2, "error: --step takes NAME=VALUE where there are several"),
    ],
)
def test_misuse(arguments: str, code: int, message: str) -> None:
    result = convcost("solve", "mobilenet_v1", *arguments.split())
    assert result.code == code
    assert result.err.startswith(message)
    assert result.err.count("\n") == 1


def test_nothing_found_is_exit_code_1() -> None:
    result = convcost("solve", "resnet50", "--for", "size", "--budget", "params<=20M")
    assert result.code == 1
    assert "no value of size meets the budget" in result.out
