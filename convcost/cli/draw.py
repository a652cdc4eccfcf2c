"""``convcost draw``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.options import TARGET, formats, input_option, set_option
from convcost.cli.output import show_picture
from convcost.cli.typed import parse_input, targets_of


@click.command("draw")
@click.argument("targets", type=TARGET, nargs=-1, required=True, metavar="TARGET ...")
@click.option("--depth", type=click.IntRange(min=1), help="Levels of blocks; what is deeper is summed up in a box.")
@set_option
@input_option
@formats("text", "svg", "mermaid", "dot", "json", usual=())
def command(
    targets: tuple[str, ...],
    depth: int | None,
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
) -> None:
    """Draw TARGET as boxes and lines: in the terminal, or as .svg, .mmd (Mermaid), .dot (Graphviz), .json or .txt file.

    Norms and activations are in the box of the layer before them. Equal blocks in a row are drawn once, with how many
    they are. Without --depth, as many levels of blocks are drawn as fit. Several targets are drawn beside each other.
    """
    drawing = api.draw(*targets_of(targets, settings), depth=depth, input=parse_input(input_))
    show_picture(drawing, format_, output)
