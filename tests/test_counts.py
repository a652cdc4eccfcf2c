"""Repeats whose number of copies is free: closed forms in that number, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.catalogue.loader import Catalogue
from convcost.errors import ConvcostError, UnsupportedError
from convcost.formulas.cases import cases
from convcost.formulas.closed import formula
from convcost.language.interpret import build
from convcost.metrics.quantities import quantities
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from convcost.formulas.cases import Cases
    from convcost.language.model import Spec


def spec_of(text: str, folder: Path) -> Spec:
    path = folder / "net.yaml"
    path.write_text(text, encoding="utf-8")
    return Catalogue().target(str(path))


def agree(spec: Spec, found: Cases, values: Mapping[str, Any]) -> bool:
    """Whether the closed forms give what the network has that is built at these values; False: there is none."""
    case = found.at(values)
    try:
        expected = quantities(build(spec, values).layers)
    except ConvcostError:
        assert case is None, values
        return False
    assert case is not None, values
    numbers = {symbol: values[name] for name, symbol in case.symbols.items()}
    assert {name: evaluate(form.polynomial, numbers) for name, form in case.totals.items()} == expected, values
    return True


# --- against brute force ---

KEEPING = (
    "conv: {out: x.c, kernel: 3}",
    "add: {main: [conv: {out: x.c, kernel: 3}, batch_norm, relu], shortcut: x}",
    "multiply: {map: x, gate: [global_avg_pool, conv: {out: x.c}, sigmoid]}",
    "bottleneck_residual: {M: 4, O: 8}",
    "conv: {out: 12, kernel: 3}",
    "do: [{conv: {out: 4}, name: inner#}, {conv: {out: 6}, from: inner#}, batch_norm]",
    "concat: {left: [conv: {out: 5}], right: [conv: {out: 3, kernel: 3}]}",
    "{conv: {out: 8, kernel: 3, stride: 1}, first: {stride: 2}}",
)
GROWING = (
    "concat: {old: x, new: [batch_norm, relu, conv: {out: k, kernel: 3}]}",
    "concat: {old: x, new: [conv: {out: 2*k}, conv: {out: k, kernel: 3}]}",
    "conv: {out: x.c + k, kernel: 3}",
    "concat: {old: x, new: [slice: {out: 1}]}",
    "do: [{conv: {out: x.c + 1}, name: wide#}, relu]",
    "concat: {old: x, new: [conv: {out: x.c, kernel: 3}, conv: {out: k}]}",
)
NEITHER = (
    "conv: {out: 2*x.c}",
    "conv: {out: 'make_divisible(x.c*5/4 + 8, 8)'}",
    "concat: {old: x, again: x}",
    "conv: {out: x.c + x.c//3 + 1}",
    "do: [elementwise: {params: 'gcd(x.c, 8)'}, conv: {out: x.c + 4}]",
    "do: [{add: {a: x, b: early}, when: x.c == 12}, {conv: {out: 12}, name: early}, relu]",
    "conv: {out: x.c + x.c^2}",
    "{conv: {out: 8}, shares: all}",
    "output: {side: [conv: {out: 2}]}",
)
AFTER = ("relu", "conv: {out: 5, kernel: 3}", "conv: {out: x.c // 2}", "add: {a: x, b: [conv: {out: x.c}]}")


def network(bodies: list[str], after: str) -> str:
    steps = []
    for number, written in enumerate(bodies):
        body = written.replace("#", str(number))
        own = body if body.startswith("{") else f"{{{body}}}"
        steps.append(f"  - {own[:-1]}, repeat: {'nm'[number]}}}")
        steps.append(f"  - {{{after}}}" if ":" in after else f"  - {after}")
    head = "parameters: {n: 3, m: 2, k: 4}\ninput: [8, 8, 8]\nlayers:\n"
    return head + "\n".join(["  - {conv: {out: 8}, name: start}", *steps, "  - conv: {out: k}"]) + "\n"


@given(
    bodies=st.lists(st.sampled_from(KEEPING + GROWING), min_size=1, max_size=2),
    after=st.sampled_from(AFTER),
    free_k=st.booleans(),
    numbers=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)), min_size=4, max_size=4),
)
@settings(max_examples=25)
def test_copies_that_keep_or_grow_have_a_closed_form(
    tmp_path_factory: pytest.TempPathFactory,
    bodies: list[str],
    after: str,
    free_k: bool,  # noqa: FBT001 - drawn
    numbers: list[tuple[int, int, int]],
) -> None:
    spec = spec_of(network(bodies, after), tmp_path_factory.mktemp("counts"))
    names = ["n", "m"][: len(bodies)] + (["k"] if free_k else [])
    found = cases(spec, names)
    for values in numbers:
        agree(spec, found, {name: value for name, value in zip("nmk", values, strict=True) if name in names})


@pytest.mark.parametrize("body", NEITHER)
def test_what_neither_keeps_nor_grows_is_refused(tmp_path: Path, body: str) -> None:
    spec = spec_of(network(["conv: {out: 8}", body], "relu"), tmp_path)
    assert build(spec, {"n": 2, "m": 2}).layers
    with pytest.raises(UnsupportedError, match=r"net.yaml:\d+:\d+: `m` cannot be free: "):
        formula(spec, ["n", "m"])
    formula(spec, ["n"])
