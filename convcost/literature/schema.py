"""JSON Schema of the spec language, for editors: all rules that need no run of a spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.conventions.counts import QUANTITIES
from convcost.language.model import BRANCH_KEYS, OTHER_NAMES
from convcost.language.syntax import BLOCK_KEYS, EXTENDS_KEYS, LAYOUTS, PARAMETER_KEYS, SOURCE_KEYS, SPEC_KEYS
from convcost.layers.base import REGISTRY
from convcost.literature.claims import CLAIM_KEYS
from convcost.plugins import load_installed

if TYPE_CHECKING:
    from convcost.language.model import Parameter, Spec
    from convcost.layers.base import Layer
    from convcost.layers.fields import Field

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VALUE = {"type": ["integer", "number", "string", "boolean", "array", "null"]}  # any may be an expression
_TABLE = {"type": ["array", "object", "string", "integer", "number", "boolean", "null"]}
_TEXT = {"type": ["string", "integer", "number", "boolean", "null"]}


def language_schema() -> dict[str, Any]:
    """The schema: keys, step bodies, fields, parameters of blocks, forms of branches; with installed plug-ins."""
    load_installed("convcost.layers")
    return {
        "$schema": _DIALECT,
        "title": "convcost network or block",
        "$defs": _definitions(),
        "oneOf": [_spec_with_layers(), _spec_that_extends()],
    }


def _spec_with_layers() -> dict[str, Any]:
    properties: dict[str, Any] = dict.fromkeys((k for k in SPEC_KEYS if k != "extends"), _TEXT)
    properties |= {
        "source": _source(),
        "input": {"$ref": "#/$defs/input"},
        "layout": {"enum": list(LAYOUTS.values())},
        "parameters": {"$ref": "#/$defs/parameters"},
        "let": {"type": "object", "additionalProperties": _TABLE},
        "blocks": {"type": "object", "additionalProperties": {"$ref": "#/$defs/block"}},
        "layers": {"$ref": "#/$defs/steps"},
        "published": {"type": "array", "items": {"$ref": "#/$defs/claim"}},
        "budget": {"type": ["string", "array"], "items": {"type": "string"}},
    }
    return {"type": "object", "properties": properties, "required": ["layers"], "additionalProperties": False}


def _spec_that_extends() -> dict[str, Any]:
    properties: dict[str, Any] = dict.fromkeys(EXTENDS_KEYS, _TEXT)
    properties |= {
        "source": _source(),
        "extends": {"type": "string"},
        "parameters": {"$ref": "#/$defs/parameters"},
        "published": {"type": "array", "items": {"$ref": "#/$defs/claim"}},
        "budget": {"type": ["string", "array"], "items": {"type": "string"}},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": ["extends"],
        "additionalProperties": False,
    }


def _source() -> dict[str, Any]:
    fields = {
        "type": "object",
        "properties": dict.fromkeys(SOURCE_KEYS, _TEXT),
        "additionalProperties": False,
    }
    return {"anyOf": [_TEXT, fields]}


def _definitions() -> dict[str, Any]:
    steps = {"type": "array", "items": {"$ref": "#/$defs/step"}}
    block_properties: dict[str, Any] = dict.fromkeys(BLOCK_KEYS, _TEXT)
    block_properties |= {
        "input": {"$ref": "#/$defs/input"},
        "parameters": {"$ref": "#/$defs/parameters"},
        "let": {"type": "object", "additionalProperties": _TABLE},
        "blocks": {"type": "object", "additionalProperties": {"$ref": "#/$defs/block"}},
        "layers": {"$ref": "#/$defs/steps"},
    }
    whole_block = {"type": "object", "properties": block_properties, "required": ["layers"]}
    return {
        "input": {
            "anyOf": [
                {"type": "array", "items": _VALUE, "minItems": 1, "maxItems": 4},
                {"type": "object", "additionalProperties": _VALUE, "minProperties": 1, "maxProperties": 4},
            ]
        },
        "parameters": {"type": "object", "additionalProperties": _parameter()},
        "steps": {**steps, "minItems": 1},
        "block": {"anyOf": [{**steps, "minItems": 1}, {**whole_block, "additionalProperties": False}]},
        "loop": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "object"}]},
        "branch": _branch(),
        "step": _step(),
        "claim": _claim(),
    }


def _claim() -> dict[str, Any]:
    properties: dict[str, Any] = dict.fromkeys(CLAIM_KEYS, _TEXT)
    counts = {count.name: None for quantity in QUANTITIES.values() for count in quantity.counts}
    properties |= {
        "at": {"type": "object"},
        "counts": {"enum": list(counts)},
        "of": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
        "digits": {"type": "integer"},
        "K": {"type": "integer"},
    }
    prints = [{"required": [name]} for name in QUANTITIES]
    return {"type": "object", "properties": properties, "additionalProperties": False, "oneOf": prints}


def _parameter() -> dict[str, Any]:
    properties: dict[str, Any] = dict.fromkeys(PARAMETER_KEYS, _VALUE)
    properties |= {"doc": _TEXT, "choices": {"type": "array", "minItems": 1}}
    return {"anyOf": [_VALUE, {"type": "object", "properties": properties, "additionalProperties": False}]}


def _branch() -> dict[str, Any]:
    properties: dict[str, Any] = dict.fromkeys(BRANCH_KEYS, _VALUE)
    properties |= {
        "do": {"type": "array", "items": {"$ref": "#/$defs/step"}},
        "for": {"$ref": "#/$defs/loop"},
        "in": _TABLE,
        "from": _TEXT,
    }
    anchored = {"anyOf": [{"required": ["do"]}, {"required": ["from"]}]}
    form = {"type": "object", "properties": properties, "additionalProperties": False, **anchored}
    return {"anyOf": [_TEXT, {"type": "array", "items": {"$ref": "#/$defs/step"}}, form]}


def _step() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "from": _TEXT,
        "for": {"$ref": "#/$defs/loop"},
        "in": _TABLE,
        "when": _VALUE,
        "repeat": _VALUE,
        "first": {"type": "object"},
        "name": _TEXT,
        "do": {"$ref": "#/$defs/steps"},
        "output": _branches(),
    }
    for key, layer in REGISTRY.items():
        properties[key] = _merge(layer) if layer.merges else _layer(layer)
    loader = Catalogue()
    for name in bundled_names():
        properties.setdefault(name, _call(loader.target(name)))
    body = {
        "type": "object",
        "properties": properties,
        "minProperties": 1,
        "dependentRequired": {"in": ["for"], "first": ["repeat"]},
    }
    return {"anyOf": [{"type": "string"}, body]}


def _branches() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": {"$ref": "#/$defs/branch"}, "minProperties": 1}


def _merge(layer: type[Layer]) -> dict[str, Any]:
    """Branches of any name, beside the fields of the layer."""
    return {**_branches(), "properties": {name: _field(field) for name, field in layer.fields.items()}}


def _layer(layer: type[Layer]) -> dict[str, Any]:
    properties = {name: _field(field) for name, field in layer.fields.items()}
    needed = list(layer.needs)
    form = {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
    return form if needed else {"anyOf": [{"type": "null"}, form]}


def _field(field: Field) -> dict[str, Any]:
    if field.words:
        return {"anyOf": [{"enum": list(field.words)}, _VALUE], "description": field.doc}
    return {**_VALUE, "description": field.doc}


def _call(spec: Spec) -> dict[str, Any]:
    properties = {name: _argument(parameter) for name, parameter in spec.parameters.items()}
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


def _argument(parameter: Parameter) -> dict[str, Any]:
    words = parameter.words
    described = {"description": parameter.doc} if parameter.doc else {}
    return {"anyOf": [{"enum": list(words)}, _VALUE], **described} if words else {**_VALUE, **described}
