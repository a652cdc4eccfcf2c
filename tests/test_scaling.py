"""How cost grows: the degrees, elasticities and fixed parts that papers state, and finite differences of integers."""

from __future__ import annotations

import json
from fractions import Fraction
from math import log

import pytest
from inprocess import convcost

from convcost.catalogue.loader import Catalogue
from convcost.formulas.closed import everything_free, formula
from convcost.formulas.scaling import Scaling, scaling
from convcost.language.interpret import build
from convcost.metrics.quantities import quantities
from convcost.numbers.printing import text


def found(name: str, free: str, quantity: str) -> Scaling:
    spec = Catalogue().target(name)
    rows = scaling(formula(spec, everything_free(spec)), ["params", "macs"])
    return next(row for row in rows if (row.name, row.quantity) == (free, quantity))


@pytest.mark.parametrize(
    ("name", "free", "quantity", "degree"),
    [
        ("mobilenet_v1", "alpha", "macs", 2),  # Howard et al. (2017), section 3.3: roughly alpha^2
        ("mobilenet_v1", "alpha", "params", 2),
        ("mobilenet_v1", "rho", "macs", 2),  # section 3.4: rho^2
        ("mobilenet_v1", "rho", "params", 0),  # and the parameters stay as they are
        ("resnet50", "size", "macs", 2),
        ("group_conv", "G", "params", -1),
        ("depthwise_separable_conv", "K", "params", 2),
        ("densenet121", "k", "macs", 2),
    ],
)
def test_degree(name: str, free: str, quantity: str, degree: int) -> None:
    assert found(name, free, quantity).degree == degree


def test_mobilenet_in_numbers() -> None:
    """539,492,352 alpha^2 + 29,248,000 alpha; all but the classifier's 1,024,000 goes with the map."""
    alpha, rho = found("mobilenet_v1", "alpha", "macs"), found("mobilenet_v1", "rho", "macs")
    assert alpha.elasticity == (Fraction(2 * 539_492_352 + 29_248_000, 568_740_352),) * 2
    assert rho.elasticity == (Fraction(2 * (568_740_352 - 1_024_000), 568_740_352),) * 2
    assert (alpha.fixed, rho.fixed) == (0, Fraction(1_024_000, 568_740_352))
    assert found("mobilenet_v1", "rho", "params").fixed == 1


@pytest.mark.parametrize(
    ("name", "free", "quantity", "value"),
    [
        ("resnet50", "size", "macs", 256),
        ("inception_v3", "size", "macs", 331),
        ("resnext50", "C", "params", 36),
        ("densenet121", "k", "params", 34),
        ("mobilenet_v2", "alpha", "macs", 2),  # where every width is a multiple of 8 before it is rounded
        ("mobilenet_v3", "size", "macs", 256),
    ],
)
def test_elasticity_is_what_the_integers_show(name: str, free: str, quantity: str, value: int | Fraction) -> None:
    """Between two points the mean elasticity is the ratio of the logarithms; the local ones lie around it."""
    spec = Catalogue().target(name)
    default = build(spec).parameters[free]
    near = quantities(build(spec, {free: value}).layers)[quantity]
    measured = log(near / quantities(build(spec).layers)[quantity]) / log(value / default)
    below, above = found(name, free, quantity).elasticity
    assert measured == pytest.approx(float(above if value > default else below), rel=0.04)


def test_a_maximum_takes_over_at_the_default() -> None:
    """The last convolution of MobileNet V2 has 1280 channels below alpha = 1 and 1280 alpha above."""
    below, above = found("mobilenet_v2", "alpha", "params").elasticity
    assert below < above
    assert text(found("mobilenet_v2", "alpha", "params").leading) == "2124672*alpha^2"


def test_command() -> None:
    result = convcost("scaling", "mobilenet_v1", "--free", "alpha,rho", "--in", "params,macs")
    assert result.code == 0, result.err
    lines = [line.split() for line in result.out.splitlines()]
    assert ["alpha", "MACs", "2", "539492352*alpha^2*rho^2", "1.949", "0.0", "%"] in lines
    assert any(line[:3] == ["rho", "params", "0"] and "depend" in line for line in lines)
    data = json.loads(convcost("scaling", "mobilenet_v1", "--free", "rho", "--format", "json").out)
    assert data["schema"] == "convcost/scaling/1"
    assert {row["quantity"]: row["degree"] for row in data["rows"]}["params"] == 0
