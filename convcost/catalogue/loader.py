"""Loader for YAML files: specs, conventions, devices. The bundled ones go by name, those of the user by path.

A command's word for a file is resolved in one way, whatever its kind: a path, else a bundled name, else the name of a
file ``NAME.yaml`` in the current folder. A bundled name means the same in every folder.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from convcost.catalogue import ready
from convcost.errors import ConvcostError, Problem, Problems, SpecError, UsageError, closest, shorten, unknown
from convcost.language.check import complete, link
from convcost.language.syntax import parse_spec
from convcost.language.tree import Mapping, Scalar, scan
from convcost.layers import REGISTRY
from convcost.limits import MAX_BYTES
from convcost.plugins import load_installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import NoReturn

    from convcost.language.model import Spec
    from convcost.language.tree import Node

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
SUFFIXES = (".yaml", ".yml")
ONNX = ".onnx"
KERAS, JSON = ".keras", ".json"
HDF5 = (".h5", ".hdf5")
TORCH = "torch:"
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_PIECE = 1 << 16  # bytes read at once
READ: set[str] = set()  # files that this process has read: no output may take their place


def contents(path: str, real: str = "") -> bytes:
    """The bytes of a file, at most one more than a spec may have.

    Args:
        path: of the file.
        real: the same without links, where the caller knows it.

    Raises:
        OSError: it cannot be read.
        ValueError: the path holds a zero byte.
    """
    parts: list[bytes] = []
    left = MAX_BYTES + 1
    stream = os.open(path, _READING)  # for a small file a buffered stream takes longer than all the rest
    try:
        while left and (part := os.read(stream, min(left, _PIECE))):
            parts.append(part)
            left -= len(part)
    finally:
        os.close(stream)
    READ.add(real or os.path.abspath(path))
    return b"".join(parts)


def _parsed(data: bytes, label: str) -> Node:
    from convcost.language.yaml import read  # noqa: PLC0415 - trees of bundled files are ready

    return read(data, label)


class Files:
    """Files of one kind.

    Attributes:
        what: the word for a file of this kind in errors: ``convention``, ``device``.
        folders: where the bundled ones are.
        name_of: what a name names, for errors; ``what`` where not given.
        file_of: what a path names, for errors.
        listed_by: the command that lists the bundled ones, for errors.
    """

    def __init__(
        self, what: str, folders: tuple[str, ...], listed_by: str, *, name_of: str = "", file_of: str = ""
    ) -> None:
        self.what = what
        self.folders = folders
        self.name_of = name_of or what
        self.file_of = file_of or f"{what} file"
        self.listed_by = listed_by

    def names(self) -> list[str]:
        """Names of the bundled files, sorted."""
        return sorted(name for folder in self.folders for name in _stems(folder))

    def bundled(self, name: str) -> str | None:
        """The path of the bundled file of that name, if there is one."""
        return _in_folders(self.folders, name) if _is_name(name) else None

    def path(self, target: str, also: Iterable[str] = ()) -> str:
        """The path of the file that ``target`` means.

        Args:
            target: a path, a bundled name, or NAME of a file ``NAME.yaml`` in the current folder.
            also: names that are no files, for the hint of an error.

        Raises:
            UsageError: there is no such name or file.
        """
        if not is_path(target):
            path = self.bundled(target) or (file_called(target) if _is_name(target) else None)
            if path is not None:
                return path
        if is_path(target) or os.path.exists(target):
            return target
        raise UsageError(self.no_such(target, also))

    def label(self, path: str) -> str:
        """What errors call a file: a bundled one by its folder and name, another one by its path."""
        return self._label(path, self.real(path))

    def _label(self, path: str, real: str) -> str:
        if not self.has(real):
            return _shorter(path).replace(os.path.sep, "/")
        inside = real.removeprefix(self.folders[0] if os.path.dirname(real) in self.folders else self._root)
        return f"{os.path.basename(self._root)}{inside}".replace(os.path.sep, "/")

    @cached_property
    def _root(self) -> str:
        return os.path.realpath(self.folders[0])

    def has(self, real: str) -> bool:
        """Whether a file, given by its path without links, is one of the package's own."""
        return os.path.dirname(real) in self.folders or real.startswith(self._root + os.path.sep)

    def real(self, path: str) -> str:
        """The path of a file without links; in a folder of the package, links are not looked for."""
        return path if os.path.dirname(path) in self.folders else _real(path)

    def bytes(self, path: str, real: str = "") -> bytes:
        """The content of a file.

        Args:
            path: of the file.
            real: the same without links, where the caller knows it.

        Raises:
            UsageError: there is no such file.
            ConvcostError: it cannot be read.
        """
        try:
            return contents(path, real)
        except FileNotFoundError:
            raise UsageError(self.no_such(path)) from None
        except IsADirectoryError:
            raise ConvcostError(f"{path} is a directory; expected a {self.what} file") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConvcostError(f"cannot read {shorten(path)}: {reason}") from None

    def tree(self, path: str, real: str = "") -> Node:
        """The tree of a file; that of a bundled one may be ready.

        Args:
            path: of the file.
            real: the same without links, where the caller knows it.

        Raises:
            UsageError: there is no such file.
            ConvcostError: it cannot be read.
            SpecError: it is no YAML.
        """
        real = real or self.real(path)
        label, data = self._label(path, real), self.bytes(path, real)
        if not self.has(real):
            return _parsed(data, label)
        tree = ready.find(label, data)
        if tree is None:
            tree = _parsed(data, label)
            ready.keep(label, data, tree)
        return tree

    def parsed(self, path: str) -> Node:
        """The tree of a file, from its text; raises as :meth:`tree` does."""
        return _parsed(self.bytes(path), self.label(path))

    def open(self, target: str, also: Iterable[str] = ()) -> tuple[str, Mapping]:
        """Name and content of the file that ``target`` means.

        Args:
            target: as for :meth:`path`.
            also: names that are no files, for the hint of an error.

        Raises:
            UsageError: there is no such name or file.
            ConvcostError: the file cannot be read.
            SpecError: it is no YAML, or no mapping.
        """
        path = self.path(target, also)
        tree = self.tree(path)
        if not isinstance(tree, Mapping):
            fail(tree, f"a {self.what} is a mapping of keys and values")
        return stem_of(path), tree

    def no_such(self, target: str, also: Iterable[str] = ()) -> str:
        """The error about a ``target`` that means no file."""
        names = [*self.names(), *also]
        if self is SPECS and target in REGISTRY:
            return unknown(
                self.name_of, target, names, hint=f"it is a layer, which `convcost layers {target}` describes"
            )
        if not is_path(target):
            return unknown(self.name_of, target, names, listed_by=self.listed_by)
        stem = stem_of(target)
        near = closest(stem, names)
        hint = "" if near is None else f"'{near}' is a bundled name" if near == stem else f"did you mean '{near}'?"
        return unknown(self.file_of, target, [], hint=hint)


def all_bytes(files: Files) -> bytes:
    """Names and contents of all bundled files, in order, with zero characters between them."""
    paths = sorted((name, os.path.join(folder, f"{name}.yaml")) for folder in files.folders for name in _stems(folder))
    return b"\0".join(part for name, path in paths for part in (name.encode(), whole(path)))


def whole(path: str) -> bytes:
    """The bytes of a file of the package."""
    with open(path, "rb", buffering=0) as stream:  # no buffer is made for hundreds of small files
        return stream.readall()


def is_path(target: str) -> bool:
    """Whether ``target`` is written as a path: with a separator or with a suffix of YAML files."""
    return os.path.sep in target or target.endswith(SUFFIXES)


def _is_name(text: str) -> bool:
    """Whether ``text`` can be the name of a bundled file."""
    return re.fullmatch(_NAME, text) is not None


def stem_of(path: str) -> str:
    """The name of a file without its folder and suffix."""
    return os.path.splitext(os.path.basename(path))[0]


def package_folder(*parts: str) -> str:
    """A folder inside the installed package."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), *parts)


def _specs_folder() -> str:
    """Where the bundled specs are: inside an installed package, or at the top of the repository."""
    inside = package_folder("specs")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package_folder()), "specs")


def _stems(folder: str) -> list[str]:
    try:
        return [entry.removesuffix(".yaml") for entry in os.listdir(folder) if entry.endswith(".yaml")]
    except OSError:
        return []


def _in_folders(folders: Iterable[str], name: str) -> str | None:
    paths = (os.path.join(folder, f"{name}.yaml") for folder in folders)
    return next((path for path in paths if os.path.isfile(path)), None)


def file_called(name: str) -> str | None:
    """The file ``NAME.yaml`` in the current folder, if there is one."""
    return next((name + suffix for suffix in SUFFIXES if os.path.isfile(name + suffix)), None)


def _shorter(path: str) -> str:
    """``path`` relative to the current folder, unless it was given in full or is outside."""
    if not os.path.isabs(path):
        return path
    folder = os.path.join(os.getcwd(), "")
    whole = os.path.normpath(path)
    return whole[len(folder) :] if whole.startswith(folder) else path


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError) as error:  # a zero byte, a loop of links
        raise ConvcostError(f"cannot read {path[:100]}: {getattr(error, 'strerror', None) or error}") from None


_ROOT = _specs_folder()
_BLOCKS = os.path.join(_ROOT, "blocks")
SPECS = Files("spec", (_ROOT, _BLOCKS), "`convcost list`", name_of="bundled spec or file", file_of="file")


def bundled_names(*, blocks: bool | None = None) -> list[str]:
    """Names of the bundled networks (``blocks=False``), blocks (``True``), or both, sorted."""
    return SPECS.names() if blocks is None else sorted(_stems(_BLOCKS if blocks else _ROOT))


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key for names: numbers in them are ordered by value.

    >>> sorted(["resnet101", "resnet50"], key=natural)
    ['resnet50', 'resnet101']
    """
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def hidden_file(target: str) -> str | None:
    """The file of the current folder that ``target`` would mean if no bundled spec had that name."""
    bundled = None if is_path(target) else SPECS.bundled(target)
    beside = file_called(target) if bundled is not None else None
    return None if bundled is None or beside is None or os.path.samefile(bundled, beside) else beside


def source_text(target: str) -> str:
    """The text of a spec.

    Args:
        target: a bundled name, or a file.

    Raises:
        UsageError: there is no such name or file, or it is a model of another tool.
        SpecError: the file is no YAML.
    """
    if target.startswith(TORCH) or target.lower().endswith(ONNX) or _is_keras(target):
        raise UsageError(
            f"{shorten(target)} is a model and no spec; `convcost convert {shorten(target)}` writes it as a spec"
        )
    path = SPECS.path(target)
    data = SPECS.bytes(path)
    _parsed(data, path)
    return data.decode("utf-8-sig")


_bundled: dict[str, Spec] = {}  # linked bundled specs by path: they do not change while a process runs


class Catalogue:
    """Loads specs, each file once, and collects warnings about them.

    A name in a spec is searched in the folder of its file, in the subfolder ``blocks``, then among the bundled specs.

    Attributes:
        warnings: what is unused, of the specs that were loaded by this catalogue.
    """

    def __init__(self) -> None:
        self.warnings = Problems()
        self._own: dict[str, Spec] = {}
        self._loading: list[str] = []
        self._failed: dict[str, SpecError] = {}
        self._paths: dict[tuple[str, str], str | None] = {}

    def target(self, target: str) -> Spec:
        """The linked spec that a command's TARGET means: ``-``, a file, a bundled name, or a module of PyTorch.

        Only a caller's own words come here: names in a spec are searched by :meth:`find`, which runs no code.

        Raises:
            ConvcostError: there is no such file or name.
            SpecError: the spec is wrong.
        """
        if target == "-":
            return self.text(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>", "stdin", os.getcwd())
        if target.startswith(TORCH):
            return self._torch(target)
        if target.lower().endswith(ONNX):
            return self._onnx(target)
        if _is_keras(target):
            return self._keras(target)
        if target.lower().endswith(HDF5):
            raise UsageError(
                f"{shorten(target)}: HDF5 files of Keras are not read; save the model with `model.save('net.keras')`, "
                "or write what `model.to_json()` returns to net.json"
            )
        return self.file(SPECS.path(target))

    def _torch(self, target: str) -> Spec:
        """The module of PyTorch that a target names, imported once."""
        if target not in self._own:
            from convcost.importers.torch import named_source  # noqa: PLC0415 - specs do without

            self._own[target] = named_source(target)
        return self._own[target]

    def _onnx(self, path: str) -> Spec:
        """The network in an ONNX file, read once."""
        if path not in self._own:
            from convcost.importers.onnx import load_onnx  # noqa: PLC0415 - specs do without

            self._own[path] = load_onnx(path, SPECS.label(path))
            READ.add(os.path.abspath(path))
        return self._own[path]

    def _keras(self, path: str) -> Spec:
        """The model of Keras in a file, read once."""
        if path not in self._own:
            from convcost.importers.keras import load_keras  # noqa: PLC0415 - specs do without

            self._own[path] = load_keras(path, SPECS.label(path))
            READ.add(os.path.abspath(path))
        return self._own[path]

    def text(self, data: bytes, label: str, name: str, folder: str) -> Spec:
        """The linked spec in ``data``.

        Args:
            data: YAML.
            label: what errors call the file.
            name: the spec's name.
            folder: where its neighbours lie.
        """
        with _collector_paused():
            return self._linked(_parsed(data, label), name, folder)

    def _linked(self, tree: Node, name: str, folder: str) -> Spec:
        """The linked spec of ``tree``."""
        spec, problems, warnings = self._checked(tree, name, folder)
        if problems.all:  # a name may be unknown because its plug-in is not loaded
            try:
                if load_installed("convcost.layers"):
                    spec, problems, warnings = self._checked(tree, name, folder)
            except ConvcostError as error:
                problems.add(spec.position, str(error))
        self.warnings.all += warnings.all
        if problems.all:
            raise SpecError(sorted(set(problems.all)))
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
        real = SPECS.real(path)
        loaded = _bundled if SPECS.has(real) else self._own
        if real in self._failed:
            raise self._failed[real]
        if real not in loaded:
            loaded[real] = self._load(path, real)
        return loaded[real]

    def _load(self, path: str, real: str) -> Spec:
        if real in self._loading:
            names = [stem_of(file) for file in (*self._loading[self._loading.index(real) :], real)]
            raise ConvcostError(f"it includes itself: {' -> '.join(names)}")
        self._loading.append(real)
        try:
            with _collector_paused():
                return self._linked(SPECS.tree(path, real), stem_of(path), os.path.dirname(real))
        except SpecError as error:
            self._failed[real] = error
            raise
        finally:
            self._loading.pop()

    def find(self, name: str, beside: Spec) -> Spec | None:
        """The linked spec called ``name``, searched from the folder of ``beside``; None if there is no such spec."""
        folder = beside.root.folder
        if (folder, name) not in self._paths:
            own = _in_folders(_with_blocks(folder), name) if folder and _is_name(name) else None
            self._paths[folder, name] = own or SPECS.bundled(name)
        path = self._paths[folder, name]
        return None if path is None else self.file(path)

    def names(self, beside: Spec) -> Iterable[str]:
        """Every name :meth:`find` would know."""
        folder = beside.root.folder
        own = [name for place in _with_blocks(folder) for name in _stems(place)] if folder else []
        return [*own, *SPECS.names()]


class Heads:
    """Bundled specs as far as their parameters: they are not linked, so that they cannot be built.

    It is for specs that are known to be right, of which only names and what is printed about them is needed.
    """

    def __init__(self) -> None:
        self._specs: dict[str, Spec] = {}

    def named(self, name: str) -> Spec:
        """The bundled spec called ``name``.

        Raises:
            UsageError: there is none.
            SpecError: it is wrong.
        """
        if name not in self._specs:
            problems = Problems()
            spec = self._specs[name] = parse_spec(SPECS.tree(SPECS.path(name)), name, problems)
            complete(spec, self, problems)
            if problems.all:
                raise SpecError(problems.all)
        return self._specs[name]

    def find(self, name: str, beside: Spec) -> Spec:  # noqa: ARG002 - all of them are in one place
        """The spec that another one extends."""
        return self.named(name)

    def names(self, beside: Spec) -> Iterable[str]:  # noqa: ARG002 - likewise
        """Every name of a bundled spec."""
        return SPECS.names()


def _is_keras(path: str) -> bool:
    """Whether a file is a model of Keras; of a JSON file, whether layers in it have the names of classes."""
    if not path.lower().endswith(JSON):
        return path.lower().endswith(KERAS)
    try:
        return b'"class_name"' in contents(path)
    except (OSError, ValueError):
        return False


def _with_blocks(folder: str) -> tuple[str, str]:
    return folder, os.path.join(folder, "blocks")


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


def fail(node: Node, message: str) -> NoReturn:
    """Raise an error about ``node``.

    Raises:
        SpecError: always.
    """
    raise SpecError([Problem(node.position, message)])


def check_keys(tree: Mapping, known: Iterable[str], what: str) -> None:
    """Refuse a key that is not in ``known``.

    Raises:
        SpecError: a key is not known.
    """
    for key, _ in tree.entries:
        if key.text not in known:
            fail(key, unknown("key", key.text, known, of=what))


def text_of(tree: Mapping, key: str, default: str = "") -> str:
    """The text of ``key``.

    Raises:
        SpecError: it is a list or a mapping.
    """
    node = tree.get(key)
    if node is None:
        return default
    if not isinstance(node, Scalar):
        fail(node, f"`{key}` must be text")
    return " ".join(node.text.split())


def number_at(node: Node, what: str) -> object:
    """The exact number at ``node``.

    Raises:
        SpecError: it is none.
    """
    value = scan(node.text, quoted=node.quoted) if isinstance(node, Scalar) else None
    if value is None or isinstance(value, bool | str):
        fail(node, f"{what} must be a number")
    return value
