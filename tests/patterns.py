"""Finding and changing code by its structure, wherever it is and however it is laid out.

A pattern is Python source. A name in it that begins with ``_`` is a wildcard: it fits any expression, and the same
wildcard fits the same expression everywhere. ``macs=_a * _b`` fits an assignment to ``macs`` and an argument of that
name.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Definition = ast.FunctionDef | ast.ClassDef
Bound = dict[str, ast.AST]
_IGNORED = ("ctx", "kind", "type_comment")  # they follow from where an expression is written


class Pattern(NamedTuple):
    """Code within one definition.

    Attributes:
        where: qualified name of a function or class: ``Conv.work``. ``Conv.work(_s, _x)`` gives the first parameters
            the names of wildcards.
        text: the pattern.
    """

    where: str
    text: str

    @property
    def name(self) -> str:
        """The qualified name alone."""
        return self.where.partition("(")[0]

    def places(self, module: ast.Module) -> list[tuple[ast.AST, Bound]]:
        """The nodes of ``module`` that fit, with what each wildcard is there."""
        pattern = parsed(self.text)
        result = []
        for definition in definitions(module, self.name):
            for node in ast.walk(definition):
                bound = self._parameters(definition)
                if fits(pattern, node, bound):
                    result.append((node, bound))
        return result

    def _parameters(self, definition: Definition) -> Bound:
        names = [name.strip() for name in self.where.partition("(")[2].rstrip(")").split(",") if name.strip()]
        if not names or isinstance(definition, ast.ClassDef):
            return {}
        return {name: ast.Name(argument.arg) for name, argument in zip(names, definition.args.args, strict=False)}


def parsed(text: str) -> ast.AST:
    """The one statement or expression in ``text``."""
    (statement,) = ast.parse(text).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def definitions(module: ast.Module, name: str) -> Iterator[Definition]:
    """The functions and classes of ``module`` with this qualified name."""
    return (node for own, node in _named(module.body, "") if own == name)


def _named(body: Iterable[ast.stmt], prefix: str) -> Iterator[tuple[str, Definition]]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield prefix + statement.name, statement
            yield from _named(statement.body, f"{prefix}{statement.name}.")


def fits(pattern: object, node: object, bound: Bound | None) -> bool:
    """Whether ``node`` has the structure of ``pattern``; without ``bound`` no name is a wildcard."""
    if isinstance(pattern, list):
        pairs = isinstance(node, list) and len(node) == len(pattern)
        return pairs and all(fits(a, b, bound) for a, b in zip(pattern, node, strict=True))
    if not isinstance(pattern, ast.AST):
        return type(pattern) is type(node) and pattern == node
    if bound is not None and isinstance(pattern, ast.Name) and pattern.id.startswith("_"):
        return isinstance(node, ast.expr) and fits(bound.setdefault(pattern.id, node), node, None)
    if isinstance(pattern, ast.Assign) and isinstance(node, ast.keyword):
        (target,) = pattern.targets
        return isinstance(target, ast.Name) and target.id == node.arg and fits(pattern.value, node.value, bound)
    fields = [field for field in pattern._fields if field not in _IGNORED]
    return type(pattern) is type(node) and all(
        fits(getattr(pattern, field, None), getattr(node, field, None), bound) for field in fields
    )


class _Fill(ast.NodeTransformer):
    """Puts what the wildcards are in their places."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._bound.get(node.id, node)


class _Replace(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old = old
        self._new = new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


def changed(source: str, pattern: Pattern, replacement: str) -> str:
    """``source`` with the replacement at every place that fits; without its comments."""
    module = ast.parse(source)
    for node, bound in pattern.places(module):
        new: ast.AST = _Fill(bound).visit(parsed(replacement))
        if isinstance(node, ast.keyword) and isinstance(new, ast.Assign):
            new = ast.keyword(node.arg, new.value)
        _Replace(node, new).visit(module)
    return ast.unparse(ast.fix_missing_locations(module))
