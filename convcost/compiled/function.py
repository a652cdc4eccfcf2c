"""A network as a function of some of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.compiled.network import Network
from convcost.errors import UsageError, unknown
from convcost.language.given import from_python
from convcost.language.model import own_name
from convcost.numbers.arithmetic import is_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Compiled(Network):
    """Metrics of a network as a function of some of its parameters; made by :func:`convcost.compile`."""

    def __repr__(self) -> str:
        return f"<compiled {self.spec.name}({', '.join(self.over)}) -> {', '.join(self.quantities)}>"

    def __call__(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """The metrics at a point, or at many.

        Args:
            *arguments: values of :attr:`over`, in order: numbers, or numpy arrays that are broadcast together.
            **named: the same by name.

        Returns:
            By key, what ``convcost.analyze`` gives: an exact number; an array for arrays.

        Raises:
            UsageError: a name is missing, unknown or given twice.
            SpecError: there is no network with these values; of an array, with those of the first such point.
        """
        values = arguments if not named and len(arguments) == len(self.over) else self._ordered(arguments, named)
        parts: list[int] = []
        for value, spread in zip(values, self.spreads):  # noqa: B905 - there are as many, and a check takes time
            part = spread(value)
            if part is None:
                break
            parts += part
        else:
            for form in self.free_forms:
                numbers = form(parts)
                if numbers is not None and len(numbers) == self._count:
                    return dict(zip(form.keys, numbers))  # noqa: B905 - the same
        if any(map(is_array, values)):
            from convcost.compiled.arrays import evaluated  # noqa: PLC0415 - imports numpy

            return evaluated(self, values)
        return self.at([from_python(value) for value in values])

    def _ordered(self, arguments: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        if len(arguments) > len(self.over):
            raise UsageError(
                f"{self.spec.name} was compiled over {', '.join(self.over)}, found {len(arguments)} values"
            )
        values = dict(zip(self.over, arguments, strict=False))
        for name, value in named.items():
            own = own_name(name, self.over)
            if own not in self.over:
                raise UsageError(unknown("argument", name, self.over))
            if own in values:
                raise UsageError(f"`{own}` is given twice")
            values[own] = value
        missing = [name for name in self.over if name not in values]
        if missing:
            raise UsageError(f"{self.spec.name} has the arguments {', '.join(self.over)}; `{missing[0]}` is missing")
        return [values[name] for name in self.over]
