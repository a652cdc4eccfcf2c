"""The ``published`` key of a spec: figures from its paper, each with what it counts and where it is printed.

Checked without running the spec: keys, printed figures, conventions, parameters. The names of parts (``of``)
are known only when the network is built; see :mod:`convcost.literature.verify`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.conventions.counts import QUANTITIES
from convcost.errors import ConvcostError, Problems, SpecError, not_among, unknown
from convcost.language.expression import compile_expression
from convcost.language.interpret import bind
from convcost.language.model import Fault
from convcost.language.schema import closed
from convcost.language.syntax import data, text
from convcost.language.yaml import Mapping, Scalar, Sequence, dims, scan
from convcost.limits import MAX_CLAIMS
from convcost.numbers.printed import Figure, figure

if TYPE_CHECKING:
    from fractions import Fraction

    from convcost.conventions.counts import Count, Quantity
    from convcost.errors import Position
    from convcost.language.model import Spec
    from convcost.language.yaml import Node
    from convcost.layers.base import Shape

_TEXTS = ("where", "source", "note", "erratum", "open")
MAX_WHOLE = 1024
CLAIM_KEYS = {  # each with the form of its value, as the keys of the spec language
    **dict.fromkeys(QUANTITIES, "text"),
    "at": "mapping",
    "input": "text",
    "counts": "text",
    "of": "texts",
    "digits": "integer",
    "K": "integer",
    "arithmetic": "text",
    **dict.fromkeys(_TEXTS, "text"),
}


class Claim(NamedTuple):
    """One printed figure.

    Attributes:
        quantity: what it is a figure of.
        figure: as printed.
        at: the parameters it holds for; the rest have their defaults.
        input: an input in place of the spec's own, or None.
        counts: the convention it is counted by, or None where it does not say.
        of: the parts it is the sum of, by path or kind; empty for the whole network.
        arithmetic: an expression and its value, which must be the printed figure's or the right one.
        position: where the claim is written.
        where: table, row, section.
        source: who prints it, where that is not the spec's own source.
        note: a remark.
        erratum: why it does not follow from the architecture; empty where it does.
        open: what is known of a figure that nobody has explained; empty where it is.
    """

    quantity: Quantity
    figure: Figure
    at: dict[str, Any]
    input: Shape | None
    counts: Count | None
    of: tuple[str, ...]
    arithmetic: tuple[str, int | Fraction] | None
    position: Position
    where: str
    source: str
    note: str
    erratum: str
    open: str


def claims(spec: Spec) -> tuple[Claim, ...]:
    """The claims of a linked spec.

    Raises:
        SpecError: one or more of them are wrong; all errors that can be seen without building the network.
    """
    if spec.published is None:
        return ()
    problems = Problems()
    read: list[Claim] = []
    if isinstance(spec.published, Sequence) and len(spec.published.items) > MAX_CLAIMS:
        problems.add(spec.published.position, f"a spec may have {MAX_CLAIMS:,} claims")
    elif isinstance(spec.published, Sequence):
        read = [claim for item in spec.published.items if (claim := _claim(item, spec, problems)) is not None]
    else:
        problems.add(spec.published.position, "`published` is a list of claims such as {macs: 569M, where: Table 8}")
    if problems.all:
        raise SpecError(problems.all)
    return tuple(read)


def claim_schema() -> dict[str, Any]:
    """The form of a claim in the JSON Schema of the language."""
    form = closed(CLAIM_KEYS)
    counts = {count.name: None for quantity in QUANTITIES.values() for count in quantity.counts}
    form["properties"]["counts"] = {"enum": list(counts)}
    return {**form, "oneOf": [{"required": [name]} for name in QUANTITIES]}


def _claim(node: Node, spec: Spec, problems: Problems) -> Claim | None:
    if not isinstance(node, Mapping):
        problems.add(node.position, "a claim is a mapping such as {macs: 569M, where: Table 8}")
        return None
    for key, _ in node.entries:
        if key.text not in CLAIM_KEYS:
            problems.add(key.position, unknown("key", key.text, CLAIM_KEYS, of="a claim"))
    printed = [(key, value) for key, value in node.entries if key.text in QUANTITIES]
    if len(printed) != 1:
        listed = " and ".join(key.text for key, _ in printed) or "none"
        problems.add(node.position, f"a claim prints one of {', '.join(QUANTITIES)}; found {listed}")
        return None
    quantity = QUANTITIES[printed[0][0].text]
    texts = {name: _text(node.get(name), name, problems) for name in _TEXTS}
    if texts["erratum"] and texts["open"]:
        problems.add(node.position, "a claim is either an `erratum`, which is explained, or `open`, which is not")
    return Claim(
        quantity,
        _figure(printed[0][1], node, problems),
        _at(node.get("at"), spec, problems),
        _input(node.get("input"), problems),
        _counts(node.get("counts"), quantity, problems),
        _of(node.get("of"), problems),
        arithmetic=_arithmetic(node.get("arithmetic"), problems),
        position=node.position,
        **texts,
    )


def _figure(node: Node, claim: Mapping, problems: Problems) -> Figure:
    digits, k = (_whole(claim.get(name), name, problems) for name in ("digits", "K"))
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
    if name not in by_name:
        problems.add(node.position, not_among("counts", name, by_name))
    return by_name.get(name)


def _of(node: Node | None, problems: Problems) -> tuple[str, ...]:
    if node is None:
        return ()
    items = node.items if isinstance(node, Sequence) else [node]
    return tuple(_text(item, "of", problems) for item in items)


def _arithmetic(node: Node | None, problems: Problems) -> tuple[str, int | Fraction] | None:
    if node is None:
        return None
    written = text(node, problems, "`arithmetic`")
    try:
        expression = compile_expression(written)
        value = expression.evaluate({}) if expression.is_constant else None
    except ConvcostError as error:
        problems.add(node.position, str(error))
        return None
    if value is None or isinstance(value, bool | str | tuple):
        problems.add(node.position, f"`arithmetic` is an expression of numbers alone, found '{written[:60]}'")
        return None
    return written, value
