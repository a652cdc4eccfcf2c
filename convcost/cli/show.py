"""``convcost show``."""

from __future__ import annotations

import sys

import click

from convcost.cli.options import TARGET
from convcost.spec.catalogue import source_text


@click.command("show")
@click.argument("name", type=TARGET)
def command(name: str) -> None:
    """Source of the bundled spec NAME."""
    _, text = source_text(name)
    sys.stdout.write(text)
