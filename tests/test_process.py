"""A run of the command as a whole process: how it ends, and what it leaves alone."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest
from conftest import ROOT, run_convcost

import convcost


def python(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *args], cwd=ROOT, capture_output=True, text=True, check=False)


def command(first: str, *args: str) -> subprocess.CompletedProcess[str]:
    """The command in a process that runs ``first`` before it."""
    return python("-c", f"import sys\n{first}\nsys.argv[1:] = {args!r}\nfrom convcost.__main__ import run\nrun()\n")


def test_the_library_leaves_the_collector_alone() -> None:
    done = python(
        "-c", "import gc\nimport convcost\nconvcost.analyze('plain')\nprint(gc.isenabled(), gc.get_threshold())"
    )
    assert done.stdout.split(" ", 1) == ["True", f"{gc.get_threshold()}\n"]
    assert convcost.analyze("plain").totals.macs
    assert gc.get_freeze_count() == 0


def test_a_profiler_reports() -> None:
    done = python("-m", "cProfile", "-m", "convcost", "check", "plain")
    assert done.stdout.startswith("plain: ok")
    assert "function calls" in done.stdout


NO_SHORT_CUT = "import os\nos._exit = lambda code: print('short cut')\n"


@pytest.mark.parametrize(
    ("watcher", "end"),
    [("", ["short cut"]), ("sys.settrace(lambda *_: None)", []), ("sys.setprofile(lambda *_: None)", [])],
)
def test_a_tracer_sees_the_end(watcher: str, end: list[str]) -> None:
    done = command(NO_SHORT_CUT + watcher, "check", "plain")
    assert done.stdout.splitlines()[1:] == end


def test_exit_handlers_run_and_their_output_is_written() -> None:
    done = command("import atexit\natexit.register(print, 'bye')", "check", "nothing_of_that_name")
    assert done.stdout == "bye\n"
    assert done.stderr.startswith("error: ")
    assert done.returncode == 2


def test_another_thread_ends_first() -> None:
    thread = "import threading, time\nthreading.Thread(target=lambda: (time.sleep(1), print('thread'))).start()"
    done = command(thread, "check", "plain")
    assert done.stdout.splitlines()[1:] == ["thread"]
    assert done.returncode == 0


def test_an_error_comes_after_the_output_before_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "convcost", "check", "plain", "nothing_of_that_name"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert "plain: ok" in done.stdout
    assert done.returncode
    assert run_convcost("check", "plain").code == 0
