# ruff: noqa: N801, N802 - these are Nuke's names
"""Links: knobs that show another node's knob."""

from __future__ import annotations

from typing import Any, Optional

from nuke_standin.knob_base import Knob

_OWN = ("name", "setName", "label", "setLabel", "tooltip", "setTooltip", "node", "fullyQualifiedName", "Class",
        "setFlag", "clearFlag", "getFlag", "visible", "setVisible", "enabled", "setEnabled")  # fmt: skip

_LONGEST_WAY = 50


class Link_Knob(Knob):
    """Everything but its name, label, tooltip and flags is the other knob's.

    The target is looked for when it is needed: inside the node when that is a group, else beside it.
    """

    def _prepare(self) -> None:
        self._target = ""
        self._built: Any = None  # the target's state in a fresh gizmo, so that changes can be told
        self._is_built = False

    def _linked(self) -> Any:
        """Return the knob at the end: a link to a link leads on."""
        here: Any = self
        for _ in range(_LONGEST_WAY):
            if not isinstance(here, Link_Knob):
                return here
            node, _, knob = here._target.rpartition(".")
            found = _walk(here._node, node) if here._node is not None and node else None
            here = found._knobs.get(knob) if found is not None else None
        raise ValueError(f"{self._name}: the links lead round in a circle")

    def _need(self) -> Any:
        found = self._linked()
        if found is None:
            raise ValueError(f"{self._name} links to {self._target!r}, which is not there")
        return found

    def _state(self) -> Any:
        return self._target

    def _value_state(self) -> Any:
        found = self._linked()
        return None if found is None else found._state()

    def _restore(self, state: Any) -> None:
        self._target = state

    def _is_default(self) -> bool:
        found = self._linked()
        return found is None or not self._is_built or found._state() == self._built

    def _freeze(self) -> None:
        found = self._linked()
        self._built = found._state() if found is not None else None
        self._is_built = found is not None

    def _word(self) -> str:
        return self._need()._word()

    def _load(self, text: str) -> None:
        self._need()._load(text)

    def _component_names(self) -> list[str]:
        return self._need()._component_names()

    def _rename(self, word: Any, new: str) -> None:
        self._target = word.sub(new, self._target)

    def _get(self, name: str) -> Any:
        return getattr(self._need(), name)

    def at(self, context: Any) -> Any:
        return self._need().at(context)

    def label(self) -> str:
        if self._label:
            return self._label
        found = self._linked()
        return found.label() if found is not None else self._name

    def getLink(self) -> str:
        return self._target

    def setLink(self, s: str) -> None:
        self._target = s

    def makeLink(self, s: str, t: str) -> None:
        self._target = f"{s}.{t}"

    def getLinkedKnob(self) -> Optional[Knob]:
        return self._linked()

    def value(self, *args: Any) -> Any:
        return self._get("value")(*args)

    def getValue(self, *args: Any) -> Any:
        return self._get("getValue")(*args)

    def getEvaluatedValue(self, *args: Any) -> Any:
        return self._get("getEvaluatedValue")(*args)

    def setValue(self, *args: Any) -> bool:
        done = self._get("setValue")(*args)
        self._node._knob_was_set(self)
        return done

    def isAnimated(self, channel: int = -1) -> bool:
        return self._get("isAnimated")(channel)

    def hasExpression(self, index: int = -1) -> bool:
        return self._get("hasExpression")(index)

    def toScript(self, quote: bool = True, context: Any = None) -> str:
        return self._word()

    def fromScript(self, script: str) -> None:
        self._need().fromScript(script)

    def __getattr__(self, name: str) -> Any:
        """The rest is what the target has: values(), execute(), evaluate(), ..."""
        if name.startswith("_") or name in _OWN:
            raise AttributeError(f"'Link_Knob' object has no attribute '{name}'")
        return self._get(name)


def _walk(owner: Any, path: str) -> Any:
    for start in ([owner] if hasattr(owner, "_children") else []) + [owner._group]:
        here = start
        for word in path.split("."):
            if here is None:
                break
            here = _step(here, word, owner)
        if here is not None:
            return here
    return None


def _step(here: Any, word: str, owner: Any) -> Any:
    if word == "this":
        return owner
    if word == "parent":
        return here._group
    if word == "root":
        return owner._root()
    return here._child(word) if hasattr(here, "_children") else None
