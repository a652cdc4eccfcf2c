"""Every stated limit from both sides, and large but honest inputs within time and memory."""

from __future__ import annotations

import re
import subprocess
import sys
from textwrap import dedent

import pytest
from conftest import ROOT

import convcost
from convcost.errors import ConvcostError
from convcost.expression import MAX_DEPTH, MAX_LENGTH, ExpressionError, compile_expression
from convcost.graph import MAX_NODES
from convcost.operations import MAX_BITS, MAX_ITEMS
from convcost.spec.flow import MAX_ROWS, MAX_STEPS
from convcost.spec.reader import MAX_BYTES, read
from convcost.spec.reader import MAX_DEPTH as MAX_NESTING
from convcost.spec.run import MAX_CALL_DEPTH
from convcost.spec.scope import MAX_FUNCTION_DEPTH, Budget


def chain(step: str) -> str:
    return f"input: [3, 8, 8]\nlayers:\n  - {step}\n"


def calls(depth: int) -> str:
    """A spec whose blocks call one another ``depth`` deep."""
    blocks = "".join(f"  b{i}: [b{i + 1}]\n" for i in range(1, depth))
    return f"input: [3, 8, 8]\nblocks:\n{blocks}  b{depth}: [relu]\nlayers: [b1]\n"


def functions(depth: int) -> str:
    """A spec whose functions call one another ``depth`` deep."""
    lets = "".join(f"  f{i}(a): f{i + 1}(a)\n" for i in range(1, depth))
    return f"input: [3, 8, 8]\nlet:\n{lets}  f{depth}(a): a\nlayers: [conv: {{out: f1(4)}}]\n"


def doublings(times: int) -> str:
    """A spec that makes 2^times function calls."""
    lets = "".join(f"  f{i}(a): f{i + 1}(a) + f{i + 1}(a)\n" for i in range(times))
    return f"input: [3]\nlet:\n{lets}  f{times}(a): 1\nlayers: [linear: {{out: f0(1)}}]\n"


LIMITS = [
    # within, beyond, what the error says
    (
        chain(f"{{relu, repeat: {MAX_NODES}}}"),
        chain(f"{{relu, repeat: {MAX_NODES + 1}}}"),
        f"more than {MAX_NODES:,} layers",
    ),
    (
        chain(f"{{do: [{{relu, when: false}}], repeat: {MAX_STEPS // 2 - 1}}}"),
        chain(f"{{do: [{{relu, when: false}}], repeat: {MAX_STEPS // 2 + 1}}}"),
        f"more than {MAX_STEPS:,} steps",
    ),
    (chain("{relu, repeat: 1, when: false}"), chain(f"{{relu, repeat: {MAX_STEPS + 1}}}"), f"at most {MAX_STEPS:,}"),
    (
        chain(f"{{relu, for: i, in: range({MAX_ITEMS})}}"),
        chain(f"{{relu, for: i, in: range({MAX_ITEMS + 1})}}"),
        f"range may have {MAX_ITEMS:,} items",
    ),
    (calls(MAX_CALL_DEPTH), calls(MAX_CALL_DEPTH + 1), f"deeper than {MAX_CALL_DEPTH} levels"),
    (functions(MAX_FUNCTION_DEPTH), functions(MAX_FUNCTION_DEPTH + 1), f"deeper than {MAX_FUNCTION_DEPTH} levels"),
    (doublings(17), doublings(19), f"more than {Budget.MAX_CALLS:,} times"),
    (
        chain(f"conv: {{out: 2**{MAX_BITS - 1} // 2**{MAX_BITS - 2}}}"),
        chain(f"conv: {{out: 2**{MAX_BITS + 1} // 2**{MAX_BITS}}}"),
        f"more than {MAX_BITS:,} bits",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("within", "beyond", "message"), LIMITS, ids=[message for *_, message in LIMITS])
def test_both_sides_of_a_limit(within: str, beyond: str, message: str) -> None:
    convcost.loads(within)
    with pytest.raises(ConvcostError, match=re.escape(message)):
        convcost.loads(beyond)


def test_expressions_have_a_length_and_a_depth() -> None:
    compile_expression("1" + "+1" * (MAX_DEPTH - 2))
    with pytest.raises(ExpressionError, match="nests deeper"):
        compile_expression("1" + "+1" * (MAX_DEPTH + 1))
    wide = "[" + ", ".join(["n"] * (MAX_LENGTH // 3 - 1)) + "]"
    compile_expression(wide)
    with pytest.raises(ExpressionError, match=f"{MAX_LENGTH:,} characters"):
        compile_expression(wide + " " * 0 + "+ 1" * 20)


def test_files_have_a_size_and_a_depth() -> None:
    head = b"layers: [relu]\n#"
    read(head + b"x" * (MAX_BYTES - len(head)), "f")
    with pytest.raises(ConvcostError, match=f"{MAX_BYTES:,} bytes"):
        read(head + b"x" * (MAX_BYTES - len(head) + 1), "f")
    read(b"[" * MAX_NESTING + b"]" * MAX_NESTING, "f")
    with pytest.raises(ConvcostError, match=f"deeper than {MAX_NESTING} levels"):
        read(b"[" * (MAX_NESTING + 1) + b"]" * (MAX_NESTING + 1), "f")


def test_the_limits_are_stated_in_the_documentation() -> None:
    page = (ROOT / "docs" / "language.md").read_text("utf-8").split("## Limits", 1)[1]
    for number in (MAX_NESTING, MAX_LENGTH, MAX_DEPTH, MAX_BITS, MAX_ITEMS, MAX_STEPS, MAX_NODES, MAX_CALL_DEPTH):
        assert f"{number:,}" in page
    assert f"{MAX_BYTES // 2**20} MiB" in page
    assert MAX_ITEMS == MAX_ROWS
    assert f"{Budget.MAX_CALLS:,}, {MAX_FUNCTION_DEPTH} inside" in page


LARGE = {
    "100,000 layers written out": "input: [8, 16, 16]\nlayers:\n" + "  - conv: {out: 8, kernel: 3}\n" * 100_000,
    "100,000 layers repeated": chain("{conv: {out: 3, kernel: 3}, repeat: 100000}"),
    "a concat of 1,000 branches": chain(
        "concat: {" + ", ".join(f"b{i}: [conv: {{out: {i + 1}}}]" for i in range(1000)) + "}"
    ),
    "a loop over 10,000 rows": dedent("""
        input: [3, 8, 8]
        layers:
          - conv: {out: c, kernel: k}
            for: [c, k]
            in:
    """).strip() + "\n" + "      - [8, 3]\n" * 10_000,
    "a size of 10^9": "input: [3, 1000000000, 1000000000]\nlayers:\n  - conv: {out: 64, kernel: 3, stride: 2}\n",
}  # fmt: skip
MOST_SECONDS, MOST_MEGABYTES = 20, 700


@pytest.mark.parametrize("name", LARGE)
def test_large_but_honest(name: str) -> None:
    program = (
        "import sys, resource, time, convcost\n"
        "totals = convcost.analyze(convcost.loads(sys.stdin.read())).totals\n"
        "print(totals.macs, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time_ns())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=LARGE[name], cwd=ROOT, capture_output=True, text=True, check=True
    )
    macs, kilobytes, nanoseconds = map(int, done.stdout.split())
    expected = {
        "100,000 layers written out": 100_000 * 8 * 8 * 9 * 256,
        "100,000 layers repeated": 100_000 * 3 * 3 * 9 * 64,
        "a concat of 1,000 branches": 3 * 64 * sum(range(1, 1001)),
        "a loop over 10,000 rows": 9 * 64 * (3 * 8 + 9_999 * 8 * 8),
        "a size of 10^9": 64 * 3 * 9 * (500_000_000 * 500_000_000),
    }[name]
    assert macs == expected
    assert nanoseconds < MOST_SECONDS * 10**9  # of the processor: others may be at work
    assert kilobytes < MOST_MEGABYTES * 1024
