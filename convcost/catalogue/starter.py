"""Commented specs to start from."""

from __future__ import annotations

from convcost.errors import UsageError, shorten
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


def starter(name: str, *, block: bool = False) -> str:
    """A commented spec to start from, as YAML.

    Args:
        name: of the spec: letters, digits and ``_``, a letter first.
        block: a block rather than a network.

    Raises:
        UsageError: the name cannot be that of a spec.

    >>> starter("mynet").splitlines()[2]
    'title: Mynet'
    """
    if not is_identifier(name):
        raise UsageError(f"'{shorten(name)}' cannot be the name of a spec: letters, digits and _, a letter first")
    if name in REGISTRY:
        raise UsageError(f"'{name}' is a layer; a block cannot take its name")
    return (_BLOCK if block else _NETWORK).format(name=name, title=name.replace("_", " ").capitalize())
