"""The `videomama` command; the only code that prints.

Each command is imported when it is called, not when it is listed: the server must answer within a second of its
start, and what reads pictures takes longer than that to import.
"""

from __future__ import annotations

import json
import logging
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import NamedTuple, NoReturn

import click
from videomama_client import __version__
from videomama_client.disk_errors import disk_error
from videomama_client.errors import Cancelled, InternalError, VideoMaMaError
from videomama_client.wording import guess

from videomama_server.cli.usage import EXIT_USAGE, WrongUse

log = logging.getLogger(__name__)


class _Listed(NamedTuple):
    """What the help of `videomama` needs of a command: its module under `cli`, and its docstring's first sentence."""

    module: str
    sentence: str


_COMMANDS = {
    "matte": _Listed("matte", "Refine a rough mask into a soft alpha."),
    "masks": _Listed("masks", "Make masks from clicks, boxes, words or painted frames."),
    "batch": _Listed("batch", "Refine many shots."),
    "serve": _Listed("serve", "Run the server in the foreground until Ctrl-C."),
    "status": _Listed("serve", "Show the state of the server and its jobs."),
    "jobs": _Listed("jobs", "List the jobs of all clients, those that ended too."),
    "cancel": _Listed("jobs", "Stop jobs, whoever submitted them; finished frames stay."),
    "priority": _Listed("jobs", "Change the priority of a job: interactive or batch."),
    "log": _Listed("jobs", "Print what happened to a job, also to one that ended."),
    "engines": _Listed("engines", "List the engines of the server and their settings."),
    "web": _Listed("web", "Open the local web page, and start it where it does not run."),
    "unload": _Listed("serve", "Free the memory that the engine holds."),
    "stop": _Listed("serve", "End the running server, whatever its version."),
    "cache": _Listed("cache", "Look after the cache of finished alphas."),
    "weights": _Listed("weights", "Look after the weights of the engines."),
    "metrics": _Listed("metrics", "Measure an alpha against the exact one."),
    "foreground": _Listed("foreground", "Take the background out of soft edges."),
    "person": _Listed("person", "Find the person of a clip, and print the prompt for it."),
    "qc": _Listed("qc", "Flag the frames of an alpha that need a look."),
    "doctor": _Listed("doctor", "Check all that a refine needs."),
    "demo": _Listed("demo", "Refine a generated clip and measure the result."),
    "synthesize": _Listed("synthesize", "Make test clips with exact alpha."),
    "train": _Listed("train", "Train the networks of engines."),
    "label": _Listed("label", "Make alphas of a data set's masks, to train on."),
    "evaluate": _Listed("evaluate", "Measure engines and other tools on clips."),
}
EXIT_FAILED = 1
EXIT_CANCELLED = 130


class _Commands(click.Group):
    """Lists commands without their modules, and imports the module of the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the words begin with; for one that there is not, name the closest."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"No such command {args[0]!r}. {guess(args[0], _COMMANDS)}".rstrip(), ctx)
        name, listed, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, listed, rest
        return name, getattr(import_module(f"{__name__}.{_COMMANDS[name].module}"), name), rest

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return what help and completion show of a command; `resolve_command` gives the one that runs."""
        listed = _COMMANDS.get(cmd_name)
        return listed and click.Command(cmd_name, help=listed.sentence)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="videomama")
def videomama() -> None:
    """Turn a rough mask into a soft alpha, on a local server that stays loaded."""


def main() -> None:
    """Run the command; errors become one message, its hint and an exit code.

    With `--json` an error is one JSON object on standard output: see `docs/troubleshooting.md`.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold what the terminal cannot show
    try:
        videomama.main(prog_name="videomama", standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        _end_usage(error)
    except (Cancelled, KeyboardInterrupt, click.Abort):
        _end(Cancelled("Cancelled. What was finished is kept."), EXIT_CANCELLED, prefix="")
    except WrongUse as error:
        _end(error, EXIT_USAGE)
    except VideoMaMaError as error:
        _end(error, EXIT_FAILED)
    except Exception as error:
        if isinstance(error, OSError) and error.filename:  # of a file, which is not our fault
            _end(disk_error(error), EXIT_FAILED)
        log.exception("the command failed")
        _end(InternalError(f"{type(error).__name__}: {error}", "This is a fault of videomama: report it."), EXIT_FAILED)


def _end(error: VideoMaMaError, code: int, prefix: str = "Error: ") -> NoReturn:
    """Tell an error the way that was asked for, and leave."""
    if _as_json():
        click.echo(json.dumps(as_fields(error)))
        sys.exit(code)
    click.echo(f"{prefix}{error.message}", err=True)
    if error.hint:
        click.echo(error.hint, err=True)
    sys.exit(code)


def _end_usage(error: click.ClickException) -> NoReturn:
    """Tell that the command line itself is wrong, and leave."""
    if not _as_json():
        error.show()
        sys.exit(error.exit_code)
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"Try '{context.command_path} --help' for help." if context else ""
    fields = as_fields(VideoMaMaError(error.format_message(), hint))
    click.echo(json.dumps({**fields, "code": WrongUse.code}))
    sys.exit(error.exit_code)


def as_fields(error: VideoMaMaError) -> dict[str, str | int | None]:
    """Return an error as `--json` prints it; None for what is not known. Only one of an object names it."""
    fields = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint or None,
        "role": error.role or None,
        "frame": error.frame,
        "file": error.file or None,
    }
    return {**fields, "object": error.object} if error.object else fields


def _as_json() -> bool:
    """Whether `--json` was given: asked of the words themselves, since click may have stopped before it."""
    words = sys.argv[1:]
    return "--json" in (words[: words.index("--")] if "--" in words else words)
