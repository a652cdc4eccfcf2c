"""``python -m convcost``, and the installed command: a run of the command line as a whole process.

A process of a command is short. It makes few circles of objects, and nothing that it leaves is used again. So its
garbage collector has next to nothing to find, and the interpreter need not take apart at the end what the system frees
at once. Both took a third of the time of a small command. All of that is in this file: a program that imports the
package keeps its collector and its own end.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

COLLECT_AFTER = 100_000  # allocations; long searches run for minutes, so that the collector is rare and not off


def run() -> NoReturn:
    """Run the command line and end the process; see :func:`convcost.cli.main` for its exit codes."""
    gc.disable()  # what is imported stays
    from convcost.cli import main  # noqa: PLC0415 - imported without the collector
    from convcost.process import begin  # noqa: PLC0415 - likewise

    begin()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    gc.enable()
    try:
        main()
    except SystemExit as end:
        if not _watched():
            _leave(end.code if isinstance(end.code, int) else 0)
        raise


def _watched() -> bool:
    """Whether somebody waits for the usual end: a debugger, a profiler, a measurement of coverage, another thread."""
    monitoring = getattr(sys, "monitoring", None)  # of Python 3.12 and later
    watchers = () if monitoring is None else map(monitoring.get_tool, range(6))
    threading = sys.modules.get("threading")
    return (
        sys.gettrace() is not None
        or sys.getprofile() is not None
        or any(watchers)
        or bool(sys.flags.interactive or sys.flags.inspect)
        or (threading is not None and threading.active_count() > 1)
    )


def _leave(code: int) -> NoReturn:
    """End the process with ``code``, its output written and its exit handlers run, without taking the rest apart."""
    atexit._run_exitfuncs()  # noqa: SLF001 - as the interpreter does
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or none: the command has reported it
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
