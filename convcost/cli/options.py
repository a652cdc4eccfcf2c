"""Options that commands share, and where their output goes."""

from __future__ import annotations

import functools
import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from convcost.api.targets import Typed, resolve
from convcost.catalogue.loader import READ, bundled_names, hidden_file
from convcost.cli import completion
from convcost.errors import ConvcostError, UsageError
from convcost.metrics.dtypes import BITS
from convcost.plugins import plugin
from convcost.tables.terminal import TableView
from convcost.tables.text import FORMATS
from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from click.shell_completion import CompletionItem

    from convcost.api.targets import Target, TargetLike
    from convcost.catalogue.loader import Catalogue
    from convcost.drawing.chart import Chart
    from convcost.drawing.drawing import Drawing
    from convcost.tables.printable import View
    from convcost.tables.table import Table

FORMAT_NAMES = (*FORMATS, "json")
MACHINE_FORMATS = (*(name for name, format_ in FORMATS.items() if format_.for_programs), "json")
SUFFIXES = {
    **{format_.suffix: name for name, format_ in FORMATS.items()},
    ".json": "json",
    ".py": "python",
    ".c": "c",
    ".js": "javascript",
    ".parquet": "parquet",
    ".svg": "svg",
    ".png": "png",
    ".pdf": "pdf",
    ".mmd": "mermaid",
    ".dot": "dot",
}
_FILES_ONLY = ("parquet", "png", "pdf")
_TEXT, _TEXTUAL = ".txt", ("table", "text")
_DEFAULTS = {"table": "a table"}
_NARROWEST, _DIGITS = 20, 6
PICTURE_WIDTH = 80  # of a drawing or chart, where the width of the terminal is not known
_SIZES = r"[0-9]{1,18}(?:x[0-9]{1,18}){0,3}"
_NAMED_SIZES = r"[0-9]{1,18}(?:x[0-9]{1,18}){0,7}"


if TYPE_CHECKING:
    _ParamType = click.ParamType[str]
else:
    _ParamType = click.ParamType  # generic only in newer releases of click


class TargetType(_ParamType):
    """A file, ``-``, or a bundled name; completes both."""

    name = "target"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """``value`` as it is, with a note where a file of the current folder has a bundled name."""
        beside = hidden_file(value)
        if beside is not None and not (ctx is not None and ctx.resilient_parsing):
            click.echo(f"note: {value} is the bundled spec; write ./{beside} for the file", err=True)
        return super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Bundled names, then files."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only completion pays for it

        names = [CompletionItem(name) for name in bundled_names() if name.startswith(incomplete)]
        return names or click.File().shell_complete(ctx, param, incomplete)


TARGET = TargetType()


def plugin_option() -> click.Option:
    """``--plugin FILE.py``, which every command has."""
    return click.Option(
        ["--plugin", "plugins"],
        multiple=True,
        metavar="FILE.py",
        is_eager=True,
        expose_value=False,
        callback=_load_plugins,
        shell_complete=completion.files,
        help="Import FILE.py, which defines layers or metrics; its code is run. May be repeated.",
    )


def _load_plugins(ctx: click.Context, _param: click.Parameter, files: tuple[str, ...]) -> None:
    for file in () if ctx.resilient_parsing else files:
        plugin(file)
        READ.add(os.path.abspath(file))


def set_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--set NAME=VALUE``, as often as needed; ``--assume`` does the same, and ``--trips A=N`` sets ``A.trips``."""

    @functools.wraps(command)
    def with_settings(
        *args: Any, settings: tuple[str, ...], assumed: tuple[str, ...], trips: tuple[str, ...], **options: Any
    ) -> Any:
        return command(*args, settings=(*settings, *assumed, *map(_trips, trips)), **options)

    wrapped: Callable[..., Any] = with_settings
    for option in (
        click.option("--trips", multiple=True, hidden=True),
        click.option("--assume", "assumed", multiple=True, hidden=True),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="NAME=VALUE",
            shell_complete=completion.setting,
            help="Value of a parameter; may be repeated.",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def _trips(text: str) -> str:
    """``LOOP=N`` as the setting that it means."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--trips takes LOOP=N, found '{text[:60]}'")
    return f"{name.removesuffix('.trips')}.trips={value}"


def input_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--input CxHxW``."""
    return click.option(
        "--input",
        "input_",
        metavar="CxHxW",
        help="Input in place of the spec's own, as 3x256x192; of a file with several NAME=SIZES,...",
    )(command)


def _conventions() -> list[str]:
    from convcost.conventions.catalogue import names  # noqa: PLC0415 - only completion pays for it

    return names()


def convention_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--convention NAME|FILE``."""
    return click.option(
        "--convention",
        "convention_",
        metavar="NAME|FILE",
        shell_complete=completion.names_of(_conventions),
        default="convcost",
        show_default=True,
        help="The counting convention to report beside the plain counts; `convcost conventions` lists them.",
    )(command)


def batch_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--batch N``."""
    return click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Samples.")(command)


def fused_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--fused/--unfused``."""
    words = "Norms and activations run on the output of the layer before them, or read and write memory."
    return click.option("--fused/--unfused", default=True, show_default=True, help=words)(command)


def dtype_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--dtype`` and ``--weights-dtype``."""
    formats = click.Choice(list(BITS))
    for option in (
        click.option("--weights-dtype", type=formats, help="Number format of weights; by default that of maps."),
        click.option("--dtype", type=formats, default="float32", show_default=True, help="Number format of maps."),
    ):
        command = option(command)
    return command


def free_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--free NAME,...``, as often as needed; see :func:`names_in`."""
    return click.option(
        "--free",
        "free",
        multiple=True,
        metavar="NAME,...",
        shell_complete=completion.parameter,
        help="Parameters to leave as symbols.",
    )(command)


def names_in(parts: tuple[str, ...]) -> list[str] | None:
    """The names in options such as ``--free a,b --free c``; None where there is none."""
    return [name.strip() for part in parts for name in part.split(",")] or None


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``-o FILE``."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        shell_complete=completion.files,
        help="Write to FILE instead of the terminal.",
    )(command)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--format``, ``--exact`` and ``-o``, for commands that round what they show."""
    return format_options(exact_option(command))


def exact_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--exact``."""
    return click.option("--exact", is_flag=True, help="Every digit in tables, in place of SI units.")(command)


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--format`` and ``-o``; the suffix of the file says the format where ``--format`` does not."""
    return formats()(command)


def formats(*more: str, usual: Sequence[str] = FORMAT_NAMES) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--format`` and ``-o``, with formats that only this command has beside the usual ones."""
    names = (*usual, *more)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_format(*args: Any, format_: str | None, output: str | None, **options: Any) -> Any:
            chosen = format_ or format_by_suffix(output, names)
            if chosen in _FILES_ONLY and output is None:
                suffix = next(suffix for suffix, name in SUFFIXES.items() if name == chosen)
                raise UsageError(f"--format {chosen} needs a file: -o FILE{suffix}")
            return command(*args, format_=chosen, output=output, **options)

        wrapped: Callable[..., Any] = with_format
        for option in (
            output_option,
            click.option(
                "--format",
                "format_",
                type=click.Choice(names),
                help=f"What to print; by default what the suffix of -o says, else {_DEFAULTS.get(names[0], names[0])}.",
            ),
        ):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def format_by_suffix(output: str | None, known: Sequence[str], option: str = "-o") -> str:
    """The format that the suffix of a file asks for; the first one known where it has none, or is that of text.

    Args:
        output: the name of the file, if there is one.
        known: the formats that the command writes.
        option: what the name was given to.

    Raises:
        UsageError: the command writes no format of that suffix.
    """
    suffix = os.path.splitext(output or "")[1].lower()
    textual = known[0] in _TEXTUAL
    if not suffix or (textual and suffix == _TEXT):
        return known[0]
    asked = SUFFIXES.get(suffix)
    if asked in known:
        return str(asked)
    listed = [suffix for suffix, name in SUFFIXES.items() if name in known and suffix != _TEXT]
    raise wrong_suffix(output or "", [*([_TEXT] if textual else []), *listed], option)


def wrong_suffix(output: str, known: Sequence[str], option: str = "-o") -> UsageError:
    """The error about a file whose suffix asks for what the command does not write."""
    listed = f"{', '.join(known[:-1])} or {known[-1]}" if len(known) > 1 else known[0]
    suffix = os.path.splitext(output)[1]
    return UsageError(f"{option} {output[:100]}: expected a file that ends in {listed}, found '{suffix[:20]}'")


def targets_of(
    names: Sequence[TargetLike], settings: tuple[str, ...], catalogue: Catalogue | None = None
) -> list[Target]:
    """Targets with the values that ``--set`` gives them: ``NAME=VALUE`` each that has the name, ``A:NAME=VALUE`` A.

    Raises:
        UsageError: there is no such target or parameter, not NAME=VALUE, or given twice.
        SpecError: a spec is wrong.
    """
    return resolve(names, map(setting_of, settings), catalogue=catalogue, option="--set")


def target_of(name: str, settings: tuple[str, ...], catalogue: Catalogue | None = None) -> Target:
    """One target; see :func:`targets_of`."""
    (target,) = targets_of([name], settings, catalogue)
    return target


def setting_of(text: str) -> tuple[str, Typed]:
    """The name and the value of ``--set NAME=VALUE``.

    Raises:
        UsageError: it is neither.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set takes NAME=VALUE, found '{text[:60]}'")
    return name, Typed(value)


def parse_input(text: str | None) -> Any:
    """The shape that ``--input`` gives; of named inputs, as ``image=1x3x640x640,mask=1x1x640x640``, by their names.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    if "=" in text:
        named = [part.rpartition("=") for part in text.split(",")]
        if len({name for name, _, _ in named}) < len(named):
            raise UsageError(f"--input gives an input twice: '{text[:60]}'")
        return {name: _sizes(sizes, _NAMED_SIZES) for name, _, sizes in named}
    return _sizes(text)


def _sizes(text: str, form: str = _SIZES) -> tuple[int, ...]:
    if re.fullmatch(form, text) is None:
        raise UsageError(f"--input takes sizes such as 3x256x192, found '{text[:60]}'")
    shape = tuple(int(size) for size in text.split("x"))
    if 0 in shape:
        raise UsageError(f"--input: sizes must be at least 1, found {text}")
    return shape


def write(content: str | bytes, output: str | None) -> None:
    """Print a text, or write it (or an image) to a file atomically.

    Args:
        content: what to write.
        output: a path, or None for standard output.

    Raises:
        UsageError: the file is one that the command read.
        ConvcostError: the file cannot be written.
    """
    if output is None:
        sys.stdout.write(str(content))
        return
    with written_to(output) as put:
        put(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))


@contextmanager
def written_to(output: str | None) -> Iterator[Callable[[bytes], Any]]:
    """What writes pieces to a file, which is there once all are written, or to standard output.

    Args:
        output: a path, or None for standard output.

    Raises:
        UsageError: the file is one that the command read.
        ConvcostError: the file cannot be written.
    """
    if output is None:
        yield lambda piece: sys.stdout.write(piece.decode("utf-8"))
        return
    try:
        output = os.path.realpath(output)
        if any(os.path.exists(path) and _same_file(path, output) for path in READ):
            raise UsageError(f"-o {output} would overwrite the command's own input")
        with _replacing(output) as stream:
            yield stream.write
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConvcostError(f"cannot write {output[:100]}: {reason}") from None


@contextmanager
def _replacing(output: str) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file at its end; nothing is left where the end is not reached."""
    if os.path.exists(output) and not os.path.isfile(output):  # a device or a pipe: there is nothing to replace
        with open(output, "wb") as stream:
            yield stream
        return
    import tempfile  # noqa: PLC0415 - only -o pays for it

    handle, temporary = tempfile.mkstemp(prefix=".convcost-", dir=os.path.dirname(output))
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, output)
    except BaseException:
        os.unlink(temporary)
        raise


def _same_file(path: str, output: str) -> bool:
    return os.path.exists(output) and os.path.samefile(path, output)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def show(
    format_: str,
    output: str | None,
    *,
    exact: bool,
    tables: Callable[[], Sequence[Table]],
    data: Callable[[], dict[str, Any]],
    flat: Callable[[], Table] | None = None,
    page: Callable[[], str] | None = None,
) -> None:
    """Write a result in the format asked for.

    Args:
        format_: one of :data:`FORMAT_NAMES`.
        output: a path, or None for standard output.
        exact: every digit in place of SI units.
        tables: makes the tables.
        data: makes what JSON is made of.
        flat: makes the one table that formats for programs are made of, where that is another than ``tables``.
        page: makes the HTML page, where that is more than ``tables``.
    """
    if format_ == "json":
        from convcost.tables.data import as_json  # noqa: PLC0415 - tables do not pay for it

        write(as_json(data()), output)
    elif format_ == "html" and page is not None:
        write(page(), output)
    elif format_ == "table":
        _show([TableView(table, exact=exact, ascii_only=ascii_only(output)) for table in tables()], output)
    else:
        made = [flat()] if flat is not None and FORMATS[format_].for_programs else tables()
        write(FORMATS[format_].write(made, exact=exact), output)


def show_view(view: View, format_: str, output: str | None, *, exact: bool = False) -> None:
    """Write a result in the format asked for; arguments as :func:`show`."""
    show(format_, output, exact=exact or view.exact, tables=view.tables, data=view.data, flat=view.flat, page=view.page)


def show_picture(picture: Drawing | Chart, format_: str, output: str | None) -> None:
    """Write a drawing or a chart in the format asked for."""
    if format_ == "json":
        from convcost.tables.data import as_json  # noqa: PLC0415 - pictures do not pay for it

        write(as_json(picture.data()), output)
        return
    import shutil  # noqa: PLC0415 - only pictures pay for it

    width = asked_width() or (shutil.get_terminal_size().columns if on_terminal(output) else PICTURE_WIDTH)
    write(picture.written(format_, width, ascii_only=ascii_only(output)), output)


def on_terminal(output: str | None) -> bool:
    """Whether what is written to ``output`` goes to a terminal."""
    return output is None and sys.stdout.isatty()


def _show(views: Sequence[TableView], output: str | None) -> None:
    if not on_terminal(output):
        write("\n".join(view.text(asked_width()) for view in views), output)
        return
    from rich.console import Console  # noqa: PLC0415 - a pipe does not pay for it

    console = Console(highlight=False)
    for index, view in enumerate(views):
        if index:
            console.print()
        console.print(view)


def asked_width() -> int | None:
    """The width that ``COLUMNS`` asks for; None where it does not."""
    asked = os.environ.get("COLUMNS", "")
    return max(int(asked), _NARROWEST) if asked.isascii() and asked.isdigit() and len(asked) < _DIGITS else None


def ascii_only(output: str | None) -> bool:
    """Whether lines and bars must be drawn in ASCII: by the encoding of the output, or for a terminal without more."""
    if output is not None:
        return False  # files are written in UTF-8
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return "utf" not in encoding.lower() or (sys.stdout.isatty() and os.environ.get("TERM") == "dumb")


_MOST_LINES = 100  # lines of an error that are shown


def report_error(error: ConvcostError, target: str = "") -> None:
    """Print what is wrong on standard error.

    Args:
        error: problems in files say where they are; others are named as errors.
        target: what the error is of, where it does not say.
    """
    of = f"{target}: " if target else ""
    complain(str(error) if hasattr(error, "problems") else f"error: {of}{error}")


def complain(message: str) -> None:
    """Print a message on standard error, without control characters, and not without end."""
    lines = message.split("\n")
    more = [f"... and {len(lines) - _MOST_LINES:,} lines more"] if len(lines) > _MOST_LINES else []
    for line in [*lines[:_MOST_LINES], *more]:
        click.echo(plain(line), err=True)
