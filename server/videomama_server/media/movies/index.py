"""Finds out which pictures a movie has and where each begins to be decoded, so that any of them can be had by number.

Where each packet of a movie is one picture they are only counted: from the table of the container where pictures do
not build on each other, else by reading the packets. What is not counted so is decoded once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from videomama_client.errors import BadInput

from videomama_server import heartbeat
from videomama_server.media.movies import library, timecode
from videomama_server.media.movies.look import Look, look_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

MOST_PICTURES = 1_000_000
_TRIED = 250  # packets until the first picture must have come
_BEAT_PACKETS = 256


class Packet(NamedTuple):
    """What an index needs of a packet; times are in the stream's units."""

    pts: int | None
    dts: int | None
    is_key: bool
    is_hidden: bool  # decoded, but not shown: an edit list cuts it away
    is_damaged: bool


@dataclass(frozen=True)
class Index:
    """The pictures of a movie, in the order in which they are shown.

    Attributes:
        look: of all of them.
        count: how many are shown; the last `lost` of them are not in the file, which ends early.
        times: of each that is there, ascending, in the stream's units; empty where pictures can only be counted.
        positions: of each that is there, in the order of decoding.
        keys: where decoding may begin, ascending: position, time to show it, and time to decode it.
        damaged: places of pictures whose packet is not whole.
        lost: how many the container promises and has not.
        first: number of the first frame, by the movie's timecode; else 1.
        rate: frames a second, the average where they vary.
    """

    look: Look
    count: int
    times: tuple[int, ...]
    positions: tuple[int, ...]
    keys: tuple[tuple[int, int, int], ...]
    damaged: frozenset[int]
    lost: int
    first: int
    rate: Fraction

    @property
    def there(self) -> int:
        """How many pictures are in the file."""
        return self.count - self.lost


def build(path: Path) -> Index:
    """Read what a movie says of its pictures.

    Raises:
        BadInput: it is not a movie, has no picture that can be decoded, or too many.
        NotPermitted: it may not be read.
    """
    container, stream = library.opened(path)
    with container, library.reading(path):
        counts = library.one_a_packet(stream) and not (container.format.name == "avi" and not _is_intra(stream))
        rate = stream.average_rate or stream.guessed_rate or Fraction(24)
        first = _first_number(container, stream, rate)
        promised = _promised(container, stream, rate)
        packets = (_table(path, container, stream) or _packets(container, stream)) if counts else None
        end = max((p.pts for p in packets or () if p.pts is not None), default=None)
        short = _short(stream, end, rate) if packets and promised is None else 0
    look = _look(path)
    decoded = None if packets and _is_sound(packets) else _decoded_times(path)
    if decoded is not None:
        return _by_counting(look, decoded, promised or 0, first, rate)
    assert packets is not None
    shown = sorted((p.pts, position) for position, p in enumerate(packets) if not p.is_hidden and p.pts is not None)
    lost = max(0, promised - len(shown)) if promised is not None else short
    _check_count(path, len(shown) + lost)
    return Index(
        look=look,
        count=len(shown) + lost,
        times=tuple(time for time, _ in shown),
        positions=tuple(position for _, position in shown),
        keys=tuple(_keys(packets)),
        damaged=frozenset(place for place, (_, position) in enumerate(shown) if packets[position].is_damaged),
        lost=lost,
        first=first,
        rate=rate,
    )


def _is_intra(stream: VideoStream) -> bool:
    return stream.codec_context.name in library.INTRA_ONLY


def _keys(packets: list[Packet]) -> Iterable[tuple[int, int, int]]:
    for position, packet in enumerate(packets):
        if packet.is_key and packet.pts is not None:
            yield position, packet.pts, packet.pts if packet.dts is None else packet.dts


def _is_sound(packets: list[Packet]) -> bool:
    """Whether the times of packets tell pictures apart."""
    times = [packet.pts for packet in packets if not packet.is_hidden]
    return bool(times) and None not in times and len(set(times)) == len(times)


def _by_counting(look: Look, times: list[int], promised: int, first: int, rate: Fraction) -> Index:
    count = max(len(times), promised)
    return Index(look, count, (), (), (), frozenset(), count - len(times), first, rate)


def _check_count(path: Path, count: int) -> None:
    if count > MOST_PICTURES:
        raise BadInput(f"{path} has {count} pictures, more than the {MOST_PICTURES} that are read", "Cut the movie.")


def _table(path: Path, container: InputContainer, stream: VideoStream) -> list[Packet]:
    """Return the packets by the container's table, without reading them; empty where that does not tell all."""
    if "mov" not in container.format.name or not _is_intra(stream) or not len(stream.index_entries):
        return []
    size = path.stat().st_size
    entries = [(one.timestamp, one.pos + one.size, one.is_discard) for one in stream.index_entries]
    return [Packet(time, time, True, hidden, False) for time, end, hidden in entries if end <= size]


def _packets(container: InputContainer, stream: VideoStream) -> list[Packet]:
    found = []
    for packet in container.demux(stream):
        if not packet.size:
            continue  # the end
        found.append(Packet(packet.pts, packet.dts, packet.is_keyframe, packet.is_discard, packet.is_corrupt))
        if len(found) % _BEAT_PACKETS == 0:
            heartbeat.beat()
        if len(found) > MOST_PICTURES:
            break
    return found


def _promised(container: InputContainer, stream: VideoStream, rate: Fraction) -> int | None:
    """Return how many pictures the container says there are; None where it does not say."""
    if "mov" in container.format.name:
        entries = stream.index_entries
        return sum(not entry.is_discard for entry in entries) if len(entries) and stream.frames else None
    if stream.frames:
        return int(stream.frames)
    if container.format.name == "mxf" and stream.duration and stream.time_base:
        return round(stream.duration * stream.time_base * rate)
    return None


def _short(stream: VideoStream, end: int | None, rate: Fraction) -> int:
    """Return how many pictures are missing before the end that a Matroska file states; 0 where it states none."""
    said = stream.metadata.get("DURATION", "")
    parts = said.split(":")
    if len(parts) != 3 or end is None or not stream.time_base:
        return 0
    try:
        seconds = int(parts[0]) * 3600 + int(parts[1]) * 60 + float(parts[2])
    except ValueError:
        return 0
    missing = (seconds - float(end * stream.time_base)) * float(rate) - 1
    return max(0, round(missing)) if missing > 0.75 else 0


def _first_number(container: InputContainer, stream: VideoStream, rate: Fraction) -> int:
    places: list[Any] = [stream, container, *container.streams]
    for place in places:
        number = timecode.to_frame(place.metadata.get("timecode", ""), rate)
        if number is not None:
            return number
    return 1


def _look(path: Path) -> Look:
    """Decode until the first picture comes, and return what it says."""
    container, stream = library.opened(path)
    with container, library.reading(path):
        for tried, packet in enumerate(container.demux(stream)):
            for frame in _tolerant(packet):
                return look_of(frame, stream)
            if tried > _TRIED:
                break
    raise library.unreadable(path, "none of its first pictures can be decoded")


def _tolerant(packet: Any) -> list[Any]:
    """Return the pictures that a packet completes; none of one that is damaged."""
    from av.error import FFmpegError

    try:
        return list(packet.decode())
    except FFmpegError:
        return []


def _decoded_times(path: Path) -> list[int]:
    """Return a time for each picture that a movie decodes to, in order; at damage it ends.

    Raises:
        BadInput: too many.
    """
    from av.error import FFmpegError

    container, stream = library.opened(path)
    times: list[int] = []
    with container:
        try:
            for frame in container.decode(stream):
                times.append(len(times) if frame.pts is None else frame.pts)
                heartbeat.beat()
                _check_count(path, len(times))
        except FFmpegError:
            pass  # what the container promises beyond is lost, and said to be
    return times
