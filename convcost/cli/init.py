"""``convcost init``."""

from __future__ import annotations

import os

import click

from convcost.catalogue.loader import SPECS
from convcost.cli.options import write
from convcost.errors import UsageError
from convcost.language.syntax import is_identifier
from convcost.layers.base import REGISTRY

_NETWORK = """\
# A starter spec: run `convcost analyze {name}.yaml`, change a line, run it again.
# docs/language.md has the whole language; `convcost layers` lists the layers.
title: {title}
source: {{paper: "who, when", table: 1}}

parameters:
  alpha: {{default: 1.0, doc: width multiplier}}
  size: 224
  classes: 1000

input: [3, size, size]            # channels, height, width

let:
  w(c): make_divisible(c*alpha, 8)  # a function, for widths

layers:
  - conv_bn_relu: {{out: w(32), kernel: 3, stride: 2}}   # a bundled block
  - inverted_residual: {{O: w(c), t}}                    # a row of the paper's table each
    repeat: n
    first: {{stride: s}}                                 # only the first copy strides
    for: [t, c, n, s]
    in:
      - [1, 16, 1, 1]
      - [6, 24, 2, 2]
      - [6, 40, 3, 2]
  - add:                                               # branches by name; x is what comes in
      main:
        - conv: {{out: x.c, kernel: 3, bias: false}}
        - batch_norm
      shortcut: x
  - global_avg_pool
  - linear: {{out: classes}}
"""
_BLOCK = """\
# A starter block: run `convcost formula {name}.yaml`, or use `{name}` in a spec beside this file.
# docs/language.md has the whole language; `convcost layers` lists the layers.
title: {title}
input: {{I: 64, H: 56, W: 56}}      # names for the sizes that come in; the values are its worked example

parameters:
  O: I                            # a default may use the names above
  K: 3

layers:
  - add:
      main:
        - conv: {{out: O, kernel: K, bias: false}}
        - batch_norm
      shortcut: {{from: x, when: I == O}}   # a merge left with one branch is that branch
  - relu
"""


@click.command("init")
@click.argument("name")
@click.option("--block", is_flag=True, help="A block rather than a network.")
@click.option("--force", is_flag=True, help="Overwrite the file if there is one.")
def command(name: str, *, block: bool, force: bool) -> None:
    """Write a commented starter spec to NAME.yaml."""
    stem = os.path.basename(name.removesuffix(".yaml"))
    if not is_identifier(stem):
        raise UsageError(f"'{stem[:60]}' cannot be the name of a spec: letters, digits and _, a letter first")
    if stem in REGISTRY:
        raise UsageError(f"'{stem}' is a layer; a block cannot take its name")
    path = f"{name.removesuffix('.yaml')}.yaml"
    if os.path.exists(path) and not force:
        raise UsageError(f"{path} exists already (--force overwrites it)")
    title = stem.replace("_", " ").capitalize()
    write((_BLOCK if block else _NETWORK).format(name=stem, title=title), path)
    bundled = f"; in commands, {stem} stays the bundled spec: write ./{stem}.yaml" if SPECS.bundled(stem) else ""
    click.echo(f"wrote {path}{bundled}")
