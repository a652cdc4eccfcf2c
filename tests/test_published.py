"""Printed figures: how they are read, what is refused, and what becomes of them."""

from __future__ import annotations

import csv
import io
import json
import re
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from inprocess import convcost
from networks import rows

from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.conventions.counts import QUANTITIES
from convcost.errors import ConvcostError, SpecError
from convcost.literature.claims import CLAIM_KEYS, claim_schema, claims
from convcost.literature.verify import CONVENTION, ERRATUM, REPRODUCED, UNEXPLAINED, verify, verify_spec
from convcost.numbers.printed import figure
from convcost.render.findings import settings
from convcost.render.published import published_page

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.language.model import Spec
    from convcost.literature.claims import Claim
    from convcost.literature.verify import Finding

# 3 x 3 x 3 x 4 = 108 weights, 4 biases, 8 norm parameters; 16 x 108 MACs; 4 x 10 weights and 10 biases at the end
NETWORK = """
parameters: {width: 4, classes: 10, mode: {default: plain, choices: [plain, fancy]}}
input: [3, 4, 4]
layers:
  - {conv: {out: width, kernel: 3}, name: first}
  - {batch_norm, when: mode == 'plain'}
  - global_avg_pool
  - {linear: {out: classes}, name: last}
published:
"""


def spec(*published: str, network: str = NETWORK) -> Spec:
    text = network + "\n".join(f"  - {claim}" for claim in published)
    return Catalogue().text(text.encode(), "net.yaml", "net", str(ROOT))


def finding(claim: str) -> Finding:
    return verify_spec(spec(claim)).findings[0]


FIGURES = [
    ("569M", 569_000_000, 1_000_000),
    ("4.2 million", 4_200_000, 100_000),
    ("60,000", 60_000, 1),
    ("3.8x10^9", 3_800_000_000, 100_000_000),
    ("13.6e6", 13_600_000, 100_000),
    ("2.0 Bn", 2_000_000_000, 100_000_000),
    ("94.86 %", Fraction("94.86"), Fraction("0.01")),
    ("~70k", 70_000, 1_000),
    ("22,855,952", 22_855_952, 1),
    ("0.27M", 270_000, 10_000),
    ("12", 12, 1),
]


@pytest.mark.parametrize(("text", "value", "unit"), FIGURES)
def test_printed_figures(text: str, value: Fraction, unit: Fraction) -> None:
    found = figure(text)
    assert (found.value, found.unit) == (value, unit)
    assert found.agrees(found.value + unit)
    assert found.agrees(found.value - unit)
    assert not found.agrees(found.value + unit * Fraction(101, 100))


def test_k_and_digits_are_what_the_claim_says() -> None:
    assert figure("159K", k=1024).value == 159 * 1024
    assert figure("15300M", digits=3).unit == 100_000_000
    assert figure("650,000", digits=2).unit == 10_000


def test_a_bound_is_a_bound() -> None:
    assert figure("<25 million").agrees(Fraction(24_999_999))
    assert not figure("<25 million").agrees(Fraction(25_000_000))


@pytest.mark.parametrize("text", ["", "many", "1,2", "12,34", "5 apples", "1..2", "-3", "9" * 41, "1e999", "0x10"])
def test_what_is_no_figure(text: str) -> None:
    with pytest.raises(ConvcostError, match="is no printed figure such as 569M"):
        figure(text)


VALUES = [
    ("params", "trainable", 4 * 27 + 4 + 8 + 40 + 10),
    ("params", "weights", 4 * 27 + 40),
    ("params", "weights_and_biases", 4 * 27 + 4 + 40 + 10),
    ("params", "weights_and_norms", 4 * 27 + 8 + 40),
    ("params", "folded", 4 * 27 + 4 + 4 + 40 + 10),
    ("params", "total", 4 * 27 + 4 + 8 + 40 + 10 + 8),
    ("params", "folded_total", 4 * 27 + 4 + 4 + 40 + 10 + 8),
    ("macs", "all", 16 * 4 * 27 + 40),
    ("macs", "convolutions", 16 * 4 * 27),
    ("flops", "macs", 16 * 4 * 27 + 40),
    ("flops", "macs_of_convolutions", 16 * 4 * 27),
    ("flops", "macs_and_merges", 16 * 4 * 27 + 40),
    ("flops", "twice_macs", 2 * (16 * 4 * 27 + 40)),
    # a convolution's products and sums and biases, the norm's two, the mean's 15 sums and a quotient, the classifier's
    ("flops", "every", 2 * (16 * 4 * 27 + 40) + 64 + 2 * 64 + 4 * 15 + 4 + 10),
    ("connections", "uses", 16 * 4 * 28 + 40 + 10),
    ("activations", "outputs", 64 + 10),
    ("depth", "weighted", 2),
    ("channels", "output", 10),
    ("height", "output", 1),
]


@pytest.mark.parametrize(("quantity", "count", "value"), VALUES)
def test_every_convention_counts_what_it_says(quantity: str, count: str, value: int) -> None:
    found = finding(f'{{{quantity}: "{value:,}", counts: {count}}}')
    assert found.value == value
    assert found.verdict in (REPRODUCED, CONVENTION)
    assert not found.fault


def test_megabytes_are_parameters_of_four_bytes() -> None:
    assert finding("{megabytes: 0.00068, counts: decimal}").value == Fraction(4 * 170, 10**6)
    assert finding("{megabytes: 0.00065}").value == Fraction(4 * 170, 2**20)


def test_every_convention_is_tested() -> None:
    tested = {(quantity, count) for quantity, count, _ in VALUES} | {("megabytes", "binary"), ("megabytes", "decimal")}
    known = {(q.name, count.name) for q in QUANTITIES.values() if not q.share for count in q.counts}
    assert tested == known


def test_merges_are_the_additions_of_shortcuts_and_the_products_of_gates() -> None:
    network = """
input: [8, 4, 4]
layers:
  - add: {main: [conv: {out: 8, bias: false}], shortcut: x}
  - multiply: {map: x, gate: [global_avg_pool, conv: {out: 8, bias: false}]}
published:
"""
    macs = 16 * 8 * 8 + 8 * 8
    claim = f"{{flops: {macs + 2 * 8 * 16}, counts: macs_and_merges}}"
    found = verify_spec(spec(claim, network=network)).findings[0]
    assert (found.difference, found.verdict) == (0, CONVENTION)


def test_a_part_is_a_path_or_a_kind_or_several() -> None:
    assert finding("{macs: 1728, of: first}").difference == 0
    assert finding("{macs: 40, of: linear}").difference == 0
    assert finding("{macs: 1768, of: [first, last]}").difference == 0
    assert finding("{channels: 4, of: first}").difference == 0
    assert finding("{macs_share: 97.7 %, of: standard}").value == Fraction(100 * 1728, 1768)
    assert finding("{params_share: 73.0 %, of: first, counts: weights}").value == Fraction(100 * 108, 148)


def test_parameters_and_input_are_the_claims() -> None:
    assert finding("{params: 108, counts: weights, of: first, at: {width: 4, mode: fancy}}").difference == 0
    assert finding("{macs: 432, of: first, input: 3x2x2}").difference == 0


def test_a_figure_that_follows_is_reproduced_within_a_unit() -> None:
    assert finding("{macs: 1.7k}").verdict == REPRODUCED
    assert finding("{macs: 1.8k}").verdict == REPRODUCED
    assert finding("{macs: 1.9k}").verdict == UNEXPLAINED


def test_a_convention_that_fits_is_named() -> None:
    found = finding("{params: 148}")
    assert (found.verdict, found.convention.name) == (CONVENTION, "weights")
    stated = finding("{params: 148, counts: folded}")
    assert (stated.verdict, stated.convention.name) == (UNEXPLAINED, "folded")
    assert stated.fault == "not explained, and not marked as open"


def test_an_open_figure_does_not_fail() -> None:
    found = finding("{params: 500, open: nobody knows}")
    assert (found.verdict, found.fault) == (UNEXPLAINED, "")
    assert finding("{params: 170, open: nobody knows}").fault == "marked as open, but it is reproduced"


def test_an_erratum_must_be_one() -> None:
    found = finding("{params: 500, erratum: a slip}")
    assert (found.verdict, found.fault) == (ERRATUM, "")
    assert finding("{params: 170, erratum: a slip}").fault == "marked as an erratum, but it is reproduced"


def test_the_arithmetic_of_an_erratum_is_computed() -> None:
    assert finding("{params: 500, erratum: a slip, arithmetic: 4*27 + 4 + 8 + 40 + 10}").fault == ""  # ours
    assert finding("{params: 500, erratum: a slip, arithmetic: 5*10^2}").fault == ""  # the printed one
    wrong = finding("{params: 500, erratum: a slip, arithmetic: 7/2}")
    assert wrong.fault == "7/2 is 3.5, neither the printed figure nor ours"


REFUSED = [
    ("569M", "10:5: a claim is a mapping such as {macs: 569M, where: Table 8}"),
    ("{}", "10:5: a claim prints one of .*; found none"),
    ("{macs: 1, params: 2}", "10:5: a claim prints one of .*; found macs and params"),
    ("{at: {width: 4}}", "10:5: a claim prints one of .*; found none"),
    ("{mac: 1M}", "10:6: a claim has no key 'mac'; did you mean 'macs'?"),
    ("{macs: lots}", "10:12: 'lots' is no printed figure"),
    ("{macs: 1, counts: weights}", "10:23: `counts` must be one of all, convolutions; found 'weights'"),
    ("{params: 1, counts: weigths}", "10:25: `counts` must be one of .*; found 'weigths'; did you mean 'weights'?"),
    ("{macs: 1, at: {widht: 4}}", "10:20: net has no parameter 'widht'; did you mean 'width'?"),
    ("{macs: 1, at: {width: wide}}", "10:27: `width` must be a whole number, found 'wide'"),
    ("{macs: 1, at: {mode: fanci}}", "10:26: `mode` must be one of plain, fancy; found 'fanci'; did you mean 'fancy'"),
    ("{macs: 1, at: wide}", "10:19: `at` is a mapping of parameters"),
    ("{macs: 1, input: big}", "10:22: `input` takes sizes such as 3x112x96"),
    ("{macs: 1, input: 3x0x2}", "10:22: `input` takes sizes such as 3x112x96"),
    ("{macs: 1, digits: 0}", "10:23: `digits` must be a whole number from 1 to 1024"),
    ("{macs: 1, K: kilo}", "10:18: `K` must be a whole number from 1 to 1024"),
    ("{macs: 1, erratum: }", "10:24: `erratum` is empty"),
    ("{macs: 1, erratum: a, open: b}", "10:5: a claim is either an `erratum`"),
    ("{macs: 1, arithmetic: 2 +}", "10:27: '2 \\+' is not an expression"),
    ("{macs: 1, arithmetic: 2*width}", "10:27: `arithmetic` is an expression of numbers alone"),
    ("{macs: [1, 2]}", "10:12: a printed figure must be text"),
    ("{macs: 1, of: second}", "10:5: net has no part or kind of layer 'second'"),
    ("{macs: 1, of: frist}", "10:5: net has no part or kind of layer 'frist'; did you mean 'first'?"),
    ("{macs: 1, input: 3x2}", "10:5: the network of this claim cannot be built"),
]


@pytest.mark.parametrize(("claim", "message"), REFUSED)
def test_wrong_claims_are_refused_where_they_stand(claim: str, message: str) -> None:
    network = NETWORK.replace("kernel: 3", "kernel: [3, 3]")
    with pytest.raises(SpecError, match=rf"^net\.yaml:{message}"):
        verify_spec(spec(claim, network=network))


def test_all_faults_are_reported_together() -> None:
    wrong = spec("{mac: 1}", "{macs: x}", "{macs: 1, at: {q: 1}}")
    with pytest.raises(SpecError) as caught:
        claims(wrong)
    assert [problem.position.line for problem in caught.value.problems] == [10, 10, 11, 12]


def test_published_is_a_list_and_of_bounded_length() -> None:
    text = "{input: [1, 2, 2], layers: [relu], published: {macs: 1}}"
    with pytest.raises(SpecError, match=r"1:47: `published` is a list of claims"):
        claims(Catalogue().text(text.encode(), "net.yaml", "net", ""))
    with pytest.raises(SpecError, match=r"a spec may have 1,000 claims"):
        claims(spec(*["{macs: 1}"] * 1001))


def test_a_variant_does_not_inherit_claims() -> None:
    loader = Catalogue()
    assert claims(loader.target("resnet50"))
    assert not claims(loader.target("resnet"))
    assert not claims(loader.target("regnet_y_400mf"))  # extends regnet_y, which has many


def test_check_reads_claims_too(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(NETWORK + "  - {macs: 1, counts: al}\n")
    result = convcost("check", str(path))
    assert result.code == 1
    assert "net.yaml:10:23: `counts` must be one of all, convolutions; found 'al'; did you mean 'all'?" in result.err


def test_the_schema_knows_every_key_of_a_claim() -> None:
    claim = claim_schema()
    assert set(claim["properties"]) == set(CLAIM_KEYS)
    assert {"required": ["connections"]} in claim["oneOf"]


def test_bundled_figures_all_have_a_verdict() -> None:
    result = convcost("verify", "--format", "json")
    data = json.loads(result.out)
    assert result.code == 0, result.out
    assert data["schema"] == "convcost/verify/1"
    assert data["failing"] == 0
    found = [one for entry in data["specs"] for one in entry["findings"]]
    assert data["figures"] == len(found) == sum(data["verdicts"].values())
    assert all(one["erratum"] and one["arithmetic"] for one in found if one["verdict"] == ERRATUM)
    assert all(one["open"] for one in found if one["verdict"] == UNEXPLAINED)


def _bundled_claims() -> list[tuple[str, Claim]]:
    loader = Catalogue()
    return [(name, claim) for name in bundled_names() for claim in claims(loader.target(name))]


def test_no_claim_is_a_count_of_our_own() -> None:
    """Papers and libraries print operations rounded. One that is printed to the unit is a measurement of ours."""
    for name, claim in _bundled_claims():
        if claim.quantity.name in ("macs", "flops") and not claim.of:
            digits = str(int(claim.figure.value / claim.figure.unit)).rstrip("0")
            assert len(digits) <= 5, f"{name}: no source prints {claim.figure.text} {claim.quantity.title}"


def test_every_claim_names_who_prints_it() -> None:
    """The spec's own paper, or a source; and neither is a count by layer, by hand or by this program."""
    for name, claim in _bundled_claims():
        place = f"{claim.source} {claim.where}".lower()
        assert place.strip(), f"{name}: {claim.figure.text}"
        assert not re.search(r"\bcount(ed|s)?\b|convcost|\bour\b|by hand|measured", place), f"{name}: {place}"


def test_the_readme_says_how_many_figures_there_are() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"[{len(_bundled_claims())} of them](docs/published.md)" in readme


def test_a_planted_wrong_figure_fails(tmp_path: Path) -> None:
    source = (ROOT / "specs" / "mobilenet_v1.yaml").read_text()
    path = tmp_path / "mobilenet_v1.yaml"
    path.write_text(source.replace("{macs: 149 million, at: {alpha: 0.5}", "{macs: 151 million, at: {alpha: 0.5}"))
    result = convcost("verify", str(path))
    assert result.code == 1
    assert "MACs, printed 151 million: not explained, and not marked as open" in result.out
    assert "; 1 fail" in result.out
    path.write_text(source)
    assert convcost("verify", str(path)).code == 0


def test_verify_of_a_name_without_figures_says_so() -> None:
    result = convcost("verify", "resnet")
    assert result.code == 0
    assert "no published figures" in result.out
    assert convcost("verify", "nosuchnet").code == 2


def test_csv_has_a_row_for_each_figure() -> None:
    result = convcost("verify", "lenet5", "alexnet", "--format", "csv")
    lines = list(csv.DictReader(io.StringIO(result.out)))
    assert len(lines) == 14 + 16
    row = next(row for row in lines if row["of"] == "C1" and row["quantity"] == "connections")
    assert (row["ours"], row["printed"], row["verdict"]) == ("122304", "122,304", "reproduced")


def test_the_page_is_not_stale() -> None:
    page = published_page(verify())
    stored = (ROOT / "docs" / "published.md").read_text(encoding="utf-8")
    assert stored == page, "run `convcost verify --format markdown -o docs/published.md`"


def test_text_from_specs_is_escaped_on_the_page() -> None:
    hostile = spec('{params: 500, erratum: "<script>|*x*", where: "a|b [c](d)"}')
    hostile.title = "# <b>"
    page = published_page([verify_spec(hostile)])
    assert "<script>" not in page
    assert "<b>" not in page
    assert "a\\|b \\[c\\](d)" in page


@pytest.mark.parametrize("row", rows("printed.csv"), ids=lambda row: row["id"])
def test_figures_that_papers_print_are_claims(row: dict[str, str]) -> None:
    loader = Catalogue()
    found = [
        claim
        for claim in claims(loader.target(row["spec"]))
        if claim.quantity.name in row["quantity"].split("|") and claim.figure.value == int(row["value"])
    ]
    asked = set(filter(None, row["settings"].split(" ")))
    assert any(asked <= set(filter(None, settings(claim).replace("input ", "input=").split(", "))) for claim in found)


def test_every_named_figure_is_about_a_bundled_spec() -> None:
    assert {row["spec"] for row in rows("printed.csv")} <= set(bundled_names())
