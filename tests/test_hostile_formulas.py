"""Formulas that would not end are refused, in one line and at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from conftest import run_convcost

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "input: {I: 1, H: 1, W: 1}\nparameters: {a: 1, b: 1, c: 1, d: 1}\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('layers: [conv: {out: "(I+H+W+a+b+c+d)^200", kernel: 1}]', "a formula grew beyond 1,000 terms"),
        (
            'let: {f(x): "x*x"}\nlayers: [conv: {out: "f(f(f(f(I+H+W+a+b))))", kernel: 1}]',
            "a formula grew beyond 1,000",
        ),
        ('layers: [conv: {out: "max(1, (I+H+a+b)^200)", kernel: 1}]', "a formula grew beyond 1,000 terms"),
        ('layers: [conv: {out: "I^4000 + H^4000", kernel: 1}]', "a formula grew beyond degree 64"),
        ('let: {f(x): "x^16"}\nlayers: [conv: {out: "f(f(I)) + H", kernel: 1}]', "a formula grew beyond degree 64"),
    ],
)
def test_formulas_that_explode(body: str, message: str, tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(HEAD + body.replace("f(x)", '"f(x)"') + "\n")
    start = time.perf_counter()
    result = run_convcost("formula", str(spec))
    assert result.code == 1
    assert message in result.err
    assert "Traceback" not in result.err
    assert time.perf_counter() - start < 10


def test_ties_are_bounded_too() -> None:
    result = run_convcost("equal", "plain", "plain", "--where", "O=(I+H+W+K)^100")
    assert result.code in (1, 2)
    assert "Traceback" not in result.err
    assert "4,096 bits" in result.err or "terms" in result.err
