"""The keys of what walks make: entries, kept states, and the halves of frames that two walks come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property

from blake3 import blake3

from videomama_server.cache.layout import KEY_VERSION
from videomama_server.pipeline.entry_key import Identity
from videomama_server.pipeline.walks import Walk, Walks


class WalkKeys:
    """Keys by frame. Each covers the prompts and all that the walk saw up to the frame, in order.

    Args:
        identity: what all keys of the stage share.
        told: returns what stands for the prompts, with all that they bring along; asked when the first key is.
        walks: of the object.
        remembers: whether a frame depends on those that were walked over before it.
        row: returns what stands for a frame's plate and mask; asked once for each frame that a key depends on.
    """

    def __init__(
        self,
        identity: Identity,
        told: Callable[[], str],
        walks: Walks,
        remembers: bool,
        row: Callable[[int], str],
    ) -> None:
        self._walks = walks
        self._remembers = remembers
        self._row = row
        self._identity = identity
        self._told = told
        self._seen: dict[Walk, list[str]] = {}

    def entry(self, frame: int) -> str:
        """Return the key of a frame's entry."""
        seen = [self._seen_at(walk, self._walks.place(walk, frame)) for walk, _ in self._walks.through(frame)]
        return _digest("entry", str(frame), *seen)

    def half(self, walk: Walk, frame: int) -> str:
        """Return the key of what one of two walks makes of a frame."""
        return _digest("half", str(frame), self._seen_at(walk, self._walks.place(walk, frame)))

    def state(self, walk: Walk, place: int) -> str:
        """Return the key of the state of a walk after the step to its frame at a place."""
        return _digest("state", self._seen_at(walk, place))

    @cached_property
    def _seed(self) -> str:
        own = self._identity
        return json.dumps([KEY_VERSION, own.engine, own.color, own.settings.key_fields(), self._told()], sort_keys=True)

    def _seen_at(self, walk: Walk, place: int) -> str:
        """Return what stands for all that a walk has seen, the frame at a place included."""
        start = _digest("walk", self._seed, str(walk.start), str(walk.backward))
        if not self._remembers:
            return _digest(start, self._row(walk.frames[place]))
        seen = self._seen.setdefault(walk, [])
        while len(seen) <= place:
            seen.append(_digest(seen[-1] if seen else start, self._row(walk.frames[len(seen)])))
        return seen[place]


def _digest(*parts: str) -> str:
    return blake3("\0".join(parts).encode()).hexdigest(length=20)
