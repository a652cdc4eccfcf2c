"""The arguments of layers: their types, defaults and checks."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convcost.errors import FieldError
from convcost.numbers.arithmetic import is_array, is_number, is_symbolic, is_whole, normal, require

_SIZES = ("size", "axes", "padding")
LETTERS = ("c", "d", "h", "w")  # of the axes of a tensor


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED = _Required()


class Field:
    """One argument of a layer: its type, default and meaning.

    ``type`` is one of

    * ``size``: a whole number of at least ``minimum``;
    * ``axes``: a size, or a list with one size per spatial axis;
    * ``padding``: ``same``, ``valid``, a size, a list of one per axis, or of ``[before, after]`` pairs;
    * ``flag``: true or false;
    * ``word``: one of ``words``;
    * ``axis``: a letter, or an index from 0 at the channels; ``axis_list``: one or several;
    * ``number``: any exact number.
    """

    __slots__ = ("default", "doc", "minimum", "name", "type", "words")

    def __init__(
        self,
        type_: str,
        default: Any,
        doc: str,
        *,
        minimum: int = 1,
        words: tuple[str, ...] = (),
    ) -> None:
        self.type = type_
        self.default = default
        self.doc = doc
        self.minimum = minimum
        self.words = words
        self.name = ""

    @property
    def required(self) -> bool:
        """Whether the field has no default."""
        return self.default is REQUIRED

    def check(self, value: Any) -> Any:
        """``value`` in normal form (lists become tuples).

        Raises:
            FieldError: it does not fit the field's type.
        """
        if type(value) is int and value >= self.minimum and self.type in _SIZES:
            return value
        value = normal(value)
        if self.default is None and value is None:
            return None
        return getattr(self, f"_check_{self.type}")(value)

    def _refuse(self, expected: str, value: Any) -> FieldError:
        return FieldError(self.name, f"`{self.name}` must be {expected}, found {shown(value)}")

    def _check_size(self, value: Any) -> Any:
        expected = f"a whole number of at least {self.minimum}"
        if isinstance(value, Fraction) and value > 0:
            hint = "; round it with make_divisible(v, 8), round(v) or floor(v)"
            raise FieldError(self.name, f"`{self.name}` must be {expected}, found {shown(value)}{hint}")
        if isinstance(value, bool | str | list | tuple | dict) or value is None or not is_whole(value):
            raise self._refuse(expected, value)
        if type(value) is int:
            if value < self.minimum:
                raise self._refuse(expected, value)
        else:
            require(">=", value, self.minimum, lambda: f"`{self.name}` must be {expected}, found {shown(value)}")
        return value

    def _check_axes(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            if not value:
                raise self._refuse("a size or a list of sizes", value)
            return tuple(self._check_size(normal(item)) for item in value)
        return self._check_size(value)

    def _check_padding(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._check_word(value)
        if isinstance(value, list | tuple):
            if any(isinstance(item, list | tuple) for item in value):
                return tuple(self._pair(item) for item in value)
            return tuple(self._check_size(normal(item)) for item in value)
        return self._check_size(value)

    def _pair(self, value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != 2:  # noqa: PLR2004 - before and after
            raise self._refuse("a list with one [before, after] pair per axis", value)
        return tuple(self._check_size(normal(item)) for item in value)

    def _check_flag(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise self._refuse("true or false", value)
        return value

    def _check_word(self, value: Any) -> Any:
        if not isinstance(value, str) or value not in self.words:
            raise self._refuse("one of " + ", ".join(self.words), value)
        return value

    def _check_axis(self, value: Any) -> Any:
        if type(value) is int or (isinstance(value, str) and value in self.words):
            return value
        raise self._refuse(f"one of {', '.join(self.words)}, or an index", value)

    def _check_axis_list(self, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return self._check_axis(value)
        if not value:
            raise self._refuse("an axis or a list of axes", value)
        return tuple(self._check_axis(normal(item)) for item in value)

    def _check_number(self, value: Any) -> Any:
        if is_number(value) or is_symbolic(value) or is_array(value):
            return value
        raise self._refuse("a number", value)


def shown(value: Any) -> str:
    """``value`` as an error names it, cut to a readable length."""
    words = {None: "none", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    if isinstance(value, str):
        computed = any(sign in value for sign in "+-*/(")
        return f"'{value[:60]}'" + (" (rows and tables are data, nothing in them is computed)" if computed else "")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown(item) for item in value[:8]) + (", ..." if len(value) > 8 else "") + "]"  # noqa: PLR2004
    text = _decimal(value) if isinstance(value, Fraction) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a readable length


_PLACES = 6  # most decimal places that a value is shown with


def _decimal(value: Fraction) -> str:
    """``value`` as a decimal where it is a short one, else as a fraction."""
    scaled = value * 10**_PLACES
    if scaled.denominator != 1:
        return str(value)
    whole, rest = divmod(abs(scaled.numerator), 10**_PLACES)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{_PLACES}d}".rstrip("0").rstrip(".")


def size(default: Any = REQUIRED, doc: str = "", *, minimum: int = 1) -> Any:
    """A field that holds a whole number."""
    return Field("size", default, doc, minimum=minimum)


def axes(default: Any = REQUIRED, doc: str = "", *, minimum: int = 1) -> Any:
    """A field that holds a size, or one size per spatial axis."""
    return Field("axes", default, doc, minimum=minimum)


def padding(default: Any, doc: str = "") -> Any:
    """A field that holds a padding."""
    return Field("padding", default, doc, minimum=0, words=("same", "valid"))


def flag(default: Any, doc: str = "") -> Any:
    """A field that holds true or false."""
    return Field("flag", default, doc)


def word(default: Any, words: tuple[str, ...], doc: str = "") -> Any:
    """A field that holds one of some words."""
    return Field("word", default, doc, words=words)


def axis(default: Any = REQUIRED, doc: str = "") -> Any:
    """A field that holds an axis of a tensor: ``c``, ``d``, ``h``, ``w``, or an index."""
    return Field("axis", default, doc, words=LETTERS)


def axis_list(default: Any = REQUIRED, doc: str = "") -> Any:
    """A field that holds one axis or several."""
    return Field("axis_list", default, doc, words=LETTERS)


def number(default: Any = REQUIRED, doc: str = "") -> Any:
    """A field that holds any exact number."""
    return Field("number", default, doc)
