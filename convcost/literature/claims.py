"""The ``published`` key of a spec: figures that are printed about it, each with what it counts and where it is printed.

A list of claims, and of groups: a group states once what its claims share, such as the table that they are rows of.
Checked without running the spec: keys, printed figures, sources, conventions, parameters. The names of parts (``of``)
are known only when the network is built; see :mod:`convcost.literature.verify`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convcost.conventions.catalogue import convention, names
from convcost.conventions.counts import QUANTITIES, Count
from convcost.errors import ConvcostError, Problems, SpecError, not_among, unknown
from convcost.language.expression import compile_expression
from convcost.language.given import bind
from convcost.language.model import Fault
from convcost.language.schema import closed
from convcost.language.syntax import data, text
from convcost.language.tree import Mapping, Scalar, Sequence, dims, scan
from convcost.limits import MAX_CLAIMS
from convcost.literature.references import Reference, reference
from convcost.numbers.printed import Figure, figure
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from convcost.conventions.counts import Quantity
    from convcost.errors import Position
    from convcost.language.model import Spec
    from convcost.language.tree import Node
    from convcost.layers.base import Shape

PRINTED, MEASURED, COUNTED = CLASSES = ("printed", "measured", "counted")
READ = ("pdf", "repository", "transcription", "memory")
REASONS = ("erratum", "open", "explained")
_TEXTS = ("where", "note", "tool", *REASONS)
MAX_WHOLE = 1024
CLAIM_KEYS = {  # each with the form of its value, as the keys of the spec language
    **dict.fromkeys(QUANTITIES, "text"),
    **dict.fromkeys(("class", "cite", "where", "read", "tool"), "text"),
    **dict.fromkeys(("at", "variant"), "mapping"),
    "input": "text",
    "counts": "text",
    "of": "texts",
    **dict.fromkeys(("digits", "K"), "integer"),
    **dict.fromkeys(("note", "explained", "erratum", "open", "arithmetic", "instead"), "text"),
}
SHARED_KEYS = ("class", "cite", "where", "read", "tool", "at", "counts", "of", "digits", "K", "note")
GROUP_KEYS = ("figures", *SHARED_KEYS)
_TOOL = re.compile(r"\S.* \S*\d\S*, \d{4}-\d{2}-\d{2}")
_EXAMPLE = "{macs: 569M, cite: howard2017, where: table 8, read: pdf}"


class Claim(NamedTuple):
    """One figure.

    Attributes:
        quantity: what it is a figure of.
        figure: as printed.
        kind: one of :data:`CLASSES`: printed by a paper or by its authors' repository, measured with a tool, or counted
            by somebody.
        cite: who prints it; None for a figure that is not printed.
        read: one of :data:`READ`: how it was read; empty for a figure that is not printed.
        tool: name, version and date of the tool that a figure was measured with.
        at: the parameters that its source states; the rest have their defaults.
        variant: further parameters that it takes, although its source does not state them there.
        input: an input in place of the spec's own, or None.
        counts: the convention it is counted by, or None where it does not say.
        of: the parts it is the sum of, by path or kind; empty for the whole network.
        arithmetic: an expression and its value, which is the printed figure's.
        instead: an expression and its value, which is the right one in place of an erratum's.
        position: where the claim is written.
        where: table, row, section.
        note: a remark.
        explained: what it counts besides what the convention counts; the arithmetic shows it.
        erratum: why it does not follow from the architecture; empty where it does.
        open: what is known of a figure that nobody has explained; empty where it is.
    """

    quantity: Quantity
    figure: Figure
    kind: str
    cite: Reference | None
    read: str
    at: dict[str, Any]
    variant: dict[str, Any]
    input: Shape | None
    counts: Count | None
    of: tuple[str, ...]
    arithmetic: tuple[str, int | Fraction] | None
    instead: tuple[str, int | Fraction] | None
    position: Position
    where: str
    note: str
    tool: str
    erratum: str
    open: str
    explained: str

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters of the network that it follows from."""
        return {**self.at, **self.variant}


def claims(spec: Spec) -> tuple[Claim, ...]:
    """The claims of a linked spec.

    Raises:
        SpecError: one or more of them are wrong; all errors that can be seen without building the network.
    """
    if spec.published is None:
        return ()
    problems = Problems()
    made: list[Claim] = []
    if isinstance(spec.published, Sequence):
        nodes = list(_nodes(spec.published, problems))
        if len(nodes) > MAX_CLAIMS:
            problems.add(spec.published.position, f"a spec may have {MAX_CLAIMS:,} claims")
        else:
            made = [claim for node, shared in nodes if (claim := _claim(node, shared, spec, problems)) is not None]
    else:
        problems.add(spec.published.position, f"`published` is a list of claims such as {_EXAMPLE}")
    if problems.all:
        raise SpecError(problems.all)
    return tuple(made)


def claim_schema() -> dict[str, Any]:
    """The form of a claim, or of a group of claims, in the JSON Schema of the language."""
    counts = {count.name: None for quantity in QUANTITIES.values() for count in quantity.counts}
    enums = {"class": CLASSES, "read": READ, "counts": (*counts, *names()[1:-1])}
    claim, group = closed(CLAIM_KEYS), closed({key: CLAIM_KEYS[key] for key in SHARED_KEYS}, "figures")
    for form in (claim, group):
        form["properties"] |= {key: {"enum": list(words)} for key, words in enums.items()}
    claim["oneOf"] = [{"required": [name]} for name in QUANTITIES]
    group["properties"]["figures"] = {"type": "array", "items": claim, "minItems": 1}
    return {"anyOf": [claim, group]}


def _nodes(published: Sequence, problems: Problems) -> Iterator[tuple[Mapping, Mapping | None]]:
    """Every claim, and the group that it is in."""
    for item in published.items:
        if not isinstance(item, Mapping):
            problems.add(item.position, f"a claim is a mapping such as {_EXAMPLE}")
            continue
        figures = item.get("figures")
        if figures is None:
            yield item, None
            continue
        for key, _ in item.entries:
            if key.text not in GROUP_KEYS:
                problems.add(key.position, unknown("key", key.text, GROUP_KEYS, of="a group of claims"))
        if not isinstance(figures, Sequence):
            problems.add(figures.position, "`figures` is a list of claims such as {macs: 569M}")
            continue
        for each in figures.items:
            if isinstance(each, Mapping):
                yield each, item
            else:
                problems.add(each.position, "a claim is a mapping such as {macs: 569M}")


def _claim(node: Mapping, group: Mapping | None, spec: Spec, problems: Problems) -> Claim | None:
    for key, _ in node.entries:
        if key.text not in CLAIM_KEYS:
            problems.add(key.position, unknown("key", key.text, CLAIM_KEYS, of="a claim"))
    printed = [(key, value) for key, value in node.entries if key.text in QUANTITIES]
    if len(printed) != 1:
        listed = " and ".join(key.text for key, _ in printed) or "none"
        problems.add(node.position, f"a claim prints one of {', '.join(QUANTITIES)}; found {listed}")
        return None

    def stated(name: str) -> Node | None:
        own = node.get(name)
        return own if own is not None or group is None else group.get(name)

    quantity = QUANTITIES[printed[0][0].text]
    texts = {name: _text(stated(name), name, problems) for name in _TEXTS}
    kind = _word(stated("class"), "class", CLASSES, problems) or PRINTED
    read = _word(stated("read"), "read", READ, problems)
    claim = Claim(
        quantity,
        _figure(printed[0][1], stated, problems),
        kind,
        _cite(stated("cite"), problems),
        read,
        {**_at(None if group is None else group.get("at"), spec, problems), **_at(node.get("at"), spec, problems)},
        _at(node.get("variant"), spec, problems),
        _input(node.get("input"), problems),
        _counts(stated("counts"), quantity, problems),
        _of(stated("of"), problems),
        arithmetic=_arithmetic(node.get("arithmetic"), "arithmetic", problems),
        instead=_arithmetic(node.get("instead"), "instead", problems),
        position=node.position,
        **texts,
    )
    for message in _faults(claim, {name for name in ("cite", "where", "read") if stated(name) is None}):
        problems.add(node.position, message)
    return claim


def _faults(claim: Claim, missing: set[str]) -> Iterator[str]:
    """What a claim lacks, or says twice."""
    reasons = [name for name in REASONS if getattr(claim, name)]
    if len(reasons) > 1:
        yield f"a claim is one of {', '.join(f'`{name}`' for name in REASONS)}; found {' and '.join(reasons)}"
    if claim.kind == PRINTED and missing:
        listed = ", ".join(f"`{name}`" for name in ("cite", "where", "read") if name in missing)
        yield f"a printed figure needs `cite`, `where` and `read`; it lacks {listed}"
    if claim.kind == MEASURED and not _TOOL.fullmatch(claim.tool):
        lack = f"found '{claim.tool[:60]}'" if claim.tool else "it lacks `tool`"
        yield f"a measured figure needs its tool's version and the date, as `tool: fvcore 0.1.5, 2026-11-20`; {lack}"
    if claim.explained and claim.arithmetic is None:
        yield "an `explained` figure needs `arithmetic`, which makes the printed figure of the network's count"
    if claim.erratum and claim.arithmetic is None and claim.instead is None:
        yield "an `erratum` needs `arithmetic`, which makes the printed figure, or `instead`, which makes the right one"


def _word(node: Node | None, name: str, allowed: tuple[str, ...], problems: Problems) -> str:
    if node is None:
        return ""
    word = text(node, problems, f"`{name}`")
    if word not in allowed:
        problems.add(node.position, not_among(name, word, allowed))
    return word


def _cite(node: Node | None, problems: Problems) -> Reference | None:
    if node is None:
        return None
    try:
        return reference(text(node, problems, "`cite`"))
    except LookupError as error:
        problems.add(node.position, error.args[0])
        return None


def _figure(node: Node, stated: Callable[[str], Node | None], problems: Problems) -> Figure:
    digits, k = (_whole(stated(name), name, problems) for name in ("digits", "K"))
    try:
        return figure(text(node, problems, "a printed figure"), digits=digits, k=k or 1000)
    except ConvcostError as error:
        problems.add(node.position, str(error))
        return figure("0")


def _whole(node: Node | None, name: str, problems: Problems) -> int | None:
    if node is None:
        return None
    value = scan(node.text, quoted=False) if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_WHOLE:
        problems.add(node.position, f"`{name}` must be a whole number from 1 to {MAX_WHOLE}")
        return None
    return value


def _text(node: Node | None, name: str, problems: Problems) -> str:
    if node is None:
        return ""
    words = " ".join(text(node, problems, f"`{name}`").split())
    if not words:
        problems.add(node.position, f"`{name}` is empty")
    return words


def _at(node: Node | None, spec: Spec, problems: Problems) -> dict[str, Any]:
    if node is None:
        return {}
    if not isinstance(node, Mapping):
        problems.add(node.position, "`at` is a mapping of parameters, as {alpha: 0.5, size: 192}")
        return {}
    values: dict[str, Any] = {}
    for key, item in node.entries:
        if key.text not in spec.names:
            problems.add(key.position, unknown("parameter", key.text, spec.names, of=spec.name))
            continue
        value = data(item, problems)
        parameter = spec.parameters.get(key.text)
        try:
            values[key.text] = value if parameter is None else bind(parameter, value, item.position)
        except Fault as fault:
            problems.add(item.position, fault.message)
    return values


def _input(node: Node | None, problems: Problems) -> Shape | None:
    if node is None:
        return None
    sizes = dims(node.text) if isinstance(node, Scalar) else None
    if sizes is None or 0 in sizes:
        problems.add(node.position, "`input` takes sizes such as 3x112x96")
    return sizes


def _counts(node: Node | None, quantity: Quantity, problems: Problems) -> Count | None:
    if node is None:
        return None
    name = text(node, problems, "`counts`")
    by_name = {count.name: count for count in quantity.counts}
    if name in by_name:
        return by_name[name]
    if quantity.name in ("params", "macs", "flops") and name in names()[1:-1]:
        tool = convention(name)
        return Count(name, tool.doc, tool.operations, tool.unit)
    problems.add(node.position, not_among("counts", name, by_name))
    return None


def _of(node: Node | None, problems: Problems) -> tuple[str, ...]:
    if node is None:
        return ()
    items = node.items if isinstance(node, Sequence) else [node]
    return tuple(_text(item, "of", problems) for item in items)


def _arithmetic(node: Node | None, name: str, problems: Problems) -> tuple[str, int | Fraction] | None:
    if node is None:
        return None
    written = text(node, problems, f"`{name}`")
    try:
        expression = compile_expression(written)
        value = expression.evaluate({}) if expression.is_constant else None
    except ConvcostError as error:
        problems.add(node.position, str(error))
        return None
    if value is None or isinstance(value, bool | str | tuple):
        problems.add(node.position, f"`{name}` is an expression of numbers alone, found '{written[:60]}'")
        return None
    return written, value
