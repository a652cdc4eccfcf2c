"""Loader for specs: bundled ones, files, standard input, and the specs in the folder of a file.

A name is searched in the folder of the file that uses it, in the subfolder ``blocks``, then among the bundled specs.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from convcost.errors import ConvcostError, Problems, SpecError, UsageError, closest, unknown
from convcost.language.check import link
from convcost.language.syntax import parse_spec
from convcost.language.yaml import contents, read
from convcost.limits import MAX_BYTES
from convcost.plugins import load_installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from convcost.language.model import Spec
    from convcost.language.yaml import Node

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
SUFFIXES = (".yaml", ".yml")


def bundled_folder() -> str:
    """Where the bundled specs lie: inside an installed package, or at the top of the repository."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "specs")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "specs")


def bundled_names(*, blocks: bool | None = None) -> list[str]:
    """Names of the bundled networks (``blocks=False``), blocks (``True``), or both, sorted."""
    root = bundled_folder()
    names: list[str] = []
    if blocks is not True:
        names += _stems(root)
    if blocks is not False:
        names += _stems(os.path.join(root, "blocks"))
    return sorted(names)


def _stems(folder: str) -> list[str]:
    try:
        return [entry.removesuffix(".yaml") for entry in os.listdir(folder) if entry.endswith(".yaml")]
    except OSError:
        return []


def bundled_path(name: str) -> str | None:
    """The file of a bundled spec, if there is one of that name."""
    return _in_folder(bundled_folder(), name)


def _in_folder(folder: str, name: str) -> str | None:
    for place in (folder, os.path.join(folder, "blocks")):
        path = os.path.join(place, f"{name}.yaml")
        if os.path.isfile(path):
            return path
    return None


def file_called(name: str) -> str | None:
    """The file ``NAME.yaml`` in the current folder, if there is one."""
    return next((name + suffix for suffix in SUFFIXES if os.path.isfile(name + suffix)), None)


def spec_path(target: str) -> str:
    """The file that a command's TARGET means: a path, a bundled name, or NAME of a file ``NAME.yaml`` that is here.

    A bundled name comes before a file of that name, so that it means the same in every folder.

    Raises:
        UsageError: there is no such file or name.
    """
    is_path = os.path.sep in target or target.endswith(SUFFIXES)
    if not is_path and _NAME.fullmatch(target):
        path = bundled_path(target) or file_called(target)
        if path is not None:
            return path
    if is_path or os.path.exists(target):
        return target
    raise UsageError(_no_such(target))


def hidden_file(target: str) -> str | None:
    """The file of the current folder that ``target`` would mean if no bundled spec had that name."""
    bundled = bundled_path(target) if _NAME.fullmatch(target) and not target.endswith(SUFFIXES) else None
    beside = file_called(target) if bundled is not None else None
    return None if bundled is None or beside is None or os.path.samefile(bundled, beside) else beside


_bundled: dict[str, Spec] = {}  # linked bundled specs by path: they do not change while a process runs


class Catalogue:
    """Loads specs, each file once, and notes what was found wrong with them.

    Attributes:
        warnings: what is unused, of the specs that were loaded by this catalogue.
    """

    def __init__(self) -> None:
        self.warnings = Problems()
        self._own: dict[str, Spec] = {}
        self._loading: list[str] = []
        self._failed: dict[str, SpecError] = {}

    def target(self, target: str) -> Spec:
        """The linked spec that a command's TARGET means: ``-``, a file, or a bundled name.

        Raises:
            ConvcostError: there is no such file or name.
            SpecError: the spec is wrong.
        """
        if target == "-":
            return self.text(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>", "stdin", os.getcwd())
        return self.file(spec_path(target))

    def text(self, data: bytes, label: str, name: str, folder: str) -> Spec:
        """The linked spec in ``data``.

        Args:
            data: YAML.
            label: what errors call the file.
            name: the spec's name.
            folder: where its neighbours lie.
        """
        with _collector_paused():
            tree = read(data, label)
            spec, problems, warnings = self._checked(tree, name, folder)
            if problems.found:  # a name may be unknown because its plug-in is not loaded
                try:
                    if load_installed("convcost.layers"):
                        spec, problems, warnings = self._checked(tree, name, folder)
                except ConvcostError as error:
                    problems.add(spec.position, str(error))
        self.warnings.found += warnings.found
        if problems.found:
            raise SpecError(sorted(set(problems.found)))
        return spec

    def _checked(self, tree: Node, name: str, folder: str) -> tuple[Spec, Problems, Problems]:
        """The spec of ``tree``, its errors and its warnings."""
        problems, warnings = Problems(), Problems()
        spec = parse_spec(tree, name, problems)
        spec.folder = folder
        link(spec, self, problems, warnings)
        return spec, problems, warnings

    def file(self, path: str) -> Spec:
        """The linked spec in a file."""
        real = _real(path)
        root = os.path.realpath(bundled_folder())
        is_bundled = real.startswith(root + os.path.sep)
        known = _bundled if is_bundled else self._own
        if real in self._failed:
            raise self._failed[real]
        if real not in known:
            label = f"specs/{os.path.relpath(real, root)}" if is_bundled else _shorter(path)
            known[real] = self._load(path, real, label.replace(os.path.sep, "/"))
        return known[real]

    def _load(self, path: str, real: str, label: str) -> Spec:
        if real in self._loading:
            names = [_stem(one) for one in (*self._loading[self._loading.index(real) :], real)]
            raise ConvcostError(f"it includes itself: {' -> '.join(names)}")
        self._loading.append(real)
        try:
            return self.text(_bytes(path), label, _stem(path), os.path.dirname(real))
        except SpecError as error:
            self._failed[real] = error
            raise
        finally:
            self._loading.pop()

    def find(self, name: str, beside: Spec) -> Spec | None:
        """The linked spec called ``name``, searched from the folder of ``beside``; None if there is no such spec."""
        if not _NAME.fullmatch(name):
            return None
        folder = beside.root.folder
        path = (_in_folder(folder, name) if folder else None) or bundled_path(name)
        return None if path is None else self.file(path)

    def names(self, beside: Spec) -> Iterable[str]:
        """Every name :meth:`find` would know."""
        folder = beside.root.folder
        own = [*_stems(folder), *_stems(os.path.join(folder, "blocks"))] if folder else []
        return [*own, *bundled_names()]


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector while a spec is parsed: all objects are in use, nothing can be collected."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _shorter(path: str) -> str:
    """``path`` as seen from here, unless it was given in full or lies elsewhere."""
    if not os.path.isabs(path):
        return path
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError) as error:  # a zero byte, a loop of links
        raise ConvcostError(f"cannot read {path[:100]}: {getattr(error, 'strerror', None) or error}") from None


def _bytes(path: str) -> bytes:
    try:
        return contents(path)
    except FileNotFoundError:
        raise UsageError(_no_such(path)) from None
    except IsADirectoryError:
        raise ConvcostError(f"{path} is a directory; expected a spec file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConvcostError(f"cannot read {path}: {reason}") from None


def _no_such(target: str) -> str:
    stem = _stem(target)
    found = closest(stem, bundled_names())
    is_file = os.path.sep in target or target.endswith(SUFFIXES)
    if found == stem and is_file:
        return unknown("file", target, [], hint=f"'{found}' is a bundled name")
    what = "file" if is_file else "bundled spec or file"
    return unknown(
        what, target, [], hint=f"did you mean '{found}'?" if found else "`convcost list` shows what is bundled"
    )


def source_text(target: str) -> str:
    """The text of a spec.

    Args:
        target: a bundled name, or a file.

    Raises:
        UsageError: there is no such name or file.
        SpecError: the file is no YAML.
    """
    path = spec_path(target)
    data = _bytes(path)
    read(data, path)
    return data.decode("utf-8-sig")
