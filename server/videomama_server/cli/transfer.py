"""Shows how far a transfer of files is: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

_STEPS = 10  # lines per file where there is no terminal
_SMALL = 1_000_000  # bytes; what is smaller is not shown


class Transfer:
    """Takes what is done, bytes done and bytes in all, as often as one likes; writes to the error stream."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._current = ""
        self._step = -1
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
            console = Console(file=sys.stderr)
            self._bar = Progress(*columns, TransferSpeedColumn(), TimeRemainingColumn(), console=console)

    def __enter__(self) -> Transfer:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` bytes are done of `what`."""
        if total < _SMALL:
            return
        if what != self._current:
            self._current, self._step = what, -1
            if self._bar:
                self._bar.add_task(what, total=total)
        if self._bar:
            self._bar.update(self._bar.task_ids[-1], completed=done)
            return
        step = done * _STEPS // total
        if step > self._step:
            self._step = step
            click.echo(f"{what}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", err=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keep the bar away, so that a question can be asked."""
        if self._bar:
            self._bar.stop()
        yield
        if self._bar:
            self._bar.start()

    def say(self, text: str) -> None:
        """Show a sentence, above the bar if there is one."""
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)
