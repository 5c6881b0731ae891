"""The `videomama` command; the only code that prints.

Each command is imported when it is called: the server must answer within a second of its start, and what reads
pictures takes longer than that to import.
"""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper

import click
from videomama_client import __version__
from videomama_client.errors import Cancelled, VideoMaMaError

_COMMANDS = {
    "matte": "matte",
    "serve": "serve",
    "status": "serve",
    "unload": "serve",
    "stop": "serve",
    "cache": "cache",
    "weights": "weights",
    "metrics": "metrics",
    "foreground": "foreground",
    "qc": "qc",
    "doctor": "doctor",
    "demo": "demo",
    "clips": "clips",
    "evaluate": "evaluate",
}
EXIT_FAILED = 1
EXIT_CANCELLED = 130


class _Commands(click.Group):
    """Finds a command in its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{_COMMANDS[cmd_name]}"), cmd_name)
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="videomama")
def videomama() -> None:
    """Turn a rough mask into a soft alpha, through a server that stays."""


def main() -> None:
    """Run the command; errors become one message, its hint and an exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold what the terminal cannot show
    try:
        videomama.main(standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (Cancelled, KeyboardInterrupt, click.Abort):
        click.echo("Cancelled. What was finished is kept.", err=True)
        sys.exit(EXIT_CANCELLED)
    except VideoMaMaError as error:
        click.echo(f"Error: {error.message}", err=True)
        if error.hint:
            click.echo(error.hint, err=True)
        sys.exit(EXIT_FAILED)
