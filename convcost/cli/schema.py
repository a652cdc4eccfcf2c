"""``convcost schema``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.options import output_option
from convcost.cli.output import format_by_suffix, write
from convcost.tables.data import as_json


@click.command("schema")
@output_option
def command(output: str | None) -> None:
    """JSON Schema of the spec language, for editors.

    In VS Code: "yaml.schemas": {"./convcost.schema.json": "*.yaml"}.
    """
    format_by_suffix(output, ("json",))
    write(as_json(api.schema()), output)
