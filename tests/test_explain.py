"""Foreign numbers: figures that papers and tools print, each with what is known to give it."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from inprocess import convcost

from convcost.conventions.explain import explain
from convcost.errors import UsageError
from convcost.figures import positive
from convcost.spec.catalogue import Catalogue


def explained(target: str, reported: str, what: str = "macs", **given: Any) -> dict[str, Any]:
    spec = Catalogue().target(target)
    found = explain(spec, positive(reported, "reported"), what=what, given=given)
    assert found.found
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
    for one in explain(spec, positive("138M", "reported"), given={"g": 3}).candidates:
        assert dict(one.settings) == {}


def test_a_spec_that_fixes_a_choice_keeps_it() -> None:
    spec = Catalogue().target("resnet50")
    found = explain(spec, positive("7.8G", "reported"), top=50)
    assert all("depth" not in one.settings for one in found.candidates)
    free = explain(Catalogue().target("resnet"), positive("7.8G", "reported"), top=50)
    assert any(one.settings.get("depth") == 101 for one in free.candidates)


def test_simpler_explanations_hide_those_that_take_more() -> None:
    found = explain(Catalogue().target("resnet50"), positive("3.8G", "reported"), top=50)
    best = found.candidates[0]
    assert best.settings == {"variant": "v1"}
    assert not any(best.departures < one.departures for one in found.candidates)


def test_terms_add_up() -> None:
    for printed in ("4.11G", "8.2G", "4.13G"):
        for one in explain(Catalogue().target("resnet50"), positive(printed, "reported"), top=50).candidates:
            assert sum(value for _, value in one.terms) * one.factor * one.batch == one.value


def test_honest_where_nothing_fits() -> None:
    found = explain(Catalogue().target("resnet50"), positive("5.55G", "reported"))
    assert not found.found
    near = explain(Catalogue().target("resnet50"), positive("4.16G", "reported"))
    assert not near.found
    assert near.candidates
    assert all(Fraction(-1, 100) <= one.off <= Fraction(1, 100) for one in near.candidates)
    out = convcost("explain", "resnet50", "--reported", "5.55G").out
    assert "nothing that was tried prints as 5.55G, and nothing comes within 1 %" in out
    out = convcost("explain", "resnet50", "--reported", "4.16G").out
    assert "nothing that was tried prints as 4.16G; above is what comes within 1 %" in out
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
        "error: --reported takes a positive number such as 4.11G or 25,557,032; found 'four'\n",
    )
    with pytest.raises(UsageError, match="`what` is one of macs, params"):
        explain(Catalogue().target("resnet50"), positive("1G", "reported"), what="bytes")
