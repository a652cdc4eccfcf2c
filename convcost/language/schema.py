"""JSON Schema of the spec language, for editors: all rules that need no run of a spec.

The keys come from the tables of the parser, each with the name of the form of its value; the forms are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.language.model import BRANCH_KEYS, CONTROLS, OTHER_NAMES
from convcost.language.syntax import BLOCK_KEYS, EXTENDS_KEYS, LAYOUTS, PARAMETER_KEYS, SOURCE_KEYS, SPEC_KEYS
from convcost.layers import REGISTRY
from convcost.plugins import load_installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.language.model import Spec
    from convcost.layers.base import Layer

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE = ("string", "integer", "number", "boolean", "null")


def language_schema(specs: Mapping[str, Spec], claim: Mapping[str, Any]) -> dict[str, Any]:
    """The schema: keys, step bodies, fields, parameters of the blocks, forms of branches.

    Args:
        specs: the specs that a step can call by name.
        claim: the form of a published figure.
    """
    load_installed("convcost.layers")
    return {
        "$schema": _DIALECT,
        "title": "convcost network or block",
        "$defs": {
            **_values(),
            **_parts(),
            "step": _step(specs),
            "claim": claim,
        },
        "oneOf": [closed(SPEC_KEYS, "layers", without="extends"), closed(EXTENDS_KEYS, "extends")],
    }


def _ref(form: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{form}"}


def _list(form: str, **bounds: int) -> dict[str, Any]:
    return {"type": "array", "items": _ref(form), **bounds}


def _map(form: str, **bounds: int) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": _ref(form), **bounds}


def closed(keys: Mapping[str, str], *required: str, without: str = "") -> dict[str, Any]:
    """A mapping with no other than the given keys.

    Args:
        keys: each with the name of its form.
        *required: those that must be there.
        without: a key to leave out.
    """
    properties = {key: _ref(form) for key, form in keys.items() if key != without}
    form: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**form, "required": list(required)} if required else form


def _values() -> dict[str, Any]:
    """Forms of single values."""
    return {
        "text": {"type": list(_SIMPLE)},
        "value": {"type": [*_SIMPLE, "array"]},  # any may be an expression
        "table": {"type": [*_SIMPLE, "array", "object"]},
        "integer": {"type": "integer"},
        "switch": {"type": "boolean"},
        "mapping": {"type": "object"},
        "texts": {"anyOf": [_ref("text"), _list("text")]},
        "choices": {"type": "array", "minItems": 1},
        "values": {"anyOf": [{"const": "all"}, {"type": "array", "minItems": 1}]},
        "layout": {"enum": list(LAYOUTS.values())},
        "budget": {"type": ["string", "array"], "items": {"type": "string"}},
        "source": {"anyOf": [_ref("text"), closed(SOURCE_KEYS)]},
    }


def _parts() -> dict[str, Any]:
    """Forms of the parts of a spec."""
    most = len(LAYOUTS)
    return {
        "input": {
            "anyOf": [_list("value", minItems=1, maxItems=most), _map("value", minProperties=1, maxProperties=most)]
        },
        "inputs": {"anyOf": [_ref("input"), _map("sizes", minProperties=1)]},
        "sizes": _list("value", minItems=1, maxItems=most),
        "outputs": {"anyOf": [_list("text", minItems=1), _map("text", minProperties=1)]},
        "parameter": {"anyOf": [_ref("value"), closed(PARAMETER_KEYS)]},
        "parameters": _map("parameter"),
        "let": _map("table"),
        "steps": _list("step", minItems=1),
        "inner steps": _list("step"),
        "block": {"anyOf": [_ref("steps"), closed(BLOCK_KEYS, "layers")]},
        "blocks": _map("block"),
        "claims": _list("claim"),
        "choose": _map("table", minProperties=1),
        "loop": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "object"}]},
        "branch": {
            "anyOf": [
                _ref("text"),
                _ref("inner steps"),
                {**closed(BRANCH_KEYS), "anyOf": [{"required": ["do"]}, {"required": ["from"]}]},
            ]
        },
        "branches": _map("branch", minProperties=1),
    }


def _step(specs: Mapping[str, Spec]) -> dict[str, Any]:
    properties = {key: _ref(form) for key, form in {**CONTROLS, "do": "steps", "output": "branches"}.items()}
    for key, layer in REGISTRY.items():
        properties[key] = _merge(layer) if layer.merges else _layer(layer)
    for name, spec in specs.items():
        properties.setdefault(name, _call(spec))
    body = {
        "type": "object",
        "properties": properties,
        "minProperties": 1,
        "dependentRequired": {"in": ["for"], "first": ["repeat"]},
    }
    return {"anyOf": [{"type": "string"}, body]}


def _merge(layer: type[Layer]) -> dict[str, Any]:
    if not layer.fields:
        return _ref("branches")
    return {**_map("branch", minProperties=1), "properties": _fields(layer)}


def _layer(layer: type[Layer]) -> dict[str, Any]:
    needed = list(layer.needs)
    form = {"type": "object", "properties": _fields(layer), "required": needed, "additionalProperties": False}
    return form if needed else {"anyOf": [{"type": "null"}, form]}


def _fields(layer: type[Layer]) -> dict[str, Any]:
    return {name: _described(field.words, field.doc) for name, field in layer.fields.items()}


def _described(words: tuple[str, ...], doc: str) -> dict[str, Any]:
    """A value that may be one of ``words``; without them, any value."""
    form = {"anyOf": [{"enum": list(words)}, _ref("value")]} if words else _ref("value")
    return {**form, "description": doc} if doc else form


def _call(spec: Spec) -> dict[str, Any]:
    properties = {name: _described(parameter.words, parameter.doc) for name, parameter in spec.parameters.items()}
    other = {name: OTHER_NAMES[name] for name in spec.parameters if name in OTHER_NAMES}
    other = {name: word for name, word in other.items() if word not in spec.parameters}
    properties |= {word: properties[name] for name, word in other.items()}
    needed = [name for name, parameter in spec.parameters.items() if parameter.default is None]
    form: dict[str, Any] = {
        "type": "object",
        "title": spec.title,
        "properties": properties,
        "required": [name for name in needed if name not in other],
        "additionalProperties": False,
    }
    if other:  # one of the two names, never both
        form["allOf"] = [
            {"oneOf": [{"required": [name]}, {"required": [word]}]}
            if name in needed
            else {"not": {"required": [name, word]}}
            for name, word in other.items()
        ]
    return form if needed else {"anyOf": [{"type": "null"}, form]}
