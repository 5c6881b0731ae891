"""Looks the wanted frames of a stage up in the cache, and knows which of them are still to be computed."""

from __future__ import annotations

from videomama_server.cache.entries import Cache
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.entry_key import Identity
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.plan import Group
from videomama_server.pipeline.reader import Reader
from videomama_server.pipeline.survey import Survey
from videomama_server.pipeline.window_grid import Window


class LookUps:
    """Which frames of one survey are done, and what the cache was asked. What it has is delivered at once.

    Args:
        order: of the stage.
        survey: what was found out about it.
        cache: is asked.
        writer: delivers what the cache has.
    """

    def __init__(self, order: Order, survey: Survey, cache: Cache, writer: AlphaWriter) -> None:
        self._survey = survey
        self._reader = order.reader
        self._cache = cache
        self._writer = writer
        self._asked: set[int] = set()  # looked up in the cache, found or not
        self._done: set[int] = set()
        self.cached = 0  # frames that the cache had

    def is_wanted(self, frame: int) -> bool:
        """Whether a frame was asked for and is not done."""
        return frame in self._survey.plan.asked and frame not in self._done

    def pending(self, group: Group) -> list[int]:
        """Return the wanted frames of a group that are not done."""
        return [frame for frame in group.wanted if frame not in self._done]

    def pending_groups(self, window: Window) -> list[Group]:
        """Return the groups that a window contributes to and that have frames which are not done."""
        return [group for group in self._survey.plan.groups_of[window] if self.pending(group)]

    def finish(self, frame: int) -> None:
        """Take a frame as done: it has been computed."""
        self._done.add(frame)

    def look_up(self, group: Group) -> None:
        """Deliver the frames of a group that the cache has; where its key is not known yet, that is left for later."""
        for frame in self.pending(group):
            if frame in self._asked:
                continue
            key = self._key(frame, group)
            if key is None:
                return
            self._asked.add(frame)
            entry = self._cache.lookup(key)
            if entry is not None:
                self._done.add(frame)
                self.cached += 1
                self._writer.deliver_cached(entry, frame, key)

    def look_up_all(self, window: Window) -> None:
        """Look up every group that a window contributes to."""
        for group in self._survey.plan.groups_of[window]:
            self.look_up(group)

    def has_missing(self, window: Window) -> bool:
        """Whether the cache was asked for a frame that a window contributes to, and did not have it."""
        groups = self._survey.plan.groups_of[window]
        return any(frame in self._asked for group in groups for frame in self.pending(group))

    def forget(self, window: Window) -> None:
        """Forget that the cache did not have what a window contributes to: the next look-up asks it again."""
        for group in self._survey.plan.groups_of[window]:
            self._asked.difference_update(self.pending(group))

    def undigested(self, group: Group) -> list[int]:
        """Return the frames without whose digests a group cannot be looked up."""
        return [frame for frame in group.read if not self._reader.is_digested(frame)]

    def lacks(self, group: Group) -> bool:
        """Whether the cache lacks a wanted frame of a group whose windows are digested; nothing is delivered."""
        return any(self._cache.lookup(self.key(frame, group)) is None for frame in group.wanted)

    def key(self, frame: int, group: Group) -> str:
        """Return the key of a frame whose group's windows have all been read."""
        key = self._key(frame, group)
        assert key is not None
        return key

    def _key(self, frame: int, group: Group) -> str | None:
        return key_of(frame, group, self._survey.identity, self._reader)


def key_of(frame: int, group: Group, identity: Identity, reader: Reader) -> str | None:
    """Return the key of a frame's entry, or None while a plate that it depends on has not been digested.

    Args:
        frame: its number.
        group: that it is completed in.
        identity: what all keys of the stage share.
        reader: of the plates and the stage's masks.
    """
    rows: list[tuple[Window, list[str]]] = []
    for window in group.windows:
        digests: list[str] = []
        for number in window.frames:
            plate = reader.plate_facts(number)
            if plate is None:
                return None
            digests += [plate.digest, reader.mask_digest(number)]
        rows.append((window, digests))
    return identity.key(frame, rows)
