"""``convcost init``."""

from __future__ import annotations

import os

import click

from convcost import api
from convcost.catalogue.loader import SPECS
from convcost.cli.output import write
from convcost.errors import UsageError


@click.command("init")
@click.argument("name")
@click.option("--block", is_flag=True, help="A block rather than a network.")
@click.option("--force", is_flag=True, help="Overwrite the file if there is one.")
def command(name: str, *, block: bool, force: bool) -> None:
    """Write a commented starter spec to NAME.yaml."""
    stem = os.path.basename(name.removesuffix(".yaml"))
    text = api.starter(stem, block=block)
    path = f"{name.removesuffix('.yaml')}.yaml"
    if os.path.exists(path) and not force:
        raise UsageError(f"{path} exists already (--force overwrites it)")
    write(text, path)
    bundled = f"; in commands, {stem} stays the bundled spec: write ./{stem}.yaml" if SPECS.bundled(stem) else ""
    click.echo(f"wrote {path}{bundled}")
