"""Closed forms as source code: one self-contained function of the free names, exact, in several languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convcost.codegen.languages import LANGUAGES, Language
from convcost.errors import UsageError
from convcost.formulas.program import Program, program
from convcost.formulas.simplify import collected
from convcost.numbers.printing import ordered_factors, ordered_terms
from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.formulas.closed import Formula
    from convcost.formulas.views import View

_SUM, _PRODUCT = 0, 1  # how tightly a piece of code holds together


def as_code(formula: Formula, view: View, language: str, quantities: Sequence[str]) -> str:
    """A function of the free names that returns ``quantities``.

    Args:
        formula: what it is a function of, for its name and for what must hold.
        view: the shape of the forms; an exact one.
        language: a key of :data:`convcost.codegen.languages.LANGUAGES`.
        quantities: what it returns.

    Raises:
        UsageError: the forms are not exact.
        UnsupportedError: they have no code.
    """
    if view.rounded:
        raise UsageError("code is exact; it cannot be written from --form unrounded")
    target = LANGUAGES[language]
    made = program({name: view.exprs[name] for name in quantities}, view.symbols, target.reserved)
    return target.write(_Source(formula, view, made, target))


class _Source:
    """What a language needs to write a function: its name, its head, and the lines of its body."""

    def __init__(self, formula: Formula, view: View, made: Program, language: Language) -> None:
        self.name = _identifier(formula.graph.name, language)
        self.title = plain(formula.graph.title)
        self.holds = [plain(one) for one in (*(one.text for one in view.residues), *formula.assumptions)]
        self.parameters = [(one.name, [part.name for part in one.parts]) for one in made.parameters]
        self.helpers = [name for name in language.helpers if any(one.operation == name for one in made.statements)]
        self._language = language
        whole = [part for parameter in made.parameters for part in parameter.parts]
        self.statements = [
            (one.name.name, one.operation, [self._written(argument) for argument in one.arguments])
            for one in made.statements
        ]
        self.outputs: dict[str, tuple[str, str | None]] = {}
        read = {symbol for one in made.statements for argument in one.arguments for symbol in argument.free_symbols}
        for name, (top, bottom) in made.outputs.items():
            read |= top.free_symbols | bottom.free_symbols
            below = None if bottom == 1 else self._written(bottom)
            self.outputs[name] = (self._written(collected(top, made.groups)), below)
        self.unused = [part.name for part in whole if part not in read]

    @property
    def arguments(self) -> list[str]:
        """Every argument, a ratio as two."""
        return [part for _, parts in self.parameters for part in parts]

    def _written(self, expr: Any) -> str:
        return _Writer(self._language).write(expr)[0]


def _identifier(name: str, language: Language) -> str:
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    word = word if word[:1].isalpha() else f"spec_{word}"
    return f"{word}_" if word in language.reserved else word


class _Writer:
    """Polynomials with whole coefficients, in the operators that all the languages share."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def write(self, expr: Any) -> tuple[str, int]:
        if expr.is_Integer:
            return self._language.integer(int(expr)), _PRODUCT if expr >= 0 else _SUM
        if expr.is_Symbol:
            return expr.name, _PRODUCT
        if expr.is_Add:
            return self._sum(expr), _SUM
        if expr.is_Pow:
            base = self._held(expr.base)
            return self._language.power(base, int(expr.exp)), _PRODUCT
        return self._product(expr), _PRODUCT if not expr.could_extract_minus_sign() else _SUM

    def _held(self, expr: Any) -> str:
        written, tightness = self.write(expr)
        return written if tightness == _PRODUCT else f"({written})"

    def _product(self, expr: Any) -> str:
        factor, _ = expr.as_coeff_Mul()
        if factor < 0:
            return f"-{self._held(-expr)}"
        return "*".join(map(self._held, ordered_factors(expr)))

    def _sum(self, expr: Any) -> str:
        first, *rest = ordered_terms(expr)
        parts = [self.write(first)[0]]
        for term in rest:
            negative = term.as_coeff_Mul()[0] < 0
            parts.append(f" - {self._held(-term)}" if negative else f" + {self._held(term)}")
        return "".join(parts)
