"""All progress bars, on the error stream: one for the frames of a job, and one that gives way to lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

Own = TypeVar("Own", bound="Bar")


def progress(*columns: ProgressColumn) -> Progress:
    """Return a bar that is to be entered: what is done, the bar, `columns`, and the time that is left.

    Names are no markup. Where there is no terminal, only its last state is printed.
    """
    named = TextColumn("{task.description}", markup=False)
    return Progress(named, BarColumn(), *columns, TimeRemainingColumn(), console=Console(stderr=True))


@contextmanager
def frames_bar(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar of `total` frames while the body works; it calls what it gets with each frame that is done."""
    with progress(MofNCompleteColumn()) as shown:
        task = shown.add_task(name, total=total)
        yield lambda _: shown.advance(task)


class Bar:
    """What long commands share: a bar that is there while the command works, and sentences above it.

    Args:
        columns: what stands between the bar and the time that is left.

    Attributes:
        shown: the bar; None where there is no terminal.
    """

    def __init__(self, *columns: ProgressColumn) -> None:
        self.shown = progress(*columns) if sys.stderr.isatty() else None

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
