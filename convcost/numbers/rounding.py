"""Rounding of widths, over any algebra."""

from __future__ import annotations

import sys

from convcost.numbers.arithmetic import Num, exact_array, floor_div, is_array, is_symbolic, maximum, rules


def round_even(value: Num) -> Num:
    """The nearest integer, a half to the even one, as Python rounds."""
    if is_symbolic(value):
        return rules().round_even(value)
    if is_array(value):
        numpy = sys.modules["numpy"]
        return exact_array(numpy.array([round(v) for v in value.ravel()], dtype=object).reshape(value.shape))
    return round(value)


def round_to(value: Num, step: Num) -> Num:
    """The multiple of ``step`` nearest to ``value``, a half upwards.

    >>> round_to(12, 8)
    16
    """
    return floor_div(2 * value + step, 2 * step) * step


def make_divisible(value: Num, step: Num) -> Num:
    """The width rule of the MobileNets: nearest multiple of ``step``, at least one, never below 90 %.

    Source: ``make_divisible`` of the authors' code for MobileNet V2 (Sandler et al., 2018).

    >>> from fractions import Fraction
    >>> make_divisible(Fraction(336, 10), 8), make_divisible(12, 8), make_divisible(11, 8)
    (32, 16, 16)
    """
    if is_symbolic(value) or is_symbolic(step):
        return rules().make_divisible(value, step)
    rounded = maximum(step, round_to(value, step))
    if is_array(rounded):
        return rounded + step * (10 * rounded < 9 * value)
    return rounded + step if 10 * rounded < 9 * value else rounded
