"""Closed forms equal the exact integers: a sample of what ``tests/exactness.py`` checks in full."""

from __future__ import annotations

from fractions import Fraction

import pytest
from conftest import representatives, sampled
from exactness import NotEqualError, check, compare, free_sets

from convcost.catalogue.loader import Catalogue
from convcost.formulas.cases import cases
from convcost.formulas.closed import formula

POINTS = 3


@pytest.mark.parametrize("name", sampled(representatives(), 3))
def test_all_names_free_at_random_points(name: str) -> None:
    spec = Catalogue().target(name)
    report = check(spec, free_sets(spec)[-1], POINTS)
    assert report.compared == POINTS


def test_the_check_can_fail() -> None:
    spec = Catalogue().target("resnet50")
    found = formula(spec, ["size"])
    found.totals["macs"].polynomial += 1
    with pytest.raises(NotEqualError, match="macs is 4089184256, not 4089184257"):
        compare(spec, found, {"size": 224})


def test_structure_decided_at_the_default_excludes_few_widths() -> None:
    """Only very narrow MobileNets look different: there, widths that differ are rounded to the same."""
    found = formula(Catalogue().target("mobilenet_v2"), ["alpha"])
    assert found.assumptions == ("alpha > 5/18",)
    assert not found.violated({"alpha": Fraction(35, 100)})
    assert [one.text for one in found.violated({"alpha": Fraction(1, 4)})] == ["alpha > 5/18"]


def test_every_structure_of_a_block_is_found() -> None:
    found = cases(Catalogue().target("inverted_residual"))
    assert found.complete
    assert {one.assumptions for one in found.formulas} == {
        ("t != 1", "I == O"),
        ("t != 1", "I != O"),
        ("t == 1", "I == O"),
        ("t == 1", "I != O"),
    }
    narrow = found.at({"I": 16, "H": 7, "W": 7, "O": 24, "t": 1, "K": 3})
    assert narrow is not None
    assert narrow.totals["weights"].value == 6 * 9 + 6 * 24  # at the witness, I = 6: depthwise, then 1x1


def test_needed_and_structural_conditions_are_told_apart() -> None:
    found = formula(Catalogue().target("bottleneck_residual"))
    assert {one.text: one.structural for one in found.conditions} == {"G divides M": False, "I == O": True}
