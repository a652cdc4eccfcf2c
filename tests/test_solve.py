"""The value that meets a budget, against counting; and the members of families that papers print."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.catalogue.loader import Catalogue
from convcost.errors import ConvcostError
from convcost.language.interpret import build
from convcost.metrics.objective import Objective
from convcost.metrics.quantities import quantities
from convcost.solving.budgets import parse_budget
from convcost.solving.candidates import simplest
from convcost.solving.costs import Costs
from convcost.solving.pareto import pareto
from convcost.solving.solution import Solution, solve


def solved(name: str, free: str, *budgets: str, values: dict[str, Any] | None = None, **how: Any) -> Solution:
    catalogue = Catalogue()
    bounds = [parse_budget(text, catalogue) for text in budgets]
    return solve(Costs(catalogue.target(name), [free], values or {}, bounds), **how)


def counted(name: str, values: dict[str, Any], quantity: str = "macs") -> int | None:
    """The cost, or None where there is no such network."""
    try:
        return int(quantities(build(Catalogue().target(name), values).layers)[quantity])
    except ConvcostError:
        return None


# Howard et al. (2017), Table 6: printed million mult-adds, and the width multiplier they are of
MOBILENETS = [(325, Fraction(3, 4)), (149, Fraction(1, 2)), (41, Fraction(1, 4))]


@pytest.mark.parametrize(("printed", "alpha"), MOBILENETS)
def test_the_width_multipliers_of_mobilenet(printed: int, alpha: Fraction) -> None:
    near = solved("mobilenet_v1", "alpha", f"macs~{printed}M").place
    assert near is not None
    assert near.value == alpha
    stepped = solved("mobilenet_v1", "alpha", f"macs<={printed + 1}M", step=Fraction(1, 4)).place
    assert stepped is not None
    assert stepped.value == alpha


@pytest.mark.parametrize(("printed", "size"), [(418, 192), (290, 160), (186, 128)])
def test_the_resolutions_of_mobilenet(printed: int, size: int) -> None:
    found = solved("mobilenet_v1", "size", f"macs<={printed + 1}M", step=32).place
    assert found is not None
    assert found.value == size


# Zhang et al. (2018), Table 1: output channels of stage 2 for each number of groups, at about 140 MFLOPs
@pytest.mark.parametrize(("groups", "width"), [(1, 144), (2, 200), (3, 240), (4, 272), (8, 384)])
def test_the_widths_of_shufflenet(groups: int, width: int) -> None:
    found = solved("shufflenet_v1", "width", "macs~140M", values={"g": groups})
    assert found.place is not None
    assert found.place.value == width
    for place in (found.below, found.above):  # four times the groups divide the width, or there is no such network
        assert place is not None
        assert place.value % (4 * groups) == 0
        assert abs(place.value - width) == 4 * groups


def test_the_bottleneck_that_costs_half() -> None:
    """M (9 M + 512) <= 9 * 256^2 / 2 holds up to M = 154."""
    found = solved("bottleneck", "M", "macs<=1/2*plain")
    assert found.place is not None
    assert found.place.value == 154
    assert 154 * (9 * 154 + 512) <= 9 * 256**2 / 2 < 155 * (9 * 155 + 512)
    (root,) = found.ideal
    assert root.value == pytest.approx((512**2 + 4 * 9 * 9 * 256**2 / 2) ** 0.5 / 18 - 512 / 18)


CASES = [
    ("mobilenet_v1", "alpha", "macs<={}"),
    ("mobilenet_v2", "alpha", "macs<={}"),
    ("mobilenet_v3", "alpha", "params<={}"),
    ("efficientnet_b0", "width", "macs<={}"),
    ("mobilenet_v1", "rho", "macs<={}"),
    ("shufflenet_v1", "s", "macs<={}"),
    ("inception_v3", "size", "macs<={}"),
    ("unet", "size", "macs<={}"),
    ("yolov3_tiny", "size", "macs<={}"),
    ("densenet121", "k", "params<={}"),
    ("resnext50", "C", "macs<={}"),
]


@pytest.mark.parametrize(("name", "free", "budget"), CASES)
@pytest.mark.parametrize("share", [Fraction(1, 3), Fraction(5, 4)])
def test_nothing_larger_meets_the_budget(name: str, free: str, budget: str, share: Fraction) -> None:
    """The answer meets it, its neighbour does not, and neither does anything further up that was tried."""
    quantity = budget.partition("<=")[0]
    default = counted(name, {}, quantity)
    assert default is not None
    bound = int(default * share)
    found = solved(name, free, budget.format(bound))
    assert found.place is not None
    assert found.above is not None
    value = found.place.value
    assert found.place.costs[quantity] == counted(name, {free: value}, quantity)
    assert found.place.costs[quantity] <= bound < found.above.costs[quantity]
    generator = random.Random(f"{name} {free} {share}")  # noqa: S311 - repeatable, not secret
    for _ in range(25):
        if isinstance(Catalogue().target(name).parameters[free].default.constant, int):  # type: ignore[union-attr]
            more: Any = value + generator.randint(1, max(int(value), 4))
        else:
            more = value * (1 + Fraction(generator.randint(1, 1000), 1000))
        if more not in found.place.range:
            cost = counted(name, {free: more}, quantity)
            assert cost is None or cost > bound, more


@pytest.mark.parametrize(("name", "free", "budget"), CASES[:5])
def test_a_plateau_costs_the_same_from_end_to_end(name: str, free: str, budget: str) -> None:
    quantity = budget.partition("<=")[0]
    found = solved(name, free, budget.format(counted(name, {}, quantity)))
    for place in (found.below, found.place, found.above):
        assert place is not None
        low, high = place.range.low, place.range.high
        assert high is not None
        tiny = (high - low) / 1000
        inside = [low + tiny, (low + high) / 2, high - tiny, *([low] if place.range.low_in else []), place.value]
        assert {counted(name, {free: value}, quantity) for value in inside} == {place.costs[quantity]}
        outside = low if not place.range.low_in else low - tiny
        assert counted(name, {free: outside}) != place.costs["macs"] or quantity != "macs"
    assert found.below is not None
    assert found.place is not None
    assert found.above is not None
    assert found.below.range.high == found.place.range.low
    assert found.place.range.high == found.above.range.low


BRUTE = [
    ("bottleneck", "M", 120),
    ("inverted_residual", "t", 12),
    ("inverted_residual", "I", 48),  # I == O and I != O are two structures
    ("group_conv", "G", 40),
    ("shuffle_unit", "M", 130),
    ("yolov3_tiny", "size", 130),
    ("densenet121", "k", 12),
]


@pytest.mark.parametrize(("name", "free", "most"), BRUTE)
@pytest.mark.parametrize("relation", ["<=", ">="])
@pytest.mark.parametrize("largest", [True, False])
def test_whole_numbers_against_trying_each(name: str, free: str, most: int, relation: str, largest: bool) -> None:  # noqa: FBT001
    costs = {value: cost for value in range(1, most + 1) if (cost := counted(name, {free: value})) is not None}
    bounds = sorted(set(costs.values()))[1:-1]
    for bound in bounds[:: max(len(bounds) // 6, 1)]:
        fitting = [v for v, cost in costs.items() if (cost <= bound if relation == "<=" else cost >= bound)]
        found = solved(name, free, f"macs{relation}{bound}", largest=largest)
        if found.unbounded or (found.place is not None and found.place.value > most):
            assert largest
            assert max(costs) in fitting  # it goes on beyond what was tried
        else:
            assert found.place is not None
            assert found.place.value == (max(fitting) if largest else min(fitting))


def test_several_budgets_hold_together() -> None:
    found = solved("mobilenet_v1", "alpha", "macs<=149.5M", "params<=1.4M")
    assert found.place is not None
    assert found.place.value == Fraction(1, 2)
    assert [one.budget.text for one in found.ideal] == ["macs<=149.5M", "params<=1.4M"]


def test_at_least_and_at_most() -> None:
    least = solved("mobilenet_v1", "alpha", "macs>=100M", "macs<=200M", largest=False).place
    most = solved("mobilenet_v1", "alpha", "macs>=100M", "macs<=200M").place
    assert least is not None
    assert most is not None
    assert 100_000_000 <= least.costs["macs"] <= most.costs["macs"] <= 200_000_000
    assert least.value < most.value
    assert solved("mobilenet_v1", "alpha", "macs>=200M", "macs<=100M").place is None
    exact = solved("mobilenet_v1", "alpha", "macs==568740352").place
    assert exact is not None
    assert exact.value == 1


def test_groups_only_divide() -> None:
    found = solved("group_conv", "G", "params<=1000", largest=False)
    assert found.place is not None
    assert (found.place.value, found.place.costs["params"]) == (32, 9 * 32 * 64 // 32)
    assert found.below is not None
    assert found.below.value == 16


def test_another_structure_is_looked_at() -> None:
    """At s = 1/2 ShuffleNet's first convolution has 12 channels, and the cost is not on the curve of the others."""
    found = solved("shufflenet_v1", "s", "macs<=38M").place
    assert found is not None
    assert (found.value, found.costs["macs"]) == (Fraction(1, 2), 37_589_856)  # ShuffleNet-Series: 0.5x, g = 3


def test_what_gets_easier_as_the_name_grows() -> None:
    """1/O + 1/K^2 <= 1/5 for O = 64 from K = 3 on; M^2 K^2 + 512 M <= 256^2 K^2/8 for M = 64 from K = 3 on."""
    for name, budget in (("depthwise_separable_conv", "macs<=1/5*standard_conv"), ("bottleneck", "macs<=1/8*plain")):
        least = solved(name, "K", budget, largest=False)
        assert least.place is not None
        assert least.below is not None
        assert (least.place.value, least.below.value) == (3, 2)
        assert [one.text for one in least.below.broken] == [budget]
        assert solved(name, "K", budget).unbounded


def test_no_end_and_no_answer() -> None:
    assert solved("resnet50", "size", "params<=30M").unbounded
    nothing = solved("resnet50", "size", "params<=20M")
    assert (nothing.place, nothing.unbounded) == (None, False)


def test_pareto_is_what_no_other_point_beats() -> None:
    catalogue = Catalogue()
    spec = catalogue.target("mobilenet_v1")
    costs = Costs(spec, ["alpha", "size"], {}, [parse_budget("macs<=150M", catalogue)])
    steps = {"alpha": Fraction(1, 4), "size": 32}
    ranges = {"alpha": (Fraction(1, 4), Fraction(2)), "size": (64, 320)}
    goals = [Objective("alpha", largest=True), Objective("size", largest=True)]
    found = {(point.values["alpha"], point.values["size"]) for point in pareto(costs, steps, ranges, goals)}
    fitting = []
    for quarter in range(1, 9):
        for size in range(64, 321, 32):
            cost = counted("mobilenet_v1", {"alpha": Fraction(quarter, 4), "size": size})
            if cost is not None and cost <= 150_000_000:
                fitting.append((Fraction(quarter, 4), size))
    best = {
        one
        for one in fitting
        if not any(other != one and other[0] >= one[0] and other[1] >= one[1] for other in fitting)
    }
    assert found == best
    assert (Fraction(1, 2), 224) in found  # 149.5 M: 0.5 MobileNet-224 of the paper


positive = st.fractions(Fraction(1, 500), 20, max_denominator=500)


@given(positive, positive, st.booleans(), st.booleans())
@settings(max_examples=200)
def test_the_simplest_decimal_lies_inside(a: Fraction, b: Fraction, low_in: bool, high_in: bool) -> None:  # noqa: FBT001
    low, high = min(a, b), max(a, b)
    if low == high:
        return
    value = simplest(low, low_in=low_in, high=high, high_in=high_in)
    assert low < value < high or (low_in and value == low) or (high_in and value == high)
    digits = len(str(float(value)).partition(".")[2]) if value.denominator > 1 else 0
    shorter = [Fraction(n, 10 ** max(digits - 1, 0)) for n in range(int(high * 10 ** max(digits - 1, 0)) + 1)]
    assert digits == 0 or not any(low < one < high for one in shorter)
