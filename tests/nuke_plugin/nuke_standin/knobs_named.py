# ruff: noqa: N801, N802 - these are Nuke's names
"""Knobs that hold names of what the session has: channels, formats, views."""

from __future__ import annotations

from typing import Any

from nuke_standin import formats, session
from nuke_standin.knob_base import Knob
from nuke_standin.knobs_text import _Text
from nuke_standin.words import quoted, split


class Channel_Knob(_Text):
    """One channel."""

    def _prepare(self) -> None:
        self._text = "none"

    def _known(self, text: str) -> str:
        return session.current().layers.channel(text)

    def _load(self, text: str) -> None:
        """Take a channel; one with a minus is one that is not ticked, which is none."""
        self._text = "none" if text.startswith("-") and self._known(text[1:]) else self._known(text)

    def setValue(self, val: str, view: Any = None) -> bool:
        if not isinstance(val, str):
            raise TypeError(f"{self._name}: a channel's name is needed, not {type(val).__name__}")
        return self._change(self._known(val))

    def layerSelector(self) -> bool:
        return False

    def checkMarks(self) -> bool:
        return False

    def depth(self) -> int:
        return 1


class ChannelMask_Knob(Channel_Knob):
    """A set of channels: all, none, a layer, or names."""

    def _known(self, text: str) -> str:
        session.current().layers.expand(text)
        return text

    def _load(self, text: str) -> None:
        self._text = self._known(text)

    def _word(self) -> str:
        return "{" + self._text + "}" if " " in self._text else quoted(self._text)

    def _channels(self) -> list[str]:
        return session.current().layers.expand(self._text)

    def layerSelector(self) -> bool:
        return True

    def isChannelEnabled(self, name: str) -> bool:
        return name in self._channels()

    def enableChannel(self, name: str, b: bool) -> None:
        kept = [one for one in self._channels() if one != name]
        self._change(" ".join([*kept, name] if b else kept) or "none")


class Format_Knob(Knob):
    """A format; without one of its own, the root's."""

    def _prepare(self) -> None:
        self._format: Any = None

    def _state(self) -> Any:
        return None if self._format is None else self._format._text()

    def _restore(self, state: Any) -> None:
        self._format = None if state is None else formats.parsed(state)

    def _word(self) -> str:
        return quoted(self._state() or "")

    def _load(self, text: str) -> None:
        self._format = formats.parsed(text)

    def at(self, context: Any) -> Any:
        return self._format if self._format is not None else session.current().root._knobs["format"]._format

    def value(self) -> Any:
        return self.at(None)

    def notDefault(self) -> bool:
        return not self._is_default()

    def actualValue(self) -> Any:
        return self.at(None)

    def setValue(self, val: Any) -> bool:
        found = val if isinstance(val, formats.Format) else formats.parsed(val)
        return self._change(found._text())


class MultiView_Knob(_Text):
    """Some of the views, as words; without words, all of them."""

    def notDefault(self) -> bool:
        return not self._is_default()

    def _names(self) -> list[str]:
        return self._text.split() or session.current().views()

    def at(self, context: Any) -> list:
        return self._names()

    def value(self) -> str:
        return " ".join(self._names())

    def setValue(self, val: Any, view: Any = None) -> bool:
        text = val if isinstance(val, str) else " ".join(val)
        unknown = [name for name in text.split() if name not in session.current().views()]
        if unknown:
            raise ValueError(f"no view {unknown[0]!r}")
        return self._change(text)


class Views_Knob(_Text):
    """The root's views: words `{name colour}`, or in old scripts names and colours in turn."""

    def names(self) -> list[str]:
        """Return the names; a script that names none has the view that every new one has."""
        found = [word for one in split(self._text) for word in (split(one.text) or [one])[:1]]
        return [word.text for word in found if word.text and not word.text.startswith("#")] or ["main"]
