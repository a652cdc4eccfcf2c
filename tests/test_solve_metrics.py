"""Budgets of ``solve`` on any metric, against the metrics of every network that a name can make."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from inprocess import convcost as command
from test_solve_counted import ENDING, RELATIONS, spec

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.metrics.budget import budget_names
from convcost.metrics.devices import device
from convcost.metrics.report import analyze
from convcost.solving.costs import CLOSED, CONSTANT, DOWN, UP, Costs, Setting

if TYPE_CHECKING:
    from pathlib import Path

SETTING = {"device": "v100", "dtype": "float16", "batch": 2}


def measured(target: str, name: str, value: Any, key: str) -> Any:
    """A metric of a network that is built; None where there is no such network."""
    try:
        graph = convcost.load(target, **{name: value})
    except convcost.ConvcostError:
        return None
    return analyze(graph, batch=2, dtype="float16", device=device("v100")).value(key)


@cache
def table(target: str, name: str, most: int, key: str) -> dict[int, Any]:
    """The metric at every whole value from 1 to ``most`` that makes a network."""
    values = {value: measured(target, name, value, key) for value in range(1, most + 1)}
    return {value: cost for value, cost in values.items() if cost is not None}


def bound_text(key: str, bound: Any) -> str:
    """A bound as an expression, in the unit of the metric."""
    unit = "s" if key in ("time", "compute_time") else ""
    bound = Fraction(bound)
    return f"{bound.numerator}{unit}/{bound.denominator}"


def try_all(target: str, name: str, most: int, key: str, *, bounded: bool) -> int:
    """Put budgets on a metric; the answer is the best of all values that were built. Returns how many were answered."""
    costs = table(target, name, most, key)
    generator = random.Random(f"{target} {name} {key}")  # noqa: S311 - repeatable, not secret
    known = sorted(set(costs.values()))
    answered = 0
    for bound in sorted({known[0], known[-1], *generator.sample(known, min(2, len(known)))}):
        for relation in ("<=", ">", "=="):
            for largest in (True, False):
                text = f"{key}{relation}{bound_text(key, bound)}"
                meeting = [value for value, cost in costs.items() if RELATIONS[relation](cost, bound)]
                try:
                    found = convcost.solve(target, name, text, largest=largest, **SETTING)
                except convcost.UnsupportedError:
                    assert not bounded
                    continue
                answered += 1
                if found.unbounded or (found.place is not None and found.place.value > most):
                    assert not bounded
                    assert largest or not meeting
                elif found.place is None:
                    assert meeting == [], text
                else:
                    assert found.place.value == (max(meeting) if largest else min(meeting)), text
                    assert found.place.costs[key] == costs[int(found.place.value)]
    return answered


GROWING = [
    ("bottleneck", "M", 40, "peak"),
    ("bottleneck", "M", 40, "time"),
    ("bottleneck", "M", 40, "bytes"),
    ("inverted_residual", "t", 10, "peak"),
    ("inverted_residual", "I", 30, "live"),  # I == O and I != O are two structures
    ("shuffle_unit", "M", 60, "time"),
    ("resnext_c", "C", 30, "compute_time"),
]


@pytest.mark.parametrize(("target", "name", "most", "key"), GROWING)
def test_bundled_blocks(target: str, name: str, most: int, key: str) -> None:
    assert try_all(target, name, most, key, bounded=False) > 0


@pytest.mark.parametrize("name", ["fall", "remainder", "product", "kernel"])
@pytest.mark.parametrize("key", ["peak", "time", "bytes", "intensity", "saved"])
def test_names_that_end(name: str, key: str, tmp_path: Path) -> None:
    """Costs that rise and fall; every value is tried, so that nothing is refused."""
    parameters, layers, free, last = ENDING[name]
    assert try_all(spec(parameters, layers, tmp_path, name), free, last + 20, key, bounded=True) > 0


def test_the_receptive_field_of_stacked_kernels(tmp_path: Path) -> None:
    """Three convolutions of kernel K see 3 (K - 1) + 1 positions."""
    layers = ", ".join(["conv: {out: 4, kernel: K, padding: valid}"] * 3)
    target = spec("{K: 2}", layers, tmp_path, "stack")
    least = convcost.solve(target, "K", "field>=4")
    assert (least.place.value if least.place else None, least.goal) == (2, "min")
    wide = tmp_path / "wide.yaml"
    steps = "".join("  - conv: {out: 4, kernel: K}\n" for _ in range(3))
    wide.write_text(f"input: [3, 64, 64]\nparameters: {{K: 3}}\nlayers:\n{steps}", encoding="utf-8")
    found = convcost.solve(str(wide), "K", "field<=21", within=(1, 40))
    assert found.place is not None
    assert (found.place.value, found.place.costs["field"]) == (7, (19, 19))
    with pytest.raises(convcost.UnsupportedError, match=r"give a --range K=LOW\.\.HIGH"):
        convcost.solve(str(wide), "K", "field<=21")


@pytest.mark.parametrize("key", ["peak", "time", "bytes"])
def test_a_ratio_between_its_plateaus(key: str) -> None:
    """Nothing above the answer that was tried meets the budget, and its plateau costs the same from end to end."""
    half = measured("mobilenet_v1", "alpha", Fraction(1, 2), key)
    text = f"{key}<={bound_text(key, half)}"
    found = convcost.solve("mobilenet_v1", "alpha", text, **SETTING)
    assert found.place is not None
    assert found.place.range.high is not None
    low, high = found.place.range.low, found.place.range.high
    for value in (low + (high - low) / 1000, high - (high - low) / 1000):
        assert measured("mobilenet_v1", "alpha", value, key) == found.place.costs[key] <= half
    for part in range(1, 12):
        assert measured("mobilenet_v1", "alpha", high + Fraction(part, 7), key) > half


def test_a_bound_on_the_memory_of_another_block() -> None:
    """Peak of a bottleneck over M against its own at M = 64 and against that of a plain block."""
    costs = table("bottleneck", "M", 220, "peak")
    plain = analyze(convcost.load("plain"), batch=2, dtype="float16").value("peak")
    found = convcost.solve("bottleneck", "M", "peak<=9/10*plain", **SETTING)
    meeting = [value for value, cost in costs.items() if cost <= Fraction(9, 10) * plain]
    assert (None if found.place is None else found.place.value) == (max(meeting) if meeting else None)


TARGETS = [("bottleneck", "M", 48), ("mobilenet_v2", "alpha", Fraction(2, 3)), ("unet", "size", 200)]


@pytest.mark.parametrize(("target", "name", "other"), TARGETS)
def test_closed_forms_are_what_is_measured(target: str, name: str, other: Any) -> None:
    """Of every metric that has one, at another value than that of the symbolic run, per batch and number format."""
    keys = sorted(CLOSED - {"reported"})
    setting = Setting(2, "float16", None, device("v100"))
    costs = Costs(Catalogue().target(target), [name], {}, [], reported=keys, setting=setting)
    structure = costs.at({name: other})
    assert structure is not None
    values = structure.values({name: other})
    assert values is not None
    for key in keys:
        assert values[key] == measured(target, name, other, key), key
    assert set(budget_names()) >= CLOSED


CERTIFIED = [
    ("mobilenet_v2", "alpha", [Fraction(k, 7) for k in range(3, 12)]),
    ("resnet18", "size", list(range(64, 320, 31))),
    ("densenet121", "k", [8, 12, 24, 32, 40]),
    ("shufflenet_v2", "classes", [1, 10, 5000]),
    ("bottleneck", "K", [1, 2, 3, 4, 5, 6, 7]),
]


@pytest.mark.parametrize(("target", "name", "values"), CERTIFIED)
@pytest.mark.parametrize("key", ["peak", "live", "time", "compute_time"])
def test_a_certificate_of_growth_is_true(target: str, name: str, values: list[Any], key: str) -> None:
    from convcost.solving.budgets import parse_budget  # noqa: PLC0415 - of this test alone

    unit = "s" if "time" in key else ""
    catalogue = Catalogue()
    setting = Setting(2, "float16", None, device("v100"))
    bound = parse_budget(f"{key}<=1{unit}", catalogue)
    structure = Costs(catalogue.target(target), [name], {}, [bound], setting=setting).first
    course = structure.course(0, structure.formula.symbols[name], Fraction(values[0]))
    assert course in (UP, CONSTANT)
    costs = [measured(target, name, value, key) for value in values]
    assert all(a <= b for a, b in pairwise(cost for cost in costs if cost is not None))
    assert course != CONSTANT or len(set(costs)) == 1


def test_falling_is_certified_too(tmp_path: Path) -> None:
    """A stride makes every map smaller, and so the time."""
    from convcost.solving.budgets import parse_budget  # noqa: PLC0415 - of this test alone

    catalogue = Catalogue()
    target = spec("{P: 3}", 'conv: {out: "24 - P", kernel: 1}', tmp_path, "falling")
    bound = parse_budget("time<=1s", catalogue)
    setting = Setting(device=device("v100"))
    structure = Costs(catalogue.target(target), ["P"], {}, [bound], setting=setting).first
    assert structure.course(0, structure.formula.symbols["P"], Fraction(1)) == DOWN


def test_the_command_takes_what_check_takes() -> None:
    options = ("--budget", "peak<=512k", "--budget", "size<=4MB", "--dtype", "int8")
    data = json.loads(command("solve", "mobilenet_v2", "--for", "size", *options, "--format", "json").out)
    assert (data["dtype"], data["fused"], data["not_proved"]) == ("int8", True, [])
    size = data["answer"]["value"]
    assert data["answer"]["costs"]["peak"] <= 512_000 < data["above"]["costs"]["peak"]
    checked = command("check", "mobilenet_v2", "--set", f"size={size}", *options)
    assert checked.code == 0, checked.err
    over = command("check", "mobilenet_v2", "--set", f"size={size + 1}", *options)
    assert "peak is" in over.err
    shown = command("solve", "mobilenet_v2", "--for", "size", *options).out
    assert "int8, norms and activations fused" in shown


def test_points_of_a_grid_by_memory() -> None:
    """All nine networks are built; those within the budget that no other beats in MACs and peak are the answer."""
    options = ("--budget", "peak<=3MB", "--step", "alpha=0.5", "--step", "size=64")
    ranges = ("--range", "alpha=0.5..1.5", "--range", "size=64..192", "--objective", "max macs,min peak")
    data = json.loads(
        command("solve", "mobilenet_v1", "--for", "alpha,size", *options, *ranges, "--format", "json").out
    )
    points = {}
    for half in (1, 2, 3):
        for size in (64, 128, 192):
            analysis = analyze(convcost.load("mobilenet_v1", alpha=Fraction(half, 2), size=size))
            if analysis.value("peak") <= 3_000_000:
                points[half, size] = (analysis.value("macs"), -analysis.value("peak"))
    best = {
        point
        for point, score in points.items()
        if not any(a >= score[0] and b >= score[1] for q, (a, b) in points.items() if q != point)
    }
    assert {(2 * point["values"]["alpha"], point["values"]["size"]) for point in data["points"]} == best


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--for alpha --budget time<=3ms", "a time needs a device: --device NAME|FILE"),
        ("--for alpha --budget time<=3", "time takes one of the units s, ms, us, ns; found none"),
        ("--for alpha --budget macs<=3ms", "macs takes one of the units k, K, M, G, T; found 'ms'"),
        ("--for alpha --budget kernel<=3", "kernel is not a number to bound"),
        ("--for alpha --budget field~30", "field has a size for each axis; use <= or >="),
        ("--for alpha --budget macs<=1/2*plain.mac", "no metric is called 'mac'; did you mean 'macs'?"),
        ("--for alpha --budget macs<=1M --range 3..1", "--range takes LOW..HIGH with LOW at most HIGH"),
        ("--for alpha,size --budget macs<=1M --objective max:fields", "no metric or parameter is called 'fields'"),
    ],
)
def test_misuse(arguments: str, message: str) -> None:
    result = command("solve", "mobilenet_v1", *arguments.split())
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert message in result.err
