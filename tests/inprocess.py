"""The command within the test's own process: what starts Python and imports sympy once rather than once a test."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING
from unittest import mock

from conftest import ROOT, TERMINAL, Result

from convcost.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def convcost(*args: str, cwd: Path = ROOT, stdin: bytes = b"") -> Result:
    """``convcost`` with ``args`` in ``cwd``: exit code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    argv = mock.patch.object(sys, "argv", ["convcost", *args])
    given = mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    terminal = mock.patch.dict(os.environ, {**inherited, **TERMINAL}, clear=True)
    with argv, given, terminal, contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    return Result(code, out.getvalue(), err.getvalue())
