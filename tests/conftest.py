"""What tests share: running the command as a user does, in a pinned environment."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import browser
import pytest
from hypothesis import Phase, settings

from convcost import process
from convcost.catalogue import ready
from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.metrics import devices
from convcost.network import graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
TERMINAL = {"TERM": "dumb"}

settings.register_profile("patient", deadline=None)  # a busy machine, or one that measures coverage, is no failure
settings.register_profile("mutants", deadline=None, phases=(Phase.explicit, Phase.generate))  # dead need no shrinking
settings.load_profile("mutants" if "MUTANT_UNDER_TEST" in os.environ else "patient")

collect_ignore: list[str] = []
if importlib.util.find_spec("torch") is None:  # an extra: pip install '.[torch]'
    collect_ignore += ["differential.py", "modules.py", "test_from_torch.py", "test_torch.py", "zoo.py"]
if importlib.util.find_spec("numba") is None:  # an extra, 210 MB: pip install '.[numba]'
    collect_ignore += ["test_numba.py"]
if browser.program() is None:  # `.ci/run` installs one
    collect_ignore += ["test_pages.py"]


def representatives() -> list[str]:
    """Every block, and the first network of each family: what a slow test takes in place of all bundled specs."""
    catalogue = Catalogue()
    specs = [catalogue.target(name) for name in bundled_names()]
    first = {spec.family: spec.name for spec in reversed(specs) if not spec.is_block}
    return [spec.name for spec in specs if spec.is_block or first[spec.family] == spec.name]


@contextmanager
def one_command(folder: Path) -> Iterator[None]:
    """As if this process were one command, whose numbers of bundled networks are kept in ``folder`` for the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ready.SWITCH, str(folder))
        patch.setattr(process, "_began", [])
        process.begin()
        ready._folder.cache_clear()  # noqa: SLF001 - it is asked once a process
        yield
    ready._folder.cache_clear()  # noqa: SLF001


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """All ``cases`` as parameters of a test. One of ``every`` so many runs by default, the others with ``-m long``."""
    return [
        case if index % every == 0 else pytest.param(*_values(case), marks=pytest.mark.long)
        for index, case in enumerate(cases)
    ]


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)


class Result(NamedTuple):
    """What a run of the command left behind."""

    code: int
    out: str
    err: str


def run_convcost(*args: str, cwd: Path = ROOT, stdin: bytes = b"", **env: str) -> Result:
    """``python -m convcost`` with ``args``, as wide as it needs to be and without colour."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("COLUMNS", "CONVCOST", "MUTANT"))
    }
    environment = {**inherited, "PYTHONPATH": str(ROOT), **TERMINAL, **env}
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


@pytest.fixture(autouse=True)
def _forget() -> None:
    """While mutants run, a test must reach the rules itself, not find what a test before it left in a memo."""
    if "MUTANT_UNDER_TEST" in os.environ:
        graph._inferred.clear()  # noqa: SLF001 - the memo of layers
        devices._bundled.cache_clear()  # noqa: SLF001 - likewise


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """While mutants run, tests with many examples come last: most mutants die before."""
    if "MUTANT_UNDER_TEST" in os.environ:
        items.sort(key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests are left out, and why."""
    if browser.program() is None:
        names = ", ".join(browser.PROGRAMS)
        terminalreporter.write_line(f"tests/test_pages.py is left out: there is no browser (none of {names})")
