"""Whether this process runs one command and nothing else.

Then its code is that of the files of the package. In a program that imports the package, layers and rules may be
others.
"""

from __future__ import annotations

import time

_began: list[float] = []


def begin() -> None:
    """Note that this process runs one command, which begins now."""
    _began[:] = [time.time()]


def began() -> float | None:
    """When the command began, in seconds of the clock; None in a program that imports the package."""
    return _began[0] if _began else None
