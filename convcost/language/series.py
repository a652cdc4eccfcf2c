"""Repeats whose number of copies is a symbol: their costs as closed forms of that number.

A copy depends on the sizes of the tensors that it reads, and on nothing else that changes. So two things can be proved.

* If a copy leaves all sizes as it met them, every later copy costs the same, and the total grows with their number.
* If a copy adds the same number to a size each time, as the layers of a DenseNet do, the body is run on the sizes of
  copy ``i``, a symbol. If it leaves the sizes of copy ``i + 1``, this holds for all copies, by induction. If moreover
  every count is a polynomial in ``i``, the total is one in the number of copies. A polynomial of degree ``d`` is known
  from ``d + 1`` of its values: so many copies are in the graph, and each of them counts as often as the sum needs.

Every other repeat is refused with the reason. The first copy is always a copy of its own, since it may have other
arguments, and since it may read what needs no gradient.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial
from typing import TYPE_CHECKING, Any, Protocol

from convcost.errors import ConvcostError
from convcost.layers.window import show
from convcost.network.graph import Series, Tensor
from convcost.numbers import assumptions
from convcost.numbers.arithmetic import normal, provably
from convcost.numbers.decisions import settled, unsettled
from convcost.numbers.polynomial import Symbol, constant_of, expanded, over_common, powers_of, symbols_in, total
from convcost.numbers.printing import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from convcost.layers.base import Shape
    from convcost.network.graph import Builder, Node
    from convcost.numbers.arithmetic import Num
    from convcost.numbers.assumptions import Session

MOST_APART = 4  # copies that may differ from those after them
_INDICES = ("i", "j", "l", "m", "p", "q")
_STEPS_BACK = "a copy reads tensors of the copies before the last one"

State = dict[str, "Shape"]  # the sizes of the tensors that a copy can read, by name


class Refused(ConvcostError):  # noqa: N818 - the caller makes an error of it, with the place
    """The costs of a repeat have no closed form in the number of its copies, as far as is proved here."""


class Chain(Protocol):
    """The copies of one step, as the interpreter runs them."""

    builder: Builder

    def copy(self, tensor: Tensor, *, first: bool) -> Tensor:
        """Run one more copy on ``tensor``."""

    def tensors(self) -> dict[str, Tensor]:
        """The named tensors that a copy can read."""

    def rename(self, tensors: Mapping[str, Tensor]) -> None:
        """Let these names mean other tensors."""

    def carry(self, tensor: Tensor, shape: Shape) -> Tensor:
        """The tensor of this shape that the last of all copies makes in place of ``tensor``."""

    def scratch(self) -> AbstractContextManager[None]:
        """A context whose end undoes what was run in it."""

    def spent(self) -> tuple[Num, ...]:
        """What the run has spent of its limits."""

    def spend(self, more: Sequence[Num]) -> None:
        """Note that the copies which are not run would spend this in addition."""

    def forget(self, start: int) -> None:
        """Repeat no block from memory whose layers begin at the node ``start`` or later."""


def run(chain: Chain, copies: Num, tensor: Tensor) -> Tensor:
    """Run as many copies as their costs are known from, at least one, and let them count for all ``copies``.

    Args:
        chain: the step.
        copies: an expression of symbols that is at least 1.
        tensor: what the first copy reads.

    Returns:
        The tensor that the last copy makes.

    Raises:
        Refused: nothing is proved about the costs of all copies.
        Unsettled: whether there is a second copy decides what is assumed.
    """
    nodes = chain.builder.nodes
    outside = len(nodes)
    tensor = chain.copy(tensor, first=True)
    steps = ""
    for number in range(2, MOST_APART + 2):
        certain = settled(">=", *at_least(copies, number))
        if certain is False:
            return tensor
        copy = _Copy(chain, copies, number, outside, tensor, certain=certain is True)
        if copy.keeps:
            return copy.repeated()
        steps = f"{show(copy.entering['x'])} becomes {show(copy.leaving['x'])} in copy {number}"
        if copy.grows:
            return copy.grown()
        tensor = copy.result
    raise Refused(f"sizes neither stay nor grow by the same number each time: {steps}")


def at_least(copies: Num, number: int) -> tuple[Num, Num]:
    """Two sides whose order is that of ``copies`` and ``number``, without fractions.

    >>> at_least((Symbol("depth") - 2) / 6, 1)
    (depth, 8)
    """
    top, _ = over_common(copies - number)
    constant = constant_of(top)
    return top - constant, -constant


class _Copy:
    """One copy that was run: whether it is the first of copies that are all alike, or all grow alike.

    Attributes:
        entering, leaving: sizes of the tensors that can be read before and after it.
        result: what it makes.
    """

    def __init__(self, chain: Chain, copies: Num, number: int, outside: int, tensor: Tensor, *, certain: bool) -> None:
        session: Any = assumptions.current()
        self._chain, self._session, self._outside, self._tensor = chain, session, outside, tensor
        self._copies, self._number, self._certain = copies, number, certain
        self._before = _noted(session)
        self._spent = chain.spent()
        self._start = len(chain.builder.nodes)
        self.entering = _state(chain, tensor)
        try:
            self.result = chain.copy(tensor, first=False)
        except ConvcostError:
            self._need_copy(at_all=True)
            raise
        self.leaving = _state(chain, self.result)
        self._end = len(chain.builder.nodes)
        self._cost = _minus(chain.spent(), self._spent)
        self._check_reads(self._start, tensor)
        self._need_copy()

    @property
    def _rest(self) -> Num:
        """How many copies there are from this one on."""
        return normal(self._copies - (self._number - 1))

    def _need_copy(self, *, at_all: bool = False) -> None:
        """Ask whether this copy exists, if what was assumed depends on it."""
        if not self._certain and (at_all or _noted(self._session) != self._before):
            raise unsettled(">=", *at_least(self._copies, self._number))

    def _check_reads(self, start: int, tensor: Tensor) -> None:
        for node in self._chain.builder.nodes[start:]:
            for index, _ in node.inputs:
                if index < start and index != tensor.node and index >= self._outside:
                    raise Refused(_STEPS_BACK)

    @property
    def keeps(self) -> bool:
        """Whether it leaves all sizes as they were."""
        return _alike(self.entering, self.leaving)

    @property
    def grows(self) -> bool:
        """Whether sizes change by numbers that could be the same each time."""
        return self.entering.keys() == self.leaving.keys() and all(
            len(shape) == len(self.leaving[name]) for name, shape in self.entering.items()
        )

    def repeated(self) -> Tensor:
        """Let this copy count for those after it too."""
        self._weigh([self._rest])
        return self.result

    def _weigh(self, weights: Sequence[Num]) -> None:
        nodes, size = self._chain.builder.nodes, self._end - self._start
        counts = tuple([node.count for node in nodes[self._start : self._end]])
        for sample, weight in enumerate(weights):
            first = self._start + sample * size
            for node in nodes[first : first + size]:
                node.count = node.count * weight
        self._chain.forget(self._start)
        self._chain.spend([each * (self._rest - len(weights)) for each in self._cost])
        entering, leaving = self._tensor.node, self.result.node
        series = Series(self._start, size, len(weights), self._rest, entering, leaving, counts)
        self._chain.builder.series.append(series)

    def grown(self) -> Tensor:
        """Let this copy and some after it count for all of them."""
        chain, builder = self._chain, self._chain.builder
        index = _index(self._session)
        nodes = self._at_index(index)
        degree = max([_degree(node, index) for node in nodes] + [_elements(self._sizes(index)["x"], index)])
        tensor = self.result
        noted = _noted(self._session)
        for sample in range(1, degree + 1):
            start = len(builder.nodes)
            before, tensor = tensor, chain.copy(tensor, first=False)
            self._check_reads(start, before)
            if not _alike(_state(chain, tensor), self._sizes(sample + 1)) or _noted(self._session) != noted:
                raise Refused("what is assumed differs from copy to copy")
        self._need_copy()
        self._weigh(_sums(self._rest, degree))
        builder.series[-1] = builder.series[-1]._replace(
            index=index, shapes=tuple((node.input, node.shape) for node in nodes)
        )
        return self._carried(tensor)

    def _sizes(self, times: Num) -> State:
        """The sizes after so many copies from this one on, as far as they grow in the same way."""
        return {
            name: tuple(
                normal(size + times * (other - size)) for size, other in zip(shape, self.leaving[name], strict=True)
            )
            for name, shape in self.entering.items()
        }

    def _at_index(self, index: Any) -> tuple[Node, ...]:
        """The layers of the copy ``index``, counted from this one; they are not in the graph."""
        chain, session = self._chain, self._session
        inner = assumptions.Session({**session.witness, index: 1}, {**session.forced, **session.answers})
        own = chain.builder.nodes[self._start : self._end]
        with chain.scratch(), assumptions.assuming(inner):
            start = len(chain.builder.nodes)
            sizes = self._sizes(index - 1)
            chain.rename({name: Tensor(old.node, sizes[name]) for name, old in chain.tensors().items()})
            result = chain.copy(Tensor(self._tensor.node, sizes["x"]), first=False)
            reached = _state(chain, result)
            nodes = tuple(chain.builder.nodes[start:])
        if not _alike(reached, self._sizes(index)):
            grown = f"{show(self.entering['x'])}, {show(self.leaving['x'])}, ..."
            raise Refused(f"sizes do not grow by the same number each time: {grown}")
        for asked, symbols in _conditions(inner):
            if index in symbols:
                raise Refused(f"{asked} depends on the copy {index} = 1, 2, ...")
        if [node.kind for node in nodes] != [node.kind for node in own]:
            raise Refused("the copies do not have the same layers")
        for condition in inner.assumptions.values():
            session.assume(condition)
        for symbol, least in inner.least.items():
            session.least[symbol] = max(session.least.get(symbol, least), least)
        session.answers |= inner.answers
        return nodes

    def _carried(self, last: Tensor) -> Tensor:
        """What the last of all copies makes, in place of what the last one in the graph makes."""
        chain, sizes = self._chain, self._sizes(self._rest)
        carried: dict[int, Tensor] = {}

        def at_the_end(tensor: Tensor, shape: Shape) -> Tensor:
            if _same(tensor.shape, shape):
                return tensor
            if tensor.node not in carried:
                carried[tensor.node] = chain.carry(tensor, shape)
            return carried[tensor.node]

        chain.rename({name: at_the_end(tensor, sizes[name]) for name, tensor in chain.tensors().items()})
        return at_the_end(last, sizes["x"])


def _noted(session: Session) -> tuple[Any, ...]:
    return len(session.assumptions), len(session.answers), dict(session.least)


def _state(chain: Chain, tensor: Tensor) -> State:
    return {**{name: each.shape for name, each in chain.tensors().items()}, "x": tensor.shape}


def _alike(a: State, b: State) -> bool:
    return a.keys() == b.keys() and all(_same(shape, b[name]) for name, shape in a.items())


def _same(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(map(provably, a, b))


def _minus(a: Iterable[Num], b: Iterable[Num]) -> list[Num]:
    return [left - right for left, right in zip(a, b, strict=True)]


def _index(session: Session) -> Any:
    """A symbol for the number of a copy, which is no other name of the run."""
    taken = {symbol.name for symbol in session.witness}
    return Symbol(next(name for name in (*_INDICES, *map("i{}".format, range(len(taken) + 1))) if name not in taken))


def _conditions(session: Session) -> Iterator[tuple[str, Iterable[Any]]]:
    """Everything that a session noted: as text, with the symbols in it."""
    for condition in session.assumptions.values():
        yield f"whether {condition.text}", condition.symbols
    for relation, difference in session.answers:
        yield f"whether {text(difference)} {relation} 0", symbols_in(difference)
    for symbol, least in session.least.items():
        yield f"whether {symbol} >= {least}", (symbol,)


def _degree(node: Node, index: Any) -> int:
    """The degree in ``index`` of everything that a layer counts, its copies included."""
    counts = [_power(count, index) for count in node.work.as_dict().values()]
    return _power(node.count, index) + max(*counts, _elements(node.input, index), _elements(node.shape, index))


def _elements(shape: Shape, index: Any) -> int:
    return sum(_power(size, index) for size in shape)


def _power(value: Num, index: Any) -> int:
    if index not in symbols_in(value):
        return 0
    powers = powers_of(expanded(value), index)
    if min(powers) < 0 or any(index in symbols_in(coefficient) for coefficient in powers.values()):
        raise Refused(f"the copy {index} = 1, 2, ... counts {text(value)}, which is no polynomial")
    return max(powers)


def _sums(copies: Num, degree: int) -> list[Num]:
    """How often each of the first ``degree + 1`` of some copies counts.

    The sum of a polynomial p of this degree over the copies 0 ... n - 1 is the sum of its differences at 0, the i-th
    times n over i + 1 (Newton); each difference is a sum of values of p.

    >>> _sums(5, 0), _sums(5, 1)
    ([5], [-5, 10])
    """
    differences: list[Num] = []
    product: Num = 1
    for order in range(degree + 1):
        product = product * (copies - order)
        differences.append(normal(product * Fraction(1, factorial(order + 1))))
    return [
        normal(
            total(
                (-1) ** (order - sample) * comb(order, sample) * differences[order]
                for order in range(sample, degree + 1)
            )
        )
        for sample in range(degree + 1)
    ]
