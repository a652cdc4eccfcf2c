"""Compiled networks give what ``analyze`` gives, and their code is made of nothing but arithmetic."""

from __future__ import annotations

import ast
import random
import re
import sys
from fractions import Fraction
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import sampled
from exactness import drawn, free_sets, repaired
from hypothesis import example, given, settings
from hypothesis import strategies as st

import convcost
from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.codegen.kernel import UNIT, Check, Guard, Kernel, Line
from convcost.compiled import bounds, emit
from convcost.compiled.arrays import Column
from convcost.compiled.factored import factored
from convcost.compiled.network import LARGEST_ARGUMENT
from convcost.compiled.tables import parted
from convcost.errors import ConvcostError, UsageError
from convcost.formulas.closed import formula
from convcost.numbers import arithmetic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from convcost.codegen.kernel import Polynomial
    from convcost.language.model import Spec

QUANTITIES = ("params", "macs", "flops", "peak", "bytes")


# --- equal to `analyze` ---


def counted(name: str, values: Mapping[str, Any]) -> dict[str, Any] | str:
    """The metrics that ``analyze`` gives, or its error."""
    try:
        analysis = convcost.analyze((name, values))
        return {key: analysis.value(key) for key in QUANTITIES}
    except ConvcostError as error:
        return str(error)


def called(function: Any, values: Mapping[str, Any]) -> dict[str, Any] | str:
    try:
        result: dict[str, Any] = function(**values)
    except ConvcostError as error:
        return str(error)
    return result


def selections(spec: Spec) -> dict[str, tuple[Any, ...]]:
    """The values of the parameters that select a structure."""
    return {
        name: (True, False) if parameter.type == "switch" else tuple(parameter.choices)
        for name, parameter in spec.parameters.items()
        if parameter.type == "switch" or parameter.choices
    }


def points(spec: Spec, count: int) -> Iterator[dict[str, Any]]:
    """Random values of everything that can be free or selected; half of them moved to where divisibilities hold."""
    generator = random.Random(spec.name)  # noqa: S311 - repeatable, not secret
    free = free_sets(spec)[-1]
    symbolic = formula(spec, free)
    selected = selections(spec)
    for attempt in range(count):
        values = drawn(symbolic, generator)
        values = repaired(symbolic, values, generator) if attempt % 2 else values
        if attempt % 7 == 6 and free:
            values[generator.choice(free)] *= 10**6  # beyond 64 bits
        yield {**values, **{name: generator.choice(choices) for name, choices in selected.items()}}


@pytest.mark.parametrize("name", sampled(bundled_names(), 31))
def test_a_call_equals_analyze(name: str) -> None:
    spec = Catalogue().target(name)
    listed = [*points(spec, 8)]
    function = convcost.compile(name, list(listed[0]), QUANTITIES)
    for values in listed:
        assert called(function, values) == counted(name, values), values


@pytest.mark.parametrize(
    ("name", "size"), [("resnet50", (32, 700)), ("mobilenet_v2", (1, 300)), ("shufflenet_v1", (8, 9))]
)
def test_arrays_equal_analyze(name: str, size: tuple[int, int]) -> None:
    generator = np.random.default_rng(7)
    values: dict[str, Any] = {"size": generator.integers(*size, 400)}
    values |= {"alpha": generator.integers(1, 200, 400) / 100} if name == "mobilenet_v2" else {}
    values |= {"g": generator.choice([1, 2, 3, 4, 8], 400)} if name == "shufflenet_v1" else {}
    result = convcost.compile(name, list(values), [*QUANTITIES, "intensity"])(**values)
    for point in generator.integers(0, 400, 25):
        own = {key: column[point].item() for key, column in values.items()}
        analysis = convcost.analyze(name, **own)
        for key in QUANTITIES:
            assert result[key][point] == analysis.value(key), (own, key)
        assert result["intensity"][point] == pytest.approx(float(analysis.value("intensity")), rel=1e-15)


def test_arrays_beyond_64_bits_are_exact() -> None:
    sizes = np.array([224, 4_000_000_000, 2**32 + 5, 10**12])
    function = convcost.compile("resnet50", ["size"], ["macs"])
    result = function(sizes)["macs"]
    assert result.tolist() == [convcost.analyze("resnet50", size=int(size)).totals.macs for size in sizes]
    assert result[3] > 2**63
    assert len(function.forms) == 1


def test_the_first_point_without_a_network_is_refused_as_analyze_refuses_it() -> None:
    for name, values in [
        ("mobilenet_v2", [224, 0, 7]),
        ("inception_v4", [300, 74, 20]),
        ("inception_v4", [20, 20, 20]),
    ]:
        wrong = next(size for size in values if size < 75 and isinstance(counted(name, {"size": size}), str))
        with pytest.raises(ConvcostError) as raised:
            convcost.compile(name, ["size"])(np.array(values))
        assert str(raised.value) == counted(name, {"size": wrong})


def test_metrics_without_a_closed_form_are_counted_at_every_point() -> None:
    function = convcost.compile("mobilenet_v2", ["size"], ["macs", "time", "field"], device="raspberry_pi_4")
    assert function.closed == ("macs",)
    for size in (224, 160):
        analysis = convcost.analyze("mobilenet_v2", size=size, device="raspberry_pi_4")
        assert function(size) == {key: analysis.value(key) for key in ("macs", "time", "field")}
    many = function(np.array([160, 224]))
    assert many["time"].tolist() == [float(function(size)["time"]) for size in (160, 224)]
    assert many["field"].tolist() == [function(size)["field"] for size in (160, 224)]


def test_context_and_convention_are_those_of_analyze() -> None:
    context = {"batch": 3, "dtype": "int4", "weights_dtype": "int8", "fused": False, "convention": "fvcore"}
    keys = ("reported", "peak", "live", "bytes", "size", "macs")
    function = convcost.compile("mobilenet_v1", ["alpha", "rho"], keys, **context)
    for alpha, rho in [(1, 1), (0.5, Fraction(4, 7)), (0.33, 0.9)]:
        analysis = convcost.analyze("mobilenet_v1", alpha=alpha, rho=rho, **context)
        assert function(alpha, rho) == {key: analysis.value(key) for key in keys}


def test_a_structure_is_compiled_once() -> None:
    function = convcost.compile("mobilenet_v2", ["alpha", "size"])
    for alpha in (1, 0.75, 1.4):
        function(alpha, 224)
    assert len(function.forms) == 1
    function(0.1, 224)  # some widths are equal there
    assert len(function.forms) == 2


def test_arguments_are_checked() -> None:
    function = convcost.compile("mobilenet_v2", ["alpha", "size"])
    assert function(1, size=224) == function(size=224, alpha=1.0)
    for arguments, named, words in [
        ((1,), {}, "`size` is missing"),
        ((1, 2, 3), {}, "found 3 values"),
        ((1,), {"alpha": 1}, "`alpha` is given twice"),
        ((), {"alpha": 1, "sise": 224}, "did you mean 'size'"),
        ((1, np.array([[1, 2], [3, 4]])), {"beta": 1}, "no argument is called 'beta'"),
        ((np.array([1, 2]), np.array([1, 2, 3])), {}, "different shapes"),
    ]:
        with pytest.raises(UsageError, match=re.escape(words)):
            function(*arguments, **named)
    for names, values, words in [
        (["alfa"], {}, "no parameter 'alfa'"),
        (["alpha", "alpha"], {}, "`alpha` is given twice"),
        (["alpha"], {"alpha": 1}, "`alpha` is given twice"),
    ]:
        with pytest.raises(UsageError, match=re.escape(words)):
            convcost.compile("mobilenet_v2", names, **values)
    with pytest.raises(UsageError, match="no metric is called 'mac'"):
        convcost.compile("mobilenet_v2", ["alpha"], ["mac"])


def test_a_backend_that_is_not_there_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(UsageError, match=re.escape("pip install 'convcost[numba]'")):
        convcost.compile("resnet50", ["size"], backend="numba")
    with pytest.raises(UsageError, match="did you mean 'numba'"):
        convcost.compile("resnet50", ["size"], backend="numbs")


def test_values_of_the_wrong_kind_are_refused_as_analyze_refuses_them() -> None:
    function = convcost.compile("mobilenet_v2", ["alpha", "size"], QUANTITIES)
    function(1, 224)
    for values in [
        {"alpha": True, "size": 224},
        {"alpha": 0, "size": 224},
        {"alpha": -1.5, "size": 224},
        {"alpha": "wide", "size": 224},
        {"alpha": 1, "size": 22.5},
        {"alpha": 1, "size": None},
        {"alpha": 1, "size": True},
    ]:
        result = called(function, values)
        assert isinstance(result, str)
        assert result == counted("mobilenet_v2", values)


def test_hostile_names_never_reach_the_code(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        "{parameters: {near: 8, gcd: 2, v0: 3, kernel: 1, print: 7}, input: ['v0', 'print', 'print'], "
        "layers: [conv: {out: 'near * gcd', kernel: 'kernel'}]}"
    )
    names = ["near", "gcd", "v0", "kernel", "print"]
    function = convcost.compile(path, names, ["params", "macs"])
    for values in [(8, 2, 3, 1, 7), (5, 7, 2, 3, 9)]:
        analysis = convcost.analyze(path, **dict(zip(names, values, strict=True)))
        assert function(*values) == {"params": analysis.totals.params, "macs": analysis.totals.macs}


# --- code and bounds ---

SLOTS = 3
COEFFICIENTS = st.integers(-40, 40)


def polynomials(slots: int) -> st.SearchStrategy[Polynomial]:
    powers = st.dictionaries(st.integers(0, slots - 1), st.integers(1, 3), max_size=2)
    monomials = powers.map(lambda powers: tuple(sorted(powers.items())))
    return st.dictionaries(monomials, COEFFICIENTS, max_size=4)


@st.composite
def kernels(draw: st.DrawFn) -> Kernel:
    """Random kernels, whose bottoms are at least 1."""
    lines = []
    for number in range(draw(st.integers(0, 4))):
        slots = SLOTS + number
        operation = draw(st.sampled_from(["floor_div", "round_even", "make_divisible", "gcd", "maximum", "minimum"]))
        divisor: Polynomial = {(): 2 ** draw(st.integers(0, 5))}
        bottom = {((draw(st.integers(0, SLOTS - 1)), 1),): draw(st.integers(1, 9)), (): draw(st.integers(0, 9))}
        step = {(): draw(st.sampled_from([1, 3, 8]))}
        rest = {
            "floor_div": (draw(st.sampled_from([divisor, bottom])),),
            "round_even": (bottom,),
            "make_divisible": (bottom, step),
        }
        others = rest.get(operation, (draw(polynomials(slots)),))
        lines.append(Line(operation, (draw(polynomials(slots)), *others)))
    slots = SLOTS + len(lines)
    outputs = {name: (draw(polynomials(slots)), UNIT) for name in "ab"}
    guards = (Guard(((Check(">=", draw(polynomials(slots)), UNIT),),), structural=True),)
    return Kernel(SLOTS, tuple(lines), outputs, guards)


def value(polynomial: Polynomial, slots: list[int]) -> int:
    total = 0
    for monomial, coefficient in polynomial.items():
        term = coefficient
        for slot, power in monomial:
            term *= slots[slot] ** power
        total += term
    return total


def by_hand(kernel: Kernel, arguments: tuple[int, ...]) -> tuple[int, ...] | None:
    """What a kernel means, on the exact numbers of the language."""
    slots = list(arguments)
    for line in kernel.lines:
        first, *rest = (value(argument, slots) for argument in line.arguments)
        if line.operation == "floor_div":
            slots.append(first // rest[0])
        elif line.operation == "round_even":
            slots.append(round(Fraction(first, rest[0])))
        elif line.operation == "make_divisible":
            slots.append(arithmetic.make_divisible(Fraction(first, rest[0]), rest[1]))
        else:
            slots.append(getattr(arithmetic, line.operation)(first, *rest))
    if not all(value(test.polynomial, slots) >= 0 for guard in kernel.guards for (test,) in guard.alternatives):
        return None
    return tuple(value(top, slots) for top, _ in kernel.outputs.values())


ARGUMENTS = st.tuples(*[st.integers(1, 300)] * SLOTS)


@settings(max_examples=15)
@given(kernels(), ARGUMENTS)
def test_code_computes_what_a_kernel_means(kernel: Kernel, arguments: tuple[int, ...]) -> None:
    expected = by_hand(kernel, arguments)
    assert emit.on_numbers(kernel)(*arguments) == expected
    arrays = [np.array([argument, 1]) for argument in arguments]
    if bounds.largest(kernel, [(1, argument) for argument in arguments]) >= 2**63:
        arrays = [array.astype(object) for array in arrays]
    structure, needs, *outputs = emit.on_arrays(kernel)(*arrays)
    assert needs is True
    assert bool(np.broadcast_to(structure, 2)[0]) is (expected is not None)
    if expected is not None:
        assert tuple(int(np.broadcast_to(output, 2)[0]) for output in outputs) == expected


@settings(max_examples=15)
@given(kernels(), ARGUMENTS, st.sets(st.integers(0, SLOTS - 1)))
def test_tables_change_nothing(kernel: Kernel, arguments: tuple[int, ...], tabled: set[int]) -> None:
    """What depends on one argument is computed apart, whichever arguments these are."""
    parts = parted(kernel, [1] * SLOTS, frozenset(tabled))
    looked_up: list[Any] = []
    for number, (_, function) in sorted(parts.tables.items()):
        looked_up += function(np.array([arguments[number]], object))[2:]
    structure, _, *outputs = parts.function(*(np.array([value], object) for value in arguments), *looked_up)
    expected = by_hand(kernel, arguments)
    assert bool(np.broadcast_to(structure, 1)[0]) is (expected is not None)
    if expected is not None:
        assert tuple(int(np.broadcast_to(output, 1)[0]) for output in outputs) == expected


def test_a_table_holds_what_depends_on_one_argument() -> None:
    halves = Line("floor_div", ({((0, 1),): 1}, {(): 2}))
    both = Line("floor_div", ({((0, 1), (1, 1)): 1}, {(): 3}))
    kernel = Kernel(2, (halves, both), {"a": ({((2, 1),): 1, ((3, 1),): 1}, UNIT)}, ())
    parts = parted(kernel, [1, 1], frozenset({0}))
    assert [small.lines for small, _ in parts.tables.values()] == [(halves,)]
    assert len(parts.rest.lines) == 1


def test_a_table_computes_the_constants_that_it_reads() -> None:
    constant = Line("floor_div", ({(): 7}, {(): 2}))  # 3
    third = Line("floor_div", ({((0, 1),): 1}, {((1, 1),): 1}))
    parts = parted(Kernel(1, (constant, third), {"a": ({((2, 1),): 1}, UNIT)}, ()), [1], frozenset({0}))
    (_, function) = parts.tables[0]
    assert [column.tolist() for column in function(np.array([8, 9], object))[2:]] == [[2, 3]]


FACTORS = st.sampled_from([(), ((1, 1),), ((2, 1),), ((1, 2),), ((3, 1),), ((0, 1), (1, 1)), ((0, 1), (3, 1))])
SIDE = st.lists(st.integers(1, 9), min_size=3, max_size=3)


@settings(max_examples=15)
@example([{((1, 1),): 1}, {((2, 1),): 1}], 1, [1, 1, 1], [9, 5, 1], [1, 5, 9])
@example([{((0, 1), (1, 1)): 1}, {((1, 1),): 3}], 1, [1, 9, 9], [1, 1, 1], [1, 1, 1])
@example([{((3, 1),): 1}, {((3, 1),): 2}], 1, [1, 1, 1], [1, 1, 1], [2, 3, 4])
@given(
    st.lists(st.dictionaries(FACTORS, st.integers(-9, 9), min_size=1, max_size=3), min_size=1, max_size=5),
    st.integers(1, 4),
    SIDE,
    SIDE,
    SIDE,
)
def test_the_largest_of_sums_on_a_grid(
    sums: list[Polynomial], scale: int, rows: list[int], tops: list[int], bottoms: list[int]
) -> None:
    """Sums that another one exceeds on the whole grid are left out; the largest of the others is the same.

    The last argument is two numbers and, as a third, their difference, so that its factors have no order, or signs.
    """
    difference = Line("floor_div", ({((1, 1),): 1, ((2, 1),): -1}, UNIT))
    kernel = Kernel(3, (difference, Line("maximum", tuple(sums))), {"peak": ({((4, 1),): scale}, UNIT)}, ())
    parts = [(rows,), (tops, bottoms)]
    columns = [Column(own[0], None, tuple(np.array(part, np.int64) for part in own)) for own in parts]
    made = factored(SimpleNamespace(kernel=kernel), columns, [0, 1])  # type: ignore[arg-type]
    assert made is not None
    values = made.at([np.arange(3)], 3, slice(0, 3))
    assert values is not None
    expected = [[by_hand(kernel, (row, *pair)) for pair in zip(tops, bottoms, strict=True)] for row in rows]
    assert [[(number,) for number in line] for line in values.numbers["peak"].tolist()] == expected


class Watched(int):
    """A whole number that remembers the largest magnitude of all results of its arithmetic."""

    most = 0

    @classmethod
    def of(cls, number: int) -> Watched:
        cls.most = max(cls.most, abs(int(number)))
        return cls(number)


def watched(name: str) -> Any:
    plain = getattr(int, name)

    def method(self: int, other: int) -> Watched:
        return Watched.of(plain(int(self), int(other)))

    return method


for each in ("__add__", "__radd__", "__mul__", "__rmul__", "__floordiv__", "__rfloordiv__", "__mod__", "__rshift__"):
    setattr(Watched, each, watched(each))


@settings(max_examples=15)
@given(kernels(), st.lists(ARGUMENTS, min_size=1, max_size=3))
def test_no_intermediate_result_exceeds_the_bound(kernel: Kernel, listed: list[tuple[int, ...]]) -> None:
    spans = [(min(column), max(column)) for column in zip(*listed, strict=True)]
    function = emit.on_arrays(kernel, {"gcd": arithmetic.gcd, "maximum": max, "minimum": min})
    Watched.most = 0
    for arguments in listed:
        function(*map(Watched, arguments))
    assert Watched.most <= bounds.largest(kernel, spans)


def test_a_bound_is_not_idle() -> None:
    """The bound of a product is the product: 64 bits are refused no earlier than needed."""
    kernel = Kernel(2, (), {"a": ({((0, 1), (1, 1)): 3}, UNIT)}, ())
    assert bounds.largest(kernel, [(1, 10), (2, 7)]) == 210


NODES = (ast.FunctionDef, ast.arguments, ast.arg, ast.Assign, ast.Return, ast.If, ast.IfExp, ast.Tuple, ast.Name)
NODES += (ast.BinOp, ast.UnaryOp, ast.Not, ast.Compare, ast.Call, ast.Constant, ast.Load, ast.Store)
NODES += (ast.Add, ast.Mult, ast.FloorDiv, ast.RShift, ast.Mod, ast.BitAnd, ast.BitOr, ast.cmpop)
NAME = re.compile(r"[vst][0-9]+|near|above|gcd|maximum|minimum")


@settings(max_examples=15)
@given(kernels())
def test_code_is_arithmetic_on_own_names(kernel: Kernel) -> None:
    for arrays in (False, True):
        for node in ast.walk(emit.tree(kernel, arrays=arrays)):
            assert isinstance(node, NODES)
            if isinstance(node, ast.Name):
                assert NAME.fullmatch(node.id)
            elif isinstance(node, ast.Constant):
                assert node.value is None or isinstance(node.value, int)
    assert emit.on_numbers(kernel).__globals__.keys() == {"__builtins__", "gcd", "maximum", "minimum"}
    assert emit.on_numbers(kernel).__globals__["__builtins__"] == {}


def test_large_arguments_are_counted() -> None:
    """Beyond the limit the language's own limits decide, not the code."""
    function = convcost.compile("resnet50", ["size"])
    assert called(function, {"size": LARGEST_ARGUMENT * 3})["macs"] > 2**63  # type: ignore[index]
    assert not function.forms
    assert called(convcost.compile("resnet50", ["size"], QUANTITIES), {"size": 10**2000}) == counted(
        "resnet50", {"size": 10**2000}
    )
