"""The small parts that the panel is put together from: buttons, headings, paths and text to copy."""

from __future__ import annotations

import re
from collections.abc import Callable

from Qt import QtCore, QtGui, QtWidgets

BREAK = "\u200b"  # a path may wrap before each of its separators
_SEPARATOR = re.compile(r"(?<=[^\s/\\])([/\\])")


def button(text: str, tip: str, pressed: Callable[[], object]) -> QtWidgets.QPushButton:
    """Return a button; `text` has its mnemonic marked with ``&``."""
    made = QtWidgets.QPushButton(text)
    made.setToolTip(tip)
    made.setAccessibleName(text.replace("&", "").rstrip("\u2026"))
    made.setAccessibleDescription(tip)
    made.setAutoDefault(False)
    made.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)  # macOS leaves buttons out otherwise
    made.clicked.connect(lambda *_: pressed())
    return made


def label(role: str = "", name: str = "") -> QtWidgets.QLabel:
    """Return an empty label that wraps; `role` chooses its colour in the style sheet."""
    made = QtWidgets.QLabel()
    made.setTextFormat(QtCore.Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    made.setMinimumWidth(1)
    made.setAccessibleName(name)
    if role:
        made.setProperty("role", role)
    return made


def heading(title: str, *beside: QtWidgets.QWidget) -> QtWidgets.QWidget:
    """Return a section's title with a line below it; the first of what stands beside it takes the room."""
    made = QtWidgets.QWidget()
    name = QtWidgets.QLabel(title)
    name.setProperty("role", "heading")
    line = QtWidgets.QFrame()
    line.setProperty("role", "line")
    grid = QtWidgets.QGridLayout(made)
    grid.setContentsMargins(0, 6, 0, 0)
    grid.setVerticalSpacing(3)
    grid.setColumnStretch(1, 1)
    grid.addWidget(name, 0, 0)
    for place, part in enumerate(beside):
        grid.addWidget(part, 0, 1 + place)
    grid.addWidget(line, 1, 0, 1, 1 + max(1, len(beside)))
    return made


def reading_pane(name: str, tip: str) -> QtWidgets.QPlainTextEdit:
    """Return a pane of text to read and copy, that the Tab key leaves."""
    made = QtWidgets.QPlainTextEdit()
    made.setReadOnly(True)
    made.setTabChangesFocus(True)
    made.setUndoRedoEnabled(False)
    made.setWordWrapMode(QtGui.QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    made.setFont(QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.FixedFont))
    made.setAccessibleName(name)
    made.setToolTip(tip)
    return made


def row(*parts: QtWidgets.QWidget, stretch: int = -1) -> QtWidgets.QHBoxLayout:
    """Return widgets side by side; the one of index `stretch` takes what is left."""
    made = QtWidgets.QHBoxLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(6)
    for place, part in enumerate(parts):
        made.addWidget(part, 1 if place == stretch else 0)
    return made


def say(where: QtWidgets.QLabel, words: str, role: str = "") -> None:
    """Put words, and a role where one is given, into a label; nothing is laid out again when they are the same."""
    if where.text() != words:
        where.setText(words)
    if role and where.property("role") != role:
        where.setProperty("role", role)
        where.style().unpolish(where)
        where.style().polish(where)


def breakable(path: str) -> str:
    """Return a path that a label can wrap."""
    return _SEPARATOR.sub(BREAK + r"\1", path)


def copy(text: str) -> None:
    """Put text on the clipboard."""
    QtGui.QGuiApplication.clipboard().setText(text)
