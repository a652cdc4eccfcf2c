"""Tables: what depends on one argument of few values is computed once for each value, and looked up for each point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.codegen.kernel import CONSTANT, UNIT, Kernel, Line, renamed
from convcost.compiled.emit import on_arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.codegen.kernel import Fractional


class Parted(NamedTuple):
    """A kernel in parts.

    Attributes:
        tables: by number of an argument, the kernel that computes its table, and the same as a function: a column for
            each slot that depends on this argument alone.
        rest: what is left to compute for each point: of the arguments, then of the columns of the tables.
        function: the same as a function.
    """

    tables: dict[int, tuple[Kernel, Callable[..., Any]]]
    rest: Kernel
    function: Callable[..., Any]


def parted(kernel: Kernel, widths: Sequence[int], tabled: frozenset[int]) -> Parted:
    """A kernel with tables for some arguments.

    Args:
        kernel: what to compute.
        widths: how many slots each argument takes.
        tabled: the numbers of the arguments that have tables.
    """
    owners = kernel.owners(widths)
    starts = [sum(widths[:number]) for number in range(len(widths))]
    slots = {slot: slot for slot in range(kernel.arguments)}
    tables = {}
    for number in sorted(tabled):
        own = [slot for slot in range(kernel.arguments, len(owners)) if owners[slot] == number]
        # a constant is computed in each table, since lines of the table may read it
        within = [slot for slot in range(kernel.arguments, len(owners)) if owners[slot] in {number, CONSTANT}]
        inner = {starts[number] + part: part for part in range(widths[number])}
        inner |= {slot: widths[number] + place for place, slot in enumerate(within)}
        lines = tuple(_line(kernel.lines[slot - kernel.arguments], inner) for slot in within)
        outputs: dict[str, Fractional] = {str(slot): ({((inner[slot], 1),): 1}, UNIT) for slot in own}
        small = Kernel(widths[number], lines, outputs, ())
        tables[number] = (small, on_arrays(small))
        slots |= {slot: len(slots) + place for place, slot in enumerate(own)}
    arguments = len(slots)
    left = [slot for slot in range(kernel.arguments, len(owners)) if slot not in slots]
    slots |= {slot: arguments + place for place, slot in enumerate(left)}
    rest = Kernel(
        arguments,
        tuple(_line(kernel.lines[slot - kernel.arguments], slots) for slot in left),
        {key: (renamed(top, slots), renamed(bottom, slots)) for key, (top, bottom) in kernel.outputs.items()},
        tuple(guard.renamed(slots) for guard in kernel.guards),
    )
    return Parted(tables, rest, on_arrays(rest))


def _line(line: Line, slots: dict[int, int]) -> Line:
    return Line(line.operation, tuple(renamed(argument, slots) for argument in line.arguments))
