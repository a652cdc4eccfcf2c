"""Foreign numbers: figures that papers and tools print, each with what is known to give it."""

from __future__ import annotations

import json
import shlex
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from conftest import one_command, sampled
from inprocess import convcost

from convcost.catalogue.loader import Catalogue
from convcost.errors import UsageError
from convcost.literature.explain import explain
from convcost.literature.verify import verify
from convcost.numbers.printed import printed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from convcost.literature.stories import Candidate


@pytest.fixture(scope="module", autouse=True)
def _numbers_are_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The numbers of a network are counted by the first test that explains one of them, as by the first command."""
    with one_command(tmp_path_factory.mktemp("numbers")):
        yield


def explained(target: str, reported: str, what: str = "macs", **given: Any) -> dict[str, Any]:
    spec = Catalogue().target(target)
    found = explain(spec, printed(reported, "reported"), what=what, given=given)
    assert found.explained
    best = found.candidates[0]
    return {
        "value": best.value,
        "convention": best.convention.name,
        "settings": dict(best.settings),
        "input": best.input[-1],
        "without_linear": best.without_linear,
        "factor": best.factor,
        "batch": best.batch,
    }


# What is known of each number from who prints it, not from this program.
FIRST = [
    # network, printed, value, what gives it
    ("mobilenet_v2", "600M", 601_548_544, {"factor": 2}),  # twice the 300M of Sandler et al., table 4
    ("efficientnet_b0", "0.78G", 771_629_504, {"factor": 2}),  # twice the 0.39B of Tan and Le, table 2
    ("mobilenet_v2", "300M", 300_774_272, {}),  # Sandler et al., table 4
    ("resnet50", "8.2G", 8_178_368_512, {"factor": 2}),
    ("resnet50", "4100M", 4_089_184_256, {}),
    ("vgg16", "30.9G", 30_940_528_640, {"factor": 2}),
    ("ghostnet", "149M", 148_777_264, {"convention": "fvcore"}),
    ("shufflenet_v1", "292M", 292_443_552, {"settings": {"s": Fraction(3, 2)}}),  # Zhang et al., table 5: 1.5x, g = 3
    ("inception_v4", "12.28G", 12_284_251_296, {"convention": "fvcore"}),  # timm's results, gmacs
    ("inception_resnet_v2", "13.18G", 13_182_930_592, {"convention": "fvcore"}),  # likewise
]
PLAIN = {"convention": "macs", "settings": {}, "without_linear": False, "factor": 1, "batch": 1}
KNOWN = [
    # network, printed, value, what gives it
    ("resnet50", "3.8G", 3_857_973_248, {"settings": {"variant": "v1"}}),  # He et al., table 1: stride in the first 1x1
    ("resnet50", "4.1G", 4_089_184_256, {}),  # Xie et al., table 2
    ("resnet50", "4.11G", 4_111_512_576, {"convention": "fvcore"}),
    ("resnet50", "4.13G", 4_132_436_968, {"convention": "ptflops"}),
    ("resnet50", "8.18G", 8_178_368_512, {"factor": 2}),
    ("resnet50", "16.36G", 16_356_737_024, {"batch": 4}),
    ("resnet50", "2.09G", 2_087_321_600, {"input": 160}),
    ("shufflenet_v1", "138M", 138_365_952, {"settings": {"g": 8}}),
    ("shufflenet_v1", "137M", 137_460_672, {}),
    ("vgg16", "15.3G", 15_346_630_656, {"without_linear": True}),  # Howard et al. (2017), table 8
    ("mobilenet_v1", "569M", 568_740_352, {}),  # the same table
    ("mobilenet_v2", "314,193,216", 314_193_216, {"convention": "fvcore"}),
    ("yolov3_tiny", "5.56G", None, {"factor": 2}),  # the BFLOPs that darknet prints
]


@pytest.mark.parametrize(("name", "printed", "value", "how"), KNOWN, ids=lambda case: str(case)[:20])
def test_operations(name: str, printed: str, value: int | None, how: dict[str, Any]) -> None:
    found = explained(name, printed)
    if "input" not in how:
        found.pop("input")
    assert found == {**PLAIN, "value": value or found["value"], **how}


@pytest.mark.parametrize(("name", "number", "value", "how"), FIRST, ids=lambda case: str(case)[:20])
def test_the_simple_and_known_story_comes_first(name: str, number: str, value: int, how: dict[str, Any]) -> None:
    found = explained(name, number)
    found.pop("input")
    assert found == {**PLAIN, "value": value, **how}


NETWORKS = ("resnet18", "resnet50", "mobilenet_v2", "efficientnet_b0", "vgg16", "ghostnet", "densenet121", "lenet5")


def _ranked(name: str, number: str) -> list[Candidate]:
    return list(explain(Catalogue().target(name), printed(number, "reported"), what="macs", top=10**6).candidates)


@pytest.mark.parametrize("name", sampled(NETWORKS, 3))
def test_order_of_stories(name: str) -> None:
    """1 x and 2 x MACs come first, and no tool on a variant comes before a tool on the network itself."""
    own = convcost_macs(name)
    for times in (1, 2):
        for digits in (1, 2, 3):
            text = f"{times * own:.{digits - 1}e}".replace("e+", "e")
            candidates = _ranked(name, text)
            best = candidates[0]
            assert best.simple, (text, best)
            assert best.value in (own, 2 * own), text
            tools = [bool(one.settings or one.resized) for one in candidates if not _plainly(one)]
            assert tools == sorted(tools), text


def _plainly(one: Candidate) -> bool:
    return one.convention.name in ("macs", "convcost")


def convcost_macs(name: str) -> int:
    return int(json.loads(convcost("analyze", name, "--format", "json").out)["totals"]["macs"])


UNITS = [
    # as typed, for which network, what it is read as, which quantity
    ("4.1 GFLOPs", "resnet50", 4_100_000_000, "macs"),
    ("4.1GFLOPs", "resnet50", 4_100_000_000, "macs"),
    ("4.1 GMACs", "resnet50", 4_100_000_000, "macs"),
    ("4.09 GMac", "resnet50", 4_090_000_000, "macs"),
    ("300MFLOPs", "mobilenet_v2", 300_000_000, "macs"),
    ("300 M Mult-Adds", "mobilenet_v2", 300_000_000, "macs"),
    ("300 million MAdds", "mobilenet_v2", 300_000_000, "macs"),
    ("300", "mobilenet_v2", 300_000_000, "macs"),
    ("25.6M params", "resnet50", 25_600_000, "params"),
    ("25.6M", "resnet50", 25_600_000, "params"),
    ("25557032", "resnet50", 25_557_032, "params"),
    ("25.6 million parameters", "resnet50", 25_600_000, "params"),
    ("3.8B", "resnet50", 3_800_000_000, "macs"),
    ("3.8", "resnet50", 3_800_000_000, "macs"),
    ("3.8 FLOPs", "resnet50", 3_800_000_000, "macs"),
    ("5.56 BFLOPs", "yolov3_tiny", 5_560_000_000, "macs"),
    ("138M", "vgg16", 138_000_000, "params"),
    ("138", "vgg16", 138_000_000, "params"),
    ("4110000000.0", "resnet50", 4_110_000_000, "macs"),
]


@pytest.mark.parametrize(("text", "name", "value", "what"), sampled(UNITS, 4), ids=lambda case: str(case)[:20])
def test_units_and_words_that_people_type(text: str, name: str, value: int, what: str) -> None:
    data = json.loads(convcost("explain", name, "--reported", text, "--format", "json").out)
    assert (data["reported"]["value"], data["what"], data["found"]) == (value, what, True)


def test_what_was_guessed_is_said() -> None:
    out = convcost("explain", "resnet50", "--reported", "3.8").out
    assert "3.8 has no unit: read as 3.8G (also tried: 3.8M, 3.8)" in out
    out = convcost("explain", "resnet50", "--reported", "25.6M").out
    assert "25.6M is read as a number of parameters: no count of operations fits" in out
    assert "is read as" not in convcost("explain", "resnet50", "--reported", "25.6M", "--in", "params").out
    forced = json.loads(
        convcost("explain", "resnet50", "--reported", "25.6M", "--what", "macs", "--format", "json").out
    )
    assert (forced["what"], forced["found"]) == ("macs", False)


@pytest.mark.parametrize("text", ["", "G", "-4G", "<4G", "0", "4.1 Gflips", "94 %", "4.1.2G", "1,2G", "9" * 50, "nan"])
def test_what_is_no_number_is_refused_in_one_line(text: str) -> None:
    refused = convcost("explain", "resnet50", "--reported", text)
    assert refused.code == 2
    assert refused.err.startswith("error: --reported takes a positive number such as 4.11G")
    assert refused.err.count("\n") == 1


def test_the_answer_comes_first_in_a_sentence() -> None:
    first = convcost("explain", "mobilenet_v2", "--reported", "601.5M").out.splitlines()[0]
    assert first == (
        "601.5M is 2 x MACs (601.5 M), rounded: it counts a multiplication and an addition separately, "
        "for the 3x224x224 input."
    )


def test_what_the_spec_knows_of_the_number_comes_before() -> None:
    first = convcost("explain", "mobilenet_v2", "--reported", "300M").out
    assert first.startswith("300M MACs is printed in Sandler et al., 2018 (MobileNetV2), table 4")
    assert "; it follows: 300,774,272 MACs." in first
    erratum = convcost("explain", "inception_v3", "--reported", "23,626,728").out
    assert "23,626,728 parameters is printed in Chollet, 2017 (Xception), table 3; it is an error there" in erratum
    unknown = convcost("explain", "mobilenet_v2", "--reported", "585M").out
    assert "it is open: 582.2 million by the architecture" in unknown


def test_evidence_counts_what_would_fit_by_chance() -> None:
    """With more digits fewer counts fit by chance, and the number of counts tried does not depend on the number."""
    short, long = (
        explain(Catalogue().target("resnet50"), printed(text, "n"), what="macs").evidence for text in ("4.1G", "4.089G")
    )
    assert short.tried == long.tried
    assert short.by_chance == pytest.approx(100 * long.by_chance, rel=0.1)
    assert long.as_simple == 1
    assert 0 < long.as_simple_by_chance < long.by_chance
    out = convcost("explain", "resnet50", "--reported", "4.089G").out
    assert f"of the {long.tried:,} counts tried" in out
    assert convcost("explain", "squeezenet1_1", "--reported", "0.72G").out.count("may be 2 x what ptflops counts") == 1


def test_the_target_is_named_as_typed(tmp_path: Path) -> None:
    file = tmp_path / "my rival.yaml"
    file.write_text("{input: [3, 8, 8], layers: [conv: {out: 100, kernel: 3, bias: false}]}\n")
    data = json.loads(convcost("explain", str(file), "--reported", "172.8k", "--format", "json").out)
    command = data["candidates"][0]["command"]
    assert command == f"convcost analyze '{file}'"
    shown = convcost(*shlex.split(command)[1:], "--format", "json")
    assert json.loads(shown.out)["totals"]["macs"] == 27 * 100 * 64
    data = json.loads(
        convcost("explain", "resnet50", "--reported", "8.2G", "--set", "variant=v1_5", "--format", "json").out
    )
    assert data["candidates"][0]["command"] == "convcost analyze resnet50 --set variant=v1_5"


def test_verify_names_the_candidate_that_explain_finds() -> None:
    """An open figure is not called without explanation where a count of the same network prints as it."""
    findings = [one for name in ("squeezenet1_1", "mobilenet_v1") for one in verify([name])[0].findings]
    named = {one.claim.figure.text: one.candidate for one in findings if one.candidate is not None}
    assert named.keys() >= {"0.72 G", "34M"}
    assert (named["0.72 G"].convention.name, named["0.72 G"].value) == ("ptflops", 719_965_456)
    assert named["34M"].value == 33_936_872
    assert all(one.claim.open for one in findings if one.candidate is not None)


PARAMS = [
    ("xception", "22,910,480", 22_910_480, {"convention": "parameters and running statistics (Keras)"}),
    ("xception", "22,855,952", 22_855_952, {}),  # Chollet, table 3
    ("mobilenet_v1", "4,253,864", 4_253_864, {"convention": "parameters and running statistics (Keras)"}),
    ("mobilenet_v1", "4,209,088", 4_209_088, {"convention": "weights alone"}),
    ("mobilenet_v2", "3.4M", 3_469_760, {"convention": "weights alone"}),  # Sandler et al., table 4, cut off
    ("inception_v3", "27,161,264", 27_161_264, {"settings": {"aux": True}}),  # torchvision with its auxiliary head
    ("googlenet", "13,378,280", 13_378_280, {"settings": {"aux": True}}),
    ("resnet50", "102.2M", 102_228_128, {"factor": 4}),
    ("resnet50", "23.5M", 23_508_032, {"without_linear": True}),  # a backbone without its classifier
]


@pytest.mark.parametrize(("name", "printed", "value", "how"), PARAMS, ids=lambda case: str(case)[:20])
def test_parameters(name: str, printed: str, value: int, how: dict[str, Any]) -> None:
    found = explained(name, printed, "params")
    found.pop("input")
    assert found == {**PLAIN, "convention": "all trainable parameters", "value": value, **how}


def test_what_is_given_is_not_varied() -> None:
    assert explained("shufflenet_v1", "138M", g=8)["settings"] == {}
    spec = Catalogue().target("shufflenet_v1")
    for one in explain(spec, printed("138M", "reported"), given={"g": 3}).candidates:
        assert dict(one.settings) == {}


def test_a_spec_that_fixes_a_choice_keeps_it() -> None:
    spec = Catalogue().target("resnet50")
    found = explain(spec, printed("7.8G", "reported"), top=50)
    assert all("depth" not in one.settings for one in found.candidates)
    free = explain(Catalogue().target("resnet"), printed("7.8G", "reported"), top=50)
    assert any(one.settings.get("depth") == 101 for one in free.candidates)


def test_simpler_explanations_hide_those_that_take_more() -> None:
    found = explain(Catalogue().target("resnet50"), printed("3.8G", "reported"), top=50)
    best = found.candidates[0]
    assert best.settings == {"variant": "v1"}
    assert not any(best.departures < one.departures for one in found.candidates)


def test_terms_add_up() -> None:
    for text in ("4.11G", "8.2G", "4.13G"):
        for one in explain(Catalogue().target("resnet50"), printed(text, "reported"), top=50).candidates:
            assert sum(value for _, value in one.terms) * one.factor * one.batch == one.value


def test_honest_where_nothing_fits() -> None:
    found = explain(Catalogue().target("resnet50"), printed("5.55G", "reported"))
    assert not found.explained
    near = explain(Catalogue().target("resnet50"), printed("4.16G", "reported"))
    assert not near.explained
    assert near.candidates
    assert all(Fraction(-1, 100) <= one.off <= Fraction(1, 100) for one in near.candidates)
    out = convcost("explain", "resnet50", "--reported", "5.55G").out
    assert out.startswith("None of the ")
    assert "counts that were tried prints as 5.55G; nothing comes within 1 %" in out
    out = convcost("explain", "resnet50", "--reported", "4.16G").out
    assert "counts that were tried prints as 4.16G; the table shows what comes within 1 %" in out
    assert "try:" not in out


def test_the_command_that_it_names_shows_the_number() -> None:
    data = json.loads(convcost("explain", "resnet50", "--reported", "4.11G", "--format", "json").out)
    assert data["found"]
    best = data["candidates"][0]
    assert best["arithmetic"] == "4,089,184,256 MACs + 22,227,968 norm + 100,352 pooling = 4,111,512,576"
    assert best["command"] == "convcost analyze resnet50 --convention fvcore"
    shown = convcost(*best["command"].split()[1:], "--format", "json")
    assert json.loads(shown.out)["totals"]["reported"] == best["value"] == 4_111_512_576


def test_arithmetic_is_shown() -> None:
    out = convcost("explain", "resnet50", "--reported", "8.18G").out
    assert "2 x 4,089,184,256 MACs = 8,178,368,512" in out
    assert "torch" in out
    out = convcost("explain", "vgg16", "--reported", "15.3G").out
    assert "15,470,264,320 MACs - 123,633,664 linear layers = 15,346,630,656" in out


def test_misuse() -> None:
    result = convcost("explain", "resnet50", "--reported", "four")
    assert (result.code, result.err) == (
        2,
        "error: --reported takes a positive number such as 4.11G, '300 MFLOPs' or 25,557,032; found 'four'\n",
    )
    with pytest.raises(UsageError, match="`what` is one of macs, params"):
        explain(Catalogue().target("resnet50"), printed("1G", "reported"), what="bytes")
