"""A chart before it is drawn: axes, and the bars, curves and dots on them, with exact values."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import ConvcostError
from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from fractions import Fraction

_UNITS = (("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
_STEPS = (1, 2, 5, 10)
_DECADES = 12  # decades from which on not every power of ten is marked
_MARKS = 8  # marks between the powers of ten of an axis, at most


class Axis(NamedTuple):
    """One axis.

    Attributes:
        title: what it shows, with its unit.
        low, high: the values at its ends.
        log: whether equal distances are equal factors.
        ticks: values that are marked, with their text.
    """

    title: str
    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]

    def at(self, value: float | Fraction) -> float:
        """The place of a value: 0 at the low end, 1 at the high end."""
        number = float(value)
        if self.log:
            return (log10(number) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (number - self.low) / (self.high - self.low)


class Bar(NamedTuple):
    """One value with its name.

    Attributes:
        label: what has it.
        value: exact.
        text: the value for people.
        group: what bars of its colour have in common; empty for none.
    """

    label: str
    value: int | Fraction
    text: str
    group: str = ""


class Curve(NamedTuple):
    """Values joined by a line.

    Attributes:
        name: what they are of.
        points: exact x and y.
        steps: whether a value holds until the next one.
        filled: whether the area below it has a tint.
    """

    name: str
    points: tuple[tuple[Any, Any], ...]
    steps: bool = False
    filled: bool = False


class Dot(NamedTuple):
    """A point with a name.

    Attributes:
        label: the name; drawn where ``named``.
        x, y: exact.
        group: what dots of its colour have in common.
        weight: the part of the largest area that its disc has; 0 for a small mark of one size.
        named: whether its name is drawn.
    """

    label: str
    x: Any
    y: Any
    group: str = ""
    weight: float = 0
    named: bool = True


class Rule(NamedTuple):
    """A dashed line across the chart at one value.

    Attributes:
        axis: ``x`` or ``y``, whose value it marks.
        value: where it is.
        text: what it means.
    """

    axis: str
    value: Any
    text: str


class Strip(NamedTuple):
    """The channels of one layer, side by side.

    Attributes:
        label: the layer.
        cells: for each channel, the colours of the input channels that it depends on.
        wires: from a channel of the strip above to one of this, for each that is read.
    """

    label: str
    cells: tuple[tuple[int, ...], ...]
    wires: tuple[tuple[int, int], ...]


class Chart(Printable):
    """A chart of the costs of networks.

    Attributes:
        kind: which of the kinds it is.
        title: what it shows.
        x, y: the axes; of bars, ``x`` alone.
        bars: from top to bottom, where the chart consists of bars.
        curves, dots, rules: what is drawn between the axes.
        strips: channels below each other, where the chart consists of them.
        rows: the same as bars for a terminal.
        about_rows: what these bars are, where it is not what the chart shows.
        notes: what a reader must know.
    """

    __slots__ = (
        "about_rows",
        "bars",
        "curves",
        "dots",
        "kind",
        "notes",
        "rows",
        "rules",
        "strips",
        "title",
        "x",
        "y",
    )

    def __init__(  # noqa: PLR0913 - a record
        self,
        kind: str,
        title: str,
        x: Axis,
        y: Axis | None = None,
        *,
        bars: Iterable[Bar] = (),
        curves: Iterable[Curve] = (),
        dots: Iterable[Dot] = (),
        rules: Iterable[Rule] = (),
        strips: Iterable[Strip] = (),
        rows: Iterable[Bar] = (),
        about_rows: str = "",
        notes: Iterable[str] = (),
    ) -> None:
        self.kind = kind
        self.title = title
        self.x = x
        self.y = y
        self.bars = tuple(bars)
        self.curves = tuple(curves)
        self.dots = tuple(dots)
        self.rules = tuple(rules)
        self.strips = tuple(strips)
        self.rows = tuple(rows) or self.bars
        self.about_rows = about_rows
        self.notes = tuple(notes)

    def __repr__(self) -> str:
        marks = (("bars", self.bars), ("curves", self.curves), ("dots", self.dots), ("strips", self.strips))
        shown = [f"{len(members)} {name if len(members) > 1 else name[:-1]}" for name, members in marks if members]
        return f"<{self.kind} chart: {', '.join(shown)}>"

    def _repr_html_(self) -> str:
        return self.svg()

    def svg(self) -> str:
        """The chart as an SVG file, readable on a light and on a dark page."""
        from convcost.drawing.chart_svg import chart_svg  # noqa: PLC0415 - a terminal does not pay for it

        return chart_svg(self)

    def text(self, width: int = 80, *, ascii_only: bool = False) -> str:
        """The chart as bars for a terminal.

        Args:
            width: columns of the terminal.
            ascii_only: draw without block characters.
        """
        from convcost.drawing.chart_text import chart_text  # noqa: PLC0415 - a file does not pay for it

        return chart_text(self, width, ascii_only=ascii_only)

    def png(self) -> bytes:
        """The chart as a PNG image of twice the size, by CairoSVG: the extra ``plot``.

        Raises:
            ConvcostError: CairoSVG is not installed.
        """
        image: bytes = _cairosvg().svg2png(bytestring=self.svg().encode(), scale=2)
        return image

    def pdf(self) -> bytes:
        """The chart as a PDF file, by CairoSVG: the extra ``plot``.

        Raises:
            ConvcostError: CairoSVG is not installed.
        """
        file: bytes = _cairosvg().svg2pdf(bytestring=self.svg().encode())
        return file

    def written(self, format_: str, width: int = 80, *, ascii_only: bool = False) -> str | bytes:
        """The chart as ``text``, ``svg``, ``png`` or ``pdf``; the other arguments are those of :meth:`text`.

        Raises:
            ConvcostError: the format needs CairoSVG, which is not installed.
        """
        if format_ == "text":
            return self.text(width, ascii_only=ascii_only)
        writers: dict[str, Callable[[], str | bytes]] = {"svg": self.svg, "png": self.png, "pdf": self.pdf}
        return writers[format_]()


def _cairosvg() -> Any:
    try:
        import cairosvg  # noqa: PLC0415 - an extra
    except (ImportError, OSError):  # without the library cairo, the module is there but cannot be imported
        raise ConvcostError("a PNG or PDF file needs CairoSVG: pip install 'convcost[plot]'") from None
    return cairosvg


def counted(title: str, count: int) -> Axis:
    """An axis from 0 to ``count``, with marks at round numbers."""
    axis = linear(title, [count], short)
    return axis._replace(high=float(count), ticks=tuple(tick for tick in axis.ticks if tick[0] <= count))


def short(value: Any) -> str:
    """A round number as short as possible.

    >>> short(20_000_000), short(0.05), short(1500)
    ('20 M', '0.05', '1.5 k')
    """
    number = float(value)
    for unit, scale in _UNITS:
        if abs(number) >= scale:
            return f"{number / scale:g} {unit}"
    return f"{number:g}"


def linear(title: str, values: Iterable[Any], shown: Callable[[Any], str]) -> Axis:
    """An axis from 0 to above the largest of ``values``."""
    most = float(max(values, default=0)) or 1.0
    power = 10.0 ** floor(log10(most / 4))
    step = next(factor * power for factor in _STEPS if most / (factor * power) <= 5)  # noqa: PLR2004 - marks
    count = ceil(most / step - 1e-9)
    ticks = tuple((index * step, shown(_whole(index * step))) for index in range(count + 1))
    return Axis(title, 0.0, count * step, log=False, ticks=ticks)


def logarithmic(title: str, values: Iterable[Any], shown: Callable[[Any], str]) -> Axis:
    """An axis around positive ``values``, from one marked value to another."""
    numbers = [float(value) for value in values]
    low, high = floor(log10(min(numbers))), ceil(log10(max(numbers))) + 1
    marks = [factor * 10.0**power for power in range(low, high) for factor in _STEPS[:3]]
    first = max((mark for mark in marks if mark <= min(numbers)), default=marks[0])
    last = min((mark for mark in marks if mark >= max(numbers) and mark > first), default=marks[-1])
    marks = [mark for mark in marks if first <= mark <= last]
    if len(marks) > _MARKS:  # powers of ten alone, and not each where they are many
        marks = [10.0**power for power in range(low, high, 1 if high - low <= _DECADES else 3)]
    ticks = tuple((mark, shown(_whole(mark))) for mark in marks if first <= mark <= last)
    return Axis(title, first, last, log=True, ticks=ticks)


def _whole(value: float) -> Any:
    rounded = round(value)
    return rounded if abs(rounded - value) <= 1e-9 * max(abs(value), 1) else value
