"""The compiled closed forms of one structure of a network."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING, Any

from convcost.codegen.kernel import UNIT, Line, kernel, least, scaled
from convcost.compiled.emit import on_numbers
from convcost.compiled.machine import Machine
from convcost.errors import UnsupportedError
from convcost.formulas.regions import brought_together
from convcost.metrics.dtypes import bits
from convcost.metrics.memory import alive
from convcost.numbers.arithmetic import normal
from convcost.solving.costs import CLOSED, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.codegen.kernel import Kernel, Polynomial
    from convcost.compiled.tables import Parted
    from convcost.formulas.closed import Formula
    from convcost.metrics.registry import Context

_BYTE = 8  # bits
_WORTH = 8  # lines of a kernel that take longer in Python than a call of machine code
ALIVE = ("live", "peak")  # maxima over the steps of what is alive then


class Form:
    """One structure.

    Attributes:
        names: the free names, in the order of the arguments.
        keys: the metrics that have a closed form.
        kernel: these, and the conditions that they hold under.
        bottoms: for each metric, whether its value is a fraction of two outputs.
        machine: the kernel as machine code; None without numba.
    """

    def __init__(self, formula: Formula, context: Context, keys: Sequence[str], backend: str = "numpy") -> None:
        """Compile.

        Args:
            formula: the symbolic run.
            context: what metrics are evaluated for, over the symbolic graph.
            keys: metrics.
            backend: one of :data:`convcost.compiled.machine.BACKENDS`.

        Raises:
            UnsupportedError: a closed form has no code.
        """
        self.names = tuple(formula.symbols)
        values = Metrics(context)
        closed = {key: values[key] for key in keys if key in CLOSED}
        exprs = {key: value for key, value in closed.items() if value is not None}
        held = _held(context) if any(key in ALIVE for key in keys) else {}
        conditions = [*brought_together(formula.recorded, ranges=False), *formula.limits]
        made = kernel({**exprs, **held}, list(formula.symbols.values()), conditions)
        if held:
            made = _with_maximum(made, list(held), context)
        self.kernel = made._replace(outputs={key: made.outputs[key] for key in keys if key in made.outputs})
        self.keys = tuple(self.kernel.outputs)
        self.bottoms = tuple(bottom != UNIT for _, bottom in self.kernel.outputs.values())
        self._fractions = any(self.bottoms)
        self._parted: dict[frozenset[int], Parted] = {}
        self.machine: Any = Machine(self.kernel) if backend == "numba" else None
        self._calls_machine = self.machine is not None and len(self.kernel.lines) >= _WORTH

    @cached_property
    def on_numbers(self) -> Callable[..., Any]:
        """See :func:`convcost.compiled.emit.on_numbers`."""
        return on_numbers(self.kernel)

    def parted(self, widths: Sequence[int], tabled: frozenset[int]) -> Parted:
        """The kernel with tables for some arguments; see :func:`convcost.compiled.tables.parted`."""
        if tabled not in self._parted:
            from convcost.compiled.tables import parted  # noqa: PLC0415 - imports numpy

            self._parted[tabled] = parted(self.kernel, widths, tabled)
        return self._parted[tabled]

    def __call__(self, parts: Sequence[int]) -> tuple[Any, ...] | None:
        """The metrics at whole numbers of at least 1; None where this structure does not hold."""
        run = self.on_numbers if not self._calls_machine or not self.machine.fits(parts) else self.machine.on_numbers
        try:
            results = run(*parts)
        except ZeroDivisionError:
            return None
        return self._whole(results) if self._fractions and results is not None else results

    def _whole(self, results: Sequence[int]) -> tuple[Any, ...]:
        numbers = iter(results)
        return tuple(normal(Fraction(next(numbers), next(numbers))) if b else next(numbers) for b in self.bottoms)


def _held(context: Context) -> dict[str, Any]:
    """The closed forms of what is alive at the steps; none where it depends on the values which tensors are."""
    try:
        counts = [held for _, held in alive(context.graph, in_place=context.fused, folded=context.fused)]
    except UnsupportedError:
        return {}
    return {f"alive {step}": expr for step, expr in enumerate(dict.fromkeys(counts or [0]))}


def _with_maximum(made: Kernel, held: Sequence[str], context: Context) -> Kernel:
    """The metrics of :data:`ALIVE` in place of the outputs that say what is alive at each step."""
    outputs = {key: fraction for key, fraction in made.outputs.items() if key not in held}
    fractions = [made.outputs[key] for key in held]
    if any(set(bottom) != {()} for _, bottom in fractions):
        return made._replace(outputs=outputs)
    below = lcm(*(bottom[()] for _, bottom in fractions))
    tops = _undominated(made, [scaled(top, below // bottom[()]) for top, bottom in fractions])
    live = scaled(tops[0], context.batch)
    if len(tops) > 1:
        made, most = made.with_line(Line("maximum", tuple(tops)))
        live = {((most, 1),): context.batch}
    outputs["live"] = outputs["peak"] = (live, {(): below})
    width = bits(context.dtype)
    if width >= _BYTE:
        outputs["peak"] = (scaled(live, width // _BYTE), {(): below})
    else:  # packed; a part of a byte is rounded up
        rounded = {**scaled(live, width), (): _BYTE * below - 1}
        made, packed = made.with_line(Line("floor_div", (rounded, {(): _BYTE * below})))
        outputs["peak"] = ({((packed, 1),): 1}, UNIT)
    return made._replace(outputs=outputs)


def _undominated(made: Kernel, tops: Sequence[Polynomial]) -> list[Polynomial]:
    """Those of ``tops`` that are not at most another of them for all arguments."""
    leasts = made.leasts()

    def exceeds(a: Polynomial, b: Polynomial) -> bool:
        gap = least(_minus(a, b), leasts)
        return gap is not None and gap >= 0

    kept: list[Polynomial] = []
    for top in tops:
        if any(exceeds(other, top) for other in kept):
            continue
        kept = [other for other in kept if not exceeds(top, other)]
        kept.append(top)
    return kept


def _minus(a: Polynomial, b: Polynomial) -> Polynomial:
    difference = dict(a)
    for monomial, coefficient in b.items():
        difference[monomial] = difference.get(monomial, 0) - coefficient
    return {monomial: coefficient for monomial, coefficient in difference.items() if coefficient}
