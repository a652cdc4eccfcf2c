"""The closed forms of networks as the data of a page on which their parameters can be moved.

Nothing is counted here: costs are the closed forms of :mod:`convcost.formulas`, bytes are those of
:mod:`convcost.metrics.traffic`, and what is alive at a step is from :mod:`convcost.metrics.memory`.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.codegen.data import Pool, as_data
from convcost.codegen.kernel import kernel
from convcost.conventions.catalogue import DEFAULT
from convcost.conventions.reported import Ledger, Reported
from convcost.errors import UnsupportedError, UsageError
from convcost.formulas.cases import Cases, cases
from convcost.formulas.closed import Form, everything_free
from convcost.formulas.naming import shared_names
from convcost.language.interpret import build
from convcost.language.model import own_name
from convcost.limits import MAX_PAGE_ROWS
from convcost.metrics.dtypes import bytes_of
from convcost.metrics.memory import alive
from convcost.metrics.traffic import sum_moved, traffic
from convcost.numbers.decisions import DIVIDES
from convcost.numbers.polynomial import expanded
from convcost.tables.printable import Printable
from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.conventions.model import Convention
    from convcost.formulas.closed import Formula
    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.metrics.devices import Device
    from convcost.network.graph import Graph

QUANTITIES = ("params", "macs", "flops", "activations")
MAX_FORMS = 8  # structures of a network on a page
_POSITIONS, _FEWEST = 8, 16  # of a slider: below the default, and in all


class Source(NamedTuple):
    """A network as it is asked for.

    Attributes:
        name: on the page.
        given: the name or path that it was given by.
        spec: linked.
        values: of its parameters.
        conventions: those whose numbers the page shows.
    """

    name: str
    given: str
    spec: Spec
    values: Mapping[str, Any]
    conventions: Sequence[Convention] = ()


class Explored(NamedTuple):
    """A network on a page.

    Attributes:
        source: what it is.
        cases: its closed forms.
        labels: what each of its free names is called on the page.
        input_shape: in place of the spec's own.
    """

    source: Source
    cases: Cases
    labels: Mapping[str, str]
    input_shape: Shape | None

    def at_witness(self, case: Formula) -> Graph:
        """The network in numbers where a case is derived: symbols do not tell a group of one from others."""
        return build(self.source.spec, {**self.source.values, **case.witness}, self.input_shape)

    def kinds(self, case: Formula) -> list[str]:
        """The kind of each row of a case in numbers; on symbols where no values are known that give its structure."""
        known = {node.path: node.kind for node in self.at_witness(case).layers}
        here = case.graph.series or list(known) == [row.path for row in case.rows]
        return [known.get(row.path, row.kind) if here else row.kind for row in case.rows]


class Explorer(Printable):
    """One network, or two side by side, whose free parameters can be moved.

    Attributes:
        networks: each with its closed forms.
        dtype: number format of feature maps and arithmetic.
        weights_dtype: number format of parameters.
        device: what times are for; None where none was named.
        convention: the name of the convention that is chosen at first.
    """

    def __init__(
        self,
        networks: Sequence[Explored],
        dtype: str,
        weights_dtype: str,
        device: Device | None = None,
        convention: str = DEFAULT,
    ) -> None:
        self.networks = tuple(networks)
        self.dtype = dtype
        self.weights_dtype = weights_dtype
        self.device = device
        self.convention = convention

    def __repr__(self) -> str:
        parts = []
        for network in self.networks:
            values = network.cases.formulas[0].witness.items()
            parts.append(
                f"{network.source.name}: {', '.join(f'{name} = {value}' for name, value in values) or 'fixed'}"
            )
        return f"<explorer {'; '.join(parts)}>"

    @property
    def contents(self) -> dict[str, Any]:
        """The page as lists, numbers and texts: the free names, and every form of every network."""
        return {
            "names": self.names,
            "networks": [
                self.network(network, [self.form(network, case) for case in network.cases.formulas])
                for network in self.networks
            ],
            "dtype": self.dtype,
            "device": self.machine,
        }

    @property
    def machine(self) -> dict[str, Any] | None:
        """The device: its title, operations and bytes a second."""
        if self.device is None:
            return None
        peak, bandwidth = self.device.peak_of(self.dtype).value, self.device.bandwidth.value
        return {"title": plain(self.device.title), "peak": float(peak), "bandwidth": float(bandwidth)}

    @property
    def names(self) -> list[dict[str, Any]]:
        """The free names, each with its kind, where it starts, and the first, last and step of its slider."""
        names: dict[str, dict[str, Any]] = {}
        for network in self.networks:
            first = network.cases.formulas[0]
            for name, value in first.witness.items():
                names.setdefault(network.labels[name], _name(first, name, value))
        return [{"name": name, **entry} for name, entry in names.items()]

    def network(self, network: Explored, forms: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """A network with those of its forms that are to be on the page, the first of them first."""
        return {
            "name": plain(network.source.name),
            "title": plain(network.cases.formulas[0].graph.title),
            "command": plain(_command(network.source)),
            "names": [[name, network.labels[name]] for name in network.cases.formulas[0].symbols],
            "conventions": {
                plain(each.name): {
                    "unit": each.unit,
                    "words": plain(f"{each.title}: {each.doc}" if each.doc else each.title),
                }
                for each in network.source.conventions
            },
            "forms": list(forms),
            "complete": network.cases.complete and len(forms) == len(network.cases.formulas),
        }

    def form(self, network: Explored, case: Formula) -> dict[str, Any]:
        """One structure: its conditions, its rows with the places of their values, and the program of the values.

        Rows that are alike in everything but their path share a line of ``columns``; ``lines`` is that of each row.
        """
        graph, pool, kind = case.graph, Pool(), network.kinds(case)
        kinds = list(dict.fromkeys(kind))
        ledger = Ledger(graph)
        readings = {f"as {plain(each.name)}": Reported(graph, each, ledger) for each in network.source.conventions}
        totals = {key: pool.place(case.totals[key].polynomial) for key in QUANTITIES}
        totals |= {key: pool.place(Form(reading.value, case.values).polynomial) for key, reading in readings.items()}
        columns: dict[str, list[Any]] = {
            "kind": [*map(kinds.index, kind)],
            **({"copies": [pool.place(row.count if row.repeated else 1) for row in case.rows]} if graph.series else {}),
            "inputs": [tuple(map(pool.place, row.nodes[0].input)) for row in case.rows],
            "outputs": [tuple(map(pool.place, row.nodes[0].shape)) for row in case.rows],
            **{key: [pool.place(row.forms[key].polynomial) for row in case.rows] for key in QUANTITIES},
            **self._moved(case, pool),
            **{
                key: [pool.place(expanded(reading.of(row.nodes))) for row in case.rows]
                for key, reading in readings.items()
            },
        }
        lines = list(zip(*columns.values(), strict=True))
        different = {line: place for place, line in enumerate(dict.fromkeys(lines))}
        steps, note = self._alive(graph, pool)
        conditions = [*case.conditions, *case.limits]
        made = kernel(pool.exprs, list(case.symbols.values()), conditions)
        words = [condition.text for condition in conditions]
        words += ["a divisor above 0"] * (len(made.guards) - len(words))
        return {
            "conditions": [[text, guard.structural] for text, guard in zip(words, made.guards, strict=True)],
            "as_stated": graph.stated,
            "totals": totals,
            "paths": [plain(row.path) for row in case.rows],
            "kinds": kinds,
            "lines": [different[line] for line in lines],
            "columns": {key: [line[place] for line in different] for place, key in enumerate(columns)},
            "notes": list(dict.fromkeys(plain(note) for each in readings.values() for note in each.written.notes)),
            "alive": [place for _, place in steps],
            "alive_rows": [row for row, _ in steps],
            "alive_note": note,
            "program": as_data(made),
        }

    def _moved(self, case: Formula, pool: Pool) -> dict[str, list[int]]:
        """Bytes and operations of every row; nothing where they need every copy and no times are asked for."""
        try:
            moved = traffic(case.graph)
        except UnsupportedError:
            if self.device is not None:
                raise
            return {}
        rows = [sum_moved(moved[node.index] for node in row.nodes) for row in case.rows]
        return {
            "bytes": [pool.place(each.bytes(self.dtype, self.weights_dtype)) for each in rows],
            "executed": [pool.place(each.flops) for each in rows],
        }

    def _alive(self, graph: Graph, pool: Pool) -> tuple[list[tuple[int, int]], str]:
        """The row and the bytes of each step of memory over time; or why there are none."""
        order = {node.index: row for row, node in enumerate(graph.layers)}
        try:
            steps = alive(graph, in_place=True, folded=True)
            return [(order[node.index], pool.place(bytes_of(count, self.dtype))) for node, count in steps], ""
        except UnsupportedError as error:
            return [], str(error)


def explore(
    sources: Sequence[Source],
    free: Sequence[str] | None = None,
    input_shape: Shape | None = None,
    *,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    device: Device | None = None,
    convention: str = DEFAULT,
) -> Explorer:
    """A page for one network, or for two side by side.

    Args:
        sources: one or two.
        free: names that can be moved; all that can be symbols where not given.
        input_shape: in place of the specs' own.
        dtype: number format of feature maps and arithmetic, for bytes.
        weights_dtype: number format of parameters; that of the maps where not given.
        device: what times are for.
        convention: the name of the one of the sources' conventions that is chosen at first.

    Raises:
        UsageError: there are more than two, a name is no parameter, or it cannot be free.
        SpecError: a spec is wrong, or a value does not fit.
        UnsupportedError: a network has more than 5,000 layers.
    """
    if not 1 <= len(sources) <= 2:  # noqa: PLR2004 - beside each other on a screen
        raise UsageError(f"explore takes one target, or two to compare, found {len(sources)}")
    if device is not None:
        device.peak_of(dtype)
    for source in sources:
        if len(build(source.spec, source.values, input_shape).layers) > MAX_PAGE_ROWS:
            raise UnsupportedError(f"{source.name} has more than {MAX_PAGE_ROWS:,} layers, too many for a page")
    every = [
        cases(source.spec, _free(source, free, input_shape), source.values, input_shape, most=MAX_FORMS)
        for source in sources
    ]
    firsts = [each.formulas[0] for each in every]
    values = [{**first.graph.parameters, **first.witness} for first in firsts]
    symbols, _ = shared_names([first.symbols for first in firsts], values)
    labels = [{name: symbol.name for name, symbol in own.items()} for own in symbols]
    networks = [Explored(*parts, input_shape) for parts in zip(sources, every, labels, strict=True)]
    return Explorer(networks, dtype, weights_dtype or dtype, device, convention)


def _free(source: Source, free: Sequence[str] | None, input_shape: Shape | None) -> list[str]:
    """The free names of one network: those asked for that it has."""
    if free is None:
        return everything_free(source.spec, source.values, input_shape)
    return [name for name in free if own_name(name, source.spec.parameters) in source.spec.names]


def _command(source: Source) -> str:
    settings = "".join(f" --set {name}={value}" for name, value in source.values.items())
    return f"convcost analyze {source.given}{settings}"


def _name(first: Formula, name: str, value: Any) -> dict[str, Any]:
    symbol = first.symbols[name]
    if symbol.whole:
        return {
            "ratio": False,
            "value": str(value),
            "slider": _whole_slider(value, _least(first, symbol), _step(first, symbol)),
        }
    return {"ratio": True, "value": _decimal(Fraction(value)), "slider": _ratio_slider(Fraction(value))}


def _least(first: Formula, symbol: Any) -> int:
    """The least value that the conditions on this name alone allow, as far as they state one."""
    bounds = [
        condition.right for condition in first.conditions if condition.relation == ">=" and condition.left == symbol
    ]
    return max((bound for bound in bounds if type(bound) is int), default=1)


def _step(first: Formula, symbol: Any) -> int:
    """A step that keeps what divides a sum with this name alone."""
    divisors = [
        condition.left
        for condition in first.conditions
        if condition.relation == DIVIDES and condition.symbols == {symbol}
    ]
    return lcm(*(divisor for divisor in divisors if type(divisor) is int))


def _whole_slider(value: int, least: int, step: int) -> list[str]:
    """First and last position, and the step: times a power of two, so that sizes and widths stay round."""
    while value % (2 * step) == 0 and 2 * step * _POSITIONS <= value:
        step *= 2
    first = max(least, 1) + (value - max(least, 1)) % step
    return [str(first), str(max(2 * value, first + _FEWEST * step)), str(step)]


def _ratio_slider(value: Fraction) -> list[str]:
    return ["0.05", _decimal(2 * max(value, Fraction(1))), "0.05"]


def _decimal(value: Fraction) -> str:
    """A ratio as a decimal if it is one, else as a fraction."""
    shown = Fraction(str(float(value)))
    return str(float(value)).removesuffix(".0") if shown == value else str(value)
