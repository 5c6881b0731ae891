"""Tcl words: splits the text of a script into commands, and a list into its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_BLANK = " \t\r\n"
_BRACE = re.compile(r"\\.|[{}]", re.S)
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)
_PLAIN = re.compile(r"[^\s;\\\[\]]+")


class TclError(ValueError):
    """Text that is no Tcl, with the line where it stops to be."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class Word(NamedTuple):
    """One word: what it says without its braces or quotes, how it was written, and the line where it begins."""

    text: str
    kind: str  # bare, brace or quote
    line: int


class Reader:
    """Reads words off a text, counting lines."""

    def __init__(self, text: str, line: int = 1) -> None:
        self.text = text
        self.at = 0
        self._line = line
        self._counted = 0

    def line(self) -> int:
        """Return the line of the place where the reader stands."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def skip(self, blanks: str) -> None:
        """Go past blanks and continued lines."""
        text, end = self.text, len(self.text)
        while self.at < end:
            if text[self.at] in blanks:
                self.at += 1
            elif text.startswith("\\\n", self.at):
                self.at += 2
            else:
                return

    def word(self, stops: str) -> Word:
        """Read the word that begins here; a bare one ends at any of the stops."""
        line = self.line()
        first = self.text[self.at]
        if first == "{":
            return Word(self._braced(line), "brace", line)
        if first == '"':
            return Word(self._quoted(line), "quote", line)
        return Word(self._bare(stops, line), "bare", line)

    def _braced(self, line: int) -> str:
        text, depth, at = self.text, 0, self.at
        while True:
            found = _BRACE.search(text, at)
            if found is None:
                raise TclError("the brace opened here is never closed", line)
            sign, at = found.group(), found.end()
            depth += (sign == "{") - (sign == "}")
            if depth == 0:
                inside = text[self.at + 1 : at - 1]
                self.at = at
                return inside

    def _quoted(self, line: int) -> str:
        found = _QUOTED.match(self.text, self.at)
        if found is None:
            raise TclError("the quote opened here is never closed", line)
        self.at = found.end()
        return _ESCAPED.sub(lambda one: _unescaped(one.group(1)), found.group(1))

    def _bare(self, stops: str, line: int) -> str:
        plain = _PLAIN.match(self.text, self.at)
        if plain is not None and (plain.end() == len(self.text) or self.text[plain.end()] in stops):
            self.at = plain.end()
            return plain.group()
        text, out, at, depth = self.text, [], self.at, 0
        while at < len(text):
            sign = text[at]
            if sign == "\\" and at + 1 < len(text):
                if text[at + 1] == "\n":
                    break
                out.append(text[at + 1])
                at += 2
                continue
            if depth == 0 and sign in stops:
                break
            depth += (sign == "[") - (sign == "]" and depth > 0)
            out.append(sign)
            at += 1
        if depth:
            raise TclError("the bracket opened here is never closed", line)
        self.at = at
        return "".join(out)


def _unescaped(sign: str) -> str:
    return "" if sign == "\n" else _ESCAPES.get(sign, sign)


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")


def decoded(data: bytes) -> str:
    """Return a file's text: UTF-8, or Latin-1, in which old gizmos were saved."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def commands(text: str) -> Iterator[list[Word]]:
    """Yield the commands of a script: each a list of words that is not empty."""
    reader = Reader(_normal(text))
    end = len(reader.text)
    while True:
        reader.skip(_BLANK + ";")
        if reader.at >= end:
            return
        if reader.text[reader.at] == "#":
            _skip_comment(reader)
            continue
        yield _command(reader)


def _skip_comment(reader: Reader) -> None:
    newline = reader.text.find("\n", reader.at)
    while newline > 0 and reader.text[newline - 1] == "\\":  # a backslash continues a comment too
        newline = reader.text.find("\n", newline + 1)
    reader.at = len(reader.text) if newline < 0 else newline


def _command(reader: Reader) -> list[Word]:
    found: list[Word] = []
    while True:
        reader.skip(" \t")
        if reader.at >= len(reader.text) or reader.text[reader.at] in "\n;":
            return found
        found.append(reader.word(_BLANK + ";"))
        _check_end(reader, found[-1], _BLANK + ";")


def _check_end(reader: Reader, word: Word, stops: str) -> None:
    if word.kind == "bare" or reader.at >= len(reader.text):
        return
    if reader.text[reader.at] in stops or reader.text.startswith("\\\n", reader.at):
        return
    close = "brace" if word.kind == "brace" else "quote"
    raise TclError(f"text follows the closing {close} without a space", reader.line())


def split(text: str, line: int = 1) -> list[Word]:
    """Split a Tcl list into its words: newlines are blanks there, and `;` and `#` mean nothing."""
    return list(_split(text, line))


@lru_cache(8192)  # the defaults of knobs come with each node
def _split(text: str, line: int) -> tuple[Word, ...]:
    reader = Reader(_normal(text), line)
    found: list[Word] = []
    while True:
        reader.skip(_BLANK)
        if reader.at >= len(reader.text):
            return tuple(found)
        found.append(reader.word(_BLANK))
        _check_end(reader, found[-1], _BLANK)


def quoted(text: str) -> str:
    """Write a string as one word that `split` reads back to the same string."""
    if text and not set(text) & set(" \t\n\r\"{}[]\\$;'") and text[0] != "#":
        return text
    out = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    for sign in "[{}$":
        out = out.replace(sign, "\\" + sign)
    return f'"{out}"'
