"""The metrics of a network over some of its parameters.

A *structure* is the network on all values that decide its conditions in the same way; it has one closed form per
metric. A metric without a closed form (a maximum over the layers, such as peak memory or time) is evaluated on numbers,
one network per value. For some of these there is a certificate that they grow: closed forms of which they are
non-decreasing functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.conventions.model import PLAIN, Convention
from convcost.errors import ConvcostError, UnsupportedError
from convcost.formulas.closed import formula
from convcost.formulas.regions import Within, where
from convcost.formulas.sign import numerator
from convcost.language.check import free_names
from convcost.language.interpret import build
from convcost.layers.base import elements
from convcost.metrics.registry import METRICS, Context
from convcost.metrics.traffic import traffic
from convcost.numbers.arithmetic import RELATIONS, normal, provably
from convcost.numbers.bounds import is_monotone
from convcost.numbers.polynomial import (
    expanded,
    has_quotient,
    outermost,
    replaced,
    symbols_in,
    terms_in,
)
from convcost.numbers.values import Evaluator, evaluate
from convcost.solving.budgets import REPORTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from fractions import Fraction

    from convcost.formulas.closed import Formula
    from convcost.formulas.regions import Stretch
    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.metrics.devices import Device
    from convcost.network.graph import Graph
    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition
    from convcost.solving.budgets import Budget

MAX_STRUCTURES = 60
MAX_MEASURED = 4096  # values whose metrics are kept
UP, DOWN, CONSTANT = 1, -1, 0
# Metrics that are sums and quotients of what layers count; all others are evaluated on numbers.
CLOSED = frozenset(
    {
        *("params", "macs", "flops", "reported", "weights", "biases", "norm_params", "other_params", "buffers", "size"),
        *("outputs", "activations", "conv_activations", "backward_macs", "backward_flops"),
        *("read", "constants", "written", "elements", "bytes", "executed", "intensity"),
    }
)
# Of these, sums over layers that do not depend on other layers: they have closed forms in a number of copies, too.
ADDITIVE = CLOSED - {"read", "constants", "written", "elements", "bytes", "executed", "intensity"}


def closed_keys(graph: Graph, *, fused: bool) -> frozenset[str]:
    """The metrics with a closed form: of a graph without some copies of a repeat perhaps only sums over layers."""
    if graph.series:
        try:
            traffic(graph, fused=fused)
        except UnsupportedError:
            return ADDITIVE
    return CLOSED


class Setting(NamedTuple):
    """What metrics are evaluated for; see :class:`convcost.metrics.registry.Context`."""

    batch: int = 1
    dtype: str = "float32"
    weights_dtype: str | None = None
    device: Device | None = None
    fused: bool = True
    convention: Convention = PLAIN

    def context(self, graph: Graph) -> Context:
        """The context of ``graph``."""
        return Context(
            graph,
            batch=self.batch,
            dtype=self.dtype,
            weights_dtype=self.weights_dtype,
            device=self.device,
            fused=self.fused,
            convention=self.convention,
        )


class Metrics(Mapping[str, Any]):
    """The metrics of one network by key, each evaluated when it is first asked for."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._values: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            self._values[key] = METRICS[key].of(self.context.whole, self.context)
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(METRICS)

    def __len__(self) -> int:
        return len(METRICS)


class Structure:
    """The closed forms of one structure.

    Attributes:
        formula: the symbolic run of the spec.
        conditions: where all of it holds.
        stated: these without what only keeps the network within the limits of the language.
        margins: of each budget, what its metric exceeds its bound by; None where that has no closed form.
    """

    def __init__(self, costs: Costs, symbolic: Formula, others: Mapping[str, Formula]) -> None:
        self.formula = symbolic
        self.conditions = [*symbolic.conditions, *(c for other in others.values() for c in other.conditions)]
        self.stated = tuple(self.conditions)
        self._closed_keys = closed_keys(symbolic.graph, fused=costs.setting.fused)
        self._own = Metrics(costs.setting.context(symbolic.graph))
        self._others = {name: costs.metrics_of(other.graph) for name, other in others.items()}
        self._courses: dict[tuple[str, Fraction], int | None] = {}
        self._stretches: dict[Condition, list[Stretch] | None] = {}
        self._set_budgets(costs)
        if None not in self.margins:  # networks near the limits are too large to be built one after another
            self.conditions += symbolic.limits

    def _set_budgets(self, costs: Costs) -> None:
        self._costs = costs
        self._stepping: Any = None
        self.margins = [self._margin(budget) for budget in costs.budgets]
        outputs = {f"margin {i}": margin for i, margin in enumerate(self.margins) if margin is not None}
        for key in costs.reported:
            form = self._closed(key)
            if form is not None:
                outputs[key] = form
        self._evaluator = Evaluator(list(outputs.values()), list(self.formula.symbols.values()))
        self._closed_outputs = outputs

    def _run(self, values: Mapping[str, Num]) -> dict[str, Num]:
        """The margins and the other closed outputs at these values."""
        numbers = self._evaluator([values[name] for name in self.formula.symbols])
        return dict(zip(self._closed_outputs, numbers, strict=True))

    def against(self, costs: Costs) -> Structure:
        """The same structure with the budgets of ``costs``."""
        other = copy(self)
        other._set_budgets(costs)  # noqa: SLF001 - of the same class
        return other

    def _closed(self, key: str) -> Any:
        return self._own[key] if key in self._closed_keys else None

    def _margin(self, budget: Budget) -> Any:
        if not self._closed_keys.issuperset(budget.keys):
            return None
        margin = budget.margin(self._own, self._others)
        return None if margin is None else expanded(margin)

    @property
    def stepping(self) -> Any:
        """Everything that a metric or a condition depends on: nothing changes between the steps of these values."""
        if self._stepping is None:
            self._stepping = self._all_stepping()
        return self._stepping

    def _all_stepping(self) -> Any:
        sides = [side for c in self.conditions for side in (c.left, c.right) if side is not None]
        margins = [margin for margin in self.margins if margin is not None]
        if len(margins) < len(self.margins):
            for node in self.formula.graph.nodes:
                counts = node.work.as_dict().values()
                margins += [*node.shape, node.count, *counts]
        return tuple(dict.fromkeys([*margins, *sides]))

    def stretches(self, condition: Condition, symbol: Any) -> list[Stretch] | None:
        """The stretches on which a condition on ``symbol`` holds; None where it is not known to hold on stretches."""
        if condition not in self._stretches:
            self._stretches[condition] = _stretches(condition, symbol) if condition.symbols == {symbol} else None
        return self._stretches[condition]

    def course(self, index: int, symbol: Any, low: Fraction) -> int | None:
        """How the margin of a budget changes as ``symbol`` grows from ``low`` on, as far as that is proved.

        Returns:
            ``UP``: once positive it stays positive; ``DOWN``: once negative it stays negative; ``CONSTANT``; or None:
            not known.
        """
        margin = self.margins[index]
        if margin is not None:
            return course(margin, symbol, low)
        budget = self._costs.budgets[index]
        if not self._costs.has_constant_bound(budget):
            return None
        key = (budget.metric.key, low)
        if key not in self._courses:
            self._courses[key] = self._certified(budget.metric.key, symbol, low)
        return self._courses[key]

    def _certified(self, key: str, symbol: Any, low: Fraction) -> int | None:
        """How a metric without a closed form changes: as all of its parts do."""
        rule = None if self.formula.graph.series else _CERTIFICATES.get(key)  # which layers there are must not change
        parts = None if rule is None else rule(self._own.context)
        if parts is None:
            return None
        directions: set[int | None] = set()
        for part in dict.fromkeys(parts):
            directions.add(None if has_quotient(part) else course(part, symbol, low))
            if None in directions:
                return None
        directions.discard(CONSTANT)
        if not directions:
            return CONSTANT
        return directions.pop() if len(directions) == 1 else None

    def margin(self, index: int, values: Mapping[str, Num]) -> Any:
        """The margin of one budget at ``values``, where the network exists."""
        key = f"margin {index}"
        if self.margins[index] is not None:
            return self._run(values)[key]
        own = self._costs.measured(values)
        return None if own is None else self._costs.margin_at(index, own, values)

    def values(self, values: Mapping[str, Num]) -> dict[str, Any] | None:
        """The reported metrics by key, and the margins as ``margin 0`` ..., at ``values``; None: no such network."""
        results: dict[str, Any] = dict(self._run(values))
        numeric = [i for i, margin in enumerate(self.margins) if margin is None]
        missing = [key for key in self._costs.reported if key not in self._closed_outputs]
        if numeric or missing:
            own = self._costs.measured(values)
            if own is None:
                return None
            results |= {f"margin {i}": self._costs.margin_at(i, own, values) for i in numeric}
            results |= {key: own[key] for key in missing}
        return results

    def violated(self, values: Mapping[str, Num]) -> list[Condition]:
        """The conditions that do not hold at ``values``."""
        numbers = {symbol: values[name] for name, symbol in self.formula.symbols.items()}
        return [condition for condition in self.conditions if not condition.holds(numbers)]

    def holds(self, values: Mapping[str, Num]) -> bool:
        """Whether the network has this structure at ``values``."""
        return not self.violated(values)


class Costs:
    """The metrics of a spec over some of its parameters, and the budgets on them.

    Attributes:
        spec: linked.
        names: the parameters that vary.
        given: values of everything else.
        budgets: what is to be met.
        setting: what metrics are evaluated for.
        reported: keys of the metrics that an answer states.
        structures: the structures met so far.
    """

    def __init__(
        self,
        spec: Spec,
        names: Sequence[str],
        given: Mapping[str, Any],
        budgets: Sequence[Budget],
        others: Mapping[str, Mapping[str, Any]] | None = None,
        input_shape: Shape | None = None,
        reported: Sequence[str] = (),
        setting: Setting | None = None,
    ) -> None:
        """Run the spec on symbols at the defaults.

        Args:
            spec: linked.
            names: what to vary.
            given: values of its parameters.
            budgets: what is to be met.
            others: the values given to each other spec that the budgets name.
            input_shape: in place of the spec's own.
            reported: keys of metrics to state besides params, MACs and those that have a budget.
            setting: what metrics are evaluated for.

        Raises:
            UsageError: a name cannot be varied, a time has no device, or there is no such convention.
            SpecError: the spec is wrong.
        """
        self.spec = spec
        self.names = tuple(names)
        self.given = dict(given)
        self.budgets = tuple(budgets)
        self.setting = setting or Setting()
        self._others = {name: dict(values) for name, values in (others or {}).items()}
        self._specs = {name: other for budget in budgets for name, other in budget.others.items()}
        self._input_shape = input_shape
        named = [] if self.setting.convention is PLAIN else [REPORTED]
        bounded = [budget.metric.key for budget in budgets]
        self.reported = list(dict.fromkeys(["params", "macs", *named, *bounded, *reported]))
        self.structures: list[Structure] = []
        self._measured: dict[tuple[Num, ...], Metrics | None] = {}
        self.first = self._derived(self.given)
        self.witness: dict[str, Num] = dict(self.first.formula.witness)
        if len(self.first.values(self.witness) or {}) == 0:
            raise UnsupportedError(f"{self.spec.name} cannot be measured at its defaults")

    def metrics_of(self, graph: Graph) -> Metrics:
        """The metrics of a network that was built from another spec."""
        return Metrics(self.setting.context(graph))

    def _derived(self, given: Mapping[str, Any]) -> Structure:
        symbolic = formula(self.spec, self.names, given, self._input_shape, whose=self.setting.convention)
        others = {}
        for name, spec in self._specs.items():
            shared = self._shared(spec)
            values = {**self._others.get(name, {}), **{key: symbolic.witness[key] for key in shared}}
            others[name] = formula(spec, shared, values, self._input_shape if spec.is_block else None)
        structure = Structure(self, symbolic, others)
        self.structures.append(structure)
        return structure

    def _shared(self, spec: Spec) -> list[str]:
        return [name for name in self.names if name in free_names(spec)]

    def has_constant_bound(self, budget: Budget) -> bool:
        """Whether the bound depends on nothing that varies."""
        own = [name for name in budget.bound.names if name not in budget.others]
        return not own and not any(self._shared(spec) for spec in budget.others.values())

    def at(self, values: Mapping[str, Num]) -> Structure | None:
        """The structure at ``values``; None where there is no such network.

        Raises:
            UnsupportedError: there are more structures than can be looked at.
        """
        for structure in self.structures:
            violated = structure.violated(values)
            if not violated:
                return structure
            if not any(condition.structural for condition in violated):
                return None  # the structure is this one, and lacks something it needs
        if self._graph(values) is None:
            return None
        if len(self.structures) >= MAX_STRUCTURES:
            raise UnsupportedError(
                f"the network has more than {MAX_STRUCTURES} structures over {', '.join(self.names)}"
            )
        structure = self._derived({**self.given, **values})
        return structure if structure.holds(values) else None

    def _graph(self, values: Mapping[str, Num]) -> Graph | None:
        given = {**self.given, **{name: normal(value) for name, value in values.items()}}
        try:
            return build(self.spec, given, self._input_shape)
        except ConvcostError:
            return None

    def measured(self, values: Mapping[str, Num]) -> Metrics | None:
        """The metrics at ``values``, counted layer by layer rather than read off a closed form; None: no network."""
        key = tuple(values[name] for name in self.names)
        if key not in self._measured:
            if len(self._measured) >= MAX_MEASURED:
                self._measured.clear()
            graph = self._graph(values)
            self._measured[key] = None if graph is None else Metrics(self.setting.context(graph))
        return self._measured[key]

    def margin_at(self, index: int, own: Metrics, values: Mapping[str, Num]) -> Any:
        """What the metric of a budget exceeds its bound by, counted layer by layer."""
        budget = self.budgets[index]
        others = {}
        for name, spec in budget.others.items():
            given = {**self._others.get(name, {}), **{key: values[key] for key in self._shared(spec)}}
            others[name] = self.metrics_of(build(spec, given, self._input_shape if spec.is_block else None))
        return budget.margin(own, others)

    def against(self, budgets: Sequence[Budget]) -> Costs:
        """The same network and names with other budgets; these name no spec that the former do not name."""
        other = copy(self)
        other.budgets = tuple(budgets)
        other.reported = []
        other.structures = [structure.against(other) for structure in self.structures]
        other.first = other.structures[0]
        return other

    def narrowed(self, name: str, values: Mapping[str, Num]) -> Costs:
        """The same over one name alone, with ``values`` for others."""
        given = {**self.given, **values}
        return Costs(
            self.spec, [name], given, self.budgets, self._others, self._input_shape, self.reported, self.setting
        )

    def meets(self, values: Mapping[str, Num]) -> bool:
        """Whether there is a network at ``values`` that meets every budget."""
        structure = self.at(values)
        margins = {} if structure is None else {i: structure.margin(i, values) for i in range(len(self.budgets))}
        return bool(margins) and all(budget.holds(margins[i]) for i, budget in enumerate(self.budgets))

    def broken(self, values: Mapping[str, Any]) -> list[Budget]:
        """The budgets that do not hold where :meth:`Structure.values` gave ``values``."""
        return [budget for i, budget in enumerate(self.budgets) if not budget.holds(values[f"margin {i}"])]


def course(expr: Any, symbol: Any, low: Fraction) -> int | None:
    """How the sign of ``expr`` changes with ``symbol`` from ``low`` on.

    Every function in it that grows with the symbol is written as its value at ``low`` plus something that grows from
    0; if then all coefficients have one sign, so has the change.

    Returns:
        ``UP``: once positive it stays so; ``DOWN``: once negative it stays so; ``CONSTANT``; None: not known.
    """
    top = numerator(expr) if has_quotient(expr) else expr
    if top is None:
        return None
    if symbol not in symbols_in(top):
        return CONSTANT
    functions = outermost(top)
    if not all(is_monotone(function) for function in functions if symbol in function.symbols):
        return None
    least = {function: evaluate(function, {symbol: low}) for function in functions}
    least[symbol] = low
    shifted = replaced(top, {atom: atom + number for atom, number in least.items()})
    coefficients = [value for monomial, value in terms_in(shifted).items() if monomial]
    if all(value > 0 for value in coefficients):
        return UP
    return DOWN if all(value < 0 for value in coefficients) else None


def _stretches(condition: Condition, symbol: Any) -> list[Stretch] | None:
    if isinstance(condition, Within):
        return list(condition.stretches)
    if condition.relation not in RELATIONS:
        return None
    try:
        return where([condition], symbol)
    except UnsupportedError:
        return None


def _parts_of_time(context: Context) -> list[Any]:
    """A layer takes the longer of its operations and its bytes; the network, the sum over its layers."""
    dtypes = (context.dtype, context.weights_dtype, context.batch)
    return [part for moved in context.moved.values() for part in (moved.flops, moved.bytes(*dtypes))]


def _parts_of_peak(context: Context) -> list[Any] | None:
    """The peak is the largest of some sums of sizes of tensors.

    Which tensors are alive together depends on sizes in one place: an activation overwrites its input if both have one
    shape. Where that may differ from value to value there is no certificate.
    """
    graph = context.graph
    for node in graph.layers:
        if type(node.count) is not int:
            return None
        if node.layer.fusing == "follows":
            source = graph.nodes[node.inputs[0][0]]
            while source.inputs and source.layer.is_view:
                source = graph.nodes[source.inputs[0][0]]
            pairs = list(zip(source.shape, node.shape, strict=False))
            if len(source.shape) == len(node.shape) and not all(provably(*pair) for pair in pairs):
                return None
    return [elements(node.shape) for node in graph.nodes]


# closed forms of which a metric is a non-decreasing function
_CERTIFICATES: dict[str, Callable[[Context], list[Any] | None]] = {
    "time": _parts_of_time,
    "compute_time": lambda context: [moved.flops for moved in context.moved.values()],
    "peak": _parts_of_peak,
    "live": _parts_of_peak,
}
