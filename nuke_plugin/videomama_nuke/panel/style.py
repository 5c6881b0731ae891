"""Colours of the panel, all mixed from the palette of the program that it is docked in, and its style sheet."""

from __future__ import annotations

from typing import Optional

from Qt import QtGui
from videomama_client import messages

from videomama_nuke.panel import snapshot

_SHEET = """
QPushButton {{ background: {button}; border: 1px solid {edge}; border-radius: 3px; padding: 3px 9px; color: {text}; }}
QPushButton:hover {{ background: {hover}; }}
QPushButton:pressed {{ background: {pressed}; }}
QPushButton:focus {{ border-color: {accent}; }}
QPushButton:disabled {{ background: {window}; color: {faint}; }}
QTableView, QPlainTextEdit {{ background: {base}; border: 1px solid {edge}; border-radius: 3px; color: {text}; }}
QTableView:focus, QPlainTextEdit:focus {{ border-color: {accent}; }}
QScrollArea {{ border: none; background: transparent; }}
QLabel[role="dim"] {{ color: {dim}; }}
QLabel[role="heading"] {{ color: {text}; font-weight: bold; }}
QLabel[role="bad"] {{ color: {bad}; }}
QFrame[role="line"] {{ background: {line}; border: none; max-height: 1px; min-height: 1px; }}
QFrame[role="ask"] {{ background: {pressed}; border: 1px solid {warn}; border-radius: 3px; }}
"""
_ON_DARK = {"good": "#84c984", "bad": "#f2968a", "warn": "#e3b75c"}
_ON_LIGHT = {"good": "#1d6f2c", "bad": "#a8231b", "warn": "#7d5200"}


class Colours:
    """The colours for one palette, as attributes: `text`, `dim`, `faint`, `line`, `edge`, `accent`, `good`, ..."""

    def __init__(self, palette: QtGui.QPalette) -> None:
        role = QtGui.QPalette.ColorRole
        active = QtGui.QPalette.ColorGroup.Active
        window = palette.color(active, role.Window)
        text = palette.color(active, role.WindowText)
        highlight = palette.color(active, role.Highlight)
        named = _ON_DARK if window.lightness() < text.lightness() else _ON_LIGHT
        self.window, self.text = window, text
        self.base = palette.color(active, role.Base)
        self.dim = mix(text, window, 0.28)
        self.faint = mix(text, window, 0.62)
        self.line = mix(text, window, 0.84)
        self.edge = mix(text, window, 0.72)
        self.button = mix(text, window, 0.9)
        self.hover = mix(text, window, 0.82)
        self.pressed = mix(text, window, 0.94)
        self.accent = mix(highlight, text, 0.25)
        self.cached = mix(text, window, 0.5)
        self.ended = mix(self.accent, window, 0.6)
        self.selected = mix(highlight, self.base, 0.8)
        self.good, self.bad, self.warn = (QtGui.QColor(named[name]) for name in ("good", "bad", "warn"))

    def sheet(self) -> str:
        """Return the panel's style sheet."""
        return _SHEET.format(**{name: colour.name() for name, colour in vars(self).items()})

    def of_server(self, state: str) -> QtGui.QColor:
        """Return the colour for a state of the server."""
        known = {snapshot.RUNNING: self.good, snapshot.SILENT: self.warn, snapshot.UNREACHABLE: self.bad}
        return known.get(state, self.dim)

    def of_job(self, job: messages.JobState) -> Optional[QtGui.QColor]:
        """Return the colour of the words for how a job is; None for what is of no great interest."""
        if job.flags:
            return self.warn
        known = {messages.RUNNING: self.text, messages.DONE: self.good, messages.FAILED: self.bad}
        return known.get(job.state)


def mix(one: QtGui.QColor, other: QtGui.QColor, share: float) -> QtGui.QColor:
    """Return `one` with a share (0..1) of `other`."""
    parts = zip((one.red(), one.green(), one.blue()), (other.red(), other.green(), other.blue()))
    return QtGui.QColor(*(round(a + (b - a) * share) for a, b in parts))
