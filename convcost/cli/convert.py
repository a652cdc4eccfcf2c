"""``convcost convert``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.options import TARGET, input_option, output_option, parse_input, set_option, target_of, write


@click.command("convert")
@click.argument("target", type=TARGET)
@set_option
@input_option
@output_option
def command(target: str, settings: tuple[str, ...], input_: str | None, output: str | None) -> None:
    """Write TARGET, an ONNX file or another network, as a spec.

    Branches are written inside their merges, repeats as one step, and merges that differ in numbers only as a block
    with parameters. The spec builds the same layers.
    """
    write(api.convert(target_of(target, settings), input=parse_input(input_)), output)
