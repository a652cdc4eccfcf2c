"""The arithmetic of the rules, function by function, over each kind of number; expected values by definition."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convcost.errors import ShapeError, UnsupportedError
from convcost.layers.base import WORK_FIELDS, Work, elements, read_by
from convcost.layers.window import axes_word, sides, windows
from convcost.limits import MAX_BITS
from convcost.network.cost import PER_MODEL, per_batch, sum_work
from convcost.numbers import arithmetic as algebra
from convcost.numbers.arithmetic import (
    bounded,
    ceil,
    ceil_div,
    decide,
    divide,
    exact_div,
    floor,
    floor_div,
    gcd,
    is_array,
    is_number,
    is_symbolic,
    is_whole,
    maximum,
    minimum,
    normal,
    power,
    prod,
    provably,
    require,
    same,
    total,
)
from convcost.numbers.assumptions import Session, assuming
from convcost.numbers.functions import FloorDiv
from convcost.numbers.polynomial import Symbol, functions_in
from convcost.numbers.values import evaluate

N, M = Symbol("N"), Symbol("M")
PLAIN = [-7, -1, 0, 1, 2, 3, 7, 12, Fraction(1, 2), Fraction(-7, 3), Fraction(12, 5)]
DIVISORS = [-3, -1, 1, 2, 3, 5, Fraction(1, 2), Fraction(-2, 3)]


def check(found: Any, expected: Any) -> None:
    """The same value, and whole numbers as ints."""
    assert found == expected
    assert type(found) is type(expected)


# --- what kind of number it is ---


def test_kinds_of_numbers() -> None:
    array = np.array([1, 2])
    table = [  # value, symbolic, array, plain number
        (3, False, False, True),
        (Fraction(1, 2), False, False, True),
        (True, False, False, False),
        ("3", False, False, False),
        (N, True, False, False),
        (N - N + 3, False, False, True),
        (array, False, True, False),
        (0.5, False, False, False),
    ]
    for value, symbolic, many, plain in table:
        assert (is_symbolic(value), is_array(value), is_number(value)) == (symbolic, many, plain), value


def test_whole_numbers() -> None:
    assert is_whole(3)
    assert not is_whole(Fraction(1, 2))
    assert not is_whole(True)
    assert not is_whole("3")
    assert is_whole(np.array([1, 2]))
    assert is_whole(np.array([1.0, 2.0]))
    assert not is_whole(np.array([1.0, 2.5]))
    assert is_whole(N)
    assert not is_whole(N / (2 * N))


def test_normal_form() -> None:
    check(normal(Fraction(6, 3)), 2)
    check(normal(Fraction(6, 4)), Fraction(3, 2))
    check(normal(5), 5)


# --- quotients ---


@pytest.mark.parametrize("a", PLAIN)
@pytest.mark.parametrize("b", DIVISORS)
def test_quotients_of_plain_numbers(a: Any, b: Any) -> None:
    exact = Fraction(a) / Fraction(b)
    check(divide(a, b), exact.numerator if exact.denominator == 1 else exact)
    check(floor_div(a, b), math.floor(exact))
    check(ceil_div(a, b), math.ceil(exact))
    if exact.denominator == 1 and b != 1:
        check(exact_div(a, b, "a by b"), exact.numerator)
    elif exact.denominator == 1:
        assert exact_div(a, b, "a by b") is a
    elif type(a) is int:  # of sizes, which are whole
        with pytest.raises(ShapeError, match=rf"^cannot divide a by b: {a} is not a multiple of {b}$"):
            exact_div(a, b, "a by b")


@pytest.mark.parametrize("a", PLAIN)
def test_floor_and_ceiling(a: Any) -> None:
    check(floor(a), math.floor(a))
    check(ceil(a), math.ceil(a))


@pytest.mark.parametrize("rule", [divide, floor_div, ceil_div])
@pytest.mark.parametrize("a", [5, 0, Fraction(5, 2)])
def test_nothing_is_divided_by_zero(rule: Any, a: Any) -> None:
    with pytest.raises(ShapeError, match=rf"^{a} is divided by zero$"):
        rule(a, 0)


def test_quotients_of_arrays() -> None:
    a = np.array([6, 9, 12])
    assert divide(a, 3).tolist() == [2, 3, 4]
    assert divide(a, 3).dtype == a.dtype
    assert divide(36, np.array([2, 3, 4])).tolist() == [18, 12, 9]
    assert divide(36, np.array([2, 3, 4])).dtype == a.dtype
    assert [type(one) for one in divide(a, 4)] == [Fraction] * 3
    assert divide(a, 4).tolist() == [Fraction(3, 2), Fraction(9, 4), 3]
    assert divide(np.array([1, 2, 3]), np.array([1, 1, 2])).tolist() == [1, 2, Fraction(3, 2)]
    assert exact_div(a, 3, "a by b").tolist() == [2, 3, 4]
    assert exact_div(a, np.array([2, 3, 4]), "a by b").tolist() == [3, 3, 3]
    assert exact_div(a, 3, "a by b").dtype == a.dtype
    assert exact_div(a, 1, "a by b") is a
    with pytest.raises(ShapeError, match=r"^cannot divide a by b: \[ 6  9 12\] is not a multiple of 4$"):
        exact_div(a, 4, "a by b")
    assert floor_div(a, 4).tolist() == [1, 2, 3]
    assert ceil_div(a, 4).tolist() == [2, 3, 3]
    assert floor_div(25, np.array([2, 3, 4])).tolist() == [12, 8, 6]
    assert ceil_div(25, np.array([2, 3, 4])).tolist() == [13, 9, 7]
    for rule in (floor_div, ceil_div):
        with pytest.raises(ShapeError, match=r"is divided by zero$"):
            rule(a, 0)


def test_quotients_of_symbols() -> None:
    assert divide(N, 2) == N / 2
    assert divide(6, N) == 6 / N
    assert exact_div(6 * N, 3, "a by b") == 2 * N
    assert exact_div(N, 1, "a by b") is N
    with assuming(Session({N: 12})) as session:
        assert exact_div(N, 4, "a by b") == N / 4
        assert list(session.assumptions) == ["4 divides N"]
    with (
        assuming(Session({N: 10})),
        pytest.raises(ShapeError, match=r"^cannot divide a by b: 10 is not a multiple of 4$"),
    ):
        exact_div(N, 4, "a by b")
    for quotient in (
        floor_div(N, 4),
        floor_div(30, N),
        floor_div(N, M),
        ceil_div(N, 4),
        ceil_div(30, N),
        ceil_div(N, M),
    ):
        assert any(
            isinstance(each, FloorDiv) for each in functions_in(quotient)
        )  # of the kind that closed forms are simplified with
    for value in (7, 8):
        assert evaluate(floor_div(N, 4), {N: value}) == value // 4
        assert evaluate(ceil_div(N, 4), {N: value}) == 2
        assert evaluate(floor_div(30, N), {N: value}) == 30 // value
        assert evaluate(ceil_div(30, N), {N: value}) == -(-30 // value)


# --- divisors, extremes, sums, products ---


def test_common_divisors() -> None:
    check(gcd(14, 4), 2)
    check(gcd(Fraction(14, 1), Fraction(8, 2)), 2)
    assert gcd(np.array([14, 9]), 6).tolist() == [2, 3]
    assert gcd(12, np.array([8, 9])).tolist() == [4, 3]
    assert evaluate(gcd(N, 6), {N: 9}) == 3
    assert evaluate(gcd(6, N), {N: 4}) == 2


def test_extremes() -> None:
    assert (maximum(3, 9, 4), minimum(3, 9, 4)) == (9, 3)
    assert (maximum(5), minimum(5)) == (5, 5)
    a, b = np.array([1, 8, 3]), np.array([4, 2, 3])
    assert maximum(a, b, 3).tolist() == [4, 8, 3]
    assert minimum(a, b, 2).tolist() == [1, 2, 2]
    assert maximum(3, a).tolist() == [3, 8, 3]
    assert minimum(3, a).tolist() == [1, 3, 3]
    for value in (2, 9):
        assert evaluate(maximum(5, N), {N: value}) == max(5, value)
        assert evaluate(minimum(N, 5), {N: value}) == min(5, value)


def test_sums_and_products() -> None:
    check(total([2, 3, 7]), 12)
    check(total([]), 0)
    check(total([7]), 7)
    assert total(one for one in (N, 2)) == N + 2
    assert total([Fraction(1, 2), Fraction(1, 3), 1]) == Fraction(11, 6)
    assert total([np.array([1, 2]), 3]).tolist() == [4, 5]
    assert total([2, N, M, N]) == 2 * N + M + 2
    check(prod([2, 3, 7]), 42)
    check(prod([]), 1)
    assert prod([2, N, N]) == 2 * N**2


# --- powers, and how large a number may grow ---


def test_powers() -> None:
    check(power(2, 10), 1024)
    check(power(2, -2), Fraction(1, 4))
    check(power(Fraction(2, 3), 2), Fraction(4, 9))
    check(power(Fraction(1, 2), -3), 8)
    check(power(-3, 3), -27)
    check(power(0, 0), 1)
    check(power(0, 5), 0)
    check(power(3, Fraction(4, 2)), 9)
    assert power(np.array([2, 3]), 2).tolist() == [4, 9]
    assert power(2, np.array([2, 3])).tolist() == [4, 8]
    assert power(N, 2) == N * N
    with pytest.raises(ShapeError, match=r"^an exponent must be a whole number, found N$"):
        power(2, N)  # 2**N is no polynomial
    with pytest.raises(ShapeError, match=r"^an exponent must be whole, found 1/2$"):
        power(4, Fraction(1, 2))
    with pytest.raises(ShapeError, match=r"^an exponent must be whole, found 0\.5$"):
        power(4, 0.5)
    with pytest.raises(ShapeError, match=r"^zero has no negative power$"):
        power(0, -1)


def test_powers_are_bounded() -> None:
    check(power(2, MAX_BITS - 1), 1 << (MAX_BITS - 1))  # 4,096 bits
    for base, exponent in ((2, MAX_BITS), (2, -MAX_BITS), (Fraction(1, 2), MAX_BITS), (7, 10**9), (-2, MAX_BITS)):
        with pytest.raises(ShapeError) as caught:
            power(base, exponent)
        assert str(caught.value) == f"{base}**{exponent} is too large (more than 4,096 bits)"
    check(power(1, 10**9), 1)
    check(power(-1, 10**9 + 1), -1)
    with pytest.raises(ShapeError, match=r"too large"):  # 2,048 times less than two bits: told after it is computed
        power(3, 2600)
    check(power(3, 2500), 3**2500)  # 3,963 bits


def test_numbers_are_bounded() -> None:
    largest = (1 << MAX_BITS) - 1
    for value in (0, 5, -5, 1 << 62, -(1 << 62), largest, -largest, Fraction(1, largest), Fraction(largest, 2)):
        assert bounded(value) is value
    for value in (largest + 1, -largest - 1, Fraction(1, largest + 1), Fraction(largest + 2, 2)):
        with pytest.raises(ShapeError, match=r"^a number grew beyond 4,096 bits$"):
            bounded(value)
    assert bounded(N) is N
    array = np.array([1])
    assert bounded(array) is array
    many = total(Symbol(f"x{index}") for index in range(1001))
    with pytest.raises(ShapeError, match=r"^a formula grew beyond 1,000 terms$"):
        bounded(many)


# --- conditions ---

RELATIONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize(("a", "b"), [(2, 3), (3, 3), (3, 2), (Fraction(5, 2), 2), (2, Fraction(5, 2))])
def test_conditions_on_numbers(relation: str, a: Any, b: Any) -> None:
    holds = RELATIONS[relation](a, b)
    check(decide(relation, a, b), holds)
    column = np.array([a, a])
    check(decide(relation, column, b), holds)
    with assuming(Session({N: a})) as session:
        check(decide(relation, N + 1, N + 1 + b - a), holds)
        assert not session.assumptions  # algebra knows
        if holds:
            require(relation, a, b, "no")
            require(relation, column, b, "no")
            require(relation, N, N + b - a, "no")
        else:
            for left, right in ((a, b), (column, b), (N, N + b - a)):
                with pytest.raises(ShapeError, match=r"^no$"):
                    require(relation, left, right, "no")


def test_points_must_agree_on_structure_but_not_on_sizes() -> None:
    column = np.array([1, 2, 3])
    with pytest.raises(UnsupportedError, match=r"^the structure differs between the points: \[1 2 3\] < 3$"):
        decide("<", column, 3)
    assert decide("<", column, 4) is True
    assert decide("<", column, 1) is False
    require("<", column, 4, "no")
    with pytest.raises(ShapeError, match=r"^no$"):
        require("<", column, 3, "no")


def test_what_is_the_same() -> None:
    assert same(3, 3)
    assert not same(3, 4)
    assert same(N, N)
    assert provably(3, 3)
    assert not provably(3, 4)
    check(provably(Fraction(3, 2), Fraction(3, 2)), True)
    check(provably(Fraction(3, 2), 1), False)
    assert provably(2 * N, N + N)
    assert provably(N * (N + 1), N**2 + N)
    one = (N + 1) ** 2 - N**2 - 2 * N  # not multiplied out
    assert provably(one, 1)
    assert provably(1, one)
    assert not provably(N, 3)
    assert not provably(3, N)
    check(provably(np.array([3, 3]), 3), True)
    check(provably(3, np.array([3, 4])), False)
    with assuming(Session({N: 3})) as session:
        assert not provably(N, 3)
        assert not session.assumptions
        assert same(N, 3)
        assert list(session.assumptions) == ["N == 3"]
        assert same(3, N)
        assert decide("<", 2, N)
        assert not decide(">", 2, N)


# --- windows and paddings ---


def test_padding_by_side() -> None:
    assert sides("valid", 2) == ((0, 0), (0, 0))
    assert sides(3, 2) == ((3, 3), (3, 3))
    assert sides((1, 2), 2) == ((1, 1), (2, 2))
    assert sides(((1, 2), (3, 4)), 2) == ((1, 2), (3, 4))
    assert (axes_word(1), axes_word(2), axes_word(3)) == ("axis", "axes", "axes")


def slid(size: int, kernel: int, stride: int, before: int, after: int, *, ceil_mode: bool) -> int:
    """How many windows, by sliding one; rounded up, the last may stick out but not begin behind input and padding."""
    count, place = 0, 0
    while place + kernel <= before + size + after:
        count, place = count + 1, place + stride
    covered = place - stride + kernel
    if ceil_mode and covered < before + size + after:
        count, place = count + 1, place + stride
    if ceil_mode and place - stride >= before + size:
        count -= 1
    return count


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_windows_of_each_kind_of_number(*, ceil_mode: bool) -> None:
    compared = 0
    for size in (4, 5, 8):
        for kernel in (1, 2, 3):
            for stride in (1, 2, 3):
                for before, after in ((0, 0), (1, 1), (0, 1), (1, 0)):
                    expected = slid(size, kernel, stride, before, after, ceil_mode=ceil_mode)
                    for one, values in ((size, {}), (N, {N: size}), (np.array([size, size]), {})):
                        with assuming(Session(dict(values))):
                            pad = ((before, after),)
                            (found,) = windows((2, one), "pool", kernel, stride, pad, ceil_mode=ceil_mode)
                        if values:
                            found = evaluate(found, values)
                        assert np.all(found == expected), (size, kernel, stride, before, after, one)
                        compared += 1
    assert compared == 3 * 3 * 3 * 4 * 3


def test_same_padding_is_in_over_stride_rounded_up() -> None:
    assert windows((3, 7, 8), "conv", 5, 2, "same") == (4, 4)
    assert windows((3, 7, 9), "conv", 5, (1, 4), "same") == (7, 3)


def test_windows_that_fit_at_the_witness_only_are_recorded() -> None:
    with assuming(Session({N: 9})) as session:
        assert windows((3, N), "conv", 5, 1, 0) == (N - 4,)
        assert session.least == {N: 5}
    with assuming(Session({N: 4})), pytest.raises(ShapeError) as caught:
        windows((3, N), "conv", 5, 1, 0)
    assert str(caught.value) == "conv: kernel 5 is larger than the input of size N"
    # what has no value of its own is not told
    with assuming(Session({N: 6})), pytest.raises(ShapeError) as caught:
        windows((3, 9), "conv", N, 1, 0, 2)
    assert str(caught.value) == "conv: kernel N is larger than the input of size 9"
    with assuming(Session({N: 1})), pytest.raises(ShapeError) as caught:
        windows((3, 4), "conv", 9, 1, N)
    assert str(caught.value) == "conv: kernel 9 is larger than the input of size 4"
    with pytest.raises(ShapeError) as caught:
        windows((3, np.array([9, 4])), "conv", 5, 1, 0)
    assert str(caught.value) == "conv: kernel 5 is larger than the input of size [9 4]"


# --- sums of counts ---


def test_totals_of_layers_and_their_copies() -> None:
    conv = Work(weights=9, macs=100, read=4)
    relu = Work(comparisons=5, read=1)
    nodes = [_Counted(conv, 1), _Counted(relu, 3), _Counted(conv, 2), _Counted(relu, N)]
    summed = sum_work(nodes)  # type: ignore[arg-type]
    assert (summed.weights, summed.macs, summed.comparisons, summed.read) == (27, 300, 5 * N + 15, 15 + N)
    assert summed.written == 0
    assert sum_work(nodes[:1]) is conv  # type: ignore[arg-type]
    assert sum_work(nodes[1:2]).comparisons == 15  # type: ignore[arg-type]
    assert sum_work([]).as_dict() == dict.fromkeys(WORK_FIELDS, 0)


class _Counted:
    """As much of a layer of a graph as a sum looks at."""

    def __init__(self, work: Work, count: Any) -> None:
        self.work = work
        self.count = count


def test_a_batch_multiplies_operations_and_elements_but_no_parameters() -> None:
    primes = dict(zip(WORK_FIELDS, (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47), strict=True))
    work = Work(**primes)
    assert per_batch(work, 1) is work
    stored = {"weights", "biases", "norm_params", "other_params", "buffers"}
    assert set(PER_MODEL) == stored
    for name, value in per_batch(work, 4).as_dict().items():
        assert value == (primes[name] if name in stored else 4 * primes[name])


def test_elements_of_shapes() -> None:
    assert elements((3, 5, 7)) == 105
    assert elements(()) == 1
    assert read_by((((3, 5), 2), ((2, 7), 1))) == 44
    assert algebra.RELATIONS.keys() == RELATIONS.keys()
