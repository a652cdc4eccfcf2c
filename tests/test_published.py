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
from convcost.literature.claims import CLAIM_KEYS, MEASURED, PRINTED, claim_schema, claims
from convcost.literature.explain import explain
from convcost.literature.references import references
from convcost.literature.verify import (
    APPROXIMATE,
    CONVENTION,
    ERRATUM,
    OPEN,
    REPRODUCED,
    VARIANT,
    VERDICTS,
    verify,
    verify_spec,
    with_figures,
)
from convcost.numbers.printed import figure, printed
from convcost.render.findings import settings
from convcost.render.published import bibliography, families, family_page, figures_json, published_page, summary_parts

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.language.model import Spec
    from convcost.literature.claims import Claim
    from convcost.literature.verify import Finding, Verifications

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
GROUP = "  - class: counted\n    figures:\n"


def spec(*published: str, network: str = NETWORK, group: str = GROUP) -> Spec:
    """A spec with claims that are somebody's counts, which need no source; or those of another group."""
    text = network + group + "\n".join(f"{'    ' if group else ''}  - {claim}" for claim in published)
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
    assert found.fit(found.value) == "exact"
    for off, fit in ((Fraction(1, 2), "rounds"), (Fraction(-1, 2), "rounds"), (Fraction(99, 100), "truncates")):
        assert found.fit(found.value + unit * off) == fit
    for off in (Fraction(-51, 100), Fraction(1), Fraction(-1)):
        assert found.fit(found.value + unit * off) == ""


def test_a_single_digit_is_not_cut_off() -> None:
    """5 billion would stand for anything up to 6; as a rounded number it is 4.5 to 5.5."""
    assert figure("5 billion").fit(Fraction(5_490_000_000)) == "rounds"
    assert figure("5 billion").fit(Fraction(5_711_000_000)) == ""
    assert figure("5.0 billion").fit(Fraction(5_090_000_000)) == "truncates"


def test_k_and_digits_are_what_the_claim_says() -> None:
    assert figure("159K", k=1024).value == 159 * 1024
    assert figure("15300M", digits=3).unit == 100_000_000
    assert figure("650,000", digits=2).unit == 10_000


def test_a_bound_is_a_bound() -> None:
    assert finding("{params: <171}").verdict == APPROXIMATE
    assert finding("{params: <170}").verdict == OPEN


@pytest.mark.parametrize("text", ["~70k", "about 70k", "around 70k"])
def test_about_is_about(text: str) -> None:
    assert figure(text).rough
    assert not figure("70k").rough


def test_a_figure_that_says_about_is_approximate_within_five_per_cent() -> None:
    assert finding("{params: ~170}").verdict == "exact"
    assert finding("{params: ~178}").verdict == APPROXIMATE  # 170 is 4.5 % less
    assert finding("{params: ~180}").verdict == OPEN
    assert finding("{params: 178, counts: trainable}").verdict == OPEN


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
    ("params", "folded_total_of_convolutions", 4 * 27 + 4 + 4 + 8),
    ("macs", "all", 16 * 4 * 27 + 40),
    ("macs", "convolutions", 16 * 4 * 27),
    ("flops", "macs", 16 * 4 * 27 + 40),
    ("flops", "macs_and_biases", 16 * 4 * 27 + 64 + 40 + 10),
    ("flops", "macs_of_convolutions", 16 * 4 * 27),
    ("flops", "macs_and_merges", 16 * 4 * 27 + 40),
    ("flops", "twice_macs", 2 * (16 * 4 * 27 + 40)),
    # a convolution's products and sums and biases, the norm's two, the mean's 15 sums and a quotient, the classifier's
    ("flops", "every", 2 * (16 * 4 * 27 + 40) + 64 + 2 * 64 + 4 * 15 + 4 + 10),
    ("connections", "uses", 16 * 4 * 28 + 40 + 10),
    ("activations", "outputs", 64 + 10),
    ("activations", "outputs_and_pools", 64 + 10),  # the mean over the whole map is no pool with a window
    ("depth", "weighted", 2),
    ("channels", "output", 10),
    ("height", "output", 1),
]


@pytest.mark.parametrize(("quantity", "count", "value"), VALUES)
def test_every_convention_counts_what_it_says(quantity: str, count: str, value: int) -> None:
    found = finding(f'{{{quantity}: "{value:,}", counts: {count}}}')
    assert found.value == value
    assert found.verdict in REPRODUCED
    assert not found.fault


def test_megabytes_are_parameters_of_four_bytes() -> None:
    assert finding("{megabytes: 0.00068, counts: decimal}").value == Fraction(4 * 170, 10**6)
    assert finding("{megabytes: 0.00065}").value == Fraction(4 * 170, 2**20)
    assert finding("{megabytes: 0.00068, counts: binary_total}").value == Fraction(4 * 178, 2**20)


def test_outputs_of_pools_with_a_window() -> None:
    network = """
input: [3, 4, 4]
layers: [{conv: {out: 4, kernel: 3}}, {max_pool: {kernel: 2}}]
published:
"""
    claim = f"{{activations: {4 * 16 + 4 * 4}, counts: outputs_and_pools}}"
    assert verify_spec(spec(claim, network=network)).findings[0].difference == 0


def test_every_convention_is_tested() -> None:
    tested = {(quantity, count) for quantity, count, _ in VALUES} | {
        ("megabytes", name) for name in ("binary", "decimal", "binary_total")
    }
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


def test_a_figure_that_follows_is_exact_rounded_or_truncated() -> None:
    """1,768 multiply-accumulates."""
    assert finding('{macs: "1,768"}').verdict == "exact"
    assert finding("{macs: 1.8k}").verdict == "rounds"
    assert finding("{macs: 1.7k}").verdict == "truncates"
    assert finding("{macs: 1.9k}").verdict == OPEN


def test_a_convention_that_fits_is_named() -> None:
    found = finding("{params: 148}")
    assert (found.verdict, found.convention.name) == (CONVENTION, "weights")
    stated = finding("{params: 148, counts: folded}")
    assert (stated.verdict, stated.convention.name) == (OPEN, "folded")
    assert stated.fault
    assert (found.tried, stated.tried) == (2, 1)


def test_a_tool_can_be_the_convention() -> None:
    """torch's FlopCounterMode counts two for each multiply-accumulate."""
    assert finding(f"{{flops: {2 * 1768}, counts: torch}}").difference == 0


def test_a_variant_must_be_what_makes_it_follow() -> None:
    found = finding("{params: 162, variant: {mode: fancy}}")  # without the norm
    assert (found.verdict, found.fault) == (VARIANT, "")
    assert finding("{params: 40, of: last, counts: weights, variant: {mode: fancy}}").fault == (
        "names a variant, but follows without it"
    )
    fault = finding("{params: 500, open: nobody knows, variant: {mode: fancy}}").fault
    assert fault == "names a variant by which it does not follow"


def test_an_explained_figure_starts_from_our_count() -> None:
    found = finding("{params: 177, explained: seven more, arithmetic: 170 + 7}")
    assert (found.verdict, found.fault) == (CONVENTION, "")
    assert finding("{params: 177, explained: seven more, arithmetic: 171 + 6}").fault == (
        "the arithmetic does not start from our count, 170"
    )


def test_an_open_figure_does_not_fail() -> None:
    found = finding("{params: 500, open: nobody knows}")
    assert (found.verdict, found.fault) == (OPEN, "")
    assert finding("{params: 170, open: nobody knows}").fault == "marked as open, but the verdict is: exact"


def test_what_explain_answers_is_not_open() -> None:
    found = finding('{params: "1,178", counts: weights, open: nobody knows}')
    assert found.fault == ""
    answered = finding('{params: "170", counts: weights, open: nobody knows}')
    assert answered.fault == "marked as open, but `convcost explain` answers it"


def test_an_erratum_must_be_one() -> None:
    found = finding("{params: 500, erratum: a slip, arithmetic: 5*10^2}")
    assert (found.verdict, found.fault, found.derived) == (ERRATUM, "", True)
    fault = "marked as an erratum, but the verdict is: exact"
    assert finding("{params: 170, erratum: a slip, arithmetic: 170}").fault == fault


def test_the_arithmetic_of_an_erratum_is_computed() -> None:
    right = finding("{params: 500, erratum: a slip, instead: 4*27 + 4 + 8 + 40 + 10}")
    assert (right.fault, right.derived) == ("", False)
    ours = finding("{params: 500, erratum: a slip, arithmetic: 4*27 + 4 + 8 + 40 + 10}")
    assert ours.fault == "the arithmetic 4*27 + 4 + 8 + 40 + 10 is 170, which does not print as 500"
    wrong = finding("{params: 500, erratum: a slip, instead: 7/2}")
    assert wrong.fault == "the arithmetic 7/2 is 3.5, not ours"


def test_arithmetic_that_rounds_is_better_than_a_count_that_truncates() -> None:
    """1.5 billion is GoogLeNet's column sum, 1,502 million, and not 1,583 million cut off."""
    found = finding("{macs: 1.7k, erratum: a slip, arithmetic: 1700 + 2}")
    assert (found.verdict, found.fault) == (ERRATUM, "")


REFUSED = [
    ("569M", "12:9: a claim is a mapping such as {macs: 569M}"),
    ("{}", "12:9: a claim prints one of .*; found none"),
    ("{macs: 1, params: 2}", "12:9: a claim prints one of .*; found macs and params"),
    ("{at: {width: 4}}", "12:9: a claim prints one of .*; found none"),
    ("{mac: 1M}", "12:10: a claim has no key 'mac'; did you mean 'macs'?"),
    ("{macs: lots}", "12:16: 'lots' is no printed figure"),
    ("{macs: 1, counts: weights}", "12:27: `counts` must be one of all, convolutions; found 'weights'"),
    ("{params: 1, counts: weigths}", "12:29: `counts` must be one of .*; found 'weigths'; did you mean 'weights'?"),
    ("{macs: 1, at: {widht: 4}}", "12:24: net has no parameter 'widht'; did you mean 'width'?"),
    ("{macs: 1, at: {width: wide}}", "12:31: `width` must be a whole number, found 'wide'"),
    ("{macs: 1, at: {mode: fanci}}", "12:30: `mode` must be one of plain, fancy; found 'fanci'; did you mean 'fancy'"),
    ("{macs: 1, at: wide}", "12:23: `at` is a mapping of parameters"),
    ("{macs: 1, input: big}", "12:26: `input` takes sizes such as 3x112x96"),
    ("{macs: 1, input: 3x0x2}", "12:26: `input` takes sizes such as 3x112x96"),
    ("{macs: 1, digits: 0}", "12:27: `digits` must be a whole number from 1 to 1024"),
    ("{macs: 1, K: kilo}", "12:22: `K` must be a whole number from 1 to 1024"),
    ("{macs: 1, erratum: }", "12:28: `erratum` is empty"),
    (
        "{macs: 1, erratum: a, instead: 1, open: b}",
        "12:9: a claim is one of `erratum`, `open`, `explained`; found erratum and open",
    ),
    ("{macs: 1, arithmetic: 2 +}", "12:31: '2 \\+' is not an expression"),
    ("{macs: 1, arithmetic: 2*width}", "12:31: `arithmetic` is an expression of numbers alone"),
    ("{macs: [1, 2]}", "12:16: a printed figure must be text"),
    ("{macs: 1, of: second}", "12:9: net has no part or kind of layer 'second'"),
    ("{macs: 1, of: frist}", "12:9: net has no part or kind of layer 'frist'; did you mean 'first'?"),
    ("{macs: 1, input: 3x2}", "12:9: the network of this claim cannot be built"),
    ("{macs: 1, class: guessed}", "12:26: `class` must be one of printed, measured, counted; found 'guessed'"),
    ("{macs: 1, read: tea}", "12:25: `read` must be one of pdf, repository, transcription, memory; found 'tea'"),
    (
        "{macs: 1, class: printed}",
        "12:9: a printed figure needs .*; it lacks `cite`, `where`, `read`",
    ),
    ("{macs: 1, cite: szegdy2015}", "12:25: no reference is called 'szegdy2015'; did you mean 'szegedy2015'"),
    ("{macs: 1, cite: me}", "12:25: no reference is called 'me'; a source of your own is cited as arXiv:1704.04861"),
    ("{macs: 1, class: measured}", "12:9: a measured figure needs its tool's version .*; it lacks `tool`"),
    ("{macs: 1, class: measured, tool: fvcore}", "12:9: a measured figure needs its tool's version .*; found 'fvcore'"),
    ("{macs: 1, erratum: a slip}", "12:9: an `erratum` needs `arithmetic`"),
    ("{macs: 1, explained: so}", "12:9: an `explained` figure needs `arithmetic`"),
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
    assert [problem.position.line for problem in caught.value.problems] == [12, 12, 13, 14]


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
    assert claims(loader.target("lenet5"))
    assert not claims(loader.text(b"extends: lenet5", "net.yaml", "net", str(ROOT)))


def test_check_reads_claims_too(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(NETWORK + "  - {macs: 1, counts: al, class: counted}\n")
    result = convcost("check", str(path))
    assert result.code == 1
    assert "net.yaml:10:23: `counts` must be one of all, convolutions; found 'al'; did you mean 'all'?" in result.err


def test_the_schema_knows_every_key_of_a_claim() -> None:
    claim, group = claim_schema()["anyOf"]
    assert set(group["properties"]) - {"figures"} < set(CLAIM_KEYS)
    assert set(claim["properties"]) == set(CLAIM_KEYS)
    assert {"required": ["connections"]} in claim["oneOf"]


@pytest.fixture(scope="module")
def everything() -> Verifications:
    """The findings about all bundled specs."""
    return verify()


def test_bundled_figures_all_have_a_verdict(everything: Verifications) -> None:
    data = everything.data()
    assert not everything.failed
    assert data["schema"] == "convcost/verify/1"
    assert data["failing"] == 0
    each = [one for entry in data["specs"] for one in entry["findings"]]
    only = [one for one in each if one["class"] == PRINTED]
    assert data["figures"] == len(only) == sum(data["verdicts"].values())
    assert all(one["erratum"] and (one["arithmetic"] or one["instead"]) for one in each if one["verdict"] == ERRATUM)
    assert all(one["open"] for one in each if one["verdict"] == OPEN)
    assert all(one["fit"] for one in each if one["verdict"] not in (ERRATUM, OPEN, APPROXIMATE))


def _bundled_claims() -> list[tuple[str, Claim]]:
    loader = Catalogue()
    return [(name, claim) for name in bundled_names() for claim in claims(loader.target(name))]


def test_no_claim_is_a_count_of_our_own() -> None:
    """Papers and libraries print operations rounded. One that is printed to the unit is a measurement of ours."""
    for name, claim in _bundled_claims():
        if claim.quantity.name in ("macs", "flops") and not claim.of and claim.kind == PRINTED:
            assert claim.figure.unit > 1, f"{name}: no source prints {claim.figure.text} {claim.quantity.title}"


def test_every_printed_claim_names_who_prints_it_where_and_how_it_was_read() -> None:
    """A bundled source, and neither a count by layer, by hand nor by this program."""
    for name, claim in _bundled_claims():
        if claim.kind == PRINTED:
            assert claim.cite in references().values(), f"{name}: {claim.figure.text}"
            assert claim.where
            assert claim.read
            assert not re.search(r"\bcount(ed|s)?\b|convcost|\bour\b|by hand|measured", claim.where.lower()), (
                claim.where
            )


def test_every_reference_can_be_looked_up() -> None:
    cited = {claim.cite.key for _, claim in _bundled_claims() if claim.cite is not None}
    assert cited == set(references())
    for one in references().values():
        assert one.authors, one.key
        assert one.year.isdigit(), one.key
        assert one.link.startswith("https://"), one.key
        assert (not one.repository) or re.fullmatch(r"[0-9a-f]{40}", one.commit), one.key
        assert one.bibtex.count("{") == one.bibtex.count("}"), one.key


def test_a_measured_figure_is_the_output_of_its_tool_in_a_file() -> None:
    """Not a count of ours: a file of tool output has it, in a row about that spec and the column of that tool."""
    outputs = rows("counters.csv")
    measured = [(name, claim) for name, claim in _bundled_claims() if claim.kind == MEASURED]
    assert measured
    for name, claim in measured:
        tool, version = claim.tool.split(",")[0].split()
        told = (ROOT / "tests" / "data" / "counters.csv").read_text("utf-8").split("network,")[0].replace("\n# ", " ")
        assert f"{tool} {version}" in told
        assert any(row["spec"] == name and int(row[tool]) == claim.figure.value for row in outputs), claim.figure.text


@pytest.mark.parametrize("name", with_figures())
@pytest.mark.parametrize("most", [1, pytest.param(None, marks=pytest.mark.long)])
def test_nothing_that_explain_answers_is_open(name: str, most: int | None, everything: Verifications) -> None:
    """With the parameters that the claim names, and every variant of the others; one figure a network by default."""
    one = next(each for each in everything if each.spec.name == name)
    openly = [
        each.claim
        for each in one.findings
        if each.verdict == OPEN and each.claim.quantity.name in ("params", "macs", "flops") and not each.claim.of
    ]
    for claim in openly[:most]:
        what = "params" if claim.quantity.name == "params" else "macs"
        number = printed(claim.figure.text, "n")._replace(figures=(claim.figure,))
        assert not explain(one.spec, number, what=what, given=claim.at).answered, claim.figure.text


def test_the_readme_says_how_many_figures_are_printed() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    count = sum(claim.kind == PRINTED for _, claim in _bundled_claims())
    assert f"[{count} of them](docs/published.md)" in readme


def test_a_planted_wrong_figure_fails(tmp_path: Path) -> None:
    source = (ROOT / "specs" / "mobilenet_v1.yaml").read_text()
    path = tmp_path / "mobilenet_v1.yaml"
    path.write_text(source.replace("{macs: 149 million, at: {alpha: 0.5}", "{macs: 151 million, at: {alpha: 0.5}"))
    result = convcost("verify", str(path))
    assert result.code == 1
    assert "MACs, printed 151 million: not explained, and not marked as open" in result.out
    assert "; 1 fails" in result.out
    path.write_text(source)
    assert convcost("verify", str(path)).code == 0


def test_verify_of_a_name_without_figures_says_so() -> None:
    result = convcost("verify", "resnet")
    assert result.code == 0
    assert "no published figures" in result.out
    assert convcost("verify", "nosuchnet").code == 2


def test_one_table_of_one_source() -> None:
    out = convcost("verify", "mobilenet_v1", "--where", "table 6", "--cite", "howard2017", "--format", "csv").out
    each = list(csv.DictReader(io.StringIO(out)))
    assert {row["where"] for row in each} == {"table 6"}
    assert {row["printed"] for row in each if row["quantity"] == "macs"} == {
        f"{count} million" for count in (569, 325, 149, 41)
    }
    wrong = convcost("verify", "mobilenet_v1", "--where", "tabel 6")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "did you mean 'table 6'?" in wrong.err
    wrong = convcost("verify", "mobilenet_v1", "--cite", "howard2071")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "did you mean 'howard2017'?" in wrong.err


def test_csv_has_a_row_for_each_figure() -> None:
    result = convcost("verify", "lenet5", "alexnet", "--format", "csv")
    lines = list(csv.DictReader(io.StringIO(result.out)))
    assert len(lines) == sum(len(claims(Catalogue().target(name))) for name in ("lenet5", "alexnet"))
    row = next(row for row in lines if row["of"] == "C1" and row["quantity"] == "connections")
    assert (row["ours"], row["printed"], row["verdict"]) == ("122304", "122,304", "exact")


def test_the_pages_are_not_stale(everything: Verifications) -> None:
    folder = ROOT / "docs"
    note = "<!-- generated by docs/generate.py; do not edit -->\n"
    pages = {f"{note}{family_page(name, members)}" for name, members in families(everything).items()}
    assert pages == {path.read_text("utf-8") for path in (folder / "published").glob("*.md")}
    assert (folder / "published" / "references.bib").read_text("utf-8") == bibliography(everything)
    assert (folder / "published" / "figures.json").read_text("utf-8") == figures_json(everything)


def test_the_download_holds_every_figure_and_every_source() -> None:
    found = verify(["lenet5", "alexnet", "resnet50"])
    download = json.loads(figures_json(found))
    expected = [(each.spec.name, finding) for each in found for finding in each.findings]
    assert download["count"] == len(download["figures"]) == len(expected)
    for record, (name, finding) in zip(download["figures"], expected, strict=True):
        claim = finding.claim
        assert record["name"] == name
        assert (record["printed"], record["ours"], record["verdict"]) == (
            claim.figure.text,
            finding.value,
            finding.verdict,
        )
        assert record.get("at", {}) == claim.at
        assert "" not in record.values()
        if claim.cite is not None:
            assert download["sources"][record["cite"]] == {"name": claim.cite.name, "url": claim.cite.link}
    assert any(record["difference"] == 0 for record in download["figures"])  # a zero is a value
    assert {record["cite"] for record in download["figures"] if "cite" in record} == set(download["sources"])


def test_the_summary_in_words_adds_up() -> None:
    found = verify(["mobilenet_v1", "googlenet", "resnet50"])
    words = summary_parts(found)["summary"]
    counts = {name: sum(finding.verdict == name for finding in _printed(found)) for name in VERDICTS}
    total = len(_printed(found))
    following = total - counts[ERRATUM] - counts[OPEN]
    assert words.startswith(f"{total} figures were checked, which ")
    assert f" {following} of them ({100 * following / total:.1f}%) follow from the network" in words
    listed = words.partition("describes: ")[2].partition(".")[0]
    assert sum(int(number) for number in re.findall(r"(?<!\S)\d+", listed)) == following
    assert f" {counts[ERRATUM]} (" in words
    assert words.endswith(f"{counts[OPEN]} ({100 * counts[OPEN] / total:.1f}%) have no explanation.")


def test_every_source_has_a_row_with_all_its_figures() -> None:
    found = verify(["mobilenet_v1", "googlenet"])
    lines = summary_parts(found)["sources"].splitlines()
    counts = {
        cells[2]: int(cells[3]) for line in lines[2:] if (cells := [each.strip() for each in line.split("|")])[0] == ""
    }
    keys = [finding.claim.cite.key.replace("_", "\\_") for finding in _printed(found) if finding.claim.cite is not None]
    assert counts == {key: keys.count(key) for key in keys}


def _printed(found: Verifications) -> list[Finding]:
    return [finding for each in found for finding in each.findings if finding.claim.kind == PRINTED]


def test_a_number_that_several_tables_print_is_one_disagreement() -> None:
    (found,) = verify(["shufflenet_v1"])
    part = family_page("ShuffleNet", [found]).partition("## ShuffleNet V1")[0]
    rows = [line for line in part.splitlines() if "| g=8 | 140M |" in line]
    assert len(rows) == 1
    assert all(f"(ShuffleNet), table {table}" in rows[0] for table in (2, 4, 5, 6))


def test_what_is_said_of_several_figures_is_said_once() -> None:
    (found,) = verify(["shufflenet_v1"])
    page = family_page("ShuffleNet", [found])
    # ten rows have this erratum; the widths of three of them are rounded up, which a note says once
    assert page.count("one figure is printed for the networks of all group numbers") == 2
    assert "**140M** at g=1, **140M** at g=3, **140M** at g=4" in page


def test_text_from_specs_is_escaped_on_the_page() -> None:
    hostile = spec('{params: 500, erratum: "<script>|*x*", instead: 170, cite: "https://x.y/(z)", where: "a|b [c](d)"}')
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
