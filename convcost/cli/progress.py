"""How far a long question is: one line on a terminal, which the result replaces."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE = 0.5  # seconds between two lines


def progress(what: str) -> Callable[[int, int], None]:
    """What shows how many of how many are done, from half a second on; nothing where errors go to no terminal."""
    if not sys.stderr.isatty():
        return lambda _done, _count: None
    last = time.monotonic()
    shown = ""

    def show(done: int, count: int) -> None:
        nonlocal last, shown
        ends = done == count
        if (ends and shown) or (not ends and time.monotonic() - last >= _PAUSE):
            last = time.monotonic()
            text = "" if ends else f"{done:,} of {count:,} {what}"
            sys.stderr.write("\r" + text.ljust(len(shown)) + "\r")
            sys.stderr.flush()
            shown = text

    return show
