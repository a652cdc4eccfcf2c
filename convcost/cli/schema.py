"""``convcost schema``."""

from __future__ import annotations

import click

from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.cli.options import output_option, write
from convcost.language.schema import language_schema
from convcost.literature.claims import claim_schema
from convcost.tables.data import as_json


@click.command("schema")
@output_option
def command(output: str | None) -> None:
    """JSON Schema of the spec language, for editors.

    In VS Code: "yaml.schemas": {"./convcost.schema.json": "*.yaml"}.
    """
    loader = Catalogue()
    specs = {name: loader.target(name) for name in bundled_names()}
    write(as_json(language_schema(specs, claim_schema())), output)
