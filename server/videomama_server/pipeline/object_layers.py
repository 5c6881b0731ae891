"""Collects the alphas of several objects until a frame has all of them, and then writes them as layers of one file."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import BadInput

from videomama_server.media.delivery import Delivery
from videomama_server.pipeline.sources import AlphaLost


@dataclass(frozen=True)
class LayeredFile:
    """A file that was written, and whether the cache had all of its alphas."""

    path: Path
    cached: bool


@dataclass(frozen=True)
class _Alpha:
    entry: Path
    cached: bool
    attributes: Mapping[str, str]


class ObjectLayers:
    """The alphas of one job's objects by frame; of each only where its entry lies. `add` is for any thread.

    Args:
        delivery: of the files.
        names: of the objects, which are the layers, in order.
    """

    def __init__(self, delivery: Delivery, names: Sequence[str]) -> None:
        self._delivery = delivery
        self._names = tuple(names)
        self._found: dict[int, dict[str, _Alpha]] = {}
        self._written: set[int] = set()
        self._lock = threading.Lock()

    def add(
        self, name: str, frame: int, entry: Path, cached: bool, attributes: Mapping[str, str]
    ) -> LayeredFile | None:
        """Take in an alpha, and write the frame's file where it is the last; return that file.

        A frame whose file was written stays as it is: an alpha that comes again has the same pixels.

        Args:
            name: of the object.
            frame: its number.
            entry: of the alpha in the cache.
            cached: whether it was there before the job.
            attributes: strings for the file's header; those of several objects under one name stand side by side.

        Raises:
            AlphaLost: an entry is gone or damaged meanwhile.
            OSError, NotPermitted: the disk is full or failing.
        """
        with self._lock:
            alphas = self._found.setdefault(frame, {})
            alphas[name] = _Alpha(entry, cached, attributes)
            if len(alphas) < len(self._names) or frame in self._written:
                return None
            self._written.add(frame)
            del self._found[frame]
        try:
            path = self._delivery.saying(_together(alphas[name].attributes for name in self._names)).deliver_layers(
                {name: self._there(name, frame, alphas) for name in self._names}, frame
            )
        except BaseException as error:
            with self._lock:
                self._written.discard(frame)
            if isinstance(error, BadInput):  # an entry that cannot be read any more
                raise _lost(f"an alpha of frame {frame} was", frame) from error
            raise
        return LayeredFile(path, all(alpha.cached for alpha in alphas.values()))

    def _there(self, name: str, frame: int, alphas: dict[str, _Alpha]) -> Path:
        entry = alphas[name].entry
        if not entry.is_file():
            raise _lost(f"the alpha of object {name} was", frame).of_object(name)
        return entry


def _lost(what: str, frame: int) -> AlphaLost:
    return AlphaLost(
        f"{what} removed or damaged in the cache while the job needed it (frame {frame})",
        "Let nothing but the server change files in its cache folder, then run the job again.",
        role="alpha",
        frame=frame,
    )


def _together(said: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the attributes of several alphas as those of one file: each value once, in order."""
    found: dict[str, dict[str, None]] = {}
    for attributes in said:
        for name, value in attributes.items():
            found.setdefault(name, {}).update(dict.fromkeys(value.split("; ")))
    return {name: "; ".join(values) for name, values in found.items()}
