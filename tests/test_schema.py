"""The JSON Schema accepts what the parser accepts, and refuses the keys that it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from conftest import ROOT

from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.errors import SpecError
from convcost.language.model import BODIES, BRANCH_KEYS, CONTROLS
from convcost.language.schema import language_schema
from convcost.language.syntax import BLOCK_KEYS, EXTENDS_KEYS, PARAMETER_KEYS, SOURCE_KEYS, SPEC_KEYS
from convcost.literature.claims import CLAIM_KEYS, claim_schema, claims

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = sorted((ROOT / "specs").rglob("*.yaml"))
LOADER = Catalogue()
SCHEMA = language_schema({name: LOADER.target(name) for name in bundled_names()}, claim_schema())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
TABLES = (BLOCK_KEYS, BODIES, BRANCH_KEYS, CLAIM_KEYS, CONTROLS, EXTENDS_KEYS, PARAMETER_KEYS, SOURCE_KEYS, SPEC_KEYS)
WHOLE = """
title: All kinds of keys
source: {paper: A paper}
input: [3, 8, 8]
parameters: {width: {default: 4, min: 1}}
let: {twice: 2 * width}
blocks:
  unit:
    parameters: {out: 4}
    layers: [conv: {out: out, kernel: 3, padding: 1}]
layers:
  - conv: {out: twice, kernel: 3}
  - {do: [{conv_bn_relu: {out: twice}}, unit], for: i, in: [1, 2]}
  - add: {main: [relu], shortcut: {from: x, when: width > 1}}
published:
  - {macs: 1, cite: howard2017, where: Table 1, read: memory, note: "for the schema", at: {width: 4}}
"""


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_key_has_a_form() -> None:
    for table in TABLES:
        assert {form for form in table.values() if form not in SCHEMA["$defs"]} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_bundled_specs_are_valid(path: Any) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text("utf-8")))


def mappings(part: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a tree."""
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    for item in part if isinstance(part, list) else ():
        yield from mappings(item)


def check(tree: Any) -> None:
    claims(Catalogue().text(yaml.safe_dump(tree).encode(), "whole.yaml", "whole", ""))


# places of mappings whose keys are fixed: the others have names that a spec gives, or are steps, which call blocks
CLOSED = ("spec", "source", "parameter", "block", "fields of a layer", "fields", "arguments", "branch", "claim")
PLACES = (0, 1, 3, 6, 9, 11, 14, 17, 18)


@pytest.mark.parametrize("place", PLACES, ids=CLOSED)
def test_a_key_that_does_not_exist_is_refused_by_both(place: int) -> None:
    tree = yaml.safe_load(WHOLE)
    VALIDATOR.validate(tree)
    check(tree)
    list(mappings(tree))[place]["zzz"] = 1
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(tree)
    with pytest.raises(SpecError, match="'zzz'"):
        check(tree)
