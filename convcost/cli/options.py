"""Options that commands share, and where their output goes."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import click

from convcost.errors import ConvcostError, UsageError
from convcost.metrics.dtypes import BITS
from convcost.spec.bind import find, from_text
from convcost.spec.catalogue import bundled_names, hidden_file
from convcost.spec.reader import READ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem

    from convcost.spec.model import Spec
    from convcost.table import Table

_SIZES = re.compile(r"[0-9]{1,18}(?:x[0-9]{1,18}){0,3}")


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


def set_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--set NAME=VALUE``, as often as needed."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Value of a parameter; may be repeated.",
    )(command)


def input_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--input CxHxW``."""
    return click.option("--input", "input_", metavar="CxHxW", help="Input in place of the spec's own, as 3x256x192.")(
        command
    )


def convention_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--convention NAME|FILE``."""
    return click.option(
        "--convention",
        "convention_",
        metavar="NAME|FILE",
        default="convcost",
        show_default=True,
        help="Whose number to report beside the plain ones; `convcost conventions` lists them.",
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
        click.option("--weights-dtype", type=formats, help="Number format of weights; that of maps if not given."),
        click.option("--dtype", type=formats, default="float32", show_default=True, help="Number format of maps."),
    ):
        command = option(command)
    return command


def free_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--free NAME,...``, as often as needed; see :func:`names_in`."""
    return click.option("--free", "free", multiple=True, metavar="NAME,...", help="Parameters to leave as symbols.")(
        command
    )


def names_in(parts: tuple[str, ...]) -> list[str] | None:
    """The names in options such as ``--free a,b --free c``; None where there is none."""
    return [name.strip() for part in parts for name in part.split(",")] or None


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``-o FILE``."""
    return click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of the terminal.")(command)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--format``, ``--exact`` and ``-o``."""
    for option in (
        output_option,
        click.option("--exact", is_flag=True, help="Every digit in tables, in place of SI units."),
        click.option(
            "--format",
            "format_",
            type=click.Choice(["table", "json", "csv", "markdown"]),
            default="table",
            show_default=True,
            help="What to print.",
        ),
    ):
        command = option(command)
    return command


def parse_settings(spec: Spec, settings: tuple[str, ...]) -> dict[str, Any]:
    """The values that ``--set`` gives to ``spec``.

    Raises:
        UsageError: not NAME=VALUE, no such parameter, or given twice.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--set takes NAME=VALUE, found '{setting[:60]}'")
        parameter = find(spec, name)
        own = name if parameter is None else parameter.name
        if own in values:
            raise UsageError(f"--set gives `{own[:60]}` twice")
        values[own] = from_text(spec, own, text)
    return values


def parse_input(text: str | None) -> tuple[int, ...] | None:
    """The shape that ``--input`` gives.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    if _SIZES.fullmatch(text) is None:
        raise UsageError(f"--input takes sizes such as 3x256x192, found '{text[:60]}'")
    shape = tuple(int(size) for size in text.split("x"))
    if 0 in shape:
        raise UsageError(f"--input: sizes must be at least 1, found {text}")
    return shape


def write(content: str | bytes, output: str | None) -> None:
    """Print a text, or put it (or an image) into a file whole or not at all.

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
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    try:
        output = os.path.realpath(output)
        if any(os.path.exists(path) and _same_file(path, output) for path in READ):
            raise UsageError(f"-o {output} would overwrite the command's own input")
        _put(data, output)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConvcostError(f"cannot write {output[:100]}: {reason}") from None


def _put(data: bytes, output: str) -> None:
    if os.path.exists(output) and not os.path.isfile(output):  # a device or a pipe: there is nothing to replace
        with open(output, "wb") as stream:
            stream.write(data)
        return
    handle, temporary = tempfile.mkstemp(prefix=".convcost-", dir=os.path.dirname(output))
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
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


def show_table(table: Table, format_: str, output: str | None, *, exact: bool) -> None:
    """Write one table; see :func:`show_tables`."""
    show_tables([table], format_, output, exact=exact)


def show_tables(tables: Sequence[Table], format_: str, output: str | None, *, exact: bool) -> None:
    """Write tables in the format asked for (``json`` is not made from tables)."""
    if format_ == "table":
        _show(tables, output, exact=exact)
        return
    from convcost.render import formats  # noqa: PLC0415 - csv and json are not loaded for a table

    texts = [
        formats.as_csv(table) if format_ == "csv" else formats.as_markdown(table, exactly=exact) for table in tables
    ]
    write("\n".join(texts), output)


def _show(tables: Sequence[Table], output: str | None, *, exact: bool) -> None:
    from convcost.render.terminal import TableView, text_of  # noqa: PLC0415 - imports rich

    views = [TableView(table, exact=exact) for table in tables]
    if output is not None or not sys.stdout.isatty():
        write("\n".join(map(text_of, views)), output)
        return
    from rich.console import Console  # noqa: PLC0415

    console = Console(highlight=False)
    for index, view in enumerate(views):
        if index:
            console.print()
        console.print(view)
