"""What a layer refuses, at which field, and in which words; and the arithmetic of refusals."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convcost.errors import FieldError, ShapeError
from convcost.layers import REGISTRY
from convcost.layers.base import Backward, Layer, Saved, Work
from convcost.layers.fields import Field, axes, flag, number, padding, shown, size, word
from convcost.numbers.polynomial import Symbol

MAP = (4, 9, 9)
FLAT = (7,)
AXES = "`{}` lists 3 sizes, but the map has 2 spatial axes"

# key, fields, input, the field that is to blame (none: the input is), message
SHAPES: list[tuple[str, dict[str, Any], Any, str | None, str]] = [
    *(
        (key, {**values, field: [2, 2, 2]}, MAP, field, AXES.format(field))
        for key, values, fields in (
            ("conv", {"out": 4}, ("kernel", "stride", "dilation")),
            ("conv", {"out": 4, "padding": 0}, ("kernel", "stride", "dilation", "padding")),
            ("conv_transpose", {"out": 4}, ("kernel", "stride", "dilation", "output_padding", "padding")),
            ("max_pool", {"kernel": 2}, ("kernel", "stride", "dilation", "padding")),
            ("avg_pool", {"kernel": 2}, ("kernel", "stride", "padding")),
            ("adaptive_avg_pool", {}, ("size",)),
            ("upsample", {}, ("size", "factor")),
            ("crop", {}, ("size",)),
        )
        for field in fields
    ),
    ("zero_pad", {"sides": [1, 1, 1]}, MAP, "padding", AXES.format("padding")),
    ("conv", {"out": 4, "kernel": [3, 3]}, (4, 9), "kernel", "`kernel` lists 2 sizes, but the map has 1 spatial axis"),
    *(
        (key, values, FLAT, None, f"{key} needs a map with 1 to 3 spatial axes, found a tensor of shape 7")
        for key, values in (
            ("conv", {"out": 4}),
            ("conv_transpose", {"out": 4}),
            ("max_pool", {"kernel": 2}),
            ("avg_pool", {"kernel": 2}),
            ("global_avg_pool", {}),
            ("global_max_pool", {}),
            ("adaptive_avg_pool", {}),
            ("upsample", {"factor": 2}),
            ("zero_pad", {"sides": 1}),
            ("crop", {"size": 2}),
        )
    ),
    (
        "conv",
        {"out": 4},
        (4, 2, 3, 5, 7),
        None,
        "conv needs a map with 1 to 3 spatial axes, found a tensor of shape 4x2x3x5x7",
    ),
    *(
        (key, {"out": out, "groups": groups}, MAP, "groups", f"cannot divide {what}: 4 is not a multiple of 3")
        for key in ("conv", "conv_transpose")
        for out, groups, what in ((3, 3, "in_channels by groups"),)
    ),
    *(
        (
            key,
            {"out": 6, "groups": 4},
            MAP,
            "groups",
            "cannot divide out_channels by groups: 6 is not a multiple of 4",
        )
        for key in ("conv", "conv_transpose")
    ),
    ("group_norm", {"groups": 3}, MAP, "groups", "cannot divide in_channels by groups: 4 is not a multiple of 3"),
    ("channel_shuffle", {"groups": 3}, MAP, "groups", "cannot divide channels by groups: 4 is not a multiple of 3"),
    ("split", {"parts": 3}, MAP, None, "cannot divide channels by parts: 4 is not a multiple of 3"),
    ("split", {"parts": 2, "index": 2}, MAP, None, "split: there is no part 2 of 2 (from 0)"),
    ("slice", {"out": 3, "start": 2}, MAP, None, "slice: channels 2 to 5 of an input with 4"),
    ("crop", {"size": [9, 10]}, MAP, None, "crop: 9x10 does not fit into 9x9"),
    ("reshape", {"to": [4, 82]}, MAP, None, "reshape: 4x9x9 has not as many elements as 4x82"),
    ("reshape", {"to": 323}, MAP, None, "reshape: 4x9x9 has not as many elements as 323"),
    ("upsample", {}, MAP, "factor", "upsample needs either `factor` or `size`"),
    ("upsample", {"factor": 2, "size": 9}, MAP, "factor", "upsample needs either `factor` or `size`"),
    ("zero_pad", {"sides": "same"}, MAP, "sides", "`sides` must be a size, found 'same'"),
    # windows that do not fit
    (
        "conv",
        {"out": 4, "kernel": 10, "padding": 0},
        MAP,
        "kernel",
        "conv: kernel 10 is larger than the input of size 9",
    ),
    (
        "conv",
        {"out": 4, "kernel": [3, 12], "padding": [[0, 0], [2, 0]]},
        MAP,
        "kernel",
        "conv: kernel 12 is larger than the input of size 9 with 2 of padding",
    ),
    (
        "max_pool",
        {"kernel": 4, "dilation": 4, "stride": 1, "padding": 1},
        MAP,
        "kernel",
        "max_pool: kernel 4 (reaching over 13) is larger than the input of size 9 with 2 of padding",
    ),
    (
        "avg_pool",
        {"kernel": 11, "stride": 2, "ceil_mode": True},
        MAP,
        "kernel",
        "avg_pool: kernel 11 is larger than the input of size 9",
    ),
    (
        "conv_transpose",
        {"out": 4, "kernel": 2, "padding": [0, 5]},
        (4, 9, 9),
        None,
        "conv_transpose: the padding leaves nothing of the output (10x0)",
    ),
    # operands that do not fit
    *(
        (key, {}, operands, None, f"{key}: {message}")
        for key in ("add", "multiply")
        for operands, message in (
            ((((4, 9, 9), 1), ((4, 9), 1)), "4x9x9 and 4x9 do not fit"),
            ((((4, 9, 9), 1), ((5, 9, 9), 1)), "4x9x9 and 5x9x9 differ in channels"),
            ((((4, 9, 9), 1), ((4, 9, 8), 1)), "the maps of 4x9x9 and 4x9x8 differ in size"),
            ((((4, 9, 9), 1), ((4, 2, 1), 1)), "the maps of 4x9x9 and 4x2x1 differ in size"),
            ((((4, 2, 1), 1), ((4, 9, 9), 1)), "the maps of 4x2x1 and 4x9x9 differ in size"),
            ((((4, 1, 1), 1), ((4, 9, 9), 1), ((4, 8, 8), 2)), "the maps of 4x9x9 and 4x8x8 differ in size"),
        )
    ),
    ("concat", {}, (((4, 9, 9), 1), ((4, 9), 1)), None, "concat: the maps of 4x9x9 and 4x9 differ in size"),
    ("concat", {}, (((4, 9, 9), 1), ((4, 9, 8), 1)), None, "concat: the maps of 4x9x9 and 4x9x8 differ in size"),
    (
        "concat",
        {},
        (((4, 9, 9), 1), ((3, 9, 9), 1), ((2, 8, 9), 1)),
        None,
        "concat: the maps of 4x9x9 and 2x8x9 differ in size",
    ),
]


@pytest.mark.parametrize(("key", "values", "x", "field", "message"), SHAPES)
def test_an_input_is_refused(key: str, values: dict[str, Any], x: Any, field: str | None, message: str) -> None:
    layer = REGISTRY[key](**values)
    with pytest.raises(ShapeError) as caught:
        layer.shape(x)
    assert str(caught.value) == message
    assert getattr(caught.value, "field", None) == field


WORKS = [
    ("conv", {"out": 4, "kernel": [2, 2, 2]}, "kernel", AXES.format("kernel")),
    ("conv", {"out": 3, "groups": 3}, "groups", "cannot divide in_channels by groups: 4 is not a multiple of 3"),
    ("conv_transpose", {"out": 4, "kernel": [2, 2, 2]}, "kernel", AXES.format("kernel")),
    (
        "conv_transpose",
        {"out": 3, "groups": 3},
        "groups",
        "cannot divide in_channels by groups: 4 is not a multiple of 3",
    ),
    ("max_pool", {"kernel": [2, 2, 2]}, "kernel", AXES.format("kernel")),
    ("avg_pool", {"kernel": [2, 2, 2]}, "kernel", AXES.format("kernel")),
]


@pytest.mark.parametrize(("key", "values", "field", "message"), WORKS)
def test_work_refuses_what_shape_would(key: str, values: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(FieldError) as caught:
        REGISTRY[key](**values).work(MAP, MAP)
    assert (caught.value.field, str(caught.value)) == (field, message)


@pytest.mark.parametrize("field", ["kernel", "dilation"])
def test_a_kind_is_told_of_fields_that_fit(field: str) -> None:
    layer = REGISTRY["conv"](**{"out": 4, "kernel": 3, field: [2, 2, 2]})
    with pytest.raises(FieldError) as caught:
        layer.kind_of(MAP, MAP)
    assert (caught.value.field, str(caught.value)) == (field, AXES.format(field))


# --- values of fields ---

ROUND = "; round it with make_divisible(v, 8), round(v) or floor(v)"
VALUES: list[tuple[Field, Any, str]] = [
    *(
        (size(), value, f"a whole number of at least 1, found {found}")
        for value, found in (
            (0, "0"),
            (-3, "-3"),
            (True, "true"),
            (False, "false"),
            (None, "none"),
            ("3", "'3'"),
            ([3], "[3]"),
            ((3, 4), "[3, 4]"),
            ({}, "{}"),
            (Fraction(3, 2), f"1.5{ROUND}"),
            (Fraction(112, 5), f"22.4{ROUND}"),
            (Fraction(4, 3), f"4/3{ROUND}"),
            (Fraction(-1, 8), "-0.125"),
            (2.0, "2.0"),
        )
    ),
    (size(minimum=0), -1, "a whole number of at least 0, found -1"),
    (size(minimum=5), 4, "a whole number of at least 5, found 4"),
    (axes(), [], "a size or a list of sizes, found []"),
    (axes(), [3, 0], "a whole number of at least 1, found 0"),
    (axes(minimum=0), [3, -1], "a whole number of at least 0, found -1"),
    (axes(), [3, [3]], "a whole number of at least 1, found [3]"),
    (axes(), "same", "a whole number of at least 1, found 'same'"),
    (padding("same"), "full", "one of same, valid, found 'full'"),
    (padding("same"), -1, "a whole number of at least 0, found -1"),
    (padding("same"), [1, -1], "a whole number of at least 0, found -1"),
    (padding("same"), [[1, 2], 1], "a list with one [before, after] pair per axis, found 1"),
    (padding("same"), [[1, 2], [1]], "a list with one [before, after] pair per axis, found [1]"),
    (padding("same"), [[1, 2], [1, 2, 3]], "a list with one [before, after] pair per axis, found [1, 2, 3]"),
    (padding("same"), [[1, -2]], "a whole number of at least 0, found -2"),
    (padding("same"), None, "a whole number of at least 0, found none"),
    (flag(True), 1, "true or false, found 1"),
    (flag(True), "yes", "true or false, found 'yes'"),
    (word("a", ("a", "b")), "c", "one of a, b, found 'c'"),
    (word("a", ("a", "b")), 1, "one of a, b, found 1"),
    (word("a", ("a", "b")), True, "one of a, b, found true"),
    (number(0), "1", "a number, found '1'"),
    (number(0), True, "a number, found true"),
    (number(0), 0.5, "a number, found 0.5"),
    (number(0), None, "a number, found none"),
]


@pytest.mark.parametrize(("field", "value", "expected"), VALUES)
def test_a_value_is_refused(field: Field, value: Any, expected: str) -> None:
    field.name = "width"
    with pytest.raises(FieldError) as caught:
        field.check(value)
    assert (caught.value.field, str(caught.value)) == ("width", f"`width` must be {expected}")


TAKEN: list[tuple[Field, Any, Any]] = [
    (size(), 1, 1),
    (size(minimum=0), 0, 0),
    (size(), Fraction(6, 2), 3),
    (size(None), None, None),
    (axes(), [3, Fraction(4, 2)], (3, 2)),
    (axes(), (5,), (5,)),
    (axes(), 5, 5),
    (axes(minimum=0), [0, 1], (0, 1)),
    (padding("same"), "valid", "valid"),
    (padding("same"), 0, 0),
    (padding("same"), [0, Fraction(2, 2)], (0, 1)),
    (padding("same"), [[0, 1], (Fraction(4, 2), 3)], ((0, 1), (2, 3))),
    (flag(True), False, False),
    (word("a", ("a", "b")), "b", "b"),
    (number(0), Fraction(1, 2), Fraction(1, 2)),
    (number(0), -1, -1),
]


@pytest.mark.parametrize(("field", "value", "expected"), TAKEN)
def test_a_value_is_taken(field: Field, value: Any, expected: Any) -> None:
    found = field.check(value)
    assert found == expected
    assert type(found) is type(expected)


def test_fields_know_what_they_were_made_with() -> None:
    fields = [size(doc="d"), axes(2, "d"), padding(1, "d"), flag(False, "d"), word("a", ("a",), "d"), number(3, "d")]
    assert [field.doc for field in fields] == ["d"] * 6
    assert [field.required for field in fields] == [True, False, False, False, False, False]
    assert [field.type for field in fields] == ["size", "axes", "padding", "flag", "word", "number"]
    assert [field.default for field in fields[1:]] == [2, 1, False, "a", 3]
    bare = [size(), axes(), padding(1), flag(True), word("a", ("a",)), number()]
    assert {field.doc for field in bare} == {""}
    assert repr(number().default) == "required"
    assert {field.name for field in bare} == {""}


def test_fields_hold_what_they_were_made_with() -> None:
    for make, smallest in ((size(), 1), (size(minimum=3), 3), (axes(), 1), (axes(minimum=0), 0), (padding(2), 0)):
        assert make.check(smallest) == smallest
        with pytest.raises(
            FieldError, match=f"^`` must be a whole number of at least {smallest}, found {smallest - 1}$"
        ):
            make.check(smallest - 1)
    assert padding(0).words == ("same", "valid")
    assert [padding(0).check(text) for text in ("same", "valid")] == ["same", "valid"]
    assert word("a", ("a", "b")).check("b") == "b"
    assert (Field("size", 4, "d").minimum, Field("size", 4, "d").words, Field("size", 4, "d").name) == (1, (), "")
    symbol, array = Symbol("N"), np.array([1, 2])
    assert number(0).check(symbol) is symbol
    assert number(0).check(array) is array


def test_a_layer_of_ones_own() -> None:
    parts = {
        "out": size(doc="channels"),
        "step": size(2),
        "key": "own",
        "shape": lambda _, x: x,
        "work": lambda *_: Work(),
        "family": "shape",
        "kinds": (),
        "reads": lambda _, field, *__: field,
        "reads_channels": lambda _, seen, *__: list(seen[0]),
        "reads_whole_map": False,
        "saves": lambda *_: Saved(),
        "backward": lambda *_: Backward(Work(), Work()),
        "fusing": "alone",
        "is_view": True,
    }
    try:
        own = type("Own", (Layer,), parts)
        assert REGISTRY["own"] is own
        assert (own.defaults, own.needs, list(own.fields)) == ({"step": 2}, ("out",), ["out", "step"])
        assert [field.name for field in own.fields.values()] == ["out", "step"]
        further = type("Further", (own,), {"key": "", "more": flag(True)})
        assert (further.defaults, further.needs) == ({"step": 2, "more": True}, ("out",))
        assert REGISTRY["own"] is own
        assert vars(own(out=3)) == {"out": 3, "step": 2}
        assert own(out=3).kind_of((3,), (3,)) == "own"
        with pytest.raises(FieldError, match=r"^own needs `out`: channels$"):
            own(step=1)
    finally:
        REGISTRY.pop("own", None)


def test_an_activation_by_name_is_grouped_with_those_of_that_name() -> None:
    kinds = [REGISTRY["activation"](kind=kind).kind_of(MAP, MAP) for kind in ("relu", "prelu", "none")]
    assert kinds == ["relu", "prelu", "identity"]


SHOWN = [
    (None, "none"),
    (True, "true"),
    (False, "false"),
    ("a" * 60, "'" + "a" * 60 + "'"),
    ("a" * 61, "'" + "a" * 60 + "'"),
    ([1, "b", None], "[1, 'b', none]"),
    ((1, (2, 3)), "[1, [2, 3]]"),
    (list(range(8)), "[0, 1, 2, 3, 4, 5, 6, 7]"),
    (list(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
    (10**59, "1" + "0" * 59),
    (10**60, "1" + "0" * 56 + "..."),
    (Fraction(1, 3), "1/3"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN)
def test_values_in_errors_are_cut_to_a_readable_length(value: Any, text: str) -> None:
    assert shown(value) == text


# --- the base of layers ---


def test_a_layer_names_the_field_it_lacks_or_does_not_know() -> None:
    with pytest.raises(FieldError) as caught:
        REGISTRY["conv"](kernel=3)
    assert (caught.value.field, str(caught.value)) == ("out", "conv needs `out`: output channels")
    with pytest.raises(FieldError) as caught:
        REGISTRY["conv"](out=3, kernl=3)
    assert caught.value.field == "kernl"
    assert str(caught.value) == "conv has no field 'kernl'; did you mean 'kernel'?"
    with pytest.raises(FieldError) as caught:
        REGISTRY["relu"](zebra=3)
    assert str(caught.value) == "relu has no field 'zebra'; it has none"


def test_a_layer_shows_its_fields() -> None:
    assert repr(REGISTRY["linear"](out=10, bias=False)) == "Linear(out=10, axis=None, bias=False)"
    assert repr(REGISTRY["max_pool"](kernel=[2, 3])) == (
        "MaxPool(kernel=(2, 3), stride=None, padding=0, ceil_mode=False, dilation=1)"
    )


def test_a_layer_states_its_rules() -> None:
    for rules in ({}, {"shape": lambda _, x: x}, {"work": lambda *_: Work()}):
        with pytest.raises(TypeError) as caught:
            type("Half", (Layer,), {"key": "half", **rules})
        lines = str(caught.value).splitlines()
        assert lines[0] == "layer half does not state"
        missing = [line.split(":")[0].strip() for line in lines[1:]]
        assert {"shape", "work"} - {*rules} == {"shape", "work"} & {*missing}
    assert "half" not in REGISTRY


def test_work_has_no_other_counts() -> None:
    with pytest.raises(TypeError, match=r"^no count is called 'mac'; did you mean 'macs'\?$"):
        Work(mac=1)
    assert repr(Work(macs=2, weights=3, read=0)) == "Work(weights=3, macs=2)"
    assert repr(Work()) == "Work()"
    assert Work(macs=5, bias_adds=7, multiplications=11, additions=13, comparisons=17, divisions=19).flops == 77
    assert Work(exponentials=3, macs=1).flops == 5
    assert Work(weights=1, biases=10, norm_params=100, other_params=1000, buffers=10_000).params == 1111


def test_an_array_of_sizes_is_refused_as_one_size_is() -> None:
    with pytest.raises(ShapeError) as caught:
        REGISTRY["conv"](out=np.array([0, 3]), kernel=1)
    assert str(caught.value) == "`out` must be a whole number of at least 1, found [0 3]"


def test_only_arithmetic_in_a_word_is_told_from_a_word() -> None:
    assert shown("X") == "'X'"
    assert shown("2*X") == "'2*X' (rows and tables are data, nothing in them is computed)"


def test_counts_that_there_are_not_are_listed() -> None:
    with pytest.raises(TypeError, match=r"^no count is called 'sums'; known are weights, biases"):
        Work(macs=1, sums=2, products=3)
