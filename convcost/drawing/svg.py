"""SVG as text: elements with everything escaped, numbers in one form, widths of text, and the colours of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

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

# The second half is for viewers in a dark scheme. Text on every fill has a contrast of 4.5 or more.
STYLE = """
.page { fill: #ffffff }
.box { fill: #ffffff; stroke: #57606a }
.merge { fill: #fff8c5; stroke: #7d6608 }
.end { fill: #f0f2f4; stroke: #57606a }
.frame { fill: none; stroke: #8c959f; stroke-dasharray: 5 3 }
.tint { fill: #2f81f7 }
.line { fill: none; stroke: #57606a }
.grid { fill: none; stroke: #d0d7de }
.arrow { fill: #57606a }
text { fill: #1f2328 }
.quiet { fill: #4d555e }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 }
.box { fill: #161b22; stroke: #8b949e }
.merge { fill: #3b3212; stroke: #d4a72c }
.end { fill: #21262d; stroke: #8b949e }
.frame { stroke: #6e7681 }
.tint { fill: #2f81f7 }
.line { stroke: #8b949e }
.grid { stroke: #30363d }
.arrow { fill: #8b949e }
text { fill: #f0f3f6 }
.quiet { fill: #b1bac4 }
}
"""


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


def document(title: str, width: float, height: float, *content: str) -> str:
    """A picture of ``width`` by ``height``, with its own page and colours.

    Args:
        title: what it shows, for people who cannot see it.
        width: in pixels.
        height: in pixels.
        *content: elements.
    """
    page = element("rect", class_="page", width=width, height=height)
    head = [element("title", escaped(title)), f"<style>{STYLE}</style>", page]
    return (
        element(
            "svg",
            "\n",
            "\n".join([*head, *content]),
            "\n",
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {number(width)} {number(height)}",
            width=width,
            height=height,
            font_family=FONT,
            role="img",
        )
        + "\n"
    )
