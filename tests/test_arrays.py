"""Arrays are exact whatever their type: against Python's integers, one point after another."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcost
from convcost.errors import ShapeError, UsageError
from convcost.numbers.arithmetic import ceil_div, divide, exact_div, exact_value, floor_div, gcd, maximum, power

TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "object"]
FIELDS = ("params", "macs", "flops")


def totals(name: str, **given_: Any) -> list[Any]:
    found = convcost.analyze(convcost.load(name, **given_)).totals
    return [getattr(found, field) for field in FIELDS]


def test_the_sizes_that_wrapped() -> None:
    # 4,089,184,256 MACs at 224 do not fit int32; those at 4,000,000 do not fit int64
    sizes = [224, 4000, 4_000_000, 4_000_000_000]
    for dtype in ("int64", "uint64", "object"):
        found = totals("resnet50", size=np.array(sizes, dtype=dtype))
        for column, field in zip(found[1:], FIELDS[1:], strict=True):
            assert [int(v) for v in column] == [
                getattr(convcost.analyze(convcost.load("resnet50", size=size)).totals, field) for size in sizes
            ]
    assert int(totals("resnet50", size=np.array([224], dtype="int32"))[1][0]) == 4_089_184_256
    assert totals("resnet50", size=np.int32(224)) == totals("resnet50", size=np.array(224)) == totals("resnet50")


NETWORKS = [
    ("resnet50", "size"),
    ("mobilenet_v2", "size"),
    ("vgg16", "classes"),
    ("densenet121", "size"),
    ("efficientnet_b0", "size"),
    ("resnet50", "d"),
    ("unet", "classes"),
    ("convnext_tiny", "size"),
    ("bottleneck", "I"),
    ("shuffle_unit", "H"),
]


@pytest.mark.parametrize(("name", "parameter"), NETWORKS)
@pytest.mark.parametrize("dtype", TYPES)
def test_arrays_of_every_type_are_exact(name: str, parameter: str, dtype: str) -> None:
    own = convcost.load(name).parameters[parameter]
    most = 2**63 - 1 if dtype == "object" else min(int(np.iinfo(dtype).max), 2**63 - 1)
    # multiples of its own value keep the divisions whole; the largest is where this type, or its products, overflow
    points = [own * by for by in (1, 2, 32, most // (own * 32) * 32) if 0 < own * by <= most] or [64]
    found = totals(name, **{parameter: np.array(points, dtype=dtype)})
    expected = [totals(name, **{parameter: point}) for point in points]
    for column, values in zip(found, zip(*expected, strict=True), strict=True):
        assert [int(value) for value in np.broadcast_to(column, len(points))] == list(values)


def test_widths_of_floats_are_the_decimals_they_print_as() -> None:
    widths = [0.1, 0.35, 0.75, 1.4]
    expected = [totals("mobilenet_v1", alpha=Fraction(str(width))) for width in widths]
    for dtype in ("float64", "float32", "float16"):
        found = totals("mobilenet_v1", alpha=np.array(widths, dtype=dtype))
        assert [[int(v) for v in column] for column in found] == [
            list(column) for column in zip(*expected, strict=True)
        ]


def test_inputs_are_exact_too() -> None:
    graph = convcost.load("resnet50", input=(3, np.array([32, 2**31 - 32], dtype="int32"), np.int8(32)))
    assert graph.input[2] == 32
    single = convcost.load("resnet50", input=(3, 2**31 - 32, 32))
    assert int(convcost.analyze(graph).totals.macs[1]) == convcost.analyze(single).totals.macs


@pytest.mark.parametrize("values", [[float("nan")], [float("inf")], ["a"], [None], [1j], [True]])
def test_what_is_no_number_is_refused(values: list[Any]) -> None:
    with pytest.raises(UsageError, match="an array holds numbers, found"):
        convcost.load("resnet50", size=np.array(values, dtype=None if values[0] != "a" else object))


numbers = st.integers(-(2**70), 2**70) | st.integers(-300, 300)
OPERATIONS: list[Any] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a * b * a - b,
    lambda a, b: -a + 3 * b,
    lambda a, b: maximum(a, b, 7),
    gcd,
    floor_div,
    ceil_div,
    divide,
    lambda a, b: exact_div(a * b, b, "a by b"),
    lambda a, b: a - b * floor_div(a, b),
    lambda a, b: power(a, 3) + power(b, 2),
    lambda a, b: (a < b) * a + 2**64 * b,
]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(pairs=st.lists(st.tuples(numbers, numbers.filter(bool)), min_size=1, max_size=5))
def test_arithmetic_never_wraps(pairs: list[tuple[int, int]]) -> None:
    a, b = (exact_value(np.array(column, dtype=object)) for column in zip(*pairs, strict=True))
    for operation in OPERATIONS:
        assert operation(a, b).tolist() == [operation(x, y) for x, y in pairs]
        assert operation(a, pairs[0][1]).tolist() == [operation(x, pairs[0][1]) for x, _ in pairs]
        assert operation(pairs[0][0], b).tolist() == [operation(pairs[0][0], y) for _, y in pairs]
    assert a.sum() == sum(x for x, _ in pairs)
    assert (a * b).prod() == prod(x * y for x, y in pairs)


def test_int64_as_long_as_it_fits() -> None:
    small = exact_value(np.array([2**31, 3], dtype="uint32"))
    assert small.dtype == np.int64
    assert (small * small).dtype == np.int64
    assert (small * small * 2).dtype == object
    assert (small * small * 2 // 4).dtype == np.int64
    assert exact_value(np.array([2**63], dtype="uint64")).dtype == object
    assert exact_value(np.array([-(2**63)], dtype="int64")).tolist() == [-(2**63)]
    assert (-exact_value(np.array([-(2**63)], dtype="int64"))).tolist() == [2**63]


@pytest.mark.parametrize("quotient", [floor_div, ceil_div, divide, lambda a, b: exact_div(a, b, "a by b")])
def test_no_element_is_divided_by_zero(quotient: Any) -> None:
    with pytest.raises(ShapeError, match="divided by zero"):
        quotient(6, np.array([1, 0]))


def test_powers_of_arrays_are_bounded() -> None:
    for base, exponent, message in (
        (np.array([2, 3]), np.array([1, -1]), "at least 0"),
        (2, np.array([1, 10**9]), "too large"),
        (np.array([2**64, 1], dtype=object), 1000, "too large"),
        (np.array([4, 9]), Fraction(1, 2), "must be whole"),
    ):
        with pytest.raises(ShapeError, match=message):
            power(base, exponent)
