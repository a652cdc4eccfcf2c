"""Laws of the architecture: who may import whom, what is not loaded, what is never called."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from mutants import MUTANTS, defining
from patterns import Pattern, changed

import convcost
from convcost import api

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from mutants import Mutant

PACKAGE = ROOT / "convcost"
FILES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "sympify", "parse_expr", "S"}
SAFE_CALLS = {("compiled/emit.py", "compile")}  # of a tree that is made there; tests/test_compile.py has the law
FORBIDDEN_METHODS = {"sympify", "parse_expr", "load", "unsafe_load", "full_load", "load_all", "loads"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imported(nodes: Iterable[ast.AST]) -> set[str]:
    """Every module, or name of a module, that one of ``nodes`` imports."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@functools.cache
def imports(path: Path) -> set[str]:
    """Every module that ``path`` imports, wherever in the file."""
    return imported(ast.walk(tree(path)))


def inside(*parts: str) -> list[Path]:
    return [path for path in FILES if path.relative_to(PACKAGE).parts[: len(parts)] == parts]


def using(package: str) -> set[str]:
    """The rooms that import ``package``: a file's folder, or its name at the top."""
    return {
        path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for path in FILES
        if any(name.split(".")[0] == package for name in imports(path))
    }


# The floors of the package, from the ground up: a file imports from its own room and from rooms below it.
FLOORS = (
    ("errors", "limits", "process", "records", "tables", "plugins"),
    ("numbers",),
    ("layers",),
    ("network",),
    ("language",),
    ("importers",),
    ("catalogue", "exporters"),
    ("conventions", "metrics"),
    ("literature", "formulas"),
    ("solving", "codegen", "drawing", "spaces"),
    ("compiled",),
    ("sweeps",),
    ("api",),
    ("render", "building", "__init__"),
    ("cli",),
    ("__main__",),
)
LOWER = {
    name: {below for rooms in FLOORS[:floor] for below in rooms} for floor, names in enumerate(FLOORS) for name in names
}


def room(name: str) -> str:
    """The folder, or the file at the top, that a module of the package is in."""
    return name.split(".")[1] if "." in name else "__init__"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    floor = next(rooms for rooms in FLOORS if own in rooms)
    imported = {room(name) for name in imports(path) - {"convcost.__version__"} if name.split(".")[0] == "convcost"}
    assert imported <= LOWER[own] | set(floor)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = set(map(module_of, FILES))


def run_time(node: ast.AST) -> Iterator[ast.AST]:
    """``node`` and all inside it, apart from what is for types alone."""
    yield node
    only_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    for child in [] if only_for_types else ast.iter_child_nodes(node):
        yield from run_time(child)


def run_time_imports(path: Path) -> set[str]:
    """The modules of the package that ``path`` imports when it runs, also inside functions."""
    names = imported(run_time(tree(path)))
    return {name if name in MODULES else name.rpartition(".")[0] for name in names} & MODULES - {module_of(path)}


def circles(graph: Mapping[str, AbstractSet[str]]) -> list[set[str]]:
    """The largest sets of nodes in which every node reaches every other."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        queue = [start]
        while queue:
            new = graph[queue.pop()] - seen
            seen |= new
            queue += new
        return seen

    reach = {node: reached(node) for node in graph}
    sets = {frozenset(other for other in reach[node] if node in reach[other]) for node in graph if node in reach[node]}
    return [set(group) for group in sets]


def test_no_circle_of_modules() -> None:
    assert circles({module_of(path): run_time_imports(path) for path in FILES}) == []


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [{"b", "c"}]
    assert circles({"a": {"b"}, "b": set()}) == []


def test_each_library_has_its_rooms() -> None:
    assert using("yaml") == {"language"}
    assert using("sympy") == {"numbers", "formulas"}
    assert using("numpy") == {"numbers", "compiled", "spaces", "sweeps"}
    assert using("click") == {"cli"}
    assert using("rich") <= {"cli", "tables"}


def test_nothing_below_the_command_line_knows_it() -> None:
    for path in FILES:
        if path.relative_to(PACKAGE).parts[0] not in ("cli", "__main__.py"):
            assert not [name for name in imports(path) if name.startswith("convcost.cli")], path


def calls(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno
        elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            yield f"{node.func.value.id}.{node.func.attr}", node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_runs_text(path: Path) -> None:
    for name, line in calls(path):
        module, _, method = name.rpartition(".")
        known = (path.relative_to(PACKAGE).as_posix(), name) in SAFE_CALLS
        assert known or method not in FORBIDDEN_CALLS or module not in ("", "sympy"), f"{path}:{line}"
        assert not (module in ("yaml", "sympy", "pickle", "marshal") and method in FORBIDDEN_METHODS), f"{path}:{line}"


def loaded_by(*args: str) -> set[str]:
    """Top-level modules that a run of the command leaves loaded."""
    program = (
        "import sys\n"
        "from convcost.cli import main\n"
        f"sys.argv = ['convcost', *{args!r}]\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "print('LOADED', *{name.split('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split("LOADED", 1)[1].split())


def test_analyze_loads_neither_sympy_nor_numpy() -> None:
    loaded = loaded_by("analyze", "resnet50")
    assert not loaded & {"sympy", "numpy", "mpmath", "torch", "onnx", "cairosvg", "rich"}
    assert not loaded & {"difflib", "hashlib", "json", "random", "shutil", "tempfile"}
    assert "convcost" in loaded


def test_a_command_line_without_options_loads_neither_click_nor_yaml() -> None:
    assert not loaded_by("analyze", "resnet50") & {"click", "yaml", "inspect"}
    assert not loaded_by("list") & {"click", "yaml", "inspect"}
    assert "click" in loaded_by("analyze", "resnet50", "--by", "stage")


def test_a_function_of_the_library_is_loaded_when_it_is_asked_for() -> None:
    assert set(api._HOMES) == set(api.__all__)  # noqa: SLF001
    assert all(callable(getattr(api, name)) for name in api.__all__)
    program = "import sys, convcost\nconvcost.load\nprint(*(name for name in sys.modules if 'convcost.api.' in name))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["convcost.api.targets", "convcost.api.specs"]


def test_that_test_can_fail() -> None:
    """A quadratic equation with names for coefficients is one of the few questions that sympy answers."""
    assert "sympy" in loaded_by("compare", "bottleneck", "plain")


@pytest.mark.parametrize(
    "command",
    [
        "formula resnet50 --free size",
        "formula resnet50 --free size --format latex",
        "formula depthwise_separable_conv --format json --latex",
        "formula resnet50 --free size --total --format python",
        "formula inverted_residual",
        "scaling mobilenet_v2",
        "compare depthwise_separable_conv standard_conv",
        "equal resnext_a resnext_c",
        "solve mobilenet_v2 --for size --budget macs<=200M",
    ],
)
def test_closed_forms_load_no_sympy(command: str) -> None:
    assert not loaded_by(*command.split()) & {"sympy", "mpmath", "numpy"}


def test_the_public_names_are_the_ones_declared() -> None:
    for name in convcost.__all__:
        assert getattr(convcost, name).__doc__, name
    modules = {name for name, value in vars(convcost).items() if type(value) is type(ast)}
    public = {name for name in vars(convcost) if not name.startswith("_")}
    assert (
        public - modules - {"TYPE_CHECKING", "annotations"}
        == set(convcost.__all__)
        == set(dir(convcost)) - {"__version__"}
    )


VAGUE = {"one", "found", "told", "said", "stands"}


def own_names(path: Path) -> set[str]:
    """Every name that a file gives: to variables, arguments, attributes, functions and classes."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.id if isinstance(node, ast.Name) else node.attr)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_names_say_what_they_name(path: Path) -> None:
    assert not {name for name in own_names(path) if name.strip("_").lower() in VAGUE}


def places(mutant: Mutant, *sources: str) -> int:
    return sum(len(mutant.pattern.places(ast.parse(source))) for source in sources)


class Renamed(ast.NodeTransformer):
    """Every parameter and local variable of a function has another name; names of fields and modules stay."""

    def __init__(self, function: ast.AST) -> None:
        stored = [node.id for node in ast.walk(function) if isinstance(node, ast.Name) and type(node.ctx) is ast.Store]
        parameters = [node.arg for node in ast.walk(function) if isinstance(node, ast.arg)]
        self.names = {name: f"{name}_renamed" for name in (*stored, *parameters) if name not in ("self", "cls")}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(self.names.get(node.arg, node.arg), node.annotation)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_planted_bug_has_one_place(mutant: Mutant) -> None:
    (path,) = defining(PACKAGE, mutant.pattern)
    source = path.read_text("utf-8")
    planted = changed(source, mutant.pattern, mutant.new)
    assert ast.dump(ast.parse(planted)) != ast.dump(ast.parse(source))


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_planted_bug_is_found_after_local_variables_are_renamed(mutant: Mutant) -> None:
    (path,) = defining(PACKAGE, mutant.pattern)
    module = tree(path)
    for function in [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]:
        Renamed(function).generic_visit(function)
    assert places(mutant, ast.unparse(module)) == 1


def test_a_planted_bug_is_found_after_its_function_moved(tmp_path: Path) -> None:
    pattern = Pattern("area", "_width * _height")
    before = tmp_path / "before.py"
    before.write_text("def area(w, h):\n    return w * h\n", "utf-8")
    assert defining(tmp_path, pattern) == [before]
    (tmp_path / "room").mkdir()
    after = before.rename(tmp_path / "room" / "after.py")
    assert defining(tmp_path, pattern) == [after]
    assert changed(after.read_text("utf-8"), pattern, "_width + _height") == "def area(w, h):\n    return w + h"


@pytest.mark.parametrize(
    ("text", "code", "count"),
    [
        ("_a * _a", "n * n", 1),
        ("_a * _a", "n * m", 0),  # the same wildcard is the same expression
        ("macs=_a * _b", "Work(macs=n * m, adds=n * m)", 1),
        ("macs=_a * _b", "Work(macs=n + m)", 0),
        ("_a + 1", "n + True", 0),
        ("max(_a, _b)", "max(n, m, 1)", 0),
    ],
)
def test_wildcards(text: str, code: str, count: int) -> None:
    source = f"def own():\n    return {code}\ndef other():\n    return {code}\n"
    assert len(Pattern("own", text).places(ast.parse(source))) == count
