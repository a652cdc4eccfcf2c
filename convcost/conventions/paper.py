"""A network's own convention: what its paper's figures count, as its spec says under ``published``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.conventions.model import TRAINABLE, Convention, Rules
from convcost.errors import UsageError
from convcost.spec.reader import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from convcost.spec.model import Spec

COUNTS: dict[str, dict[str, dict[str, Any]]] = {
    # what `counts:` beside a published figure means, as rows of weights
    "weights": {"all": {"weights": 1}},
    "weights_and_biases": {"all": {"weights": 1, "biases": 1}},
    "trainable": TRAINABLE.rows,
    "keras": {"all": {**TRAINABLE.rows["all"], "buffers": 1}},
    "conv_only": {"conv": {"macs": 1}},
    "macs": {"all": {"macs": 1}},
    "flops": {"all": {"macs": 2}},
}
_DEFAULT = {"macs": "macs", "params": "trainable"}


def paper(spec: Spec) -> Convention:
    """The convention of the first figures published for ``spec``.

    A ``counts:`` that is none of :data:`COUNTS` leaves the default: plain multiply-accumulates, all trainable
    parameters.

    Raises:
        UsageError: the spec states no published figures.
    """
    counts = _counts(spec)
    if not counts:
        raise UsageError(f"{spec.name} states no published figures, so that it has no convention of its own")
    words = {what: counts.get(what, _DEFAULT[what]) for what in _DEFAULT}
    return Convention(
        "paper",
        title=f"what the paper of {spec.title} counts",
        doc=f"operations: {words['macs']}; parameters: {words['params']}",
        source=", ".join(f"{key} {value}" if key != "paper" else value for key, value in spec.source.items()),
        unit="MACs",
        operations=Rules(COUNTS[words["macs"]]),
        params=Rules(COUNTS[words["params"]]),
    )


def _counts(spec: Spec) -> dict[str, str]:
    """What the first published figure of each quantity counts; the default where it does not say, or says else."""
    found: dict[str, str] = {}
    if not isinstance(spec.published, Sequence):
        return found
    for entry in spec.published.items:
        if not isinstance(entry, Mapping) or "of" in entry:
            continue
        counts = entry.get("counts")
        word = counts.text if isinstance(counts, Scalar) else ""
        for what, default in _DEFAULT.items():
            if what in entry:
                found.setdefault(what, word if word in COUNTS else default)
    return found
