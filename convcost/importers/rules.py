"""The registry of operators: how the outputs of a node follow from its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.importers.data import Data
    from convcost.importers.evaluate import Call

    Rule: TypeAlias = "Callable[[Call], list[Data]]"


class Known(NamedTuple):
    """An operator that is known.

    Attributes:
        rule: what its outputs are, and which layer it is.
        heavy: whether it does multiply-accumulates.
        weights: which of its inputs are parameters, where they are graph inputs.
        lenient: whether it also takes tensors of unknown shape.
    """

    rule: Rule
    heavy: bool
    weights: tuple[int, ...]
    lenient: bool


OPERATORS: dict[str, Known] = {}  # by name; those of other domains as ``domain:name``, or ``domain:*`` for all of one
ANY = "*"


def known_operator(domain: str, name: str) -> Known | None:
    """What is known of an operator; None where there is no rule for it."""
    if not domain:
        return OPERATORS.get(name)
    return OPERATORS.get(f"{domain}:{name}") or OPERATORS.get(f"{domain}:{ANY}")


def operator(
    *names: str, heavy: bool = False, weights: tuple[int, ...] = (), lenient: bool = False
) -> Callable[[Rule], Rule]:
    """Register a rule for operators.

    Args:
        *names: of the operators; ``domain:name`` for those of another domain.
        heavy: whether they do multiply-accumulates.
        weights: inputs that are parameters, where they are graph inputs.
        lenient: whether they also take tensors of unknown shape.
    """

    def registered(rule: Rule) -> Rule:
        for name in names:
            OPERATORS[name] = Known(rule, heavy, weights, lenient)
        return rule

    return registered
