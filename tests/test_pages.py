"""Pages in a headless browser: what they show equals what the library counts, whatever the parameters are."""

from __future__ import annotations

import json
import random
import re
from base64 import b64decode
from fractions import Fraction
from functools import cache
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from browser import Browser
from conftest import run_convcost
from inprocess import convcost

from convcost import ConvcostError, analyze, explore, survey
from convcost.catalogue.loader import bundled_names
from convcost.tables.page import asset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from convcost.metrics.report import Analysis

KEYS = ("params", "macs", "flops", "activations")
PHONE = 360  # pixels
AT_ONCE = 20  # settings that a page is asked for in one message
SAMPLE = ("alexnet", "mobilenet_v1", "inverted_residual", "resnext_a", "shuffle_unit", "yolov3_tiny")
NOTHING = "\N{EN DASH}"  # in place of a number

READ = """((settings, conventions) => JSON.stringify(settings.map((values, setting) => {
  document.getElementById("convention").value = conventions[setting % conventions.length];
  const fields = values.map(([index]) => document.getElementById(`value-${index}`));
  values.forEach(([, value], place) => { fields[place].value = value; });
  (fields.at(-1) ?? document.getElementById("shown")).dispatchEvent(new Event("input"));  // all are read anew
  const totals = {};
  for (const cell of document.querySelectorAll("[data-total]")) {
    totals[cell.dataset.total] = cell.children[1].textContent || cell.children[0].textContent;
  }
  const lines = [...document.querySelectorAll("#rows-0 tbody tr")];
  const rows = lines.map(line => [...line.cells].map(cell => cell.textContent));
  return {totals, rows, status: document.getElementById("status").textContent};
})))"""  # one text is faster than many small values
WHOSE = ("convcost", "macs", "fvcore", "ptflops", "ptflops-aten", "thop", "torchinfo", "torch", "pycls", "keras")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    opened = Browser()
    yield opened
    opened.close()


@cache
def page_of(folder: Path, *targets: str, free: str = "", device: str | None = None) -> Path:
    """The file of a page, which is written once."""
    path = folder / f"{'-'.join(targets)}-{free}-{device}.html".replace("/", "_")[-100:]
    path.write_text(str(explore(*targets, free=free.split(",") if free else None, device=device)), "utf-8")
    return path


def settings_of(names: list[dict[str, Any]], count: int) -> list[dict[str, str]]:
    """Values near the defaults, and now and then far from them; the defaults first."""
    numbers = random.Random(7)  # noqa: S311 - cases of a test
    drawn = [{name["name"]: name["value"] for name in names}]
    while len(drawn) < count:
        values = {}
        for name in names:
            first, last, step = (float(text) for text in name["slider"])
            if numbers.random() * len(names) > 2:  # two of them change, as a rule
                values[name["name"]] = name["value"]
            elif name["ratio"]:
                values[name["name"]] = str(round(numbers.uniform(first, last), 2) or "1/3")
            elif numbers.random() < 0.3:  # where many conditions of divisibility hold
                values[name["name"]] = str(int(name["value"]) * numbers.choice((1, 2, 3, 4, 6)) // 2 or 1)
            else:
                most = int(last) * (20 if numbers.random() < 0.1 else 1)
                values[name["name"]] = str(numbers.randrange(int(first), most, numbers.choice((1, 1, int(step)))))
        drawn.append(values)
    return drawn


def exact(values: Mapping[str, str]) -> dict[str, Any]:
    return {name: int(value) if value.isdigit() else Fraction(value) for name, value in values.items()}


def expected(analysis: Analysis) -> tuple[dict[str, str], list[list[str]]]:
    """The totals and the table of a page, from the library."""
    convention = analysis.convention
    totals = {f"0 {key}": f"{analysis.value(key):,}" for key in (*KEYS, "peak")}
    totals[f"0 as {convention.name}"] = f"{analysis.value('reported'):,}"
    rows = [
        [
            row.path,
            row.kind,
            "x".join(map(str, row.input)),
            "x".join(map(str, row.output)),
            *(f"{count:,}" for count in (row.work.params, row.work.macs, row.work.flops)),
            *(f"{analysis.value(key, row):,}" for key in ("activations", "bytes", "reported")),
        ]
        for row in analysis.rows
    ]
    return totals, rows


def shown(browser: Browser, names: list[dict[str, Any]], settings: list[dict[str, str]]) -> list[Any]:
    """What the page shows for each of these settings, and for one convention after the other."""
    browser.run("document.getElementById('rows-0').open = true")
    places = {name["name"]: index for index, name in enumerate(names)}
    numbered = [[[places[name], value] for name, value in values.items()] for values in settings]
    return [
        page
        for start in range(0, len(numbered), AT_ONCE)
        for page in json.loads(
            browser.run(f"{READ}({json.dumps(numbered[start : start + AT_ONCE])}, {json.dumps(WHOSE)})")
        )
    ]


def compare_settings(browser: Browser, folder: Path, name: str, count: int) -> int:
    """Check a page at so many settings, and say how many of them are of a network that exists."""
    explorer = explore(name)
    path = folder / f"{name}.html"
    path.write_text(str(explorer), "utf-8")
    assert path.stat().st_size < 300_000
    browser.open(path)
    settings = settings_of(explorer.names, count)
    complete = explorer.networks[0].cases.complete and '"complete":true' in path.read_text("utf-8")
    compared = 0
    for convention, values, page in zip(cycle(WHOSE), settings, shown(browser, explorer.names, settings), strict=False):
        try:
            analysis = analyze(name, convention=convention, **exact(values))
        except ConvcostError:
            assert page["status"], (values, "no such network, but the page shows one")
            continue
        if page["status"]:
            assert not complete, (values, page["status"])
            assert "Elsewhere: convcost analyze" in page["status"]
            continue
        totals, rows = expected(analysis)
        if page["totals"]["0 peak"] == NOTHING:
            del totals["0 peak"]  # copies of a layer are a symbol: said in place of the chart
        words = {key: page["totals"][key].split()[0].removesuffix("B") for key in totals}
        assert words == totals, (values, convention)
        if values != settings[0]:  # kinds are those of the start: 1 x n with n = 1 is called pointwise elsewhere
            for line in (*page["rows"], *rows):
                line[1] = ""
        assert page["rows"] == rows, values
        compared += 1
    assert browser.complaints == []
    assert set(browser.requests) <= {"about:blank", path.as_uri()}
    return compared


@pytest.mark.parametrize("name", SAMPLE)
def test_every_number_of_a_page_equals_the_library(browser: Browser, folder: Path, name: str) -> None:
    assert compare_settings(browser, folder, name, 12) >= 3


@pytest.mark.long
@pytest.mark.parametrize("name", bundled_names())
def test_two_hundred_settings_of_every_page_equal_the_library(browser: Browser, folder: Path, name: str) -> None:
    assert compare_settings(browser, folder, name, 200) >= 10


def test_depths_can_be_moved(browser: Browser, folder: Path) -> None:
    """Copies of a repeat whose number is free are one row; rows and totals are those of the library."""
    free = ("n4", "n6", "size")
    names = explore("efficientnet", free=free).names
    browser.open(page_of(folder, "efficientnet", free=",".join(free)))
    settings = settings_of(names, 6)
    for convention, values, page in zip(cycle(WHOSE), settings, shown(browser, names, settings), strict=False):
        analysis = analyze("efficientnet", convention=convention, **exact(values))
        totals, _ = expected(analysis)
        assert {key: page["totals"][key].split()[0].removesuffix("B") for key in totals} == totals, (values, convention)
        for place, key in enumerate(("params", "macs", "flops", "activations", "bytes", "reported"), 4):
            assert sum(int(row[place].replace(",", "")) for row in page["rows"]) == analysis.value(key), (values, key)
    assert browser.complaints == []


def copies_of(path: str) -> list[str]:
    """The paths that a row of a page stands for: ``block[2]/conv x 3`` is of the copies 2, 3 and 4."""
    own, _, count = path.partition(" x ")
    number = re.search(r"\[(\d+)\]", own)
    if number is None:
        return [own] * int(count or 1)
    first = int(number[1])
    return [own.replace(number[0], f"[{copy}]", 1) for copy in range(first, first + int(count or 1))]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("resnet_cifar", [{"depth": 8, "size": 32}, {"depth": 14, "size": 30}, {"depth": 56, "size": 33}]),
        ("efficientnet", [{"depth": Fraction(6, 5), "size": 260}, {"depth": Fraction(13, 5), "size": 528}]),
        ("densenet121", [{"n3": 12, "size": 224}, {"n3": 36, "size": 97}]),
    ],
)
def test_the_number_of_copies_can_be_moved(
    browser: Browser, folder: Path, name: str, settings: list[dict[str, Any]]
) -> None:
    browser.open(page_of(folder, name, free=",".join(settings[0])))
    browser.run("document.getElementById('rows-0').open = true")
    for values in settings:
        texts = json.dumps({key: str(value) for key, value in values.items()})
        browser.run(
            f"Object.entries({texts}).forEach(([name, value]) => {{"
            "const label = [...document.querySelectorAll('.name label')].find(each => each.textContent === name);"
            "const field = document.getElementById(label.htmlFor); field.value = value;"
            "field.dispatchEvent(new Event('input')) })"
        )
        browser.wait("document.querySelectorAll('#rows-0 tbody tr').length > 0")
        assert text_of(browser, "#status") == ""
        lines = browser.run(
            "[...document.querySelectorAll('#rows-0 tbody tr')]"
            ".map(line => [...line.cells].map(cell => cell.textContent))"
        )
        analysis = analyze((name, values))
        rows = {row.path: row for row in analysis.rows}
        seen = []
        for path, _, *cells in lines:
            # a step that runs once has no number
            own = [rows.get(each, rows.get(each.replace("[1]", "", 1))) for each in copies_of(path)]
            if not own:  # no copies
                continue
            assert all(row is not None for row in own), (values, path)
            assert cells[:2] == ["x".join(map(str, shape)) for shape in (own[0].input, own[0].output)], (values, path)
            keys = [*KEYS, *(["bytes"] if cells[6] != NOTHING else []), "reported"]
            wanted = [f"{sum(analysis.value(key, row) for row in own):,}" for key in keys]
            assert [cell for cell in cells[2:] if cell != NOTHING] == wanted, (values, path)
            seen += [row.path for row in own]
        assert sorted(seen) == sorted(rows)
        for key in KEYS:
            number = browser.run(f"document.querySelector('[data-total=\"0 {key}\"]').textContent")
            assert f"{analysis.value(key):,}" in number
        peak = text_of(browser, "[data-total='0 peak'] span")
        assert peak == ("" if name == "densenet121" else f"{analysis.value('peak'):,}")


def test_sliders_take_steps_that_the_network_has() -> None:
    (depth,) = explore("resnet_cifar", free=["depth"]).names
    first, last, step = map(int, depth["slider"])
    assert (first, step) == (8, 6)  # He et al. (2015), section 4.2: 6n + 2 layers
    for value in range(first, last + 1, 12 * step):
        assert analyze(("resnet_cifar", {"depth": value})).rows
    size = explore("mobilenet_v1", free=["size"]).names[0]
    assert size["slider"] == ["16", "448", "16"]


def text_of(browser: Browser, selector: str) -> str:
    return str(browser.run(f"document.querySelector({json.dumps(selector)}).textContent"))


def test_numbers_beyond_floats_are_exact(browser: Browser, folder: Path) -> None:
    browser.open(page_of(folder, "mobilenet_v1", free="alpha,size"), "#alpha=100&size=100000")
    macs = analyze("mobilenet_v1", alpha=100, size=100_000).totals.macs
    assert macs > 2**53
    assert text_of(browser, "[data-total='0 macs'] span") == f"{macs:,}"


def test_the_address_holds_the_state(browser: Browser, folder: Path) -> None:
    path = page_of(folder, "mobilenet_v1", free="alpha,size")
    browser.open(path)
    browser.run(
        "for (const [id, value] of [['value-0', '3/4'], ['value-1', '160'], ['shown', 'params'], ['budget', '100M']]) {"
        "const field = document.getElementById(id); field.value = value; field.dispatchEvent(new Event('input')); }"
    )
    browser.wait("location.hash.length > 1")
    fragment = browser.run("location.hash")
    assert fragment == "#alpha=3%2F4&size=160&-shown=params&-budget=100M"
    before = text_of(browser, ".totals")
    browser.open(path, fragment)
    assert text_of(browser, ".totals") == before
    macs = analyze("mobilenet_v1", alpha=Fraction(3, 4), size=160).totals.macs
    assert text_of(browser, "[data-total='0 macs'] span") == f"{macs:,}"
    assert browser.run("[shown.value, budget.value]") == ["params", "100M"]


def test_an_address_from_anywhere_does_no_harm(browser: Browser, folder: Path) -> None:
    fragment = "#alpha=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&size=1e400&-shown=constructor&__proto__=1&-budget=NaN"
    browser.open(page_of(folder, "mobilenet_v1", free="alpha,size"), fragment)
    assert "alpha must be a positive number" in text_of(browser, "#status")
    assert "size must be a whole number" in text_of(browser, "#status")
    assert browser.run("document.querySelectorAll('img:not([src^=\"data:image/svg\"])').length") == 0
    assert browser.complaints == []


def test_the_page_works_by_keyboard(browser: Browser, folder: Path) -> None:
    browser.open(page_of(folder, "mobilenet_v1", free="alpha,size"))
    visited = []
    for _ in range(18):
        browser.press("Tab")
        visited.append(browser.run("document.activeElement.id || document.activeElement.className"))
    wanted = ["value-0", "slide-0", "value-1", "slide-1", "reset", "convention", "shown", "bars-0", "budget", "bounded"]
    assert [place for place in visited if place in wanted][: len(wanted)] == wanted
    browser.run("document.getElementById('slide-1').focus()")
    browser.press("ArrowRight")
    assert browser.run("document.getElementById('value-1').value") == "240"
    macs = analyze("mobilenet_v1", size=240).totals.macs
    assert text_of(browser, "[data-total='0 macs'] span") == f"{macs:,}"
    browser.run("document.getElementById('bars-0').focus()")
    browser.press("ArrowRight")
    first = analyze("mobilenet_v1", size=240).rows[0]
    assert text_of(browser, "#layer-0").startswith(f"1. {first.path}: standard, 3x240x240 → 32x120x120; params 864,")
    browser.press("End")
    assert text_of(browser, "#layer-0").startswith("83. ")


@pytest.mark.parametrize(
    ("targets", "device"),
    [
        (["mobilenet_v1", "squeezenet"], "v100"),
        (["inception_v4_stem"], None),
        (["shuffle_unit", "multi_head_attention"], "raspberry_pi_4"),
    ],
)
def test_nothing_is_wider_than_a_phone(browser: Browser, folder: Path, targets: list[str], device: str | None) -> None:
    browser.open(page_of(folder, *targets, device=device), width=PHONE)
    browser.run("for (const each of document.querySelectorAll('details')) each.open = true")
    browser.wait("true")
    assert browser.run("document.documentElement.scrollWidth") == PHONE
    wider = (
        "[...document.querySelectorAll('body *')].filter(each => !each.closest('.scroll') && !each.closest('svg') && "
    )
    wider += f"each.getBoundingClientRect().right > {PHONE}).map(each => each.outerHTML.slice(0, 80))"
    assert browser.run(wider) == []


@pytest.mark.parametrize(
    ("target", "fragment", "words"),
    [
        ("mobilenet_v1", "alpha=0.01", "There is no such mobilenet_v1: it needs alpha ≥ 1/32."),
        ("group_conv", "G=5", "There is no such group_conv: it needs G divides I, and G divides O."),
        ("vgg11", "size=31", "There is no such vgg11: it needs size ≥ 32."),
        ("mobilenet_v1", "size=0", "size must be a whole number of at least 1, not “0”."),
        ("mobilenet_v1", "size=22.5", "size must be a whole number of at least 1, not “22.5”."),
        ("yolov3_tiny", "size=100", "Elsewhere: convcost analyze yolov3_tiny --set size=100"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(
    browser: Browser, folder: Path, target: str, fragment: str, words: str
) -> None:
    browser.open(page_of(folder, target), f"#{fragment}")
    assert words in text_of(browser, "#status")
    assert text_of(browser, "[data-total='0 macs'] b") == NOTHING


def test_a_structure_changes_with_a_name(browser: Browser, folder: Path) -> None:
    browser.open(page_of(folder, "bottleneck_residual"), "#I=64")
    browser.run("document.getElementById('rows-0').open = true")
    browser.wait("document.querySelectorAll('#rows-0 tbody tr').length > 0")
    analysis = analyze("bottleneck_residual", I=64, O=256)
    assert browser.run("document.querySelectorAll('#rows-0 tbody tr').length") == len(analysis.rows)
    assert len(analysis.rows) != len(analyze("bottleneck_residual").rows)
    assert text_of(browser, "[data-total='0 params'] span") == f"{analysis.totals.params:,}"


def test_two_networks_share_the_names_whose_values_agree(browser: Browser, folder: Path) -> None:
    browser.open(page_of(folder, "resnet50", "resnext50", free="C,size"), "#size=192&C'=16")
    plain, grouped = analyze("resnet50", size=192), analyze("resnext50", size=192, C=16)
    assert text_of(browser, "[data-total='0 macs'] span") == f"{plain.totals.macs:,}"
    assert text_of(browser, "[data-total='1 macs'] span") == f"{grouped.totals.macs:,}"
    ratio = float(text_of(browser, "[data-ratio='macs']"))
    assert ratio == pytest.approx(plain.totals.macs / grouped.totals.macs, rel=1e-3)


def test_times_are_those_of_the_roofline(browser: Browser, folder: Path) -> None:
    browser.open(page_of(folder, "mobilenet_v1", free="alpha", device="pixel_xl_gpu"), "#alpha=0.5")
    seconds = analyze("mobilenet_v1", alpha=0.5, device="pixel_xl_gpu").value("time")
    number, unit = text_of(browser, "[data-total='0 time'] b").split()
    assert float(number) * {"s": 1, "ms": 1e-3, "us": 1e-6}[unit] == pytest.approx(float(seconds), rel=1e-3)


def heights(browser: Browser, selector: str) -> list[float]:
    """The heights of the steps of a path made of ``V`` and ``H``, in pixels above its lowest."""
    drawn = browser.run(f"document.querySelector({json.dumps(selector)}).getAttribute('d')")
    levels = [float(part.split("H")[0]) for part in drawn.split("V")[1:-1]]
    low = float(drawn.split("V")[-1].rstrip("z"))
    return [low - level for level in levels]


def test_the_bars_have_the_heights_of_the_layers(browser: Browser, folder: Path) -> None:
    browser.open(page_of(folder, "resnet50", "resnext50", free="C,size"), "#size=160")
    for place, name in enumerate(("resnet50", "resnext50")):
        rows = analyze(name, size=160).rows
        each = "path => [path.classList[1], path.getAttribute('d')]"
        paths = browser.run(f"[...document.querySelectorAll('#bars-{place} .fill')].map({each})")
        drawn = [
            (float(x), float(low) - float(top), colour)
            for colour, path in paths
            for x, low, top in re.findall(r"M([\d.]+),([\d.]+)V([\d.]+)h", path)
        ]
        wanted = [row for row in rows if row.work.macs]
        assert len(drawn) == len(wanted)
        highest = max(row.work.macs for row in analyze("resnext50", size=160).rows)  # both charts have one scale
        scale = (190 - 18 - 16) / highest
        for (_, height, _), row in zip(sorted(drawn), wanted, strict=True):
            assert abs(height - row.work.macs * scale) < 0.11, row.path
        colours = {row.kind: colour for (_, _, colour), row in zip(sorted(drawn), wanted, strict=True)}
        assert (colours["pointwise"], colours["standard"]) == ("c0", "c1")


def test_the_chart_of_memory_has_the_heights_of_the_steps(browser: Browser, folder: Path) -> None:
    browser.open(page_of(folder, "resnet50", free="size"), "#size=160")
    steps = [count for _, count in analyze("resnet50", size=160).context.peak.steps]
    drawn = heights(browser, "#memory-0 .area")
    assert len(drawn) == len(steps)
    scale = max(drawn) / max(steps)
    assert all(abs(height - count * scale) < 0.11 for height, count in zip(drawn, steps, strict=True))


def test_the_tinted_area_is_where_the_budget_is_met(browser: Browser, folder: Path) -> None:
    browser.open(
        page_of(folder, "mobilenet_v1", free="alpha,size"), "#-axis-x=alpha&-axis-y=size&-budget=300M&alpha=0.8"
    )
    browser.wait("document.querySelector('#contours-0 .within') !== null")
    box = browser.run(
        "(() => { const edges = document.querySelector('#contours-0 .none');"
        "return ['x', 'y', 'width', 'height'].map(key => Number(edges.getAttribute(key))) })()"
    )
    alphas, sizes = (0.05, 2.0), (16, 448)
    points = [(a / 20, s) for a in range(2, 40, 3) for s in range(32, 449, 48)]
    places = [
        [
            box[0] + box[2] * (alpha - alphas[0]) / (alphas[1] - alphas[0]),
            box[1] + box[3] * (1 - (size - sizes[0]) / (sizes[1] - sizes[0])),
        ]
        for alpha, size in points
    ]
    inside = browser.run(
        "(places => { const area = document.querySelector('#contours-0 .within'), chart = area.ownerSVGElement;"
        "return places.map(([x, y]) => { const point = chart.createSVGPoint(); point.x = x; point.y = y;"
        f"return area.isPointInFill(point) }}) }})({json.dumps(places)})"
    )
    clear = 0
    for (alpha, size), tinted in zip(points, inside, strict=True):
        around = [
            analyze("mobilenet_v1", alpha=alpha + da, size=size + ds).totals.macs <= 300_000_000
            for da in (-0.05, 0.05)
            for ds in (-16, 16)
        ]
        if len(set(around)) == 1:  # not near the line, which is straight between the points of the grid
            assert tinted == around[0], (alpha, size)
            clear += 1
    assert clear > 60
    macs = analyze("mobilenet_v1", alpha=0.8).totals.macs
    assert f"Here it is not met: {macs / 10**6:.1f} M" in text_of(browser, "#budget-words-0")


def test_the_budget_of_a_second_network_has_a_map_of_its_own(browser: Browser, folder: Path) -> None:
    path = page_of(folder, "resnet50", "resnext50", free="C,size")
    browser.open(path, "#-budget=6G&-axis-x=size&-axis-y=C'&size=256&C'=48")
    browser.wait("document.querySelector('#contours-1 .within') !== null")
    macs = [analyze("resnet50", size=256).totals.macs, analyze("resnext50", size=256, C=48).totals.macs]
    assert [count <= 6_000_000_000 for count in macs] == [True, False]
    assert text_of(browser, "#budget-words-0").endswith(f"Here it is met: {macs[0] / 10**9:.3f} G.")
    assert f"Here it is not met: {macs[1] / 10**9:.3f} G" in text_of(browser, "#budget-words-1")
    inside = browser.run(
        "[0, 1].map(place => { const area = document.querySelector(`#contours-${place} .within`);"
        "const point = area.ownerSVGElement.createSVGPoint(), mark = document.getElementById(`here-${place}`);"
        "point.x = mark.cx.baseVal.value; point.y = mark.cy.baseVal.value; return area.isPointInFill(point) })"
    )
    assert inside == [True, False]


def test_layers_follow_the_chosen_convention(browser: Browser, folder: Path) -> None:
    path = page_of(folder, "mobilenet_v1", free="alpha,size")
    browser.open(path, "#-convention=thop&-shown=reported&size=160")
    analysis = analyze("mobilenet_v1", size=160, convention="thop")
    assert text_of(browser, "#convention-words").startswith("thop (pytorch-OpCounter): one for each")
    values = {reading.convention.name: reading.value for reading in survey("mobilenet_v1", size=160)}
    assert len(values) >= 10
    for name, value in values.items():
        assert text_of(browser, f"[data-total='0 as {name}'] span") == f"{value:,}"
    browser.run("document.getElementById('bars-0').focus()")
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    norm = analysis.rows[1]
    assert analysis.value("reported", norm) == 4 * 80 * 80 * 32  # four for each element of a norm
    assert text_of(browser, "#layer-0").endswith("MACs as thop counts 819,200")
    drawn = browser.run("document.querySelectorAll('#bars-0 .fill').length")
    assert drawn >= 4  # norms have a bar, too


def _some_settings(name: str) -> Callable[[Browser, Path], object]:
    return lambda browser, folder: compare_settings(browser, folder, name, 12)


def _refusal(browser: Browser, folder: Path) -> None:
    test_what_cannot_be_shown_is_refused_in_words(browser, folder, "group_conv", "G=5", "it needs G divides I")


@pytest.mark.long
@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("value <= level).length", "value >= level).length", test_the_tinted_area_is_where_the_budget_is_met),
        ("nearest + step : nearest", "nearest : nearest", _some_settings("mobilenet_v2")),
        ("form.alive[step]) > run", "form.alive[step]) < run", _some_settings("alexnet")),
        ("return by != 0 && value % by == 0", "return by != 0", _refusal),
        ("state.run.value(at(state, key, row)) : null", "null : null", _some_settings("plain")),
        ("columnAt(state, counted(), row)", "columnAt(state, 'macs', row)", test_layers_follow_the_chosen_convention),
        (
            "current[network.index], total",
            "current[0], total",
            test_the_budget_of_a_second_network_has_a_map_of_its_own,
        ),
        ("result *= this.slots[slot]", "result = this.slots[slot]", _some_settings("plain")),
    ],
)
def test_a_planted_bug_of_the_script_is_noticed(
    browser: Browser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    check: Callable[[Browser, Path], object],
) -> None:
    script = asset("explorer.js")
    assert script.count(old) == 1
    changed = script.replace(old, new)
    monkeypatch.setattr("convcost.tables.page.asset", lambda name: changed if name == "explorer.js" else asset(name))
    with pytest.raises((AssertionError, RuntimeError)):
        check(browser, tmp_path)


HOSTILE = "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">\u202e"


def test_hostile_words_are_only_shown(browser: Browser, folder: Path) -> None:
    spec = folder / "hostile.yaml"
    layers = "input: [3, 8, 8]\nparameters: {width: 4}\nlayers:\n- conv: {out: width, kernel: 3}\n"
    spec.write_text(f"title: {json.dumps(HOSTILE)}\n{layers}", "utf-8")
    path = page_of(folder, str(spec))
    browser.open(path)
    assert text_of(browser, "h1").startswith("</script><script>")
    assert "\u202e" not in path.read_text("utf-8")
    assert browser.run("document.title") == "hostile: convcost explorer"
    assert browser.run("document.querySelectorAll('img:not([src^=\"data:image/svg\"]), h1 *').length") == 0
    assert browser.complaints == []


def test_the_policy_lets_nothing_else_run(browser: Browser, folder: Path) -> None:
    path = page_of(folder, "bottleneck")
    written = path.read_text("utf-8")
    path.write_text(
        written.replace(
            "</main>", "<script>document.title = 'run'</script><img src='https://example.org/x.png'></main>"
        ),
        "utf-8",
    )
    browser.open(path)
    assert browser.run("document.title") == "bottleneck: convcost explorer"
    assert len([line for line in browser.complaints if "Content Security Policy" in line]) == 2


def test_the_same_input_gives_the_same_bytes() -> None:
    runs = [
        run_convcost("explore", "group_conv", "inverted_residual", "--device", "v100", PYTHONHASHSEED=seed).out
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert "</html>" in runs[0]


def test_what_explore_refuses() -> None:
    for args, words in (
        (["alexnet", "vgg16", "resnet50"], "explore takes one target, or two to compare, found 3"),
        (["alexnet", "--free", "alpha"], "alexnet has no parameter 'alpha'"),
        (["resnet50", "--free", "depth"], "cannot be free"),
        (["resnet50", "--device", "v100", "--dtype", "int4"], "v100 states no peak for int4"),
    ):
        result = convcost("explore", *args)
        assert (result.code, result.out) == (2, "")
        assert words in result.err
    result = convcost("explore", "densenet121", "--free", "n3", "--device", "v100")
    assert (result.code, result.out) == (1, "")
    assert "needs every copy of a repeat" in result.err


# --- reports ---

BESIDE = ("Side by side", "Memory over time", "Under each convention", "Drawings")
CHARTS = ("MACs of the layers", "Memory over time", "Roofline")


def report(folder: Path, *args: str) -> Path:
    path = folder / "report.html"
    result = convcost(*args, "-o", str(path))
    assert (result.code, result.out, result.err) == (0, "", "")
    return path


@pytest.mark.parametrize(
    ("args", "headings"),
    [
        (
            ["analyze", "mobilenet_v1", "--device", "v100", "--set", "alpha=0.5", "--exact"],
            ["Totals", "Under each convention", "Drawing", *CHARTS, "Closed form"],
        ),
        (["compare", "bottleneck", "plain"], ["Costs", "bottleneck by plain", *BESIDE]),
        (["diff", "resnet18", "resnet34"], ["Row by row", *BESIDE]),
    ],
)
def test_a_report_is_one_file_that_fits_a_phone(
    browser: Browser, folder: Path, args: list[str], headings: list[str]
) -> None:
    path = report(folder, *args)
    for width in (PHONE, 1280):
        browser.open(path, width=width)
        assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.paper() == []
    assert browser.complaints == []
    assert set(browser.requests) <= {"about:blank", path.as_uri()}
    shown = browser.run("[...document.querySelectorAll('h2')].map(each => each.textContent)")
    assert [heading for heading in shown if heading in headings] == headings
    assert browser.run("[...document.images].every(each => each.complete && each.naturalWidth > 100)")
    assert browser.run("document.scripts.length") == 0


def test_the_numbers_of_a_report_are_those_of_the_library(browser: Browser, folder: Path) -> None:
    browser.open(report(folder, "analyze", "mobilenet_v1", "--set", "alpha=0.5", "--exact", "--no-fold"))
    analysis = analyze("mobilenet_v1", alpha=Fraction(1, 2))
    tiles = browser.run(
        "Object.fromEntries([...document.querySelectorAll('.tiles div')].map(each => "
        "[each.querySelector('dt').textContent, each.querySelector('span').textContent]))"
    )
    assert tiles["MACs"] == f"{analysis.totals.macs:,}"
    assert tiles["peak"] == f"{analysis.value('peak'):,}"
    lines = browser.run(
        "[...[...document.querySelectorAll('table')].at(-1).querySelectorAll('tbody tr')].map(line => "
        "[...line.cells].map(cell => cell.textContent))"
    )
    assert [line[0] for line in lines] == [row.path for row in analysis.rows]
    for line, row in zip(lines, analysis.rows, strict=True):
        assert line[1:4] == [row.kind, "x".join(map(str, row.input)), "x".join(map(str, row.output))]
        assert f"{row.work.params:,}" in line
        assert f"{row.work.macs:,}" in line
    readings = browser.run(
        "[...document.querySelectorAll('table')][0].querySelectorAll('tbody tr').values().map(line => "
        "[line.cells[0].textContent, line.cells[2].textContent]).toArray()"
    )
    assert dict(readings)["macs"] == f"{analysis.totals.macs:,}"


def test_networks_side_by_side_have_bars_of_their_own(browser: Browser, folder: Path) -> None:
    browser.open(report(folder, "diff", "resnet18", "resnet34"))
    source = browser.run("document.querySelector('.pair img').src")
    drawing = b64decode(source.partition(",")[2]).decode()
    drawn = re.findall(r'<rect class="bar (c\d)"[^>]* width="([\d.]+)"', drawing)
    rows = [analyze(name, by="stage").rows for name in ("resnet18", "resnet34")]
    wanted = [
        (f"c{place}", row.work.macs)
        for pair in zip(*rows, strict=True)
        for place, row in enumerate(pair)
        if row.work.macs
    ]
    assert [colour for colour, _ in drawn] == [colour for colour, _ in wanted]
    widest = max(float(width) for _, width in drawn) / max(macs for _, macs in wanted)
    for (_, width), (_, macs) in zip(drawn, wanted, strict=True):
        assert float(width) == pytest.approx(macs * widest, abs=0.02)
    readings = browser.run(
        "Object.fromEntries([...document.querySelectorAll('table')].at(-1).querySelectorAll('tbody tr').values()"
        ".map(line => [line.cells[0].textContent, [...line.cells].slice(2).map(cell => cell.textContent)]))"
    )
    assert readings["macs"] == ["1.814 G", "3.664 G", "0.4951"]  # as the table of torchvision has them, in MACs


def test_a_page_prints_in_light_colours_without_controls(browser: Browser, folder: Path) -> None:
    browser.open(page_of(folder, "mobilenet_v1", free="alpha,size"), dark=True)
    browser.run("document.getElementById('rows-0').open = true")
    assert browser.paper() == []
    for selector in ("input[type=range]", "button", ".readout"):
        assert browser.run(f"getComputedStyle(document.querySelector('{selector}')).display") == "none"
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.run("getComputedStyle(document.querySelector('#rows-0 thead')).display") == "table-header-group"
    printed = browser.pdf()
    sheets = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert set(sheets) == {(b"594.95996", b"841.91998")}  # A4, in points
    assert 3 <= len(sheets) <= 8


def test_hostile_words_are_only_shown_in_a_report(browser: Browser, folder: Path) -> None:
    spec = folder / "hostile.yaml"
    layers = "input: [3, 8, 8]\nparameters: {width: 4}\nlayers:\n- conv: {out: width, kernel: 3}\n"
    spec.write_text(f"title: {json.dumps(HOSTILE)}\n{layers}", "utf-8")
    browser.open(report(folder, "analyze", str(spec)))
    assert text_of(browser, "h1").startswith("</script><script>")
    assert browser.run("document.title") == "hostile: convcost report"
    assert browser.run("[...document.images].every(each => each.src.startsWith('data:image/svg'))")
    assert browser.complaints == []
