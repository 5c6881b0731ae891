"""A progress bar in a terminal, and lines elsewhere, on the error stream."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

Own = TypeVar("Own", bound="Bar")


class Bar:
    """What long commands share: a bar that is there while the command works, and sentences above it.

    Args:
        columns: what stands between the bar and the time that is left.

    Attributes:
        shown: the bar; None where there is no terminal.
    """

    def __init__(self, *columns: ProgressColumn) -> None:
        self.shown: Progress | None = None
        if sys.stderr.isatty():
            named = TextColumn("{task.description}", markup=False)
            self.shown = Progress(named, BarColumn(), *columns, TimeRemainingColumn(), console=Console(stderr=True))

    def __enter__(self: Own) -> Own:
        if self.shown:
            self.shown.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.shown:
            self.shown.stop()

    def say(self, text: str) -> None:
        """Show a sentence, above the bar if there is one."""
        if self.shown:
            self.shown.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)
