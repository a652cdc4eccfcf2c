"""The command within the test's own process: what starts Python and imports sympy once rather than once a test."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from unittest import mock

from conftest import TERMINAL, Result

from convcost.cli import main


def convcost(*args: str) -> Result:
    """``convcost`` with ``args``: exit code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    argv = mock.patch.object(sys, "argv", ["convcost", *args])
    terminal = mock.patch.dict(os.environ, TERMINAL)
    with argv, terminal, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    return Result(code, out.getvalue(), err.getvalue())
