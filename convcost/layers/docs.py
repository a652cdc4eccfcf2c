"""The reference of the layers, generated from their classes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UsageError, unknown
from convcost.layers.base import REGISTRY, Layer
from convcost.layers.fields import shown
from convcost.plugins import load_installed
from convcost.tables.printable import Records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.layers.fields import Field


class FieldDoc(NamedTuple):
    """One field of a layer: its name, what it takes, its default, and what it means."""

    name: str
    type: str
    default: str
    doc: str


class LayerDoc(NamedTuple):
    """One layer: everything a spec writer needs.

    Attributes:
        key: its name in a spec.
        family: what kind of layer it is.
        summary: one line.
        text: the rest of the docstring, without the example.
        source: where its rule comes from.
        fields: its arguments.
        formulas: its cost, by quantity.
        merges: whether it takes branches.
    """

    key: str
    family: str
    summary: str
    text: str
    source: str
    fields: tuple[FieldDoc, ...]
    formulas: dict[str, str]
    merges: bool


class LayerDocs(Records[LayerDoc]):
    """The reference of several layers."""


def layers() -> list[LayerDoc]:
    """Every layer, in the order of the registry; those of installed plug-ins come last."""
    load_installed("convcost.layers")
    return [layer_doc(key) for key in REGISTRY]


def layer_doc(key: str) -> LayerDoc:
    """The reference of one layer.

    Raises:
        UsageError: there is none of that name.
    """
    if key not in REGISTRY:
        load_installed("convcost.layers")
    if key not in REGISTRY:
        raise UsageError(unknown("layer", key, REGISTRY, hint=layer_hint(key), listed_by="`convcost layers`"))
    layer = REGISTRY[key]
    summary, text, source = _parts(layer)
    fields = tuple(
        FieldDoc(name, takes(field), "required" if field.required else shown(field.default), field.doc)
        for name, field in layer.fields.items()
    )
    return LayerDoc(key, layer.family, summary, text, source, fields, layer.formulas, layer.merges)


def takes(field: Field) -> str:
    """What a field takes, in words."""
    words = ", ".join(field.words)
    return {
        "size": f"a whole number of at least {field.minimum}",
        "axes": "a whole number, or one per axis",
        "padding": f"{words}, a size, one per axis, or [before, after] pairs",
        "flag": "true or false",
        "word": f"one of {words}",
        "axis": f"{words}, or an index",
        "axis_list": f"{words}, an index, or a list of them",
        "number": "a number",
    }[field.type]


def layer_hint(word: str, names: Iterable[str] = ()) -> str:
    """The way from a ``word`` of another tool to the layer or block it means; empty where it is not known.

    Args:
        word: what was written as the name of a layer.
        names: of blocks, which may be meant too.
    """
    from convcost.layers.words import ELSEWHERE, plain  # noqa: PLC0415 - only an error pays for it

    sought = plain(word[:100])
    if not sought:
        return ""
    for name in (*REGISTRY, *names):
        if plain(name) == sought:
            return f"did you mean '{name}'?"
    for key, layer in REGISTRY.items():
        if sought in map(plain, layer.also):
            return f"did you mean '{key}'?"
        for special, arguments in layer.special.items():
            if sought == plain(special):
                return f"write {key}: {arguments}"
    return next((hint for hint, words in ELSEWHERE.items() if sought in map(plain, words)), "")


def _parts(layer: type[Layer]) -> tuple[str, str, str]:
    """Summary, body and source of a docstring; the doctest is left out."""
    doc = inspect.cleandoc(layer.__doc__ or "").split("\n>>> ", 1)[0].strip()
    summary, _, rest = doc.partition("\n\n")
    body, _, source = rest.rpartition("Source: ")
    return " ".join(summary.split()), body.strip(), " ".join(source.split())
