"""Kernels as functions of Python: on whole numbers, and on numpy arrays.

A function is made as a syntax tree of the few node types below, with names of its own (``v0``, ``v1``, ...) and whole
numbers as the only constants. No text of a file is in it.
"""

from __future__ import annotations

import ast
from functools import reduce
from math import gcd
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

from convcost.codegen.kernel import UNIT, scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from convcost.codegen.kernel import Check, Guard, Kernel, Line, Monomial, Polynomial

_COMPARED: Mapping[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
}
_ADD, _MULT, _FLOORDIV, _MOD, _RSHIFT = ast.Add(), ast.Mult(), ast.FloorDiv(), ast.Mod(), ast.RShift()
_BITAND, _BITOR, _NOT, _LOAD, _STORE = ast.BitAnd(), ast.BitOr(), ast.Not(), ast.Load(), ast.Store()
_NUMBERS: Mapping[str, Any] = {"gcd": gcd, "maximum": max, "minimum": min}


def on_numbers(kernel: Kernel) -> Callable[..., Any]:
    """A function of whole numbers, of at least 1.

    Returns:
        A function that returns the tops and bottoms of the outputs as one tuple (bottoms that are 1 are left out), and
        None where a guard does not hold. It may divide by zero where no network exists.
    """
    return _made(tree(kernel, arrays=False), _NUMBERS)


def on_arrays(kernel: Kernel, names: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """A function of arrays of whole numbers.

    Args:
        kernel: what to compute.
        names: ``gcd``, ``maximum`` and ``minimum`` of two and more arrays; those of numpy where not given.

    Returns:
        A function that returns where the network has this structure, where it has what the structure needs, and then
        what :func:`on_numbers` returns.
    """
    return _made(tree(kernel, arrays=True), _of_numpy() if names is None else names)


def _of_numpy() -> Mapping[str, Any]:
    import numpy as np  # noqa: PLC0415 - numbers alone do not load it

    return {
        "gcd": np.gcd,
        "maximum": lambda *values: reduce(np.maximum, values),
        "minimum": lambda *values: reduce(np.minimum, values),
    }


def tree(kernel: Kernel, *, arrays: bool) -> ast.FunctionDef:
    """The function of a kernel as a syntax tree.

    Args:
        kernel: what to compute.
        arrays: whether it is of arrays.
    """
    parameters = ast.arguments(
        posonlyargs=[],
        args=[_placed(ast.arg(_name(slot))) for slot in range(kernel.arguments)],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    function = ast.FunctionDef("kernel", parameters, _Body(kernel, arrays=arrays).statements, [])
    return _placed(function)


def _made(function: ast.FunctionDef, names: Mapping[str, Any]) -> Callable[..., Any]:
    """The function of a tree, in which ``names`` are known and nothing else."""
    module = ast.Module([function], [])
    # Safe: the tree has only the nodes that this file makes, with its own names and whole numbers.
    code = compile(module, "<convcost>", "exec")
    (own,) = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return FunctionType(own, {"__builtins__": {}, **names})


class _Body:
    """The statements of the function of a kernel."""

    def __init__(self, kernel: Kernel, *, arrays: bool) -> None:
        self._kernel = kernel
        self._arrays = arrays
        self.statements: list[ast.stmt] = []
        self._named: dict[tuple[tuple[Monomial, int], ...], str] = {}
        self._squares = _repeated_squares(kernel)
        for slot in range(kernel.arguments):
            self._square(slot)
        for number, line in enumerate(kernel.lines):
            slot = kernel.arguments + number
            self._assign(_name(slot), self._line(line))
            self._square(slot)
        if arrays:
            sides = [[guard for guard in kernel.guards if guard.structural is side] for side in (True, False)]
            masks = [_all(map(self._guard, guards)) for guards in sides]
            self.statements.append(_placed(ast.Return(_tuple([*masks, *self._outputs()]))))
        else:
            for guard in kernel.guards:
                refused: list[ast.stmt] = [_placed(ast.Return(_placed(ast.Constant(None))))]
                self.statements.append(_placed(ast.If(_placed(ast.UnaryOp(_NOT, self._guard(guard))), refused, [])))
            self.statements.append(_placed(ast.Return(_tuple(self._outputs()))))

    # --- statements ---

    def _assign(self, name: str, value: ast.expr) -> None:
        self.statements.append(_assigned(name, value))

    def _square(self, slot: int) -> None:
        if slot in self._squares:
            self._assign(f"s{slot}", _times(_load(_name(slot)), _load(_name(slot))))

    def _shared(self, polynomial: Polynomial) -> ast.expr:
        """A polynomial that several lines need: a name for it, unless it is a number."""
        if set(polynomial) <= {()}:
            return _whole(polynomial.get((), 0))
        key = tuple(polynomial.items())
        if key not in self._named:
            self._named[key] = f"t{len(self._named)}"
            self._assign(self._named[key], self._polynomial(polynomial))
        return _load(self._named[key])

    def _line(self, line: Line) -> ast.expr:
        if line.operation == "floor_div":
            top, bottom = line.arguments
            places = _places(bottom)
            if places is not None:
                return _placed(ast.BinOp(self._polynomial(top), _RSHIFT, _whole(places)))
            return _floor(self._polynomial(top), self._polynomial(bottom))
        if line.operation == "make_divisible":
            return self._make_divisible(*line.arguments)
        if line.operation == "round_even":
            return self._round_even(*line.arguments)
        return _call(line.operation, *map(self._polynomial, line.arguments))

    def _make_divisible(self, top: Polynomial, bottom: Polynomial, step: Polynomial) -> ast.expr:
        """See :func:`convcost.numbers.arithmetic.make_divisible`; here of the fraction ``top / bottom``."""
        size = step[()]
        above = _plus(self._polynomial(scaled(top, 2)), self._shared(scaled(bottom, size)))
        self._assign("near", _times(_floor(above, self._shared(scaled(bottom, 2 * size))), _whole(size)))
        tenfold = self._shared(scaled(bottom, 10))
        short = _compare("<", _times(_load("near"), tenfold), self._polynomial(scaled(top, 9)))
        larger = _assigned("near", self._larger("near", size))
        if self._arrays:
            self.statements.append(larger)
            return _plus(_load("near"), _times(_whole(size), short))
        # the nearest multiple is at most half a step away: beyond five steps that is less than 10 %
        raised = _assigned("near", _placed(ast.IfExp(short, _plus(_load("near"), _whole(size)), _load("near"))))
        few = _compare("<=", _load("near"), _whole(5 * size))
        self.statements.append(_placed(ast.If(few, [larger, raised], [])))
        return _load("near")

    def _larger(self, name: str, number: int) -> ast.expr:
        if self._arrays:
            return _call("maximum", _load(name), _whole(number))
        return _placed(ast.IfExp(_compare(">", _load(name), _whole(number)), _load(name), _whole(number)))

    def _round_even(self, top: Polynomial, bottom: Polynomial) -> ast.expr:
        """The floor of the fraction and a half, and one less at a tie that makes it odd."""
        self._assign("above", _plus(self._polynomial(scaled(top, 2)), self._shared(bottom)))
        self._assign("near", _floor(_load("above"), self._shared(scaled(bottom, 2))))
        tie = _compare("==", _rest(_load("above"), self._shared(scaled(bottom, 2))), _whole(0))
        odd = _compare("==", _rest(_load("near"), _whole(2)), _whole(1))
        return _plus(_load("near"), _times(_whole(-1), _and(tie, odd)))

    def _outputs(self) -> Iterator[ast.expr]:
        for top, bottom in self._kernel.outputs.values():
            yield self._polynomial(top)
            if bottom != UNIT:
                yield self._polynomial(bottom)

    # --- conditions ---

    def _guard(self, guard: Guard) -> ast.expr:
        return _balanced(_or, [_all(map(self._test, tests)) for tests in guard.alternatives])

    def _test(self, test: Check) -> ast.expr:
        if test.relation == "divides":
            rest = _rest(self._polynomial(test.polynomial), self._polynomial(test.divisor))
            return _compare("==", rest, _whole(0))
        terms = test.polynomial.items()
        above = {monomial: coefficient for monomial, coefficient in terms if coefficient > 0}
        below = {monomial: -coefficient for monomial, coefficient in terms if coefficient < 0}
        return _compare(test.relation, self._polynomial(above), self._polynomial(below))

    # --- polynomials ---

    def _polynomial(self, polynomial: Polynomial) -> ast.expr:
        """A polynomial with the slot that occurs most often taken out of its terms, and so on."""
        rest = {monomial: coefficient for monomial, coefficient in polynomial.items() if coefficient}
        parts: list[ast.expr] = []
        while True:
            uses: dict[int, int] = {}
            for monomial in rest:
                for slot, _ in monomial:
                    uses[slot] = uses.get(slot, 0) + 1
            often = max(uses, key=lambda slot: (uses[slot], slot), default=None)
            if often is None or uses[often] == 1:
                break
            using = {monomial: dict(monomial) for monomial in rest if any(slot == often for slot, _ in monomial)}
            power = min(powers[often] for powers in using.values())
            inner = {_without(powers, often, power): rest.pop(monomial) for monomial, powers in using.items()}
            parts.append(_times(*self._power(often, power), self._polynomial(inner)))
        parts += [self._term(monomial, coefficient) for monomial, coefficient in rest.items()]
        return _balanced(_plus, parts or [_whole(0)])

    def _term(self, monomial: Monomial, coefficient: int) -> ast.expr:
        factors = [factor for slot, power in monomial for factor in self._power(slot, power)]
        return _times(*([] if coefficient == 1 and factors else [_whole(coefficient)]), *factors)

    def _power(self, slot: int, power: int) -> list[ast.expr]:
        squares = power // 2 if slot in self._squares else 0
        return [*(_load(f"s{slot}") for _ in range(squares)), *(_load(_name(slot)) for _ in range(power - 2 * squares))]


def _places(bottom: Polynomial) -> int | None:
    """The power of two that a bottom is: a shift is the same floor, and many times faster on arrays."""
    number = bottom.get((), 0) if set(bottom) <= {()} else 0
    return number.bit_length() - 1 if number > 0 and number & (number - 1) == 0 else None


def _repeated_squares(kernel: Kernel) -> set[int]:
    """The slots whose square is a factor of more than one term."""
    polynomials = [part for line in kernel.lines for part in line.arguments]
    polynomials += [part for fraction in kernel.outputs.values() for part in fraction]
    counts: dict[int, int] = {}
    for polynomial in polynomials:
        for monomial in polynomial:
            for slot, power in monomial:
                if power > 1:
                    counts[slot] = counts.get(slot, 0) + 1
    return {slot for slot, count in counts.items() if count > 1}


def _without(powers: Mapping[int, int], slot: int, power: int) -> Monomial:
    return tuple(
        (own, exponent - power * (own == slot)) for own, exponent in powers.items() if own != slot or exponent > power
    )


# --- nodes ---

_Node = TypeVar("_Node", bound=ast.expr | ast.stmt | ast.arg)


def _placed(node: _Node) -> _Node:
    """A node with a line and a column, which every node must have; to add them at last takes as long as compiling."""
    node.lineno = 1
    node.col_offset = 0
    return node


def _all(conditions: Iterable[ast.expr]) -> ast.expr:
    return _balanced(_and, list(conditions) or [_placed(ast.Constant(True))])  # noqa: FBT003


def _balanced(join: Callable[[ast.expr, ast.expr], ast.expr], parts: Sequence[ast.expr]) -> ast.expr:
    """``parts`` joined two by two, so that the tree of a long sum is not deep."""
    row = list(parts)
    while len(row) > 1:
        pairs = [join(a, b) for a, b in zip(row[::2], row[1::2], strict=False)]
        row = [*pairs, *row[len(pairs) * 2 :]]
    return row[0]


def _and(a: ast.expr, b: ast.expr) -> ast.expr:
    return _placed(ast.BinOp(a, _BITAND, b))


def _or(a: ast.expr, b: ast.expr) -> ast.expr:
    return _placed(ast.BinOp(a, _BITOR, b))


def _plus(a: ast.expr, b: ast.expr) -> ast.expr:
    return _placed(ast.BinOp(a, _ADD, b))


def _times(*factors: ast.expr) -> ast.expr:
    product, *others = factors
    for factor in others:
        product = _placed(ast.BinOp(product, _MULT, factor))
    return product


def _floor(a: ast.expr, b: ast.expr) -> ast.expr:
    return _placed(ast.BinOp(a, _FLOORDIV, b))


def _rest(a: ast.expr, b: ast.expr) -> ast.expr:
    return _placed(ast.BinOp(a, _MOD, b))


def _compare(relation: str, a: ast.expr, b: ast.expr) -> ast.expr:
    return _placed(ast.Compare(a, [_COMPARED[relation]()], [b]))


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return _placed(ast.Call(_load(name), list(arguments), []))


def _tuple(parts: Iterable[ast.expr]) -> ast.expr:
    return _placed(ast.Tuple(list(parts), _LOAD))


def _assigned(name: str, value: ast.expr) -> ast.stmt:
    return _placed(ast.Assign([_placed(ast.Name(name, _STORE))], value))


def _load(name: str) -> ast.expr:
    return _placed(ast.Name(name, _LOAD))


def _whole(number: int) -> ast.expr:
    return _placed(ast.Constant(number))


def _name(slot: int) -> str:
    return f"v{slot}"
