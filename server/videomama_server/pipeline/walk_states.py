"""Where a walk can be resumed: its kept states, and the parts of it that are walked from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from videomama_client.settings import Resolved

from videomama_server.cache.states import KeptStates
from videomama_server.engines.sequential import Brief, SequentialEngine
from videomama_server.pipeline.walk_keys import WalkKeys
from videomama_server.pipeline.walks import Walk


class WalkStates:
    """The kept states of one stage's walks.

    Args:
        engine: that walks.
        settings: of the stage.
        keys: of what its walks make.
        states: all that are kept.
    """

    def __init__(self, engine: SequentialEngine, settings: Resolved, keys: WalkKeys, states: KeptStates) -> None:
        self._engine = engine
        self._settings = settings
        self._keys = keys
        self._states = states

    def legs(self, walk: Walk, needed: Sequence[int]) -> list[tuple[int, int]]:
        """Return the parts of a walk that are to be walked: the place of the kept state before it, and its last place.

        The place is -1 where a part begins with the walk itself.
        Where a kept state lies between two frames that are needed, what is before it is not walked again.
        """
        legs: list[tuple[int, int]] = []
        for place in needed:
            after = legs[-1][1] if legs else -1
            kept = self._kept_before(walk, place, after)
            if legs and kept == after:
                legs[-1] = legs[-1][0], place
            else:
                legs.append((kept, place))
        return legs

    def _kept_before(self, walk: Walk, place: int, after: int) -> int:
        """Return the nearest place before one from which the walk can be resumed; `after` where it is there anyway."""
        if not self._engine.remembers:
            return place - 1
        kept = (one for one in range(place - 1, after, -1) if self._states.has(self._keys.state(walk, one)))
        return next(kept, after)

    def keep(self, walk: Walk, place: int, state: Any) -> None:
        """Keep the state after the step to a place, unless that was done before."""
        key = self._keys.state(walk, place)
        if self._engine.remembers and not self._states.has(key):
            self._states.keep(key, self._engine.export(state))

    def resumed(self, walk: Walk, told: Brief, kept: int) -> tuple[Any, int]:
        """Return the state at the nearest place up to `kept` that is whole, and that place; -1 for the beginning."""
        if not self._engine.remembers:
            return self._engine.begin(told, self._settings), kept
        for place in range(kept, -1, -1):
            arrays = self._states.load(self._keys.state(walk, place))
            if arrays is not None:
                return self._engine.restore(arrays, told, self._settings), place
        return self._engine.begin(told, self._settings), -1
