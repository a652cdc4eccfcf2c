"""``solve`` against counting: every value of a name is tried, and the answer must be the best of those that meet."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from conftest import sampled
from inprocess import convcost as command

import convcost

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.solving.solution import Solution

Costs = dict[str, int]

RELATIONS = {
    "<=": lambda cost, bound: cost <= bound,
    ">=": lambda cost, bound: cost >= bound,
    "<": lambda cost, bound: cost < bound,
    ">": lambda cost, bound: cost > bound,
    "==": lambda cost, bound: cost == bound,
}


def counted(target: str, values: dict[str, Any]) -> Costs | None:
    """What a network costs, counted by building it; None where there is no such network."""
    try:
        totals = convcost.analyze(convcost.load(target, **values)).totals
    except convcost.ConvcostError:
        return None
    return {"params": int(totals.params), "macs": int(totals.macs)}


@cache
def table(target: str, name: str, most: int) -> dict[int, Costs]:
    """The cost of every whole value from 1 to ``most`` that makes a network."""
    return {value: costs for value in range(1, most + 1) if (costs := counted(target, {name: value})) is not None}


class Query(NamedTuple):
    """A budget: a quantity, a relation and a bound."""

    quantity: str
    relation: str
    bound: int

    @property
    def text(self) -> str:
        return f"{self.quantity}{self.relation}{self.bound}"

    def holds(self, costs: Costs) -> bool:
        return bool(RELATIONS[self.relation](costs[self.quantity], self.bound))


def queries(costs: dict[int, Costs], seed: str) -> list[list[Query]]:
    """Budgets that are met exactly, missed by one, out of reach, and several at a time."""
    generator = random.Random(seed)  # noqa: S311 - repeatable, not secret
    made: list[list[Query]] = []
    for quantity in ("params", "macs"):
        known = sorted({one[quantity] for one in costs.values()})
        chosen = {known[0], known[-1], *generator.sample(known, min(3, len(known)))}
        for bound in sorted(chosen):
            made += [[Query(quantity, relation, bound)] for relation in RELATIONS]
            made += [[Query(quantity, relation, bound + off)] for off in (-1, 1) for relation in ("<=", ">=", "==")]
        made += [[Query(quantity, "<=", known[0] - 1)], [Query(quantity, "==", 10 * known[-1] + 7)]]
        low, high = sorted(generator.choices(known, k=2))
        made += [[Query(quantity, ">=", low), Query(quantity, "<=", high)]]
        other = "macs" if quantity == "params" else "params"
        for relation, opposite in (("<=", ">="), (">=", "<="), ("<=", "<=")):
            bound = generator.choice(sorted(one[other] for one in costs.values()))
            made.append([Query(quantity, relation, high), Query(other, opposite, bound)])
    return made


def check(found: Solution, costs: dict[int, Costs], budgets: list[Query], *, largest: bool, bounded: bool) -> None:
    """That the answer is the best value of the table; beyond an unbounded table only that it goes on."""
    meeting = [value for value, cost in costs.items() if all(one.holds(cost) for one in budgets)]
    what = ([one.text for one in budgets], "largest" if largest else "smallest")
    if found.unbounded:
        assert largest, what
        assert not bounded, what
        # what grows with the name may reach a lower bound beyond the table, but has not passed an upper one
        assert all(one.holds(costs[max(costs)]) for one in budgets if one.relation not in (">=", ">")), what
        return
    if found.place is None:
        assert meeting == [], what
        return
    value = found.place.value
    if not bounded and value > max(costs):
        assert largest or not meeting, what
        return
    assert meeting, what
    assert value == (max(meeting) if largest else min(meeting)), what
    assert {key: found.place.costs[key] for key in ("params", "macs")} == costs[int(value)], what
    for neighbour in (found.below, found.above):
        if neighbour is not None and neighbour.value in costs:
            broken = [one.text for one in budgets if not one.holds(costs[int(neighbour.value)])]
            assert [one.text for one in neighbour.broken] == broken, what


def check_nearest(found: Solution, costs: dict[int, Costs], query: Query, *, largest: bool, bounded: bool) -> None:
    """That no cost of the table is nearer; of equal distances one within the bound, then the largest or smallest."""
    what = (query.text, "largest" if largest else "smallest")

    def rank(value: int) -> tuple[int, bool, int]:
        excess = costs[value][query.quantity] - query.bound
        return abs(excess), excess > 0, -value if largest else value

    best = min(costs, key=rank)
    if found.unbounded:
        assert largest, what
        assert not bounded, what
        assert rank(max(costs))[:2] == rank(best)[:2], what
        return
    assert found.place is not None, what
    value = found.place.value
    if not bounded and value > max(costs):
        excess = int(found.place.costs[query.quantity]) - query.bound
        assert (abs(excess), excess > 0) <= rank(best)[:2], what
        return
    assert value == best, what


def try_nearest(target: str, name: str, most: int, *, bounded: bool) -> int:
    """Ask for the cost nearest to known costs, between two and beyond all; how many were answered."""
    costs = table(target, name, most)
    generator = random.Random(f"near {target} {name}")  # noqa: S311 - repeatable, not secret
    answered = 0
    for quantity in ("params", "macs"):
        known = sorted({one[quantity] for one in costs.values()})
        pairs = [generator.choices(known, k=2) for _ in range(3)]
        bounds = {known[0] // 2, known[0], known[-1] + 1, *(sum(pair) // 2 for pair in pairs), pairs[0][0] + 1}
        for query in (Query(quantity, "~", bound) for bound in sorted(bounds)):
            for largest in (True, False):
                try:
                    found = convcost.solve(target, name, query.text, largest=largest)
                except convcost.UnsupportedError:
                    continue
                answered += 1
                check_nearest(found, costs, query, largest=largest, bounded=bounded)
    return answered


def try_all(target: str, name: str, most: int, *, bounded: bool) -> tuple[int, int]:
    """Put every query about one name to ``solve``; how many it answered, and how many it refused."""
    costs = table(target, name, most)
    answered = refused = 0
    for budgets in queries(costs, f"{target} {name}"):
        for largest in (True, False):
            try:
                found = convcost.solve(target, name, *(one.text for one in budgets), largest=largest)
            except convcost.UnsupportedError:
                refused += 1
                continue
            answered += 1
            check(found, costs, budgets, largest=largest, bounded=bounded)
    return answered, refused


BUNDLED = [
    ("bottleneck", "M", 60),
    ("inverted_residual", "t", 12),
    ("inverted_residual", "I", 40),
    ("group_conv", "G", 40),
    ("shuffle_unit", "M", 60),
    ("depthwise_separable_conv", "K", 30),
    ("resnext_c", "C", 40),
]


@pytest.mark.parametrize(("target", "name", "most"), sampled(BUNDLED, 4))
def test_bundled_blocks(target: str, name: str, most: int) -> None:
    answered, refused = try_all(target, name, most, bounded=False)
    assert answered > 0
    assert refused == 0
    assert try_nearest(target, name, most, bounded=False) > 0


# Specs whose name ends somewhere, so that the table holds every value there is; with that greatest value.
ENDING = {
    "kernel": ("{K: 3}", "conv: {out: 1, kernel: K, padding: valid, bias: false}", "K", 5),
    "wide_kernel": ("{K: 3}", "conv: {out: 8, kernel: [K, 3], padding: valid}", "K", 6),
    "fall": ("{P: 20}", 'conv: {out: "P - 9", kernel: 3, bias: false}, conv: {out: "40 - P", kernel: 3}', "P", 39),
    "fall_max": ("{P: 5}", 'conv: {out: "max(2, 12 - P)", kernel: 3}, conv: {out: "30 - P", kernel: 1}', "P", 29),
    "product": ("{P: 3}", 'conv: {out: "P * (17 - P)", kernel: 1}', "P", 16),
    "remainder": ("{P: 3}", 'conv: {out: "1 + P % 5", kernel: 1}, conv: {out: "24 - P", kernel: 1}', "P", 23),
    "floor_fall": ("{P: 3}", 'conv: {out: "(50 - P) // 3", kernel: 1}, conv: {out: "P + 1", kernel: 1}', "P", 47),
    "divides": ("{P: 3}", "conv: {out: 24, kernel: 1}, conv: {out: 24, kernel: 3, groups: P}", "P", 24),
    "dilated": ("{P: 1}", "conv: {out: 3, kernel: 2, dilation: P, padding: valid}", "P", 4),
}
# Specs whose name goes on for ever.
ENDLESS = {
    "width": ("{P: 3}", 'conv: {out: "max(4, P)", kernel: 3}, conv: {out: "P // 2 + 1", kernel: 1}'),
    "rounded": ("{P: 3}", 'conv: {out: "make_divisible(P * 3 / 4, 4)", kernel: 3}'),
    "stepped": ("{P: 3}", 'conv: {out: "8 * ((P + 2) // 3)", kernel: 1}, conv: {out: 7, kernel: 1}'),
    "halves": ("{P: 4}", 'conv: {out: "P", kernel: 1}, conv: {out: "P", kernel: 3, groups: 4}'),
    "stride": ("{P: 2}", "conv: {out: 3, kernel: 1, stride: P}"),
    "late": ("{P: 90}", 'conv: {out: "max(1, P - 70)", kernel: 1}'),
}


def spec(parameters: str, layers: str, folder: Path, name: str) -> str:
    """The path of a spec that is written down."""
    steps = "".join(f"  - {one}\n" for one in layers.replace("}, ", "}\x00").split("\x00"))
    path = folder / f"{name}.yaml"
    path.write_text(f"input: {{I: 1, H: 6, W: 5}}\nparameters: {parameters}\nlayers:\n{steps}", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", sampled(ENDING, 3))
def test_names_that_end(name: str, tmp_path: Path) -> None:
    parameters, layers, free, last = ENDING[name]
    target = spec(parameters, layers, tmp_path, name)
    assert max(table(target, free, last + 40)) == last
    answered, _ = try_all(target, free, last + 40, bounded=True)
    assert answered > 0
    assert try_nearest(target, free, last + 40, bounded=True) > 0


@pytest.mark.parametrize("name", sampled(ENDLESS, 3))
def test_names_that_go_on(name: str, tmp_path: Path) -> None:
    target = spec(*ENDLESS[name], tmp_path, name)
    answered, _ = try_all(target, "P", 120, bounded=False)
    assert answered > 0
    assert try_nearest(target, "P", 120, bounded=False) > 0


def test_a_structure_far_from_the_others_is_found(tmp_path: Path) -> None:
    """No network from P = 10 to P = 200, and networks without end beyond."""
    target = spec("{P: 3}", 'conv: {out: "P if P < 10 else P - 200", kernel: 1, bias: false}', tmp_path, "far")
    found = convcost.solve(target, "P", "params<=50")
    assert found.place is not None
    assert (found.place.value, found.unproved) == (250, ())
    least = convcost.solve(target, "P", "params>=20")
    assert least.place is not None
    assert least.place.value == 220


def test_what_was_not_tried_is_not_claimed(tmp_path: Path) -> None:
    """One network, at P = 777, in a gap with too many values to try; in a range of 1,000 values each is tried."""
    layers = 'conv: {out: "P if P < 10 else 1 - (P - 777) * (P - 777)", kernel: 1, bias: false}'
    target = spec("{P: 3}", layers, tmp_path, "single")
    found = convcost.solve(target, "P", "params<=5")
    assert found.place is not None
    assert found.place.value == 5
    (sentence,) = found.unproved
    assert sentence.startswith("that there is no network for 10 <= P; ")
    shown = command("solve", target, "--for", "P", "--budget", "params<=5").out
    assert f"not proved: {sentence}" in shown
    within = convcost.solve(target, "P", "params<=5", within=(1, 1000))
    assert within.place is not None
    assert (within.place.value, within.unproved) == (777, ())


RATIOS = [("bottleneck", "M", "macs", "plain", 80), ("inverted_residual", "t", "params", "plain", 12)]


@pytest.mark.parametrize(("target", "name", "quantity", "other", "most"), sampled(RATIOS, 3))
@pytest.mark.parametrize("share", ["1/3", "3/4", "5/4"])
@pytest.mark.parametrize("relation", ["<=", ">"])
def test_ratios_of_two_networks(
    target: str, name: str, quantity: str, other: str, most: int, share: str, relation: str
) -> None:
    """A share of what another block costs, which does not depend on the name."""
    costs = table(target, name, most)
    whole = counted(other, {})
    assert whole is not None
    bound = Fraction(share) * whole[quantity]
    meeting = [value for value, cost in costs.items() if RELATIONS[relation](cost[quantity], bound)]
    found = convcost.solve(target, name, f"{quantity}{relation}{share}*{other}", largest=relation == "<=")
    answer = None if found.place is None else found.place.value
    if answer is None or answer <= most:
        assert answer == ((max(meeting) if relation == "<=" else min(meeting)) if meeting else None)
    else:
        assert len(meeting) == (len(costs) if relation == "<=" else 0)


@pytest.mark.parametrize("share", ["1/9", "1/5", "1/3"])
def test_ratios_that_change_on_both_sides(share: str) -> None:
    """The kernel is that of both blocks."""
    meeting = []
    for kernel in range(1, 40):
        mine, standard = (counted(name, {"K": kernel}) for name in ("depthwise_separable_conv", "standard_conv"))
        if mine is not None and standard is not None and mine["macs"] <= Fraction(share) * standard["macs"]:
            meeting.append(kernel)
    found = convcost.solve("depthwise_separable_conv", "K", f"macs<={share}*standard_conv", largest=False)
    assert (None if found.place is None else found.place.value) == min(meeting)


def test_two_budgets_cannot_both_be_nearest() -> None:
    with pytest.raises(convcost.UsageError, match="one budget with ~ at most"):
        convcost.solve("bottleneck", "M", "macs~10M", "params~100k")


KERNEL = ENDING["kernel"]
FALL = (
    "{P: 20}",
    'conv: {out: "P - 9", kernel: 3, bias: false}, conv: {out: "40 - P", kernel: 3, bias: false}',
    "P",
    39,
)


@pytest.mark.parametrize(
    ("made", "budget", "largest", "answer"),
    [
        (KERNEL, "macs<=100", True, 5),  # K = 5 leaves a 2 x 1 map: 25 * 2 = 50
        (KERNEL, "macs==50", True, 5),
        (FALL, "params==279", False, 10),  # (P - 9) * 9 * (1 + 40 - P): 9 * 31
        (FALL, "params==540", True, 39),  # 30 * 9 * 2
        (KERNEL, "macs~97", True, 4),  # 16 * 3 * 2 = 96; K = 5 costs 50
        (KERNEL, "macs~97", False, 4),
    ],
)
def test_the_closed_end_of_a_range(made: Any, budget: str, largest: bool, answer: int, tmp_path: Path) -> None:  # noqa: FBT001
    parameters, layers, name, _ = made
    found = convcost.solve(spec(parameters, layers, tmp_path, "end"), name, budget, largest=largest)
    assert found.place is not None
    assert found.place.value == answer


def test_a_kernel_as_wide_as_the_map(tmp_path: Path) -> None:
    """On a map of 20 x 14, K = 14 leaves 7 x 1: 16 * 8 * 14^2 * 7 = 175,616 MACs; no larger kernel fits."""
    path = tmp_path / "valid.yaml"
    layers = "[conv: {out: 8, kernel: K, padding: valid, bias: false}]"
    path.write_text(f"input: {{I: 16, H: 20, W: 14}}\nparameters: {{K: 3}}\nlayers: {layers}\n", encoding="utf-8")
    found = convcost.solve(str(path), "K", "macs<=100M")
    assert found.place is not None
    assert (found.place.value, found.place.costs["macs"], found.above) == (14, 175_616, None)
    assert found.ideal[0].value is None  # without rounding it would be 40.2, where there is no network


def test_a_root_outside_the_stretch_of_its_formula_is_not_shown() -> None:
    """Up to alpha = 5/18 the first width, 32 alpha, rounds to 8 like the second: then there is one shortcut more.

    8 is at least 90 % of 32 alpha exactly when alpha <= 5/18. The formula for larger alpha has its root near 0.
    """
    found = convcost.solve("mobilenet_v2", "alpha", "macs<=1")
    assert found.place is None
    assert [root.value for root in found.ideal] == [None]


def test_a_bound_beyond_every_usual_size_is_still_a_bound() -> None:
    """M (9 M + 512) * 196 <= 10^45."""
    found = convcost.solve("bottleneck", "M", "macs<=10^45")
    assert not found.unbounded
    assert found.place is not None
    answer = int(found.place.value)
    assert 196 * answer * (9 * answer + 512) <= 10**45 < 196 * (answer + 1) * (9 * answer + 521)


ASKED = [
    ("mobilenet_v1", "alpha", "macs>=300M"),
    ("mobilenet_v1", "alpha", "macs>300M"),
    ("mobilenet_v1", "alpha", "macs<=300M"),
    ("mobilenet_v1", "alpha", "macs<300M"),
    ("mobilenet_v1", "alpha", "macs~300M"),
    ("mobilenet_v1", "alpha", "macs==568740352"),
    ("mobilenet_v1", "alpha", "macs>=100M,macs<=200M"),
    ("mobilenet_v1", "alpha", "macs>=100M,params>=1M"),
    ("resnet50", "size", "params<=20M"),
    ("resnet50", "size", "params>=20M"),
    ("bottleneck", "M", "macs<=1/2*plain"),
    ("bottleneck", "K", "macs<=1/8*plain"),
]


@pytest.mark.parametrize(("target", "name", "budgets"), ASKED)
def test_library_and_command_answer_alike(target: str, name: str, budgets: str) -> None:
    texts = budgets.split(",")
    options = [part for text in texts for part in ("--budget", text)]
    data = json.loads(command("solve", target, "--for", name, *options, "--format", "json").out)
    found = convcost.solve(target, name, *texts)
    exact = None if found.place is None else str(found.place.value)
    assert exact == (None if data["answer"] is None else data["answer"]["exact"])
    assert (found.unbounded, found.goal) == (data["unbounded"], data["goal"])


def test_a_parameter_reaches_the_networks_that_a_budget_names() -> None:
    """With O = 64 the plain block has 9 * 64^2 weights on both sides of the question."""
    options = ("--budget", "params<=1/2*plain", "--set", "O=64", "--format", "json")
    data = json.loads(command("solve", "bottleneck", "--for", "M", *options).out)
    found = convcost.solve("bottleneck", "M", "params<=1/2*plain", O=64)
    assert found.place is not None
    assert str(found.place.value) == data["answer"]["exact"]


@pytest.mark.parametrize("bound", [10_000, 100_000, 1_000_000])
def test_points_of_a_grid_that_none_beats(bound: int) -> None:
    """Bottleneck over M and O: the points are all built and counted, and compared in pairs."""
    budget = f"macs<={bound}"
    steps = ("--step", "M=1", "--step", "H=2", "--range", "M=1..9", "--range", "H=2..12")
    result = command("solve", "bottleneck", "--for", "M,H", "--budget", budget, *steps, "--format", "json")
    fitting = [
        (m, h)
        for m in range(1, 10)
        for h in range(2, 13, 2)
        if (costs := counted("bottleneck", {"M": m, "H": h})) is not None and costs["macs"] <= bound
    ]
    best = {p for p in fitting if not any(q != p and q[0] >= p[0] and q[1] >= p[1] for q in fitting)}
    points = json.loads(result.out)["points"]
    assert {(one["values"]["M"], one["values"]["H"]) for one in points} == best
    assert result.code == (0 if best else 1)


def test_an_empty_grid_says_so() -> None:
    steps = ("--step", "M=1", "--step", "H=2", "--range", "M=1..3", "--range", "H=2..4")
    result = command("solve", "bottleneck", "--for", "M,H", "--budget", "macs<=1", *steps)
    assert result.code == 1
    assert "no point of the grid meets the budget" in result.out
    assert "at least as good" not in result.out
