"""The explorer page: networks whose free parameters can be moved, in one HTML file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from convcost.codegen.explorer import QUANTITIES
from convcost.drawing.drawing import Drawing
from convcost.errors import ConvcostError
from convcost.metrics.quantities import title
from convcost.render.typeset import typeset_totals
from convcost.tables.page import page, picture, text

if TYPE_CHECKING:
    from convcost.codegen.explorer import Explored, Explorer

_HEADINGS = {
    **{key: title(key) for key in QUANTITIES},
    "bytes": "bytes moved",
    "peak": "peak memory",
    "time": "least time",
}
_UNITS = ("", "k", "M", "G", "T")
_ROOM = 230_000  # characters of all forms; the page is below 300 kB with them


def explorer_page(explorer: Explorer) -> str:
    """The page, as one file."""
    drawings = [_drawing(network) for network in explorer.networks]
    room = (_ROOM - sum(map(len, drawings))) // len(drawings)
    parts = [_chosen(explorer, network, room) for network in explorer.networks]
    contents: dict[str, Any] = {
        "names": explorer.names,
        "networks": [
            explorer.network(network, [json.loads(form) for form, _ in chosen])
            for network, chosen in zip(explorer.networks, parts, strict=True)
        ],
        "dtype": explorer.dtype,
        "device": explorer.machine,
        "headings": _HEADINGS,
    }
    names = [network["name"] for network in contents["networks"]]
    heading = " and ".join(network["title"] for network in contents["networks"])
    body = "\n".join(
        [
            "<header>",
            f"<h1>{text(heading)}</h1>",
            '<p class="soft">Exact cost for all values of the parameters, computed on this page from closed forms.</p>',
            "</header>",
            "<main>",
            _controls(contents),
            _totals(contents, names),
            _conventions(contents, names, explorer.convention),
            _layers(contents, names),
            _memory(contents, names),
            _contours(contents, names, _budget(explorer)),
            _roofline(contents),
            _formulas([[typeset for _, typeset in chosen] for chosen in parts], names),
            _drawings(drawings, names),
            _tables(names),
            "</main>",
        ]
    )
    return page(
        f"{' and '.join(names)}: convcost explorer",
        body,
        styles=("page.css", "explorer.css"),
        script="explorer.js",
        data=contents,
    )


def _controls(contents: dict[str, Any]) -> str:
    fields = []
    for index, entry in enumerate(contents["names"]):
        name, value = text(entry["name"]), text(entry["value"])
        owners = [
            network["name"]
            for network in contents["networks"]
            if entry["name"] in dict(map(reversed, network["names"]))
        ]
        owner = f' <span class="small">of {text(owners[0])}</span>' if len(owners) < len(contents["networks"]) else ""
        first, last, step = entry["slider"]
        fields.append(
            f'<div class="name"><label for="value-{index}">{name}{owner}</label>'
            f'<input id="value-{index}" inputmode="{"decimal" if entry["ratio"] else "numeric"}" value="{value}" '
            f'maxlength="40" autocomplete="off" aria-describedby="status">'
            f'<input id="slide-{index}" type="range" aria-label="{name}, slider" '
            f'min="{first}" max="{last}" step="{step}" value="{value}"></div>'
        )
    reset = '<div class="row"><button type="button" id="reset">Back to the defaults</button></div>' if fields else ""
    if not fields:
        fields.append('<p class="soft">Nothing is free in this network.</p>')
    return (
        '<section class="controls" aria-label="Parameters">'
        f'<div class="names">{"".join(fields)}</div>{reset}'
        '<p id="status" role="status"></p></section>'
    )


def _keys(contents: dict[str, Any]) -> list[str]:
    return [*QUANTITIES, "peak", *(["time"] if contents["device"] is not None else [])]


def _totals(contents: dict[str, Any], names: list[str]) -> str:
    several = len(names) > 1
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in names)
    ratio = '<th scope="col">first / second</th>' if several else ""
    lines = []
    for key in _keys(contents):
        cells = "".join(f'<td data-total="{place} {key}"><b></b><span></span></td>' for place in range(len(names)))
        compared = f'<td data-ratio="{key}"></td>' if several else ""
        lines.append(f'<tr><th scope="row">{text(_HEADINGS[key])}</th>{cells}{compared}</tr>')
    device = contents["device"]
    notes = [f"Per sample. Memory in {contents['dtype']}, with activations in place and norms folded."]
    if device is not None:
        notes.append(f"Least time on {device['title']}, by its roofline.")
    firsts = [form for network in contents["networks"] for form in network["forms"][:1]]
    notes += [
        f"The costs of {form['as_stated']} are those that the spec states." for form in firsts if form["as_stated"]
    ]
    return (
        '<section aria-labelledby="h-totals"><h2 id="h-totals">Totals</h2><div class="scroll" tabindex="0">'
        f'<table class="totals"><thead><tr><td></td>{head}{ratio}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
        f'</div><p class="small">{text(" ".join(notes))}</p></section>'
    )


def _conventions(contents: dict[str, Any], names: list[str], chosen: str) -> str:
    """The number of every convention, with a choice of the one that the layers show."""
    words: dict[str, str] = {}
    for network in contents["networks"]:
        for name, each in network["conventions"].items():
            words.setdefault(name, each["words"])
    if not words:
        return ""
    options = "".join(f"<option{' selected' if name == chosen else ''}>{text(name)}</option>" for name in words)
    several = len(names) > 1
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in names)
    ratio = '<th scope="col">first / second</th>' if several else ""
    lines = []
    for name in words:
        key = text(f"as {name}")
        cells = "".join(f'<td data-total="{place} {key}"><b></b><span></span></td>' for place in range(len(names)))
        compared = f'<td data-ratio="{key}"></td>' if several else ""
        lines.append(f'<tr><th scope="row">{text(name)}</th>{cells}{compared}</tr>')
    notes = dict.fromkeys(
        note for network in contents["networks"] for form in network["forms"] for note in form["notes"]
    )
    below = "".join(f'<p class="small">{text(note)}.</p>' for note in notes)
    return (
        '<section aria-labelledby="h-conventions"><div class="row"><h2 id="h-conventions">Under each convention</h2>'
        f'<label>layers show <select id="convention">{options}</select></label></div>'
        '<p class="small" id="convention-words"></p>'
        '<details open><summary>Totals of all conventions</summary><div class="scroll" tabindex="0">'
        f'<table class="totals lines"><thead><tr><td></td>{head}{ratio}</tr></thead><tbody>{"".join(lines)}</tbody>'
        f"</table></div>{below}</details></section>"
    )


def _layers(contents: dict[str, Any], names: list[str]) -> str:
    moved = any("bytes" in network["forms"][0]["columns"] for network in contents["networks"])
    keys = [
        "macs",
        "params",
        "flops",
        "activations",
        *(["bytes"] if moved else []),
        *(["time"] if contents["device"] is not None else []),
    ]
    options = "".join(f'<option value="{key}">{text(_HEADINGS[key])}</option>' for key in keys)
    if any(network["conventions"] for network in contents["networks"]):
        options += '<option value="reported">as the convention counts</option>'
    charts = "".join(
        f"<div>{_name_above(names, place)}"
        f'<div class="chart" id="bars-{place}" tabindex="0" role="group" '
        f'aria-label="Layers of {text(name)}; arrow keys choose one" aria-describedby="layer-{place}"></div>'
        f'<ul class="legend" id="legend-{place}"></ul>'
        f'<p class="readout" id="layer-{place}" aria-live="polite">Point at a layer, or choose one with the arrow keys.'
        "</p></div>"
        for place, name in enumerate(names)
    )
    return (
        '<section aria-labelledby="h-layers"><div class="row"><h2 id="h-layers">Layers</h2>'
        f'<label>bars show <select id="shown">{options}</select></label></div>'
        f'<div class="{_side(names)}">{charts}</div></section>'
    )


def _side(names: list[str]) -> str:
    return "pair" if len(names) > 1 else "alone"


def _name_above(names: list[str], place: int) -> str:
    return f"<h3>{text(names[place])}</h3>" if len(names) > 1 else ""


def _memory(contents: dict[str, Any], names: list[str]) -> str:
    charts = []
    for place, network in enumerate(contents["networks"]):
        note = network["forms"][0]["alive_note"]
        drawn = f'<div class="chart" id="memory-{place}"></div><p class="small" id="peak-{place}"></p>'
        chart = f'<p class="soft">{text(note)}</p>' if note else drawn
        charts.append(f"<div>{_name_above(names, place)}{chart}</div>")
    return (
        '<section aria-labelledby="h-memory"><h2 id="h-memory">Memory over time</h2>'
        f'<div class="{_side(names)}">{"".join(charts)}</div>'
        '<p class="small">Bytes of feature maps alive while each layer runs: what it reads, what it writes, and what '
        "later layers will read.</p></section>"
    )


def _contours(contents: dict[str, Any], names: list[str], budget: str) -> str:
    labels = [entry["name"] for entry in contents["names"]]
    if len(labels) < 2:  # noqa: PLR2004 - two axes
        return ""

    def axis(key: str, words: str) -> str:
        options = "".join(f"<option>{text(label)}</option>" for label in labels)
        return f'<label>{words} <select id="{key}">{options}</select></label>'

    alive = all(network["forms"][0]["alive"] for network in contents["networks"])
    bounded = "".join(
        f'<option value="{key}">{text(_HEADINGS[key])}</option>'
        for key in ("macs", "params", "flops", *(["peak"] if alive else []))
    )
    charts = "".join(
        f'<div>{_name_above(names, place)}<div class="chart" id="contours-{place}"></div>'
        f'<p id="budget-words-{place}"></p></div>'
        for place in range(len(names))
    )
    return (
        f'<section aria-labelledby="h-budget"><h2 id="h-budget">A budget over two names</h2><div class="row">'
        f'<label>at most <input id="budget" size="8" maxlength="24" value="{budget}"></label>'
        f'<label>of <select id="bounded">{bounded}</select></label>'
        f"{axis('axis-x', 'across')}{axis('axis-y', 'up')}</div>"
        f'<div class="{_side(names)}">{charts}</div>'
        '<p class="small">Values at the points of a grid, with straight lines between them; dashed lines are equal '
        "cost. Grey: no network, or a structure that is not on this page.</p></section>"
    )


def _budget(explorer: Explorer) -> str:
    """A budget to start from: the MACs of the first network at its default, to two digits."""
    macs = int(explorer.networks[0].cases.formulas[0].totals["macs"].value)
    power = min(max(len(str(macs)) - 1, 0) // 3, len(_UNITS) - 1)
    return f"{float(f'{macs / 1000**power:.2g}'):g}{_UNITS[power]}"


def _roofline(contents: dict[str, Any]) -> str:
    device = contents["device"]
    if device is None:
        return ""
    return (
        '<section aria-labelledby="h-roofline"><h2 id="h-roofline">Roofline</h2>'
        f'<p class="soft">{text(device["title"])}, {text(contents["dtype"])}</p>'
        '<div class="chart" id="roofline"></div><p class="small" id="roofline-words"></p></section>'
    )


def _chosen(explorer: Explorer, network: Explored, room: int) -> list[tuple[str, str]]:
    """The forms of a network that have room on the page, as JSON and typeset; the first one always."""
    chosen: list[tuple[str, str]] = []
    for case in network.cases.formulas:
        form, typeset = json.dumps(explorer.form(network, case), separators=(",", ":")), typeset_totals(case)
        room -= len(form) + len(typeset)
        if chosen and room < 0:
            break
        chosen.append((form, typeset))
    return chosen


def _formulas(typeset: list[list[str]], names: list[str]) -> str:
    parts = []
    for index, forms in enumerate(typeset):
        parts.append(_name_above(names, index))
        parts += [f'<div id="math-{index}-{place}" hidden>{form}</div>' for place, form in enumerate(forms)]
    return (
        '<section aria-labelledby="h-formula"><h2 id="h-formula">Closed form</h2>'
        f'<div class="scroll" tabindex="0" role="group" aria-label="Formulas">{"".join(parts)}</div></section>'
    )


def _drawing(network: Explored) -> str:
    """The first network as boxes and lines, where there are not too many of them to draw."""
    graph = network.at_witness(network.cases.formulas[0])
    try:
        return picture(Drawing(graph).svg(), f"{graph.title} as boxes and lines")
    except ConvcostError:
        return ""


def _drawings(drawings: list[str], names: list[str]) -> str:
    return "".join(
        f"<section><details><summary>Drawing of {text(name)}, at the values that the page starts with</summary>"
        f'<div class="scroll" tabindex="0">{drawing}</div></details></section>'
        for name, drawing in zip(names, drawings, strict=True)
        if drawing
    )


def _tables(names: list[str]) -> str:
    heads = ("layer", "kind", "input", "output", *(_HEADINGS[key] for key in (*QUANTITIES, "bytes")))
    head = "".join(f'<th scope="col">{text(words)}</th>' for words in heads) + '<th scope="col" class="counted"></th>'
    return "".join(
        f'<section><details id="rows-{place}"><summary>Table of the layers of {text(name)}</summary>'
        '<div class="scroll" tabindex="0">'
        f'<table class="wide"><thead><tr>{head}</tr></thead><tbody></tbody></table></div></details></section>'
        for place, name in enumerate(names)
    )
