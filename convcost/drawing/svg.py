"""SVG as text: elements with everything escaped, numbers in one form, widths of text, and the colours of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FONT = "DejaVu Sans, Helvetica, Arial, sans-serif"
# The widths of the characters from the space to the tilde in DejaVu Sans, the widest of these fonts, per 1,000 of size.
_TABLE = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636 636 337 337 "
    "838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 603 787 695 635 611 732 684 989 "
    "685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 635 635 411 521 "
    "392 634 592 818 592 592 525 636 337 636 838"
)
_WIDTHS = [int(width) for width in _TABLE.split()]
_BOLD = 1.15  # bold text is wider by no more than this
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})

# A colour for a light and one for a dark scheme. Text on every fill has a contrast of 4.5 or more, marks one of 3.
_FILLS = {
    ".page": ("#ffffff", "#0d1117"),
    ".box": ("#ffffff", "#161b22"),
    ".join": ("#fff8c5", "#3b3212"),
    ".end": ("#f0f2f4", "#21262d"),
    ".tint": ("#2f81f7", "#2f81f7"),
    ".arrow": ("#57606a", "#8b949e"),
    "text": ("#1f2328", "#f0f3f6"),
    ".quiet": ("#4d555e", "#b1bac4"),
}
_STROKES = {
    ".box": ("#57606a", "#8b949e"),
    ".join": ("#7d6608", "#d4a72c"),
    ".end": ("#57606a", "#8b949e"),
    ".frame": ("#8c959f", "#6e7681"),
    ".line": ("#57606a", "#8b949e"),
    ".grid": ("#d0d7de", "#30363d"),
    ".rule": ("#57606a", "#8b949e"),
    ".leader": ("#8c959f", "#6e7681"),
}
_SERIES = (
    *(("#0969da", "#58a6ff"), ("#bc4c00", "#f0883e"), ("#1a7f37", "#3fb950"), ("#8250df", "#bc8cff")),
    *(("#bf3989", "#f778ba"), ("#7d4e00", "#d4a72c"), ("#1b7c83", "#39c5cf"), ("#57606a", "#8b949e")),
)
_FIXED = (
    ".frame,.line,.grid,.rule,.leader,.curve{fill:none}",
    ".frame{stroke-dasharray:5 3}",
    ".curve{stroke-width:2}",
    ".leader{stroke-width:.7}",
    ".area{fill-opacity:.18}",
    ".disc{fill-opacity:.35}",
    ".area{stroke:none}",
)


def style() -> str:
    """The colours of a picture, for both schemes; they hold inside the picture only."""
    fixed = "\n".join(
        ",".join(f".picture {name}" for name in rule.partition("{")[0].split(",")) + "{" + rule.partition("{")[2]
        for rule in _FIXED
    )
    light, dark = ("\n".join(_scheme(scheme)) for scheme in (0, 1))
    return f"\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{fixed}\n"


def _scheme(scheme: int) -> Iterator[str]:
    for name, colours in _FILLS.items():
        yield f".picture {name}{{fill:{colours[scheme]}}}"
    for name, colours in _STROKES.items():
        yield f".picture {name}{{stroke:{colours[scheme]}}}"
    for index, colours in enumerate(_SERIES):
        yield f".picture .c{index}{{fill:{colours[scheme]};stroke:{colours[scheme]}}}"


def escaped(text: str) -> str:
    r"""``text`` for the content or an attribute of an element, with control characters made visible.

    >>> escaped('a<b & "c"\x07')
    'a&lt;b &amp; &quot;c&quot;\\x07'
    """
    return plain(text).translate(_ESCAPES)


def number(value: float) -> str:
    """A coordinate with at most two decimals.

    >>> number(12), number(12.5), number(1 / 3), number(-0.001)
    ('12', '12.5', '0.33', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(name: str, *children: str, **attributes: float | str | None) -> str:
    """An element; ``children`` are elements or escaped text, ``class_`` and ``font_size`` attributes of SVG.

    >>> element("rect", class_="box", x=1.5, stroke_width=2)
    '<rect class="box" x="1.5" stroke-width="2"/>'
    >>> element("text", escaped("3 < 5"), x=0)
    '<text x="0">3 &lt; 5</text>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>"


def label(text: str, x: float, y: float, size: float, **attributes: float | str | None) -> str:
    """A line of text whose baseline is at ``y``."""
    return element("text", escaped(text), x=x, y=y, font_size=size, **attributes)


def path(points: Iterable[tuple[float, float]], **attributes: float | str | None) -> str:
    """A line through points."""
    steps = " ".join(f"{'L' if index else 'M'}{number(x)} {number(y)}" for index, (x, y) in enumerate(points))
    return element("path", d=steps, **attributes)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """An upper bound on the width of a line of text in :data:`FONT`.

    Characters outside ASCII count as a whole square, which is what Chinese takes.
    """
    units = sum(_WIDTHS[ord(mark) - 32] if " " <= mark <= "~" else 1000 for mark in plain(text))
    return units * size / 1000 * (_BOLD if bold else 1)


def clipped(text: str, size: float, width: float) -> str:
    """``text``, or its beginning and an ellipsis where it is wider than ``width``."""
    text = plain(text)
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "...", size) > width:
        text = text[:-1]
    return text + "..."


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """``text`` in lines, broken at spaces; a word that is wider than a line stays whole."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and text_width(joined, size, bold=bold) > width:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines


def document(title: str, width: float, height: float, *content: str) -> str:
    """A picture of ``width`` by ``height``, with its own page and colours.

    Args:
        title: what it shows, for people who cannot see it.
        width: in pixels.
        height: in pixels.
        *content: elements.
    """
    page = element("rect", class_="page", width=width, height=height)
    head = [element("title", escaped(title)), f"<style>{style()}</style>", page]
    return (
        element(
            "svg",
            "\n",
            "\n".join([*head, *content]),
            "\n",
            class_="picture",
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {number(width)} {number(height)}",
            width=width,
            height=height,
            font_family=FONT,
            role="img",
        )
        + "\n"
    )
