"""Mutation testing of the rules: run as ``python tests/mutation.py``; needs ``pip install '.[test,mutation]'``.

mutmut changes one operator, number, name, argument or text at a time in the files that ``[tool.mutmut]`` in
pyproject.toml names, and runs the tests named there that reach the changed function. The project is copied first, so
that nothing is left in it. Exits 1 if fewer mutants are killed than asked for. Names (with ``*``) narrow the run.

``tests/mutants.py`` is its small sister: a few bugs planted by hand, in the whole package, in every CI run.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
IGNORED = (".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "mutants", "site")
KILLED = (1, 3)  # exit codes of pytest: a test failed, or pytest itself could not go on
SURVIVED = (0, 5, 33)  # all tests passed, or none reaches the function
TIMEOUT = (36, 24, -24, 152, 255, -9)


class Outcome(NamedTuple):
    """What became of one mutant: ``killed``, ``survived`` or ``timeout``."""

    file: str
    mutant: str
    fate: str


def mutate(folder: Path, names: list[str], children: int) -> None:
    """Run mutmut in a copy of the project in ``folder``; what it prints goes to ``mutmut.log`` there."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*IGNORED), dirs_exist_ok=True)
    program = Path(sys.executable).with_name("mutmut")
    if not program.exists():
        raise SystemExit("mutmut is not installed: pip install '.[test,mutation]'")
    with open(folder / "mutmut.log", "w", encoding="utf-8") as log:
        command = [str(program), "run", "--max-children", str(children), *names]
        done = subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SystemExit((folder / "mutmut.log").read_text("utf-8")[-2000:])


def outcomes(folder: Path, names: list[str]) -> list[Outcome]:
    """What mutmut found, in the order of the files."""
    found = []
    for meta in sorted((folder / "mutants").rglob("*.py.meta")):
        file = str(meta.relative_to(folder / "mutants")).removesuffix(".meta")
        for mutant, code in json.loads(meta.read_text("utf-8"))["exit_code_by_key"].items():
            if names and not any(fnmatch.fnmatch(mutant, name) for name in names):
                continue
            fates = {**dict.fromkeys(KILLED, "killed"), **dict.fromkeys(SURVIVED, "survived")}
            fates |= dict.fromkeys(TIMEOUT, "timeout")
            found.append(Outcome(file, mutant, fates.get(code, f"exit code {code}")))
    return found


def table(found: list[Outcome]) -> str:
    """Mutants, killed, timeouts and survivors by file, as Markdown."""
    lines = ["| file | mutants | killed | timeouts | survived |", "|---|---:|---:|---:|---:|"]
    for file in [*dict.fromkeys(one.file for one in found), "all"]:
        fates = Counter(one.fate for one in found if file in (one.file, "all"))
        counts = (fates.total(), fates["killed"], fates["timeout"], fates["survived"])
        lines.append(f"| {file} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def main() -> None:
    """Mutate, and say by file what became of the mutants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants to try, as convcost.layers.pool.*; default: all")
    parser.add_argument("--children", type=int, default=2, help="processes at once")
    parser.add_argument("--floor", type=int, default=90, help="least share of mutants killed, in %%")
    parser.add_argument("--keep", type=Path, help="run in this folder and leave it, for `mutmut show NAME` there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary) / "project"
        mutate(folder, arguments.names, arguments.children)
        found = outcomes(folder, arguments.names)
    lived = [one for one in found if one.fate != "killed"]
    print("\n".join(f"{one.fate}: {one.mutant}" for one in lived))
    print(table(found))
    killed = 100 * sum(one.fate in ("killed", "timeout") for one in found)
    print(f"{killed / len(found):.1f} % killed or timed out; asked for {arguments.floor} %")
    sys.exit(killed < arguments.floor * len(found))


if __name__ == "__main__":
    main()
