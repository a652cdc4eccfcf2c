"""Closed forms as source code: one self-contained function of the free names, exact, in several languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convcost.codegen.languages import LANGUAGES, Language, Source
from convcost.codegen.program import program
from convcost.errors import UsageError
from convcost.formulas.simplify import collected
from convcost.numbers.polynomial import symbols_in
from convcost.numbers.printing import TextPrinter
from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.codegen.program import Program
    from convcost.formulas.closed import Formula
    from convcost.formulas.views import View


def as_code(formula: Formula, view: View, language: str, quantities: Sequence[str]) -> str:
    """A function of the free names that returns ``quantities``.

    Args:
        formula: what it is a function of, for its name and its conditions.
        view: the form of the closed forms; an exact one.
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
    return target.write(_source(formula, view, made, target))


def _source(formula: Formula, view: View, made: Program, language: Language) -> Source:
    write = _CodePrinter(language)
    read = {symbol for line in made.statements for argument in line.arguments for symbol in symbols_in(argument)}
    read |= {symbol for fraction in made.outputs.values() for part in fraction for symbol in symbols_in(part)}
    operations = {line.operation for line in made.statements}
    return Source(
        name=_identifier(formula.graph.name, language),
        title=plain(formula.graph.title),
        conditions=[plain(line) for line in (*(residue.text for residue in view.residues), *formula.assumptions)],
        parameters=[(parameter.name, [part.name for part in parameter.parts]) for parameter in made.parameters],
        helpers=[operation for operation in language.helpers if operation in operations],
        statements=[(line.symbol.name, line.operation, [*map(write, line.arguments)]) for line in made.statements],
        outputs={
            name: (write(collected(top, made.groups)), None if bottom == 1 else write(bottom))
            for name, (top, bottom) in made.outputs.items()
        },
        unused=[argument.name for argument in made.arguments if argument not in read],
    )


def _identifier(name: str, language: Language) -> str:
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    word = word if word[:1].isalpha() else f"spec_{word}"
    return f"{word}_" if word in language.reserved else word


class _CodePrinter(TextPrinter):
    """Polynomials with whole coefficients, in the operators that all the languages share."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language = language

    def number(self, value: Any) -> str:
        return self._language.integer(value)

    def raised(self, base: str, exponent: Any) -> str:
        return self._language.power(base, exponent)
