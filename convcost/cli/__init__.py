"""The command line: each command parses, calls the library, renders, and echoes."""

from __future__ import annotations

import io
import os
import sys
from typing import NoReturn

from convcost.cli.plain import plain
from convcost.errors import ConvcostError, UsageError
from convcost.plugins import fault_of_a_plugin

_CLOSED_PIPE = 128 + 13
_INTERRUPTED = 128 + 2


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 a spec is wrong, 2 misuse, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name may hold what the terminal has no character for
    try:
        code = _run()
        sys.stdout.flush()
    except UsageError as error:
        code = _fail(f"error: {error}", 2)
    except ConvcostError as error:
        code = _fail(f"error: {error}" if not hasattr(error, "problems") else str(error), 1)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        code = _CLOSED_PIPE
    except OSError as error:
        _drop_output()
        code = _fail(f"error: cannot write the output: {error.strerror}", 1)
    except Exception as error:  # noqa: BLE001 - it is raised again where no plug-in is to blame
        code = _fail_for_a_plugin(error)
    sys.exit(code)


def _run() -> int:
    command = plain(sys.argv[1:])
    if command is not None:
        return command()
    from convcost.cli.commands import run  # noqa: PLC0415 - a plain command line does not pay for click

    return run()


def _drop_output() -> None:
    """Discard unwritten output; otherwise the interpreter tries to write it again at exit and fails."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail_for_a_plugin(error: Exception) -> int:
    message = fault_of_a_plugin(error)
    if not message:
        raise error
    return _fail(f"error: {message}", 1)


def _fail(message: str, code: int) -> int:
    from convcost.cli.output import complain  # noqa: PLC0415 - only an error pays for it

    complain(message)
    return code
