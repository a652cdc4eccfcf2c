"""The shapes of closed forms: what is printed, and that it is the same number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction

import pytest
from conftest import ROOT
from inprocess import convcost

from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.errors import UsageError
from convcost.formulas.closed import formula
from convcost.formulas.simplify import collected
from convcost.formulas.views import VIEWS, readable, view
from convcost.language.interpret import build
from convcost.metrics.quantities import QUANTITIES, quantities
from convcost.numbers.functions import FloorDiv, MakeDivisible, Maximum, Minimum, RoundEven
from convcost.numbers.polynomial import Expr, Power, Symbol, functions_in
from convcost.numbers.printing import latex, text, typeset
from convcost.numbers.values import evaluate

NETWORKS = bundled_names(blocks=False)

# Howard et al. (2017), Table 1: input channels, output channels, output map of the 1x1 of each separable convolution
MOBILENET = [(32, 64, 112), (64, 128, 56), (128, 128, 56), (128, 256, 28), (256, 256, 28), (256, 512, 14)]
MOBILENET += [(512, 512, 14)] * 5 + [(512, 1024, 7), (1024, 1024, 7)]


def total(name: str, free: list[str], quantity: str, kind: str) -> str:
    return text(view(formula(Catalogue().target(name), free), kind).shown(quantity))


def test_mobilenet_in_its_width_multiplier() -> None:
    squared = sum(i * o * n * n for i, o, n in MOBILENET)
    linear = 27 * 32 * 112**2 + sum(9 * i * n * n for i, _, n in MOBILENET) + 1024 * 1000
    assert total("mobilenet_v1", ["alpha"], "macs", "unrounded") == f"{squared}*alpha^2 + {linear}*alpha"
    assert (squared, linear) == (539_492_352, 29_248_000)


def test_mobilenet_in_its_resolution_multiplier() -> None:
    """Everything but the classifier works on maps; no parameter does."""
    macs = 27 * 32 * 112**2 + sum((9 * i + i * o) * n * n for i, o, n in MOBILENET)
    assert total("mobilenet_v1", ["rho"], "macs", "unrounded") == f"{macs}*rho^2 + 1024000"
    assert total("mobilenet_v1", ["rho"], "params", "exact") == "4231976"


@pytest.mark.parametrize(
    ("name", "kind", "expected", "where"),
    [
        ("resnet50", "ideal", "83410944*r^2 + 2048*classes", ("size = 32*r",)),
        (
            "resnet50",
            "exact",
            "9408*ceil(size/2)^2 + 245760*ceil(size/4)^2 + 1310720*ceil(size/8)^2 + 7471104*ceil(size/16)^2 "
            "+ 14417920*ceil(size/32)^2 + 2048*classes",
            (),
        ),
        (
            "inception_v3",
            "ideal",
            "77484032*r^2 - 65225728*r + 2048*classes + 21993056",
            ("size = 32*r + 11",),
        ),
    ],
)
def test_networks_in_their_size(name: str, kind: str, expected: str, where: tuple[str, ...]) -> None:
    shown = view(formula(Catalogue().target(name)), kind)
    assert (text(shown.shown("macs")), shown.where) == (expected, where)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_shape_is_the_same_number_at_the_default(name: str) -> None:
    found = formula(Catalogue().target(name))
    exact = {key: found.totals[key].value for key in QUANTITIES}
    for kind in VIEWS:
        shown = view(found, kind)
        assert {key: shown.value(key) for key in QUANTITIES} == exact, kind


@pytest.mark.parametrize("name", ["resnet50", "inception_v3", "googlenet", "densenet121", "unet", "xception", "vgg16"])
@pytest.mark.parametrize("step", [-1, 1, 3])
def test_ideal_forms_hold_on_their_sizes(name: str, step: int) -> None:
    spec = Catalogue().target(name)
    found = formula(spec, ["size"])
    ideal = view(found, "ideal")
    (residue,) = ideal.residues
    size = found.witness["size"] + step * residue.period
    expected = quantities(build(spec, {"size": size}).layers)
    values = {residue.symbol: (size - residue.rest) // residue.period}
    assert not functions_in(ideal.exprs["macs"])
    assert {key: evaluate(ideal.exprs[key], values) for key in QUANTITIES} == {key: expected[key] for key in QUANTITIES}


def test_names_for_rounded_widths_stand_for_them() -> None:
    found = formula(Catalogue().target("mobilenet_v3"), ["alpha", "size"])
    shown = view(found, "named")
    assert not functions_in(shown.exprs["macs"])
    assert "w72 = make_divisible(72*alpha, 8)" in shown.where
    assert "w = make_divisible(w72/4, 8)" in shown.where  # squeeze-and-excitation: a quarter of the width, rounded
    assert len({let.symbol for let in shown.lets}) == len(shown.lets)


def test_what_is_short_is_shown_as_it_is() -> None:
    assert readable(formula(Catalogue().target("resnet50"))).kind == "exact"
    assert readable(formula(Catalogue().target("mobilenet_v1"), ["alpha"])).kind == "named"


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no form is called 'idael'; did you mean 'ideal'\?"):
        view(formula(Catalogue().target("plain")), "idael")


A, N, M, SIZE = Symbol("alpha", whole=False), Symbol("N"), Symbol("M"), Symbol("size")


@pytest.mark.parametrize(
    ("expr", "plain", "typed", "tex"),
    [
        (FloorDiv(SIZE + 31, 32) ** 2 * 3, "3*ceil(size/32)^2", "3·⌈size/32⌉²", None),
        (FloorDiv(SIZE, 4), "floor(size/4)", "⌊size/4⌋", r"\left\lfloor \frac{\mathrm{size}}{4} \right\rfloor"),
        (A**2 - A, "alpha^2 - alpha", "\N{GREEK SMALL LETTER ALPHA}² - \N{GREEK SMALL LETTER ALPHA}", None),
        (MakeDivisible(32 * A, 8), "make_divisible(32*alpha, 8)", None, None),
        (RoundEven(3 * A), "round(3*alpha)", None, None),
        (Maximum(A, N), "max(alpha, N)", None, None),
        (Power(N + M, Fraction(1, 2)), "sqrt(M + N)", None, r"\sqrt{M + N}"),
        (Symbol("w32") * 2, "2*w32", "2·w₃₂", "2 w_{32}"),
        (N / (M + 1), "N/(M + 1)", "N/(M + 1)", None),
    ],
)
def test_writers(expr: Expr, plain: str, typed: str | None, tex: str | None) -> None:
    assert text(expr) == plain
    assert typed is None or typeset(expr) == typed
    assert tex is None or latex(expr) == tex


@pytest.mark.parametrize(
    ("low", "high"),
    [(FloorDiv(SIZE + 1, 4), FloorDiv(SIZE + 3, 4)), (SIZE - 2, SIZE), (FloorDiv(SIZE, 2), FloorDiv(SIZE, 2) + 1)],
)
def test_sizes_that_are_always_in_order(low: Expr, high: Expr) -> None:
    """What a pool with ceil_mode asks for; the smaller one is known without knowing the size."""
    assert Minimum(high, low) == Minimum(low, high) == low
    assert Maximum(high, low) == Maximum(low, high) == high


def test_terms_of_one_size_stand_together() -> None:
    s, w, v = map(Symbol, ("s2", "w32", "w64"))
    groups = (frozenset({s}), frozenset({w, v}))
    assert (
        text(collected(s**2 * w * v + 36 * s**2 * w + 9 * v + 5 * w + 7, groups))
        == "s2^2*w32*(w64 + 36) + 5*w32 + 9*w64 + 7"
    )


def test_terms_are_brought_together_in_the_same_way_in_every_run() -> None:
    """Two ways are equally short here; Python orders sets differently in every process."""
    program = (
        "from convcost.formulas.simplify import collected\n"
        "from convcost.numbers.polynomial import Symbol\n"
        "from convcost.numbers.printing import text\n"
        "c, w = Symbol('classes'), Symbol('width', whole=False)\n"
        "print(text(collected(6179456*w**2 + 1280*c*w + c + 333728*w)))"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(shown) == 1


def test_json_has_every_shape() -> None:
    result = convcost("formula", "mobilenet_v1", "--free", "alpha", "--format", "json")
    data = json.loads(result.out)
    assert data["forms"]["unrounded"]["totals"]["macs"] == "539492352*alpha^2 + 29248000*alpha"
    assert data["forms"]["unrounded"]["exact"] is False
    assert data["forms"]["named"]["lets"]["w1024"] == "floor(1024*alpha)"
    assert data["values"]["macs"] == data["forms"]["ideal"]["values"]["macs"] == 568_740_352
    assert data["conditions"] == [{"text": "alpha >= 1/32", "structural": False}]


def test_text_offers_the_shorter_shapes() -> None:
    out = convcost("formula", "inception_v3", "--total", "--in", "macs").out
    assert "--form ideal: MACs = 77484032*r^2 - 65225728*r + 2048*classes + 21993056" in out
    assert "(size = 32*r + 11)" in out


def test_what_is_not_exact_says_so() -> None:
    """Squeeze-and-excitation rounds 18 channels to 24: the polynomial is off at the default, and says by how much."""
    out = convcost("formula", "mobilenet_v3", "--free", "alpha", "--form", "unrounded", "--total", "--in", "macs").out
    assert "at the defaults 216,587,936, exactly 216,589,760" in out
    assert "not exact: make_divisible(c*alpha, 8) as c*alpha, " in out


def test_cases_show_the_other_structures() -> None:
    out = convcost("formula", "inverted_residual", "--cases", "--in", "params").out
    assert "where t == 1, I != O\n  params = I*(K^2 + O + 2) + 2*O\n" in out
    assert out.count("where ") == 4


def test_activations_are_elements_written() -> None:
    """ResNet-50: 11.1 M elements written by convolutions (Radosavovic et al., 2020, Table 2: activations, 11.1 M)."""
    found = formula(Catalogue().target("resnet50"), ["size"])
    assert found.totals["conv_activations"].value == 11_113_984
    assert round(Fraction(found.totals["conv_activations"].value, 10**6), 1) == Fraction(111, 10)
