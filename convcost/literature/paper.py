"""The convention of a network's paper, from the figures under ``published`` in its spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.conventions.counts import QUANTITIES
from convcost.conventions.model import Convention
from convcost.errors import UsageError
from convcost.literature.claims import PRINTED, claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convcost.language.model import Spec

_OPERATIONS = ("macs", "flops")


def paper(spec: Spec) -> Convention:
    """The convention of the first figures published for ``spec`` as a whole, at its defaults.

    Raises:
        UsageError: the spec states no published figures.
        SpecError: one of them is wrong.
    """
    figures = list(_figures(spec))
    if not figures:
        raise UsageError(f"{spec.name} states no published figures, so that it has no convention of its own")
    what, word = next(((what, word) for what, word in figures if what in _OPERATIONS), ("macs", ""))
    operations = QUANTITIES[what].counted_as(word)
    params = QUANTITIES["params"].counted_as(next((word for what, word in figures if what == "params"), ""))
    return Convention(
        "paper",
        title=f"what the paper of {spec.title} counts",
        doc=f"operations: {_words(operations.name)} ({what}); parameters: {_words(params.name)}",
        source=", ".join(value if key == "paper" else f"{key} {value}" for key, value in spec.source.items()),
        unit=operations.unit,
        operations=operations.rows,
        params=params.rows,
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _figures(spec: Spec) -> Iterator[tuple[str, str]]:
    """Quantity and convention of every figure of the whole network at its defaults, in the order of the spec."""
    for claim in claims(spec):
        whole = not claim.of and not claim.settings and claim.input is None and claim.kind == PRINTED
        if whole and claim.quantity.name in ("params", *_OPERATIONS):
            yield claim.quantity.name, claim.counts.name if claim.counts is not None else ""
