"""Closed forms: a spec run over symbols."""

from __future__ import annotations

from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN
from convcost.conventions.reported import Reported
from convcost.errors import UnsupportedError, UsageError, shorten, unknown
from convcost.formulas.regions import brought_together
from convcost.language.check import free_names, open_names
from convcost.language.given import from_python, no_parameter
from convcost.language.interpret import bound, build
from convcost.language.model import own_name
from convcost.metrics.quantities import PARTS, QUANTITIES, REPORTED, quantity
from convcost.network.cost import sum_work
from convcost.numbers import arithmetic as algebra
from convcost.numbers.assumptions import Session, Unsettled, assuming
from convcost.numbers.decisions import Condition
from convcost.numbers.polynomial import MAX_FORM_TERMS, Symbol, expanded, terms_in
from convcost.numbers.values import evaluate
from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from convcost.conventions.model import Convention
    from convcost.language.expression import Expression
    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.network.graph import Graph, Node, Series


class Form:
    """One quantity: its closed form, and its value at the witness."""

    def __init__(self, count: Callable[[], Any], witness: Mapping[Any, Any]) -> None:
        self._make = count
        self._witness = witness

    @cached_property
    def _count(self) -> Any:
        return self._make()

    @cached_property
    def polynomial(self) -> Any:
        """The closed form, multiplied out: a number, or an expression (:mod:`convcost.numbers.polynomial`).

        Raises:
            UnsupportedError: it has more than 50,000 terms.
        """
        value = expanded(self._count)
        if len(terms_in(value)) > MAX_FORM_TERMS:
            raise UnsupportedError(f"a closed form of more than {MAX_FORM_TERMS:,} terms; leave fewer names free")
        return value

    @cached_property
    def expr(self) -> Any:
        """The same as an expression of sympy, which is imported for it.

        Raises:
            UnsupportedError: it has more than 50,000 terms.
        """
        from convcost.numbers.conversion import to_sympy  # noqa: PLC0415 - imports sympy

        return to_sympy(self.polynomial)

    @cached_property
    def value(self) -> Any:
        """Its number at the witness: the given or default values of the free names."""
        return evaluate(self._count, self._witness)


class FormRow:
    """The closed forms of one layer; figures are for all its ``count`` copies.

    Attributes:
        path, kind: as in a report.
        input, output: shapes.
        count: identical parallel copies, and copies of a repeat whose number is free.
        repeated: whether it is in a repeat whose number of copies is free, so that it counts for several of them.
        nodes: the layer, or those of its copies that the graph has.
        index: the number of a copy as a symbol, from 1 to ``count``, where shapes grow from copy to copy; else None.
    """

    def __init__(
        self, nodes: Sequence[Node], witness: Mapping[Any, Any], reported: Reported | None, series: Series | None = None
    ) -> None:
        node = nodes[0]
        self.path = node.path
        self.kind = node.kind
        self.input = node.input
        self.output = node.shape
        self.count = node.count
        self.repeated = series is not None
        self.index: Any = None
        if series is not None and series.index is not None:
            self.input, self.output = series.shapes[node.index - series.start]
            self.count, self.index = series.copies, series.index
        self.nodes = nodes
        self._witness = witness
        self._reported = reported

    @cached_property
    def forms(self) -> dict[str, Form]:
        """By quantity; see :mod:`convcost.metrics.quantities`."""
        return _forms(self.nodes, self._witness, self._reported)


class Formula(Printable):
    """The closed forms of a network or block.

    Attributes:
        graph: the symbolic graph.
        symbols: the free names and their symbols.
        witness: what each free name was given or defaults to; formulas are exact for all values that fulfil
            ``conditions``, not just for these.
        recorded: what must hold, as it came up.
        conditions: the same, brought together to be read.
        answers: the questions of structure that came up, with the answer that was given.
        reported: the number of a convention, if one was named; ``reported`` is then a quantity too.
        rows: per layer.
        totals: of the whole, by quantity.
    """

    def __init__(
        self,
        graph: Graph,
        symbols: dict[str, Any],
        witness: dict[str, Any],
        recorded: Sequence[Condition],
        reported: Reported | None = None,
    ) -> None:
        self.graph = graph
        self.symbols = symbols
        self.witness = witness
        self.recorded = tuple(recorded)
        self.answers: dict[Any, bool] = {}
        self.reported = reported

    def __repr__(self) -> str:
        return f"Formula({self.graph.name}, free: {', '.join(self.symbols) or 'nothing'})"

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """See :class:`Formula`."""
        return brought_together(self.recorded)

    @property
    def quantities(self) -> tuple[str, ...]:
        """The default quantities: all of ``QUANTITIES``, and ``reported`` if a convention is chosen."""
        return (*QUANTITIES, *((REPORTED,) if self.reported is not None else ()))

    @property
    def values(self) -> dict[Any, Any]:
        """The witness, by symbol."""
        return {symbol: self.witness[name] for name, symbol in self.symbols.items()}

    @property
    def limits(self) -> tuple[Condition, ...]:
        """What keeps the network within the limits of the language where the number of copies of a repeat is free."""
        return tuple(Condition(needed, "<=", most) for needed, most in self.graph.limits)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """The conditions as text, and which costs are stated in the spec."""
        stated = self.graph.stated
        conditions = tuple(condition.text for condition in self.conditions)
        return (*conditions, f"the costs of {stated} as the spec states them") if stated else conditions

    @cached_property
    def totals(self) -> dict[str, Form]:
        """By quantity; see :mod:`convcost.metrics.quantities`."""
        return _forms(self.graph.layers, self.values, self.reported)

    @cached_property
    def rows(self) -> tuple[FormRow, ...]:
        """In the order of execution; the copies of a layer that grow from copy to copy are one row."""
        repeated = {
            series.start + place: series
            for series in self.graph.series
            for place in range(series.size * series.samples)
        }
        rows = []
        for node in self.graph.layers:
            series = repeated.get(node.index)
            if series is None or node.index < series.start + series.size:
                size, samples = (1, 1) if series is None else (series.size, series.samples)
                copies = [self.graph.nodes[node.index + size * sample] for sample in range(samples)]
                rows.append(FormRow(copies, self.values, self.reported, series))
        return tuple(rows)

    def violated(self, values: Mapping[str, Any]) -> list[Condition]:
        """The conditions that do not hold with these values of the free names."""
        numbers = {symbol: from_python(values[name]) for name, symbol in self.symbols.items()}
        return [condition for condition in self.conditions if not condition.holds(numbers)]


def _forms(nodes: Sequence[Node], witness: Mapping[Any, Any], reported: Reported | None) -> dict[str, Form]:
    """A form for every quantity; each is counted when it is first used."""
    work = cache(partial(sum_work, nodes))

    def form(name: str) -> Form:
        return Form(lambda: quantity(name, nodes, work()), witness)

    forms = {name: form(name) for name in (*QUANTITIES, *PARTS)}
    if reported is not None:
        forms[REPORTED] = Form(lambda: reported.of(nodes), witness)
    return forms


def formula(
    spec: Spec,
    free: Sequence[str] | None = None,
    given: Mapping[str, Any] | None = None,
    input_shape: Shape | None = None,
    *,
    ties: Mapping[str, Expression] | None = None,
    forced: Mapping[Any, bool] | None = None,
    whose: Convention = PLAIN,
    checked: bool = True,
) -> Formula:
    """Closed forms of ``spec``.

    Args:
        spec: linked.
        free: names that become symbols. Where not given: of a block all that can, of a network those that its
            input depends on and ``classes``.
        given: values; for a free name, the value at which it is evaluated and undecidable questions are decided.
        input_shape: in place of the spec's own.
        ties: names whose value is an expression of others: ``O`` tied to ``I``.
        forced: answers to questions of structure (see :attr:`Formula.answers`) in place of the witness's.
        whose: the convention whose number is to be a quantity too.
        checked: whether to build the network in numbers as well, which has the better errors. Without it there may
            be no network at the witness; then the conditions say so. ``free`` must be names that can be free.

    Raises:
        UsageError: a name that is no parameter, or cannot be a symbol.
        SpecError: the spec is wrong, or its values do not fit.
    """
    given = {name: from_python(value) for name, value in (given or {}).items()}
    ties = dict(ties or {})
    values: Mapping[str, Any] = (
        build(spec, given, input_shape).parameters if checked else bound(spec, given, input_shape)
    )
    if ties:
        values = build(spec, {**given, **_tied(ties, values)}, input_shape).parameters
    if free is None:
        names: Sequence[str] = default_free(spec, values)
    else:
        names = _with_values(_checked(spec, free) if checked else free, values)
    symbols = {name: symbol(spec, name) for name in names if name not in ties}
    witness = {name: values[name] for name in symbols}
    graph, session = _run(
        lambda: build(spec, {**given, **symbols, **_tied(ties, {**values, **symbols})}, input_shape),
        {symbols[name]: value for name, value in witness.items()},
        forced or {},
    )
    bounds = [Condition(name, ">=", least) for name, least in session.least.items() if _says_something(name, least)]
    reported = None if whose is PLAIN else Reported(graph, whose)
    closed = Formula(graph, symbols, witness, [*session.assumptions.values(), *bounds], reported)
    closed.answers = session.answers
    return closed


def _run(
    build_graph: Callable[[], Graph], witness: Mapping[Any, Any], forced: Mapping[Any, bool]
) -> tuple[Graph, Session]:
    """A symbolic run and what it noted; it begins again with the answer to a question that must be known before."""
    while True:
        session = Session(witness, forced)
        try:
            with assuming(session):
                return build_graph(), session
        except Unsettled as error:
            forced = {**forced, error.question: error.answer}


def _says_something(name: Any, least: Any) -> bool:
    return bool(least > (1 if name.whole else 0))


def _tied(ties: Mapping[str, Expression], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of tied names, as expressions of ``values``."""
    for name, tie in ties.items():
        for other in tie.names:
            if other in ties or other not in values:
                known = [other for other in values if other not in ties]
                raise UsageError(f"`{name}` is tied to '{shorten(other)}': {unknown('other parameter', other, known)}")
    return {name: tie.evaluate(values) for name, tie in ties.items()}


def symbol(spec: Spec, name: str) -> Any:
    """The symbol of a parameter: a positive integer, or a positive rational where it is a ratio."""
    parameter = spec.parameters.get(name)
    return Symbol(name, whole=parameter is None or parameter.type != "ratio")


def default_free(spec: Spec, values: Mapping[str, Any]) -> list[str]:
    """The names that are free by default; see :func:`formula`.

    Args:
        spec: linked.
        values: of its parameters.
    """
    names = [name for name in free_names(spec) if _can_stand_for(values.get(name))]
    if spec.is_block:
        return names
    shown = spec.size_parameters() | {"classes"}
    return [name for name in names if name in shown and (spec.parameters[name].type != "ratio")]


def everything_free(spec: Spec, given: Mapping[str, Any] | None = None, input_shape: Shape | None = None) -> list[str]:
    """Every name that can be a symbol at its value."""
    parameters = build(spec, given, input_shape).parameters
    return [name for name in free_names(spec) if _can_stand_for(parameters.get(name))]


def _can_stand_for(value: Any) -> bool:
    """Whether a positive symbol can stand for a parameter of this value."""
    return algebra.is_number(value) and value > 0


def _checked(spec: Spec, free: Iterable[str]) -> list[str]:
    names = list(dict.fromkeys(own_name(name, spec.parameters) for name in free))
    known = spec.names
    possible = open_names(spec)
    for name in names:
        if name not in known:
            raise UsageError(no_parameter(spec, name))
        if name not in possible:
            raise UsageError(
                f"`{name}` of {spec.name} cannot be free: it shapes the network, not just its sizes; "
                f"free can be {', '.join(possible) or 'none'}"
            )
    return names


def _with_values(names: Sequence[str], values: Mapping[str, Any]) -> Sequence[str]:
    for name in names:
        if name not in values:
            raise UsageError(f"`{name}` cannot be free when --input gives the size")
        if not _can_stand_for(values[name]):
            raise UsageError(f"`{name}` cannot be free at the value {values[name]}; give one with --set")
    return names
