"""Extensions from outside the package: Python files that the user names, and entry points of installed packages.

A plug-in is a Python module. A layer that it defines enters the registry of layers when its class is made; a metric
enters the registry of metrics by ``convcost.metrics.registry.register``. A file is loaded where it is named. Installed
packages are searched only where a layer or metric is unknown without them, and where all of them are listed: the search
takes longer than most commands.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

from convcost.errors import ConvcostError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, TypeAlias

    Group: TypeAlias = Literal["convcost.layers", "convcost.metrics"]

_files: set[str] = set()  # paths of the files that are loaded
_installed: set[str] = set()  # likewise, of installed packages


def plugin(path: str | os.PathLike[str]) -> None:
    """Import the Python file ``path``, which defines layers or metrics. Its code runs: load only files that you trust.

    A file that is loaded already is not loaded again.

    Raises:
        UsageError: there is no such file, or its name does not end in ``.py``.
        ConvcostError: its code raises an exception.
    """
    from importlib import util  # noqa: PLC0415 - most commands have no plug-in

    name = os.fspath(path)
    if not name.endswith(".py"):
        raise UsageError(f"a plug-in is a Python file NAME.py, found '{name[:60]}'")
    if not os.path.isfile(name):
        raise UsageError(unknown("plug-in file", name, []))
    real = os.path.realpath(name)
    if real in _files:
        return
    stem = os.path.basename(name).removesuffix(".py")
    spec = util.spec_from_file_location(f"convcost_plugin_{len(_files)}_{stem}", real)
    if spec is None or spec.loader is None:
        raise ConvcostError(f"the plug-in {name} cannot be loaded")
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module
    loader = spec.loader
    try:
        _load(lambda: loader.exec_module(module), name, real)
    except ConvcostError:
        del sys.modules[spec.name]
        raise
    _files.add(real)


def any_loaded() -> bool:
    """Whether code of a plug-in runs in this process."""
    return bool(_files or _installed)


@cache
def load_installed(group: Group) -> int:
    """Import what installed packages offer under an entry point; how many modules or objects that are.

    Args:
        group: ``convcost.layers`` or ``convcost.metrics``.

    Raises:
        ConvcostError: the code of one of them raises an exception.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes longer than most commands

    entries = entry_points(group=group)
    for entry in entries:
        _load(entry.load, f"{entry.name} ({entry.value})", "")
        file = getattr(sys.modules.get(entry.module), "__file__", None)
        if file is not None:
            _installed.add(file)
    return len(entries)


def fault_of_a_plugin(error: Exception) -> str:
    """The sentence about an ``error`` that a rule in a plug-in raises, with its place; empty if it is not from one."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file in _files or file in _installed:
            place = f"{os.path.relpath(file) if file in _files else file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{place}: the plug-in raises {type(error).__name__}: {error}" if place else ""


def _load(load: Callable[[], object], name: str, file: str) -> None:
    try:
        load()
    except Exception as error:
        line = _line(error, file)
        place = f"{name}:{line}" if line else name
        raise ConvcostError(f"{place}: the plug-in raises {type(error).__name__}: {error}") from error


def _line(error: Exception, file: str) -> int:
    """The last line of ``file`` that ran before ``error``; 0 where none did."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno or 0
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
