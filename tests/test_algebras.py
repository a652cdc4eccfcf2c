"""Every layer gives the same counts over ints, over symbols and over arrays: the registry decides what is tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import layers

from convcost.errors import ShapeError, UnsupportedError
from convcost.layers import REGISTRY
from convcost.numbers.assumptions import Session, assuming
from convcost.numbers.polynomial import Symbol
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convcost.layers.base import Work

_KEPT = ("flag", "word", "number", "axis", "axis_list")  # types that shape the layer rather than its sizes


def infer(key: str, values: dict[str, Any], x: Any) -> tuple[tuple[Any, ...], Work]:
    layer = REGISTRY[key](**values)
    y = layer.shape(x)
    return y, layer.work(x, y)


class Symbols:
    """Replaces ints by symbols and remembers which int each stands for."""

    def __init__(self) -> None:
        self.witness: dict[Any, int] = {}

    def of(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(map(self.of, value))
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            return value
        symbol = Symbol(f"s{len(self.witness)}")
        self.witness[symbol] = value
        return symbol


def sizes(x: Any, make: Any) -> Any:
    """``x`` with every size made anew; how often an operand stands for itself stays a number."""
    if x and isinstance(x[0], tuple):
        return tuple((tuple(map(make, shape)), times) for shape, times in x)
    return tuple(map(make, x))


def pairs(y: tuple[Any, ...], work: Work) -> Iterator[tuple[str, Any]]:
    yield from ((f"y[{index}]", size) for index, size in enumerate(y))
    yield from work.as_dict().items()


@pytest.mark.parametrize("key", REGISTRY)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_symbols_agree_with_ints(key: str, data: st.DataObject) -> None:
    values, x = data.draw(layers(key))
    try:
        y, work = infer(key, values, x)
    except ShapeError:
        assume(False)
    symbols = Symbols()
    shared: dict[Any, Any] = {}

    def symbol(size: int) -> Any:  # sizes that must agree between operands are one symbol
        if not (x and isinstance(x[0], tuple)) or size == 1:
            return symbols.of(size) if size != 1 else 1
        return shared.setdefault(size, symbols.of(size) if size not in shared else None)

    fields = REGISTRY[key].fields
    named = {name: value if fields[name].type in _KEPT else symbols.of(value) for name, value in values.items()}
    drawn = sizes(x, symbol)
    with assuming(Session(symbols.witness)):
        made = dict(pairs(*infer(key, named, drawn)))
    for name, expected in pairs(y, work):
        assert evaluate(made[name], symbols.witness) == expected, name


@pytest.mark.parametrize("key", REGISTRY)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_arrays_agree_with_ints(key: str, data: st.DataObject) -> None:
    values, x = data.draw(layers(key))
    grown = [sizes(x, lambda size, by=by: size * by if size > 1 else 1) for by in (1, 2, 3)]
    if key == "reshape":
        values["to"] = [x[0]] if len(x) == 1 else [x[0], int(np.prod(x[1:]))]
        grown = [x, x, x]
    try:
        expected = [dict(pairs(*infer(key, values, one))) for one in grown]
    except ShapeError:
        assume(False)
    if x and isinstance(x[0], tuple):
        stacked: Any = tuple(
            (tuple(np.array(column) if set(column) != {1} else 1 for column in zip(*shapes, strict=True)), times)
            for shapes, times in zip(
                zip(*[[shape for shape, _ in one] for one in grown], strict=True), [t for _, t in x], strict=True
            )
        )
    else:
        stacked = tuple(np.array(column) if set(column) != {1} else 1 for column in zip(*grown, strict=True))
    try:
        made = dict(pairs(*infer(key, values, stacked)))
    except UnsupportedError:  # the structure differs between the points, which one rule cannot give at once
        assume(False)
    for name in expected[0]:
        column = np.broadcast_to(made[name], 3)
        assert [int(value) for value in column] == [point[name] for point in expected], name
