"""Reads conventions and implementations from YAML files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.catalogue.loader import check_keys, fail, number_at, text_of
from convcost.conventions.model import (
    FORMS,
    PLAIN,
    QUANTITIES,
    TRAINABLE,
    Convention,
    Rules,
    selectors,
)
from convcost.conventions.written import FormRule, Implementation
from convcost.errors import Problems, not_among, unknown
from convcost.language.syntax import data
from convcost.language.tree import Mapping, Scalar, Sequence
from convcost.plugins import load_installed

if TYPE_CHECKING:
    from convcost.catalogue.loader import Files
    from convcost.language.tree import Node

KEYS = ("title", "doc", "source", "unit", "extends", "operations", "params", "written")
UNITS = ("MACs", "FLOPs", "parameters")
_FORM_KEYS = ("form", "kind", "path")
_IMPLEMENTATION_KEYS = ("networks", "of", "at", "forms")


def read_convention(name: str, tree: Mapping, files: Files, depth: int = 0) -> Convention:
    """The convention in a file.

    Args:
        name: the file's stem.
        tree: its content.
        files: where a convention that it extends is found.
        depth: how many conventions it is extended by.

    Raises:
        SpecError: a key, selector, quantity or number is wrong.
        UsageError: it extends a convention that does not exist.
    """
    check_keys(tree, KEYS, "a convention")
    base = _base(tree, files, depth)
    operations, params = tree.get("operations"), tree.get("params")
    if operations is None and params is None and base is None:
        fail(tree, "a convention needs `operations` or `params`: rows of weights")
    own = _implementations(tree.get("written"))
    return Convention(
        name,
        title=text_of(tree, "title", name),
        doc=text_of(tree, "doc", base.doc if base else ""),
        source=text_of(tree, "source", base.source if base else ""),
        unit=_unit(tree, base),
        operations=Rules({**(base.operations.rows if base else {}), **_rows(operations)}),
        params=Rules({**(base.params.rows if base else {}), **_rows(params)}) if base or params else TRAINABLE,
        written=(*own, *(base.written if base else ())),
    )


def _base(tree: Mapping, files: Files, depth: int) -> Convention | None:
    node = tree.get("extends")
    if node is None:
        return None
    if not isinstance(node, Scalar):
        fail(node, "`extends` names one convention")
    if node.text == PLAIN.name:
        return PLAIN
    if node.text not in files.names():
        fail(node, unknown("bundled convention", node.text, files.names(), listed_by=files.listed_by))
    if depth:
        fail(node, "a convention that extends another cannot be extended itself")
    return read_convention(*files.open(node.text), files, depth + 1)


def _unit(tree: Mapping, base: Convention | None) -> str:
    unit = text_of(tree, "unit", base.unit if base else "MACs")
    if unit not in UNITS:
        fail(tree.get("unit") or tree, not_among("unit", unit, UNITS))
    return unit


def _rows(node: Node | None) -> dict[str, dict[str, Any]]:
    if node is None:
        return {}
    if not isinstance(node, Mapping):
        fail(node, "rows are written as `LAYER: {quantity: weight}`")
    known = _known_selectors(node)
    rows = {}
    for key, value in node.entries:
        form, _, layer = key.text.partition(" ")
        plain = key.text in known or key.text in FORMS
        if not plain and not (form in FORMS and layer in known):
            fail(key, unknown("layer, kind or family", key.text, known, listed_by="`convcost layers`"))
        if not isinstance(value, Mapping):
            fail(value, "a row is `{quantity: weight}`; `{}` counts nothing")
        check_keys(value, QUANTITIES, "a row")
        rows[key.text] = {
            name.text: number_at(weight, f"the weight of `{name.text}`") for name, weight in value.entries
        }
    return rows


def _known_selectors(rows: Mapping) -> set[str]:
    """Every word that a row may begin with; installed plug-ins are loaded where one is unknown without them."""
    known = {*selectors(), *FORMS}
    if not all(word in known for key, _ in rows.entries for word in key.text.split(" ", 1)):
        load_installed("convcost.layers")
    return set(selectors())


def read_implementations(tree: Mapping) -> tuple[Implementation, ...]:
    """What a file says of how networks are written.

    Raises:
        SpecError: a key or value is wrong.
    """
    check_keys(tree, ("source", "implementations"), "a file of implementations")
    return _implementations(tree.get("implementations"))


def _implementations(node: Node | None) -> tuple[Implementation, ...]:
    return tuple(_implementation(item) for item in _items(node, "implementations are a list"))


def _items(node: Node | None, message: str) -> list[Node]:
    if node is None:
        return []
    if not isinstance(node, Sequence):
        fail(node, message)
    return node.items


def _mapping(node: Node, keys: tuple[str, ...], what: str) -> Mapping:
    if not isinstance(node, Mapping):
        fail(node, f"{what} is a mapping with {', '.join(keys)}")
    check_keys(node, keys, what)
    return node


def _implementation(node: Node) -> Implementation:
    tree = _mapping(node, _IMPLEMENTATION_KEYS, "an implementation")
    networks = [item.text for item in _items(tree.get("networks"), "`networks` is a list") if isinstance(item, Scalar)]
    if not networks:
        fail(tree, "an implementation needs `networks`, a list of names")
    at = tree.get("at")
    values = {} if at is None else data(at, Problems())
    if not isinstance(values, dict):
        fail(at or tree, "`at` is a mapping of parameters to values")
    return Implementation(
        tuple(networks),
        text_of(tree, "of", "this convention"),
        values,
        tuple(_form(item) for item in _items(tree.get("forms"), "`forms` is a list")),
    )


def _form(node: Node) -> FormRule:
    tree = _mapping(node, _FORM_KEYS, "a form")
    form = text_of(tree, "form")
    if form not in FORMS:
        fail(tree.get("form") or tree, not_among("form", form, FORMS))
    kind = text_of(tree, "kind")
    if kind and kind not in set(selectors()):
        fail(tree, unknown("layer, kind or family", kind, selectors(), listed_by="`convcost layers`"))
    return FormRule(form, kind, text_of(tree, "path", "*"))
