"""The command line: each command parses, calls the library, renders, and echoes."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from convcost import __version__
from convcost.cli.help import EXAMPLES, GROUPS, OTHER_WORDS
from convcost.errors import ConvcostError, UsageError, unknown
from convcost.plugins import fault_of_a_plugin

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULES = {"list": "listing"}  # the others are called as their commands
COMMANDS = {name: f"convcost.cli.{_MODULES.get(name, name)}" for members in GROUPS.values() for name in members}
_CLOSED_PIPE = 128 + 13
_INTERRUPTED = 128 + 2


def _flag(names: list[str], text: str, shown: Callable[[click.Context], str]) -> click.Option:
    """An option that prints something and ends. Those of click look for a translation first, which takes 3 ms."""

    def print_and_exit(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's call
        if asked and not ctx.resilient_parsing:
            click.echo(shown(ctx), color=ctx.color)
            ctx.exit()

    return click.Option(names, is_flag=True, is_eager=True, expose_value=False, callback=print_and_exit, help=text)


_HELP = _flag(["-h", "--help"], "Show this message and exit.", lambda ctx: ctx.get_help())
_VERSION = _flag(["--version"], "Show the version and exit.", lambda _: f"convcost {__version__}")


class Commands(click.Group):
    """Commands that are imported when they are called: ``analyze`` must not load what only ``formula`` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        if not any(param.name == "plugins" for param in command.params):
            command.params.append(importlib.import_module("convcost.cli.options").plugin_option())
        command.get_help_option = self.get_help_option  # type: ignore[method-assign]
        command.short_help = next(members[cmd_name] for members in GROUPS.values() if cmd_name in members)
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  {example}" for example in EXAMPLES[cmd_name])
        return command

    def get_help_option(self, ctx: click.Context) -> click.Option:  # noqa: ARG002 - click's signature
        """``-h`` and ``--help``, of the group and of every command."""
        return _HELP

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Commands in groups, each with its summary; no command is imported for it."""
        for group, members in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl(list(members.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest valid name in the error."""
        name = args[0]
        if name == "help" and not ctx.resilient_parsing:  # `convcost help NAME` is `convcost NAME --help`
            args = [*args[1:2], "--help"]
            name = args[0]
            if name == "--help":
                click.echo(ctx.get_help())
                ctx.exit()
        if name in OTHER_WORDS and not ctx.resilient_parsing:
            ctx.fail(unknown("command", name, COMMANDS, hint=f"did you mean '{OTHER_WORDS[name]}'?"))
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing and not name.startswith("-"):
            ctx.fail(unknown("command", name, COMMANDS))
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, params=[_VERSION], context_settings={"max_content_width": 100})
def cli() -> None:
    """Exact cost of convolutional networks: parameters, MACs and FLOPs, as numbers and as formulas."""


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 a spec is wrong, 2 misuse, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name may hold what the terminal has no character for
    try:
        code: Any = cli.main(prog_name="convcost", standalone_mode=False)
        sys.stdout.flush()
    except UsageError as error:
        code = _fail(f"error: {error}", 2)
    except ConvcostError as error:
        code = _fail(f"error: {error}" if not hasattr(error, "problems") else str(error), 1)
    except click.ClickException as error:
        code = _misuse(error)
    except (click.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        code = _CLOSED_PIPE
    except OSError as error:
        _drop_output()
        code = _fail(f"error: cannot write the output: {error.strerror}", 1)
    except Exception as error:  # noqa: BLE001 - it is raised again where no plug-in is to blame
        code = _fail_for_a_plugin(error)
    sys.exit(code if isinstance(code, int) else 0)


def _drop_output() -> None:
    """Discard unwritten output; otherwise the interpreter tries to write it again at exit and fails."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _misuse(error: click.ClickException) -> int:
    shown = io.StringIO()
    error.show(shown)
    return _fail(shown.getvalue().rstrip("\n"), error.exit_code)


def _fail_for_a_plugin(error: Exception) -> int:
    message = fault_of_a_plugin(error)
    if not message:
        raise error
    return _fail(f"error: {message}", 1)


def _fail(message: str, code: int) -> int:
    from convcost.cli.options import complain  # noqa: PLC0415 - only an error pays for it

    complain(message)
    return code
