"""A network's own convention: what its paper's figures count, as its spec says under ``published``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN, TRAINABLE, Convention, Rules
from convcost.errors import UsageError
from convcost.layers.conv import Conv
from convcost.layers.merge import Add
from convcost.spec.published import claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convcost.spec.model import Spec

_FOLDED = {"weights": 1, "biases": 1, "other_params": 1, "folded_channels": 1}
_CONVOLUTIONS = {Conv.family: {"macs": 1}}
PARAMS: dict[str, dict[str, dict[str, Any]]] = {
    # what `counts:` beside a number of parameters means, as rows of weights; the first where it does not say
    "trainable": TRAINABLE.rows,
    "weights": {"all": {"weights": 1}},
    "weights_and_biases": {"all": {"weights": 1, "biases": 1}},
    "weights_and_norms": {"all": {"weights": 1, "norm_params": 1}},
    "folded": {"all": _FOLDED},
    "total": {"all": {**TRAINABLE.rows["all"], "buffers": 1}},
    "folded_total": {"all": {**_FOLDED, "buffers": 1}},
}
_MACS = {"all": {"macs": 1}}
OPERATIONS: dict[str, dict[str, tuple[str, dict[str, dict[str, Any]]]]] = {
    # likewise for operations, by what the figure calls them: the unit, and rows of weights
    "macs": {"all": ("MACs", _MACS), "convolutions": ("MACs", _CONVOLUTIONS)},
    "flops": {
        "every": ("FLOPs", PLAIN.operations.rows),
        "macs": ("MACs", _MACS),
        "macs_of_convolutions": ("MACs", _CONVOLUTIONS),
        "macs_and_merges": ("MACs", {**_MACS, Add.family: {"additions": 1, "multiplications": 1}}),
        "twice_macs": ("FLOPs", {"all": {"macs": 2}}),
    },
}


def paper(spec: Spec) -> Convention:
    """The convention of the first figures published for ``spec`` as a whole, at its defaults.

    Raises:
        UsageError: the spec states no published figures.
        SpecError: one of them is wrong.
    """
    figures = list(_figures(spec))
    if not figures:
        raise UsageError(f"{spec.name} states no published figures, so that it has no convention of its own")
    what, word = next(((what, word) for what, word in figures if what in OPERATIONS), ("macs", ""))
    params = next((word for what, word in figures if what == "params"), "")
    known = OPERATIONS[what]
    word = word if word in known else next(iter(known))
    params = params if params in PARAMS else next(iter(PARAMS))
    unit, rows = known[word]
    return Convention(
        "paper",
        title=f"what the paper of {spec.title} counts",
        doc=f"operations: {word.replace('_', ' ')} ({what}); parameters: {params.replace('_', ' ')}",
        source=", ".join(value if key == "paper" else f"{key} {value}" for key, value in spec.source.items()),
        unit=unit,
        operations=Rules(rows),
        params=Rules(PARAMS[params]),
    )


def _figures(spec: Spec) -> Iterator[tuple[str, str]]:
    """Quantity and convention of every figure of the whole network at its defaults, in the order of the spec."""
    for claim in claims(spec):
        if not claim.of and not claim.at and claim.input is None and claim.quantity.name in ("params", *OPERATIONS):
            yield claim.quantity.name, claim.counts.name if claim.counts is not None else ""
