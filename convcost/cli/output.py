"""Where the output of commands goes, and in which format. Nothing here needs click."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from convcost.catalogue.loader import READ
from convcost.errors import ConvcostError, UsageError
from convcost.tables.terminal import TableView
from convcost.tables.text import FORMATS
from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

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
FILES_ONLY = ("parquet", "png", "pdf")
_TEXT, _TEXTUAL = ".txt", ("table", "text")
_NARROWEST, _DIGITS = 20, 6
PICTURE_WIDTH = 80  # of a drawing or chart, where the width of the terminal is not known


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
    if sys.stderr is not None:  # a process may have none
        sys.stderr.writelines(f"{plain(line)}\n" for line in [*lines[:_MOST_LINES], *more])
        sys.stderr.flush()
