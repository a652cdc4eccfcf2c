"""What tests share: running the command as a user does, in a pinned environment."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"

if importlib.util.find_spec("torch") is None:  # an extra: pip install '.[torch]'
    collect_ignore = ["differential.py", "test_torch.py", "zoo.py"]


class Result(NamedTuple):
    """What a run of the command left behind."""

    code: int
    out: str
    err: str


def run_convcost(*args: str, cwd: Path = ROOT, stdin: bytes = b"", **env: str) -> Result:
    """``python -m convcost`` with ``args``, its width pinned and without colour."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CONVCOST")},
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
        "TERM": "dumb",
        **env,
    }
    done = subprocess.run(
        [sys.executable, "-m", "convcost", *args],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=environment,
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def convcost() -> Callable[..., Result]:
    """The command; see :func:`run_convcost`."""
    return run_convcost
