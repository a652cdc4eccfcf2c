"""``convcost convert``."""

from __future__ import annotations

import os

import click

from convcost import api
from convcost.cli.options import TARGET, input_option, output_option, set_option
from convcost.cli.output import write, wrong_suffix
from convcost.cli.typed import parse_input, target_of

_SPECS = ("", ".yaml", ".yml")
_ONNX = ".onnx"


@click.command("convert")
@click.argument("target", type=TARGET)
@set_option
@input_option
@output_option
def command(target: str, settings: tuple[str, ...], input_: str | None, output: str | None) -> None:
    """Write TARGET, an ONNX file, a Keras model or another network, as a spec or as an ONNX file.

    The suffix of FILE says which: .yaml, .yml or none for a spec, .onnx for an ONNX file. In a spec branches are
    written inside their merges, repeats as one step, and merges that differ in numbers only as a block with
    parameters; it builds the same layers. An ONNX file has no weights, and the costs of every layer are in the
    metadata of its node, where Netron shows them.
    """
    suffix = os.path.splitext(output or "")[1].lower()
    if suffix not in (*_SPECS, _ONNX):
        raise wrong_suffix(output or "", (*_SPECS[1:], _ONNX))
    resolved, sizes = target_of(target, settings), parse_input(input_)
    write((api.to_onnx if suffix == _ONNX else api.convert)(resolved, input=sizes), output)
