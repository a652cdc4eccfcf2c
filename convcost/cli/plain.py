"""Command lines without options, which need no parser: click takes as long to import as all else they do.

They run the same functions as the commands that click calls. Options, help and misuse are left to click.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def plain(words: Sequence[str]) -> Callable[[], int] | None:
    """What to run for the words of a command line; None where click must read them.

    Args:
        words: the arguments of the process.
    """
    if os.name == "nt" or "_CONVCOST_COMPLETE" in os.environ or any(word.startswith("-") for word in words):
        return None  # on Windows click expands the names of files
    if words[:1] == ["analyze"] and len(words) > 1:
        return partial(_analyze, tuple(words[1:]))
    return _list if words == ["list"] else None


def _analyze(targets: tuple[str, ...]) -> int:
    from convcost.cli.asked import Asked  # noqa: PLC0415 - each command pays for its own
    from convcost.cli.rows import report  # noqa: PLC0415 - likewise
    from convcost.cli.typed import note_hidden_file  # noqa: PLC0415 - likewise

    for target in targets:
        note_hidden_file(target)
    return report(Asked(targets), "analyze")


def _list() -> int:
    from convcost import api  # noqa: PLC0415 - each command pays for its own
    from convcost.cli.output import show_view  # noqa: PLC0415 - likewise
    from convcost.render.views import view  # noqa: PLC0415 - likewise

    show_view(view(api.list_specs()), "table", None)
    return 0
