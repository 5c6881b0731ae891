"""Decodes any picture of one movie, from the last one where that is nearer, else from where decoding may begin."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videomama_client.errors import BadInput

from videomama_server import heartbeat
from videomama_server.media.movies import library
from videomama_server.media.movies.index import Index

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

FAR = 1 << 30
_AHEAD = 12  # packets that are rather decoded than jumped over
_KEPT_BYTES = 128 << 20
_LEAST_KEPT, _MOST_KEPT = 4, 16  # pictures: threads ask for neighbours in any order
_TRIED_KEYS = 3


class Decoder:
    """One open movie. `distance` may be called at any time, `read` by the thread alone that holds `lock`.

    Args:
        stamp: tells the file from any other, and from itself once it has changed.
        index: of the movie.

    Attributes:
        users: threads that hold `lock` or wait for it.
    """

    def __init__(self, stamp: tuple[int, ...], index: Index) -> None:
        self.stamp = stamp
        self.lock = threading.Lock()
        self.users = 0
        self._index = index
        self._places = {time: place for place, time in enumerate(index.times)}
        self._positions = dict(zip(index.times, index.positions, strict=True))
        self._positions.update((shown, position) for position, shown, _ in index.keys)
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None
        self._packets: Iterator[Any] = iter(())
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()
        self._last = -1  # place of the picture that came last
        self._position = -1  # of the packet that was given last
        self._broken: set[int] = set()  # positions of packets that did not decode

    def distance(self, place: int) -> int:
        """Return about how many packets are decoded until a picture is there; `FAR` where it begins elsewhere."""
        if place in self._kept:
            return 0
        if self._container is None or place <= self._last:
            return FAR
        if not self._index.times:
            return place - self._last
        ahead = self._index.positions[place] - self._position
        return max(1, ahead) if self._key(place)[0] <= self._position + _AHEAD else FAR

    def read(self, path: Path, place: int) -> VideoFrame:
        """Return a picture.

        Args:
            path: of the movie.
            place: of the picture, from 0; of one that is in the file.

        Raises:
            BadInput: its packet, or one that it builds on, cannot be decoded.
            NotPermitted: the movie may not be read any more.
        """
        if place in self._kept:
            return self._kept[place]
        with library.reading(path):
            if self.distance(place) == FAR:
                self._go_to(path, place)
            while place not in self._kept:
                packet = next(self._packets, None)
                if packet is None or self._last > place:
                    raise _undecodable(path)
                self._give(packet)
                if self._is_broken(place):
                    raise _undecodable(path)
        return self._kept[place]

    def close(self) -> None:
        """Close the movie and let go of all pictures."""
        self._packets = iter(())
        self._kept.clear()
        self._stream = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def _go_to(self, path: Path, place: int) -> None:
        """Have the next packet be one from which the picture can be decoded."""
        self._last, self._position = -1, -1
        self._kept.clear()
        if not self._index.times or self._key(place)[0] == 0:
            self._begin(path)
            return
        if self._container is None:
            self._begin(path)
        number = self._index.keys.index(self._key(place))
        for key in reversed(self._index.keys[max(0, number + 1 - _TRIED_KEYS) : number + 1]):
            if self._jump(key):
                return
        self._begin(path)

    def _begin(self, path: Path) -> None:
        self.close()
        self._container, self._stream = library.opened(path)
        self._packets = iter(self._container.demux(self._stream))

    def _jump(self, key: tuple[int, int, int]) -> bool:
        """Go to where decoding may begin; return whether the next packet is that, or such a one before."""
        assert self._container is not None  # it was begun
        assert self._stream is not None
        position, _, decoded_at = key
        self._container.seek(decoded_at, stream=self._stream, backward=True)
        packets = iter(self._container.demux(self._stream))
        first = next(packets, None)
        if first is None or first.pts is None or not first.is_keyframe:
            return False
        found = self._positions.get(first.pts)
        self._packets = chain([first], packets)
        return found is not None and found <= position

    def _give(self, packet: Any) -> None:
        """Decode a packet and keep the pictures that it completes."""
        from av.error import FFmpegError

        if packet.pts is not None:
            self._position = max(self._position, self._positions.get(packet.pts, -1))
        position = self._positions.get(packet.pts, self._position)
        try:
            frames = packet.decode()
        except FFmpegError:
            self._broken.add(position)
            if not self._index.times:
                raise  # how many pictures it was is not known
            return
        for frame in frames:
            self._keep(frame)
        heartbeat.beat()

    def _keep(self, frame: VideoFrame) -> None:
        if self._index.times:
            place = self._places.get(frame.pts if frame.pts is not None else -1, -1)
            if place < 0:
                return  # an edit list cuts it away
        else:
            place = self._last + 1
        self._last = place
        if frame.is_corrupt:
            self._broken.add(self._index.positions[place] if self._index.times else place)
        if self._is_broken(place):
            return
        self._kept[place] = frame
        size = max(1, sum(plane.buffer_size for plane in frame.planes))
        while len(self._kept) > min(_MOST_KEPT, max(_LEAST_KEPT, _KEPT_BYTES // size)):
            self._kept.popitem(last=False)

    def _is_broken(self, place: int) -> bool:
        """Whether a packet that a picture is made of, or builds on, did not decode."""
        if not self._broken:
            return False
        if not self._index.times:
            return min(self._broken) <= place
        own, key = self._index.positions[place], self._key(place)[0]
        return any(key <= broken <= own for broken in self._broken)

    def _key(self, place: int) -> tuple[int, int, int]:
        """Return the last place to begin decoding from which a picture is whole."""
        keys, time = self._index.keys, self._index.times[place]
        found = bisect_right(keys, time, key=lambda key: key[1])
        return keys[found - 1] if found else (0, time, time)


def _undecodable(path: Path) -> BadInput:
    return library.unreadable(path, "this picture, or one that it builds on, is damaged")
