"""Planted bugs: each must turn the suite red. Run as ``python tests/mutants.py``; exits 1 if one survives.

A mutant is one line of the package with one formula changed. It is planted in a copy, and the tests named
beside it are run there until the first failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RULES = ("tests/test_oracle.py",)
SYMBOLS = ("tests/test_algebras.py", "tests/test_symbolic.py")
ORDERS = ("tests/test_orders.py",)
SPECS = ("tests/test_language.py", "tests/test_worked_examples.py", "tests/test_cli.py")


class Mutant(NamedTuple):
    """One planted bug."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    # the classic miscounts of convolutions
    Mutant("layers/conv.py", "weights = self._weights(x)", "weights = self._weights(x) * self.groups", RULES),
    Mutant("layers/conv.py", "macs=weights * positions", "macs=weights * elements(x[1:])", RULES),
    Mutant("layers/conv.py", "macs=weights * positions", "macs=2 * weights * positions", RULES),
    Mutant("layers/conv.py", "macs=weights * elements(x[1:])", "macs=weights * elements(y[1:])", RULES),
    Mutant("layers/conv.py", "bias_adds=elements(y) if self.bias else 0", "bias_adds=0", RULES),
    Mutant("layers/conv.py", "extent(k, d) + extra", "extent(k, d)", RULES),
    # windows
    Mutant("layers/window.py", "floor_div(room, step) + 1", "floor_div(room, step)", RULES),
    Mutant("layers/window.py", "padded = size + before + after", "padded = size + 2 * before", RULES),
    Mutant("layers/window.py", "return dilation * (kernel - 1) + 1", "return dilation * kernel", RULES),
    Mutant("layers/window.py", "ceil_div(size, step) for", "floor_div(size, step) for", RULES),
    Mutant("layers/window.py", "minimum(windows_needed, ceil_div(size + before, step))", "windows_needed", RULES),
    # pools, norms, activations, merges
    Mutant("layers/pool.py", "(self._window(x) - 1), read", "self._window(x), read", RULES),
    Mutant("layers/pool.py", "length + parts - gcd(length, parts)", "length", RULES),
    Mutant("layers/norm.py", "additions=count * (4 if affine else 3) - groups", "additions=count * 4 - groups", RULES),
    Mutant("layers/norm.py", "int(self.scale) + int(self.shift)", "2", RULES),
    Mutant("layers/activation.py", "1 if self.shared else x[0]", "x[0]", RULES),
    Mutant("layers/merge.py", "total(times for _, times in x) - 1", "len(x) - 1", RULES),
    Mutant(
        "layers/merge.py", "total(shape[0] * times for shape, times in x)", "total(shape[0] for shape, _ in x)", RULES
    ),
    # totals and conditions
    Mutant("cost.py", "append(value * count)", "append(value)", SPECS),
    Mutant("cost.py", "value if name in PER_MODEL else value * batch", "value * batch", SPECS),
    Mutant("algebra.py", "    return -((-a) // b)", "    return a // b + 1", RULES),
    Mutant("rounding.py", "if 10 * rounded < 9 * value", "if 10 * rounded > 9 * value", SPECS),
    Mutant("rounding.py", "floor_div(2 * value + step, 2 * step)", "floor_div(value, step)", SPECS),
    # running a spec
    Mutant("spec/run.py", "step.first_arguments if copy == 0", "step.first_arguments if copy == 1", SPECS),
    Mutant("spec/run.py", "self._count * copies", "self._count", SPECS),
    Mutant("replay.py", "index + shift if index >= start", "index if index >= start", SPECS),
    # symbols
    Mutant("symbolic/atoms.py", "return p + a * outside, a * divisor", "return p + outside, a * divisor", SYMBOLS),
    Mutant("symbolic/atoms.py", "constant -= base", "constant -= base + 1", SYMBOLS),
    Mutant("symbolic/atoms.py", "FloorDiv(divisor - 1 - num", "FloorDiv(divisor - num", SYMBOLS),
    Mutant("symbolic/split.py", "lower_bound(function, least) for", "0 for", ORDERS),
    Mutant("symbolic/naming.py", "(bool(symbol.is_integer), values[parameter])", "bool(symbol.is_integer)", ORDERS),
)


def survives(mutant: Mutant, folder: Path) -> bool:
    """Whether the tests are still green with ``mutant`` planted in a copy of the project in ``folder``."""
    path = folder / "convcost" / mutant.file
    original = path.read_text("utf-8")
    if original.count(mutant.old) < 1:
        raise SystemExit(f"{mutant.file} has no line with: {mutant.old}")
    path.write_text(original.replace(mutant.old, mutant.new), "utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", *mutant.tests]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    finally:
        path.write_text(original, "utf-8")
    if done.returncode > 1:  # pytest itself failed: that kills nothing
        raise SystemExit(done.stdout.decode())
    return done.returncode == 0


def survivors(mutants: tuple[Mutant, ...]) -> list[Mutant]:
    """Those of ``mutants`` that the tests do not notice; planted one after another in one copy."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, folder, ignore=ignored)
        return [mutant for mutant in mutants if survives(mutant, folder)]


def main() -> None:
    """Plant every mutant and say which survive."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        shares = pool.map(survivors, (MUTANTS[start::workers] for start in range(workers)))
        alive = [mutant for share in shares for mutant in share]
    sys.stdout.write(f"{len(MUTANTS)} planted, {len(alive)} survived\n")
    for mutant in alive:
        sys.stdout.write(f"survived: {mutant.file}: {mutant.old}  ->  {mutant.new}\n")
    sys.exit(bool(alive))


if __name__ == "__main__":
    main()
