"""Formulas that would not end are refused, in one line and at once."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT, run_convcost

from convcost import compare, equal, scaling, solve
from convcost.errors import ConvcostError
from convcost.numbers.polynomial import symbols_in
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "input: {I: 1, H: 1, W: 1}\nparameters: {a: 1, b: 1, c: 1, d: 1}\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('layers: [conv: {out: "(I+H+W+a+b+c+d)^200", kernel: 1}]', "a formula grew beyond 1,000 terms"),
        (
            'let: {f(x): "x*x"}\nlayers: [conv: {out: "f(f(f(f(I+H+W+a+b))))", kernel: 1}]',
            "a formula grew beyond 1,000",
        ),
        ('layers: [conv: {out: "max(1, (I+H+a+b)^200)", kernel: 1}]', "a formula grew beyond 1,000 terms"),
        ('layers: [conv: {out: "I^4000 + H^4000", kernel: 1}]', "a formula grew beyond degree 64"),
        ('let: {f(x): "x^16"}\nlayers: [conv: {out: "f(f(I)) + H", kernel: 1}]', "a formula grew beyond degree 64"),
    ],
)
def test_formulas_that_explode(body: str, message: str, tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(HEAD + body.replace("f(x)", '"f(x)"') + "\n")
    start = time.process_time()
    result = run_convcost("formula", str(spec))
    assert result.code == 1
    assert message in result.err
    assert "Traceback" not in result.err
    assert time.process_time() - start < 10


def test_ties_are_bounded_too() -> None:
    result = run_convcost("equal", "plain", "plain", "--where", "O=(I+H+W+K)^100")
    assert result.code in (1, 2)
    assert "Traceback" not in result.err
    assert "4,096 bits" in result.err or "terms" in result.err


# What the fuzzer found.


def test_a_bound_divided_by_zero_is_no_bound() -> None:
    for bound in ("macs~plain.macs/0", "macs<=plain//0", "macs<=plain % 0"):
        with pytest.raises(ConvcostError, match="is divided by zero"):
            solve("bottleneck", "M", bound)


def test_a_bound_far_away_is_met_as_quickly_as_a_near_one(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text("input: [3, 8, 8]\nparameters: {n: 4}\nlayers:\n  - conv: {out: n, kernel: 3}\n")
    start = time.process_time()
    found = solve(str(spec), "n", "macs<=10000000000k", step=2)
    assert time.process_time() - start < 5
    assert found.place is not None
    most = 10**13 // (3 * 9 * 8 * 8)  # 1,728 operations a channel
    assert found.place.value == most - most % 2


def test_names_tied_to_an_expression_get_its_value(tmp_path: Path) -> None:
    """An even width is halved and doubled again: the condition ties it to itself, which is no tie."""
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "input: {I: 4, H: 2, W: 2}\nparameters: {O: {example: 6}}\nlet: {half: ceil(O/2)}\nlayers:\n"
        "  - conv: {out: 2*half, bias: false}\n  - {slice: {out: O}, when: 2*half != O}\n"
    )
    (found,) = equal(str(spec), "pointwise_conv", quantities=["params"])[0].quantities
    assert found.counterexample is not None
    assert (found.counterexample.first, found.counterexample.second) == (2, 1)  # O = 1 is rounded up to 2


def test_costs_that_meet_at_the_root_of_a_cubic(tmp_path: Path) -> None:
    for name, kernel in (("cube", "K"), ("three", "3")):
        (tmp_path / f"{name}.yaml").write_text(
            "input: {I: 4, D: 9, H: 9, W: 9}\nparameters: {O: 8, K: 2}\n"
            f"layers: [conv: {{out: O, kernel: {kernel}, bias: false}}]\n"
        )
    found = compare(str(tmp_path / "cube.yaml"), str(tmp_path / "three.yaml"))
    order = found.ratios["cube"]["params"].order
    assert order is not None
    assert [(one.name, round(one.value, 9)) for one in order.break_even] == [("K", 3.0)]


def test_long_formulas_are_compared_in_reasonable_time() -> None:
    start = time.process_time()
    found = compare("inception_v4_reduction_a", "plain")
    assert time.process_time() - start < 8  # it took four times as long
    ratio = found.ratios["inception_v4_reduction_a"]["params"]
    k, l, m, n = 192, 224, 256, 384  # noqa: E741 - the paper's names
    norms = 2 * (k + l + m + n)
    assert ratio.exact == Fraction(384 * k + 9 * (384 * n + k * l + l * m) + norms, 9 * 256 * 256)


def test_a_name_is_no_exponent() -> None:
    with pytest.raises(ConvcostError, match="an exponent must be a whole number, found I"):
        equal("depthwise_separable_conv", "plain", where={"O": "2**I"})


def test_a_root_next_to_zero_is_told_from_zero() -> None:
    """Of the two roots of a M^2 + b M = c, with c of 10^-137, one is the small difference of two large numbers."""
    found = solve("bottleneck", "M", "macs<=1/29**99*plain")
    assert found.place is None
    (root,) = found.ideal
    assert root.value is not None
    slope = (256 + 256) * 14 * 14  # of the two pointwise convolutions; the square does not matter next to zero
    assert root.value == pytest.approx(115_605_504 / 29**99 / slope, rel=1e-9)


def test_numbers_that_nobody_reads_are_not_factored(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "input: {I: 2, H: 5, W: 5}\nparameters: {O: 6, K: 3}\nlayers:\n"
        "  - conv: {out: O, kernel: 110**40, bias: false}\n  - conv: {out: O, kernel: K, groups: O, bias: false}\n"
    )
    start = time.process_time()
    (row,) = [one for one in scaling(str(spec), ["I", "H", "W", "O", "K"], ["params"]) if one.name == "O"]
    assert time.process_time() - start < 5
    values = {"I": 2, "K": 3, "O": 1}
    found = evaluate(row.leading, {symbol: values[symbol.name] for symbol in symbols_in(row.leading)})
    assert int(found) == 2 * 110**80 + 9


def test_a_cost_in_an_exponent_is_bounded_as_any_number_is() -> None:
    result = run_convcost("solve", "bottleneck", "--for", "M", "--budget", "macs<=1/2^plain")
    assert (result.code, result.err) == (
        2,
        "error: --budget macs<=1/2^plain: 2**115605504 is too large (more than 4,096 bits)\n",
    )
    result = run_convcost("equal", "plain", "plain", "--where", "O=(2*I)^100000000")
    assert result.code == 1
    assert "too large (more than 4,096 bits)" in result.err
    result = run_convcost("formula", "-", stdin=(HEAD + 'layers: [conv: {out: "(2*I)^100000000", kernel: 1}]').encode())
    assert result.code == 1
    assert "a formula grew beyond degree 64" in result.err or "more than 4,096 bits" in result.err


def test_structures_share_the_points_that_are_tried(tmp_path: Path) -> None:
    # 7 structures, most with nothing to find: 30,000 points for each took 8 s. By hand where all is 1: 9 weights and 2
    # of a norm, 2 + 2 in the gate, 1 weight and 2 of a norm
    source = (ROOT / "specs" / "blocks" / "mbconv.yaml").read_text("utf-8")
    (tmp_path / "net.yaml").write_text(source.replace("when: squeeze != 0", "when: squeeze != 99"))
    result = run_convcost("equal", "net.yaml", "plain", cwd=tmp_path)
    assert result.code == 1
    assert (
        "params: net != plain, as at I = 1, H = 1, W = 1, O = 1, t = 1, squeeze = 1, K = 1: 18 against 1" in result.out
    )
    assert "in all 7 pairs of structures" in result.out
