"""The frame of an HTML page that works alone: no server, no request, no library.

A policy in the page forbids everything but its own script and style, each named by its hash, so that nothing that a
spec says can run, load or send anything.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from convcost.tables.values import plain


def page(title: str, body: str, *, styles: tuple[str, ...], script: str = "", data: Any = None) -> str:
    """A page.

    Args:
        title: as text.
        body: as HTML.
        styles: files of the package.
        script: a file of the package; none where empty.
        data: what the script reads, made of lists, dicts, numbers and texts.
    """
    style = "".join(asset(name) for name in styles)
    code = asset(script) if script else ""
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            *([f"script-src '{_hash(code)}'"] if code else []),
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{text(title)}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        body,
        *([f'<script type="application/json" id="data">{_embedded(data)}</script>'] if data is not None else []),
        *([f"<script>{code}</script>"] if code else []),
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def text(content: object) -> str:
    """A text from anywhere, as HTML: marks are escaped, and control characters are visible."""
    return escape(plain(str(content)))


def picture(svg: str, words: str) -> str:
    """A picture within the page; its styles stay in it, and ``words`` say what it shows."""
    data = b64encode(svg.encode()).decode()
    return f'<img class="picture" alt="{text(words)}" src="data:image/svg+xml;base64,{data}">'


def asset(name: str) -> str:
    """A script or style of the package."""
    return files("convcost.tables").joinpath("assets", name).read_text("utf-8")


def _embedded(data: Any) -> str:
    """``data`` as JSON that cannot end the element it is in."""
    written = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"
