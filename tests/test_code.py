"""Generated code, run against the exact integers."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from conftest import representatives, sampled
from exactness import drawn, free_sets, repaired
from inprocess import convcost

from convcost.catalogue.loader import Catalogue
from convcost.codegen.code import as_code
from convcost.formulas.closed import Formula, formula
from convcost.formulas.views import view
from convcost.language.interpret import build
from convcost.metrics.quantities import QUANTITIES, quantities

if TYPE_CHECKING:
    from pathlib import Path

# widths where a rule just does or does not round up, and halves that go to the even neighbour
ROUNDING = b"""
parameters: {alpha: 1.0, beta: 1.0}
input: [8, 4, 4]
layers:
  - conv: {out: "make_divisible(16*alpha, 8)", kernel: 1}
  - conv: {out: "round(5*beta)", kernel: 1}
  - conv: {out: "max(3, min(ceil(7*alpha), floor(9*beta)))", kernel: 1}
"""
EDGES = [
    {"alpha": Fraction(5, 9), "beta": Fraction(1, 2)},
    {"alpha": Fraction(501, 900), "beta": Fraction(3, 10)},
    {"alpha": Fraction(3, 4), "beta": Fraction(7, 10)},
    {"alpha": Fraction(1, 7), "beta": Fraction(9, 10)},
]
NAMES = [*representatives(), "rounding"]
POINTS = 3


class Sample(NamedTuple):
    """A spec with every name free, and points with the integers expected there."""

    formula: Formula
    points: list[dict[str, Any]]
    expected: list[list[int]]


@cache
def sample(name: str) -> Sample:
    edges = name == "rounding"
    spec = Catalogue().text(ROUNDING, "<rounding>", name, ".") if edges else Catalogue().target(name)
    found = formula(spec, free_sets(spec)[-1])
    generator = random.Random(name)  # noqa: S311 - repeatable, not secret
    points: list[dict[str, Any]] = [dict(found.witness), *(EDGES if edges else ())]
    while len(points) < POINTS:
        values = repaired(found, drawn(found, generator), generator)
        if not found.violated(values):
            points.append(values)
    counts = [quantities(build(spec, point).layers) for point in points]
    return Sample(found, points, [[count[key] for key in QUANTITIES] for count in counts])


def source(name: str, language: str) -> str:
    found = sample(name).formula
    return as_code(found, view(found, "exact"), language, list(QUANTITIES))


def parts(value: Any, *, ratio: bool) -> list[int]:
    value = Fraction(value)
    return [value.numerator, value.denominator] if ratio else [value.numerator]


def arguments(found: Formula, point: dict[str, Any]) -> list[int]:
    return [part for name, one in found.symbols.items() for part in parts(point[name], ratio=not one.whole)]


@pytest.mark.parametrize("name", sampled(NAMES, 3))
def test_python(name: str) -> None:
    scope: dict[str, Any] = {}
    exec(source(name, "python"), scope)  # noqa: S102 - that it runs is the point
    for point, expected in zip(sample(name).points, sample(name).expected, strict=True):
        assert list(scope[name](*point.values()).values()) == expected


@pytest.mark.parametrize("name", sampled(NAMES, 3))
@pytest.mark.parametrize("options", [{}, {"dtype": np.int64}], ids=str)
def test_numpy(name: str, options: dict[str, Any]) -> None:
    """All points at once, as arrays."""
    scope: dict[str, Any] = {}
    exec(source(name, "numpy"), scope)  # noqa: S102
    found, points, expected = sample(name)
    columns = [np.array(column) for column in zip(*(arguments(found, point) for point in points), strict=True)]
    results = scope[name](*columns, **options)
    for key, column in zip(QUANTITIES, zip(*expected, strict=True), strict=True):
        assert np.broadcast_to(results[key], len(points)).tolist() == list(column)


def test_numpy_does_not_wrap_around() -> None:
    scope: dict[str, Any] = {}
    spec = Catalogue().target("resnet50")
    found = formula(spec, ["size"])
    exec(as_code(found, view(found, "exact"), "numpy", ["macs"]), scope)  # noqa: S102
    sizes = np.array([224, 2**31 - 32], dtype=np.int32)
    expected = [quantities(build(spec, {"size": int(size)}).layers)["macs"] for size in sizes]
    assert scope["resnet50"](sizes)["macs"].tolist() == expected


def run_c(compiler: str, folder: Path) -> list[list[int]]:
    """Every spec in one program: its results, point after point."""
    for name in NAMES:
        fields = ", ".join(f"(long long)cost.{key}" for key in QUANTITIES)
        printf = f'printf("{"%lld " * len(QUANTITIES)}\\n", {fields});'
        calls = "".join(
            f"    cost = {name}({', '.join(map(str, arguments(sample(name).formula, point)))}); {printf}\n"
            for point in sample(name).points
        )
        run = f"void run_{name}(void) {{\n    struct {name}_cost cost;\n{calls}}}\n"
        (folder / f"{name}.c").write_text(f"{source(name, 'c')}\n#include <stdio.h>\nvoid run_{name}(void);\n{run}")
    declared = "".join(f"void run_{name}(void);\n" for name in NAMES)
    body = "".join(f"    run_{name}();\n" for name in NAMES)
    (folder / "main.c").write_text(f"{declared}int main(void) {{\n{body}    return 0;\n}}\n")
    files = ["main.c", *(f"{name}.c" for name in NAMES)]
    flags = ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O0", "-o", "all"]
    subprocess.run([compiler, *flags, *files], cwd=folder, check=True, timeout=100)
    done = subprocess.run([folder / "all"], capture_output=True, text=True, check=True, timeout=10)
    return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]


def run_javascript(node: str, folder: Path) -> list[list[int]]:
    lines = []
    for name in NAMES:
        (folder / f"{name}.js").write_text(source(name, "javascript"))
        for point in sample(name).points:
            values = ", ".join(map(str, arguments(sample(name).formula, point)))
            lines.append(f"console.log(Object.values(require('./{name}.js')({values})).join(' '));")
    (folder / "main.js").write_text("\n".join(lines))
    done = subprocess.run([node, "main.js"], cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]


def run_python(python: str, folder: Path) -> list[list[int]]:
    """Every function in a process of its own, where there is no convcost."""
    lines = ["from fractions import Fraction"]
    for name in NAMES:
        (folder / f"{name}.py").write_text(source(name, "python"))
        lines.append(f"from {name} import {name}")
        for point in sample(name).points:
            values = ", ".join(map(repr, point.values()))
            lines.append(f"print(*{name}({values}).values())")
    (folder / "main.py").write_text("\n".join(lines))
    done = subprocess.run([python, "main.py"], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]


RUNNERS = {"python": run_python, "gcc": run_c, "node": run_javascript}
FOUND = {"python": sys.executable, **{name: path for name in ("gcc", "node") if (path := shutil.which(name))}}


@pytest.mark.parametrize("program", FOUND)
def test_in_a_process_of_its_own(program: str, tmp_path: Path) -> None:
    """Python, and C and JavaScript on machines that can run them."""
    found = RUNNERS[program](FOUND[program], tmp_path)
    assert found == [numbers for name in NAMES for numbers in sample(name).expected]


def test_a_float_means_the_decimal_it_prints_as() -> None:
    """MACs of timm's ``mobilenetv2_035``, from its layers (timm 1.0.31)."""
    scope: dict[str, Any] = {}
    found = formula(Catalogue().target("mobilenet_v2"), ["alpha"])
    exec(as_code(found, view(found, "exact"), "python", ["macs"]), scope)  # noqa: S102
    assert scope["mobilenet_v2"](0.35) == scope["mobilenet_v2"](Fraction(35, 100)) == {"macs": 59_285_808}


def test_reserved_words_get_an_underscore(tmp_path: Path) -> None:
    spec = tmp_path / "for.yaml"
    spec.write_text("input: {int: 8, H: 4, W: 4}\nparameters: {double: 3}\nlayers: [conv: {out: double, kernel: 1}]\n")
    c = convcost("formula", str(spec), "--format", "c", "--in", "macs")
    assert c.code == 0, c.err
    assert "for_(wide int_, wide H, wide W, wide double_)" in c.out
    assert re.search(r"cost\.macs = .*H\*W\*double_\*int_", c.out)


def test_code_is_exact() -> None:
    result = convcost("formula", "mobilenet_v1", "--free", "alpha", "--form", "unrounded", "--format", "python")
    assert (result.code, result.err) == (2, "error: code is exact; it cannot be written from --form unrounded\n")


def test_ideal_code_is_a_function_of_the_residue() -> None:
    scope: dict[str, Any] = {}
    exec(convcost("formula", "inception_v3", "--form", "ideal", "--format", "python").out, scope)  # noqa: S102
    assert scope["inception_v3"](9, 1000)["macs"] == 5_713_216_096  # 299 = 32*9 + 11
