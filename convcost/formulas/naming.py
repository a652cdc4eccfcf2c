"""Names of parameters in formulas of several targets: shared where the values agree, primed where they differ.

``K`` of two targets is the same symbol if it is free in both and has the same default. If the defaults differ, or ``K``
is fixed in one target, the second is ``K'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from convcost.numbers.polynomial import Symbol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_Role: TypeAlias = tuple[bool, Any] | None  # whether it is a whole number, and its value; None where it is fixed


class Named(NamedTuple):
    """The meaning of one name in the formulas.

    Attributes:
        name: as it is written: ``K`` or ``K'``.
        parameter: of the targets.
        targets: positions of those that have it.
        value: their value.
        fixed: whether it is no symbol there; such a name is in no formula.
    """

    name: str
    parameter: str
    targets: tuple[int, ...]
    value: Any
    fixed: bool


def shared_names(
    symbols: Sequence[Mapping[str, Any]], values: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[Named]]:
    """A symbol for every free parameter of every target, and the names of parameters with several meanings.

    Args:
        symbols: of each target, its free parameters with their symbols.
        values: of each target, all its parameters.

    Returns:
        Of each target, its free parameters with the symbols of the formulas; and every name of the parameters that do
        not stand for the same everywhere.
    """
    chosen: list[dict[str, Any]] = [{} for _ in symbols]
    several: list[Named] = []
    for parameter in dict.fromkeys(name for free in symbols for name in free):
        roles: dict[_Role, list[int]] = {}
        for index, parameters in enumerate(values):
            if parameter in parameters:
                roles.setdefault(_role(parameter, symbols[index], parameters), []).append(index)
        fixed = roles.pop(None, [])
        for order, targets in enumerate(roles.values()):
            name = parameter + "'" * (order + bool(fixed))
            symbol = symbols[targets[0]][parameter]
            for index in targets:
                chosen[index][parameter] = Symbol(name, whole=symbol.whole, positive=symbol.positive)
            several.append(Named(name, parameter, tuple(targets), values[targets[0]][parameter], fixed=False))
        if len(roles) == 1 and not fixed:
            several.pop()
        several += [Named(parameter, parameter, (index,), values[index][parameter], fixed=True) for index in fixed]
    return chosen, several


def _role(parameter: str, free: Mapping[str, Any], values: Mapping[str, Any]) -> _Role:
    symbol = free.get(parameter)
    return None if symbol is None else (symbol.whole, values[parameter])
