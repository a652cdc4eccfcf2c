"""``convcost draw``."""

from __future__ import annotations

import shutil

import click

from convcost import api
from convcost.cli.options import (
    TARGET,
    ascii_only,
    asked_width,
    input_option,
    on_terminal,
    output_option,
    parse_input,
    set_option,
    targets_of,
    write,
)
from convcost.drawing.drawing import FORMATS, WIDTH, format_of


@click.command("draw")
@click.argument("targets", type=TARGET, nargs=-1, required=True, metavar="TARGET ...")
@click.option("--depth", type=click.IntRange(min=1), help="Levels of blocks; what is deeper is summed up in a box.")
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), help="By default what the suffix of -o says.")
@set_option
@input_option
@output_option
def command(
    targets: tuple[str, ...],
    depth: int | None,
    format_: str | None,
    settings: tuple[str, ...],
    input_: str | None,
    output: str | None,
) -> None:
    """Draw TARGET as boxes and lines: in the terminal, or as an .svg, .mmd (Mermaid), .dot (Graphviz) or .txt file.

    Norms and activations are in the box of the layer before them. Equal blocks in a row are drawn once, with how many
    they are. Without --depth, as many levels of blocks are drawn as fit. Several targets are drawn beside each other.
    """
    if format_ is None:
        format_ = "text" if output is None else format_of(output)
    drawing = api.draw(*targets_of(targets, settings), depth=depth, input=parse_input(input_))
    width = asked_width() or (shutil.get_terminal_size().columns if on_terminal(output) else WIDTH)
    write(drawing.written(format_, width, ascii_only=ascii_only(output)), output)
