"""A convention: weights over the counts of a layer, selected by kind, name, family and form of the layer.

A rule book has rows ``SELECTOR: {quantity: weight}``. Exactly one row applies to a layer, the most specific: a row for
its form comes first, then one for its kind (``depthwise``), its name (``conv``), its family (``norm``), and ``all``. A
layer without a row costs nothing, as in a tool that ignores it. A word that is the name
of a layer and of its family (``conv``, ``linear``, ``activation``) is a row for the whole family: ``conv`` also counts
a ``conv_transpose`` that has no row of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.layers.base import FAMILIES, REGISTRY, WORK_FIELDS, Work, elements
from convcost.network.cost import PER_MODEL, folded_channels, sum_of
from convcost.numbers.arithmetic import Num, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from convcost.conventions.written import Implementation
    from convcost.network.graph import Node

FORMS: dict[str, str] = {
    "module": "a module of its own, such as nn.ReLU: how layers are taken to be written",
    "functional": "a call of a function, such as F.relu; tools that hook modules do not see it",
    "mean": "a mean over the axes of the map, in place of a pooling layer",
    "linear": "a linear layer over the channels of every position, in place of a 1x1 convolution",
    "subclass": "a class of its own derived from the framework's; tools that look a type up do not see it",
}
DERIVED: dict[str, tuple[str, Callable[[Node], Num]]] = {
    "weight_positions": (
        "weights times the positions of the output map; the MACs of a convolution, not of a transposed one",
        lambda node: quantity(node, "weights", every_use=True) * elements(node.shape[1:]),
    ),
    "channels": ("channels of the output", lambda node: node.shape[0]),
    "folded_channels": ("channels of a batch norm, of which a bias each is left once it is folded", folded_channels),
    "interpolated": (
        "elements that are a mean of their neighbours, in bilinear resizing",
        lambda node: node.layer.interpolated(node.shape),
    ),
}
QUANTITIES: dict[str, str] = {**WORK_FIELDS, **{name: doc for name, (doc, _) in DERIVED.items()}}
PARAMETERS = "parameters"  # the unit of a tool that prints no operations


def quantity(node: Node, name: str, *, every_use: bool = False) -> Num:
    """One of :data:`QUANTITIES` of one copy of a layer, per sample.

    Args:
        node: the layer.
        name: of the quantity.
        every_use: whether parameters that belong to another layer count here too.
    """
    if name in DERIVED:
        return DERIVED[name][1](node)
    if every_use and node.shared and name in PER_MODEL and not node.layer.merges:
        return getattr(node.layer.work(node.input, node.shape), name)
    return getattr(node.work, name)


def selectors() -> Iterator[str]:
    """Every word that a row may begin with; before it may stand one of :data:`FORMS`."""
    yield "all"
    yield from dict.fromkeys(kind for layer in REGISTRY.values() for kind in layer.kinds)
    yield from REGISTRY
    yield from FAMILIES


class Rules:
    """Rows of weights; see the module.

    Attributes:
        rows: weights by selector: ``conv``, ``functional relu``, ``linear``.
        every_use: whether parameters that layers share count for each of them, as they do in a number of operations.
    """

    __slots__ = ("_chosen", "every_use", "rows")

    def __init__(self, rows: Mapping[str, Mapping[str, Num]], *, every_use: bool = False) -> None:
        self.every_use = every_use
        self.rows = {selector: dict(weights) for selector, weights in rows.items()}
        self._chosen: dict[tuple[str, ...], dict[str, Num]] = {}

    def weights(self, node: Node, form: str = "module") -> dict[str, Num]:
        """The row for a layer that is written as ``form``."""
        return self.row((form, node.kind, node.layer.key, node.layer.family))

    def row(self, names: tuple[str, ...]) -> dict[str, Num]:
        """The row for layers of a form, kind, name and family."""
        row = self._chosen.get(names)
        if row is None:
            form, *plain = names
            written = () if form == "module" else (*(f"{form} {name}" for name in plain), form)
            rows = (self.rows.get(selector) for selector in (*written, *plain, "all"))
            row = self._chosen[names] = next((row for row in rows if row is not None), {})
        return row

    def count(self, node: Node, form: str = "module") -> Num:
        """What one copy of a layer counts, per sample."""
        return weighted(node, self.weights(node, form), every_use=self.every_use)

    def total(self, nodes: Iterable[Node], forms: Mapping[int, str] | None = None) -> Num:
        """The sum over ``nodes``, parallel copies included, per sample; arguments as of :class:`Tally`."""
        return Tally(nodes, forms).total(self)


class Tally:
    """Layers of a graph, gathered so that many rules can be summed over them.

    A rule weighs the quantities of layers of one form, kind, name and family alike. So each quantity is summed over
    such layers once, when a rule first weighs it, and a rule adds up a few of these sums.

    Args:
        nodes: layers of one graph.
        forms: how layers are written that are no modules, by index.
    """

    __slots__ = ("_groups", "_shared", "_sums", "_works")

    def __init__(self, nodes: Iterable[Node], forms: Mapping[int, str] | None = None) -> None:
        written = forms or {}
        self._groups: dict[tuple[str, ...], dict[int, tuple[Node, list[Num]]]] = {}
        self._sums: dict[tuple[tuple[str, ...], str, bool], Num] = {}
        self._works: dict[tuple[str, ...], Work] = {}
        self._shared: set[tuple[str, ...]] = set()
        for node in nodes:
            layer = node.layer
            names = (written.get(node.index, "module"), node.kind, layer.key, layer.family)
            group = self._groups.get(names)
            if group is None:
                group = self._groups[names] = {}
            if node.shared:
                self._shared.add(names)
            alike = group.get(id(node.work))
            if alike is None:  # equal layers share one Work, so that a sum has as many terms as kinds of layer
                group[id(node.work)] = (node, [node.count])
            else:
                alike[1].append(node.count)

    def total(self, rules: Rules) -> Num:
        """The sum of ``rules`` over the layers, parallel copies included, per sample."""
        return total(
            weight * self._sum(names, name, every_use=rules.every_use)
            for names in self._groups
            for name, weight in rules.row(names).items()
        )

    def _sum(self, names: tuple[str, ...], name: str, *, every_use: bool) -> Num:
        every_use = every_use and names in self._shared  # for other layers both are the same
        if name not in DERIVED and not every_use:
            return getattr(self._work(names), name)
        key = (names, name, every_use)
        if key not in self._sums:
            self._sums[key] = total(
                quantity(node, name, every_use=every_use) * total(counts)
                for node, counts in self._groups[names].values()
            )
        return self._sums[key]

    def _work(self, names: tuple[str, ...]) -> Work:
        """All counts of such layers."""
        work = self._works.get(names)
        if work is None:
            alike = self._groups[names].values()
            work = self._works[names] = sum_of((node.work, total(counts)) for node, counts in alike)
        return work


def weighted(node: Node, weights: Mapping[str, Num], *, every_use: bool = False) -> Num:
    """The sum of ``weights`` times the quantities of one copy of a layer; see :func:`quantity`."""
    return total(weight * quantity(node, name, every_use=every_use) for name, weight in weights.items())


class Convention:
    """What somebody counts.

    Attributes:
        name: what ``--convention`` calls it.
        title: what people call it.
        doc: what it counts, in a sentence or two.
        source: where that was read.
        unit: of the number it reports: ``MACs``, ``FLOPs`` or ``parameters``.
        operations: rows for the number of operations.
        params: rows for the number of parameters.
        written: how networks are written, in place of what is known of bundled ones.
    """

    __slots__ = ("doc", "name", "operations", "params", "source", "title", "unit", "written")

    def __init__(
        self,
        name: str,
        *,
        title: str = "",
        doc: str = "",
        source: str = "",
        unit: str = "MACs",
        operations: Rules,
        params: Rules,
        written: tuple[Implementation, ...] = (),
    ) -> None:
        self.name = name
        self.title = title or name
        self.doc = doc
        self.source = source
        self.unit = unit
        self.operations = operations if unit == PARAMETERS else Rules(operations.rows, every_use=True)
        self.params = params
        self.written = written

    @property
    def counts_parameters(self) -> bool:
        """Whether the number it reports is one of parameters."""
        return self.unit == PARAMETERS


def _weights_of(measure: str) -> dict[str, Num]:
    """The weights of a sum over counts, read off the sum itself."""
    each = {name: getattr(Work(**{name: 1}), measure) for name in WORK_FIELDS}
    return {name: weight for name, weight in each.items() if weight}


TRAINABLE = Rules({"all": _weights_of("params")})
PLAIN = Convention(
    "convcost",
    title="FLOPs as convcost counts them",
    doc="two for each multiply-accumulate, one for every other arithmetic operation",
    source="docs/conventions.md",
    unit="FLOPs",
    operations=Rules({"all": _weights_of("flops")}),
    params=TRAINABLE,
)
