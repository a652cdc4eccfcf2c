"""A short run of the fuzzer, with structured specs from Hypothesis beside it; the long run is ``tests/fuzz.py``."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from typing import Any

from conftest import ROOT
from fuzz import mutated
from fuzz_targets import spec_from_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.catalogue.loader import Catalogue
from convcost.errors import ConvcostError
from convcost.language.interpret import build
from convcost.layers import REGISTRY
from convcost.metrics.report import analyze

names = st.sampled_from(["n", "x", "input", "w", "size", "stem", "o/p", "a b", "true", "-", "", "[red]", "\x1b[0m"])
values = st.one_of(
    st.integers(-2, 40),
    st.sampled_from(["n", "2*n", "x.c", "x.h // 2", "w(n)", "same", "valid", "1x3", "input.w", "9**9", "1/0"]),
    st.just("n if n > 3 else 1"),
    st.lists(st.integers(0, 5), max_size=3),
    st.booleans(),
    st.none(),
)  # fmt: skip
keys = st.sampled_from([*REGISTRY, "conv_bn_relu", "inverted_residual", "unit", "nonsense"])
fields = st.sampled_from(
    ["out", "kernel", "stride", "padding", "groups", "bias", "size", "factor", "O", "t", "sides", "to"]
)
bodies = st.builds(lambda key, args: {key: args or None}, keys, st.dictionaries(fields, values, max_size=4))
controls = st.fixed_dictionaries(
    {},
    optional={
        "when": st.sampled_from(["n > 3", "x.c == 8", "true", "n"]),
        "repeat": st.sampled_from([0, 1, 3, "n", 10**9]),
        "first": st.dictionaries(fields, values, max_size=2),
        "name": names,
        "from": names,
        "for": st.sampled_from(["i", "n", ["i", "j"]]),
        "in": st.sampled_from([[1, 2], [[1, 2], [3, 4]], "range(3)", [[1], [2, 3]]]),
    },
)


def steps(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(children, max_size=3)
    branch = st.one_of(
        lists, names, st.builds(lambda do, repeat: {"do": do, "repeat": repeat}, lists, st.sampled_from([2, "n"]))
    )
    merges = st.builds(
        lambda key, branches: {key: branches},
        st.sampled_from(["add", "concat", "multiply", "output"]),
        st.dictionaries(st.sampled_from(["main", "side", "a/b"]), branch, max_size=3),
    )
    groups = st.builds(lambda do: {"do": do}, lists)
    return st.builds(lambda body, extra: {**body, **extra}, st.one_of(merges, groups), controls)


step = st.recursive(st.builds(lambda body, extra: {**body, **extra}, bodies, controls), steps, max_leaves=8)
specs = st.fixed_dictionaries(
    {"layers": st.lists(step, min_size=1, max_size=4)},
    optional={
        "input": st.one_of(st.lists(values, max_size=5), st.dictionaries(names, values, max_size=3)),
        "parameters": st.dictionaries(
            names, st.one_of(values, st.fixed_dictionaries({"default": values, "min": values})), max_size=3
        ),
        "let": st.dictionaries(st.sampled_from(["n", "w(c)", "k", "w(c, c)", "f("]), values, max_size=3),
        "blocks": st.dictionaries(st.sampled_from(["unit", "relu", "do"]), st.lists(step, max_size=2), max_size=2),
    },
)


def flow(value: Any) -> str:
    """A value as YAML in flow style, every text in double quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\x1b", "\\e") + '"'
    return (
        {None: "~", True: "true", False: "false"}.get(value, str(value))
        if not isinstance(value, int) or isinstance(value, bool)
        else str(value)
    )


@settings(max_examples=400, deadline=2000, derandomize=True)
@given(specs)
def test_structured_specs_end_in_a_result_or_a_clear_error(spec: dict[str, Any]) -> None:
    try:
        graph = build(Catalogue().text(flow(spec).encode(), "<spec>", "spec", ""))
    except ConvcostError:
        return
    assert analyze(graph).totals.params >= 0


@settings(max_examples=200, deadline=2000, derandomize=True)
@given(specs, st.integers(0, 2**32))
def test_structured_specs_with_changed_bytes_do_too(spec: dict[str, Any], seed: int) -> None:
    text = flow(spec).encode()
    with contextlib.suppress(ConvcostError):
        spec_from_bytes(mutated(text, [text], random.Random(seed)))  # noqa: S311 - not a secret


def test_two_thousand_mutated_inputs() -> None:
    command = [sys.executable, "tests/fuzz.py", "--inputs", "2000", "--seed", "11"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, "0 failed" in done.stdout) == (0, True), done.stdout
