"""Machine code gives what ``analyze`` gives, and runs only where 64 bits are enough."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from test_compile import QUANTITIES, called, counted, points

import convcost
from convcost.catalogue.loader import Catalogue
from convcost.codegen.kernel import UNIT, Kernel
from convcost.compiled import bounds
from convcost.compiled.machine import Machine

if TYPE_CHECKING:
    from convcost.compiled.function import Compiled

NAMES = ("resnet50", "mobilenet_v2", "shufflenet_v1", "bottleneck", "inception_v4")


def compiled(name: str, over: list[str], quantities: tuple[str, ...] = QUANTITIES) -> Compiled:
    return convcost.compile(name, over, quantities, backend="numba")


@pytest.mark.parametrize("name", NAMES)
def test_a_call_equals_analyze(name: str) -> None:
    listed = [*points(Catalogue().target(name), 16)]
    function = compiled(name, list(listed[0]))
    for values in listed:
        assert called(function, values) == counted(name, values), values


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2"])
def test_arrays_equal_those_of_numpy(name: str) -> None:
    generator = np.random.default_rng(7)
    values: dict[str, Any] = {"size": generator.integers(1, 500, 40_000)}
    values |= {"alpha": generator.integers(5, 200, 40_000) / 100} if name == "mobilenet_v2" else {}
    keys = (*QUANTITIES, "intensity")
    own, plain = compiled(name, list(values), keys)(**values), convcost.compile(name, list(values), keys)(**values)
    for key in keys:
        assert own[key].dtype == plain[key].dtype
        assert np.array_equal(own[key], plain[key]), key


def test_what_exceeds_64_bits_is_computed_with_integers_of_python() -> None:
    function = compiled("resnet50", ["size"], ("macs",))
    generator = random.Random(3)  # noqa: S311 - repeatable, not secret
    sizes = [224, 2**31, *(generator.randrange(2**20, 2**32) for _ in range(20))]
    expected = [convcost.analyze("resnet50", size=size).totals.macs for size in sizes]
    assert max(expected) > 2**63
    assert [function(size)["macs"] for size in sizes] == expected
    assert function(np.array(sizes))["macs"].tolist() == expected


def test_ratios_that_are_fractions() -> None:
    function = compiled("mobilenet_v1", ["alpha", "rho"], ("macs", "intensity"))
    for alpha, rho in [(1, 1), (0.5, Fraction(4, 7)), (Fraction(1, 3), 0.9)]:
        analysis = convcost.analyze("mobilenet_v1", alpha=alpha, rho=rho)
        assert function(alpha, rho) == {key: analysis.value(key) for key in ("macs", "intensity")}


def test_code_runs_within_its_bound() -> None:
    """Arguments of the same lengths in bits are proved together: the longest of them must not exceed 64 bits."""
    kernel = Kernel(2, (), {"a": ({((0, 3), (1, 1)): 5}, UNIT)}, ())
    machine = Machine(kernel)
    fitting = [(a, b) for a in (1, 9, 1000, 2**19, 2**20, 2**21) for b in (1, 3, 2**16) if machine.fits((a, b))]
    assert (2**19, 1) in fitting
    assert (2**21, 1) not in fitting
    for a, b in fitting:
        longest = [(1 << number.bit_length()) - 1 for number in (a, b)]
        assert bounds.largest(kernel, [(1, number) for number in longest]) < 2**63
        assert machine.on_numbers(a, b) == (5 * a**3 * b,)
