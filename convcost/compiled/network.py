"""A network over some of its parameters: its structures, each compiled when it is first met."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.compiled.form import ALIVE, Form
from convcost.compiled.machine import BACKENDS, numba
from convcost.errors import ConvcostError, UnsupportedError, UsageError, unknown
from convcost.formulas.closed import formula
from convcost.language.check import count_names, free_names
from convcost.language.given import find, from_python
from convcost.language.interpret import build
from convcost.language.model import own_name
from convcost.metrics.memory import alive
from convcost.metrics.registry import metric
from convcost.solving.costs import CLOSED, Metrics, closed_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from convcost.formulas.closed import Formula
    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.solving.costs import Setting

LARGEST_ARGUMENT = 2**32  # beyond it a network is counted: compiled arithmetic has no limits of its own to refuse
MAX_FORMS = 60  # of one choice of the values that cannot be free
MAX_ATTEMPTS = 3  # at closed forms that cannot be had
MAX_RATIOS = 4096  # floats whose fractions are kept

Spread: TypeAlias = "Callable[[Any], tuple[int, ...] | None]"
Key = tuple[tuple[str, str], ...]  # names that are not free at a point, with their values as text


class Network:
    """Metrics of a network over some of its parameters, with the closed forms of the structures met so far.

    Attributes:
        spec: the network or block.
        over: the names of the arguments, in order.
        quantities: keys of metrics.
        closed: those that have a closed form. For the others the network is built at every point.
        free: of each name, whether it is free in closed forms; there are others for each value of those that are not.
        spreads: for each argument, what gives the whole numbers that stand for a value; None where it cannot be free.
    """

    def __init__(
        self,
        spec: Spec,
        over: Sequence[str],
        quantities: Sequence[str],
        given: Mapping[str, Any],
        setting: Setting,
        input_shape: Shape | None = None,
        backend: str = "numpy",
    ) -> None:
        """Check the names; nothing is compiled before the first call.

        Args:
            spec: linked.
            over: names of parameters.
            quantities: keys or headings of metrics.
            given: values of other parameters.
            setting: what metrics are evaluated for.
            input_shape: in place of the spec's own.
            backend: one of :data:`convcost.compiled.machine.BACKENDS`.

        Raises:
            UsageError: there is no such parameter, metric or backend, a backend is not installed, or a name is given
                twice.
        """
        self.spec = spec
        self.over = tuple(_checked(spec, over, given))
        self.quantities = tuple(dict.fromkeys(metric(key).key for key in quantities))
        self.closed = tuple(key for key in self.quantities if key in CLOSED or key in ALIVE)
        self._count = len(self.quantities)
        self._given = dict(given)
        self._setting = setting
        self._input_shape = input_shape
        self._backend = backend
        if backend not in BACKENDS:
            raise UsageError(unknown("backend", backend, BACKENDS))
        if backend == "numba":
            numba()
        self._derived_before: Formula | None = None
        free = set(free_names(spec))
        if not free.issuperset(self.over):
            free |= self._free_counts(free)
        self.free = {name: name in free for name in self.over}
        self.spreads: list[Spread] = [_SPREADS[_kind(spec, name) if self.free[name] else "fixed"] for name in self.over]
        self._forms: dict[Key, list[Form]] = {}
        self.free_forms: list[Form] = self._forms.setdefault((), [])  # where no name is fixed
        self._attempts: dict[Key, int] = {}
        self._asked: set[Key] = set()
        if self._derived_before is not None and self.closed and all(self.free.values()):
            self._asked.add(())
            with suppress(ConvcostError):  # it has no compiled form, and is counted
                self.free_forms.append(self._form(self._derived_before))

    def _form(self, symbolic: Formula) -> Form:
        return Form(symbolic, self._setting.context(symbolic.graph), self.closed, self._backend)

    def _free_counts(self, others: set[str]) -> set[str]:
        """The arguments that are numbers of copies and can be free: in sums over layers, of repeats that allow it.

        Args:
            others: the names that can be free in any case.
        """
        counts = count_names(self.spec).intersection(self.over)
        if not counts:
            return set()
        free = [name for name in self.over if name in counts or name in others]
        try:
            symbolic = formula(
                self.spec, free, self._given, self._input_shape, whose=self._setting.convention, checked=False
            )
        except ConvcostError:  # every number of copies has forms of its own
            return set()
        graph = symbolic.graph
        closed = closed_keys(graph, fused=self._setting.fused)
        if any(key in ALIVE for key in self.closed):
            try:
                alive(graph, in_place=self._setting.fused, folded=self._setting.fused)
            except UnsupportedError:
                return set()
        if not closed.union(ALIVE).issuperset(self.closed):
            return set()
        self._derived_before = symbolic
        return counts

    @property
    def forms(self) -> tuple[Form, ...]:
        """The closed forms that were compiled so far, one for each structure that was met."""
        return tuple(form for forms in self._forms.values() for form in forms)

    def at(self, values: Sequence[Any]) -> dict[str, Any]:
        """The metrics at one point of exact values.

        Raises:
            SpecError: there is no network.
        """
        key, parts = self.split(values)
        for form in () if key is None else self.known(key):
            numbers = form(parts)
            if numbers is not None:
                return self._completed(values, form, numbers)
        derived = None if key is None else self.derive(key, values)
        numbers = None if derived is None else derived(parts)
        if derived is not None and numbers is not None:
            return self._completed(values, derived, numbers)
        metrics = self.counted(values)
        if key is not None:
            self.tried(key)
        return {name: metrics[name] for name in self.quantities}

    def split(self, values: Sequence[Any]) -> tuple[Key | None, list[int]]:
        """The key of the names that cannot be free, and what stands for the other values.

        The key is None where a value of a name that can be free has nothing that stands for it: such a network is
        counted, or there is none.
        """
        fixed: list[tuple[str, str]] = []
        parts: list[int] = []
        for name, value, spread in zip(self.over, values, self.spreads, strict=True):
            part = spread(value)
            if part is not None:
                parts += part
            elif self.free[name]:
                return None, []
            else:
                fixed.append((name, repr(value)))
        return tuple(fixed), parts

    def is_whole(self, index: int) -> bool:
        """Whether an argument is free, and whole numbers stand for themselves."""
        return self.spreads[index] is _whole

    def known(self, key: Key) -> Sequence[Form]:
        """The forms that were compiled for values that are not free."""
        return self._forms.get(key, ())

    def derive(self, key: Key, values: Sequence[Any]) -> Form | None:
        """Compile the structure at a point; None where that is not possible, or there is no network."""
        return self._derived(key, dict(zip(self.over, values, strict=True)), self.split(values)[1])

    def tried(self, key: Key) -> None:
        """Note that a structure has no compiled form though a network exists; after a few times no other is tried."""
        self._attempts[key] = self._attempts.get(key, 0) + 1

    def usual(self, key: Key, values: Sequence[Any]) -> Form | None:
        """Compile the structure at the defaults of what is free: its conditions say where there is no network.

        Returns:
            None where there is none, or where that was asked before.
        """
        if key in self._asked:
            return None
        self._asked.add(key)
        fixed = {name: value for name, value in zip(self.over, values, strict=True) if not self.free[name]}
        return self._derived(key, fixed, None)

    def _derived(self, key: Key, values: Mapping[str, Any], parts: Sequence[int] | None) -> Form | None:
        free = [name for name in self.over if self.free[name]]
        if not self.closed or self._attempts.get(key, 0) >= MAX_ATTEMPTS or len(self._forms.get(key, ())) >= MAX_FORMS:
            return None
        form: Form | None = None
        try:
            symbolic = formula(
                self.spec,
                free,
                {**self._given, **values},
                self._input_shape,
                whose=self._setting.convention,
                checked=False,  # its conditions say where there is no network, and such a point is counted
            )
            form = self._form(symbolic)
        except ConvcostError:  # the network has no closed form here, and is counted
            form = None
        if form is None or (parts is not None and form(parts) is None):
            return None
        self._forms.setdefault(key, []).append(form)
        return form

    def counted(self, values: Sequence[Any]) -> Metrics:
        """The metrics of the network at a point, built and counted.

        Raises:
            SpecError: there is none.
        """
        given = {**self._given, **dict(zip(self.over, values, strict=True))}
        return Metrics(self._setting.context(build(self.spec, given, self._input_shape)))

    def _completed(self, values: Sequence[Any], form: Form, numbers: Sequence[Any]) -> dict[str, Any]:
        """All metrics: those with a closed form from ``numbers``, the others counted."""
        own = dict(zip(form.keys, numbers, strict=True))
        if len(own) == len(self.quantities):
            return own
        metrics = self.counted(values)
        return {key: own[key] if key in own else metrics[key] for key in self.quantities}


def _checked(spec: Spec, over: Sequence[str], given: Mapping[str, Any]) -> list[str]:
    names = []
    for name in over:
        find(spec, name)
        own = own_name(name, spec.parameters)
        if own in names or own in given:
            raise UsageError(f"`{own}` is given twice")
        names.append(own)
    return names


# --- free values as whole numbers ---


def _kind(spec: Spec, name: str) -> str:
    parameter = spec.parameters.get(name)
    return "ratio" if parameter is not None and parameter.type == "ratio" else "whole"


def _whole(value: Any) -> tuple[int] | None:
    return (value,) if type(value) is int and 0 < value < LARGEST_ARGUMENT else None


_ratios: dict[Any, tuple[int, int]] = {}


def _ratio(value: Any) -> tuple[int, int] | None:
    """The numerator and denominator of a positive number; a float means the decimal that it prints as."""
    if type(value) not in (int, float, Fraction):
        return None
    parts = _ratios.get(value)
    if parts is None:
        exact = from_python(value) if value == value and abs(value) != float("inf") else 0  # noqa: PLR0124 - not a number
        parts = (exact.numerator, exact.denominator)
        if not (0 < parts[0] < LARGEST_ARGUMENT and parts[1] < LARGEST_ARGUMENT):
            return None
        if len(_ratios) < MAX_RATIOS:
            _ratios[value] = parts
    return parts


def _fixed(_value: Any) -> None:
    return None


_SPREADS: Mapping[str, Spread] = {
    "whole": _whole,
    "ratio": _ratio,
    "fixed": _fixed,
}
