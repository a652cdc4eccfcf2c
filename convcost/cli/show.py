"""``convcost show``."""

from __future__ import annotations

import sys

import click

from convcost.catalogue.loader import source_text
from convcost.cli.options import TARGET
from convcost.cli.output import write
from convcost.tables.values import plain


@click.command("show")
@click.argument("target", type=TARGET)
def command(target: str) -> None:
    """Source of a spec: a bundled one, or a file."""
    text = source_text(target)
    if sys.stdout.isatty():  # a pipe gets the bytes of the file; a terminal must not be steered by them
        text = "\n".join("\t".join(map(plain, line.split("\t"))) for line in text.splitlines()) + "\n"
    write(text, None)
