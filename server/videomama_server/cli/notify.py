"""Tells the desktop when a long job has ended, with the program that each system has for that."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from videomama_client.errors import Cancelled, VideoMaMaError

from videomama_server import asking

LONG_S = 10.0  # a person has hardly looked away from a shorter job
_ANSWER_S = 10.0
_APPLE = "on run words\ndisplay notification (item 2 of words) with title (item 1 of words)\nend run"
_WINDOWS = (
    "& { param($title, $text) Add-Type -AssemblyName System.Windows.Forms, System.Drawing; "
    "$icon = New-Object System.Windows.Forms.NotifyIcon; $icon.Icon = [System.Drawing.SystemIcons]::Information; "
    "$icon.Visible = $true; $icon.ShowBalloonTip(5000, $title, $text, 'Info'); Start-Sleep 5; $icon.Dispose() }"
)


@contextmanager
def notifying(wanted: bool, name: str) -> Iterator[None]:
    """Notify the desktop of how the work ended, where that was asked for and it took long; not of a cancel.

    Args:
        wanted: whether it was asked for.
        name: of the work.

    Raises:
        VideoMaMaError: what the work raises.
    """
    begun = time.monotonic()
    try:
        yield
    except Cancelled:
        raise
    except VideoMaMaError as error:
        _tell_long(wanted, begun, f"{name} failed", error.message)
        raise
    _tell_long(wanted, begun, f"{name} is done", f"It took {time.monotonic() - begun:.0f} s.")


def notify(title: str, text: str) -> str:
    """Show a notification; return why that could not be done, empty where it was."""
    command = _command(title, text)
    if shutil.which(command[0]) is None:
        return f"{command[0]} is not installed"
    try:
        answer = asking.ask(command, _ANSWER_S)
    except asking.NoAnswer as error:
        return error.message
    return "" if answer.code == 0 else asking.last_line(answer.err) or f"{command[0]} ended with code {answer.code}"


def _tell_long(wanted: bool, begun: float, title: str, text: str) -> None:
    if not wanted or time.monotonic() - begun < LONG_S:
        return
    trouble = notify(f"VideoMaMa: {title}", text)
    if trouble:
        click.echo(f"Note: the desktop could not be notified: {trouble}", err=True)


def _command(title: str, text: str) -> list[str]:
    """Return what shows a notification; the words are arguments, and never part of a script."""
    if sys.platform == "darwin":
        return ["osascript", "-e", _APPLE, title, text]
    if sys.platform == "win32":
        return ["powershell", "-NoProfile", "-NonInteractive", "-Command", _WINDOWS, title, text]
    return ["notify-send", "--app-name=VideoMaMa", "--", title, text]
