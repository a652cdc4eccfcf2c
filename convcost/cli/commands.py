"""The commands as click has them."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

import click

from convcost import __version__
from convcost.cli.help import EXAMPLES, GROUPS, OTHER_WORDS
from convcost.cli.output import complain
from convcost.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULES = {"list": "listing"}  # the others are called as their commands
COMMANDS = {name: f"convcost.cli.{_MODULES.get(name, name)}" for members in GROUPS.values() for name in members}


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


def run() -> int:
    """Run the command that the arguments of this process name; its exit code.

    Raises:
        ConvcostError: it fails.
        KeyboardInterrupt: somebody interrupts it.
    """
    try:
        code: Any = cli.main(prog_name="convcost", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        complain(shown.getvalue().rstrip("\n"))
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    return code if isinstance(code, int) else 0
