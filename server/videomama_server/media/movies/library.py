"""Opens movies through PyAV, with what an untrusted file may make its libraries do kept small.

A movie's ending says which demuxer reads it, and no other is tried: a playlist that is called `.mp4` opens no other
file. Only the decoders that are listed here run.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from videomama_client.errors import BadInput, NotPermitted

from videomama_server.files.access import name_for_libraries
from videomama_server.media import limits

if TYPE_CHECKING:
    from types import ModuleType

    from av.container import InputContainer
    from av.video.stream import VideoStream

_DEMUXERS = {
    ".mov": "mov",
    ".mp4": "mov",
    ".m4v": "mov",
    ".mkv": "matroska",
    ".webm": "matroska",
    ".avi": "avi",
    ".mxf": "mxf",
}
INTRA_ONLY = frozenset(  # each packet is a picture by itself
    {"prores", "dnxhd", "mjpeg", "png", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "v210", "r210", "cfhd", "jpeg2000"}
)
_ONE_A_PACKET = INTRA_ONLY | {"h264", "hevc", "vp9", "av1", "libdav1d", "ffv1", "qtrle", "mpeg2video", "mpeg4"}
DECODERS = _ONE_A_PACKET | {"vp8"}
_OPTIONS = {
    "protocol_whitelist": "file",
    "codec_whitelist": ",".join(sorted(DECODERS)),
    "enable_drefs": "0",  # a .mov may name other files that hold its pictures
    "use_absolute_path": "0",
}
_DECODING = {"err_detect": "crccheck+bitstream+buffer+explode", "max_pixels": str(limits.MAX_PIXELS)}
_HINT = "Copy or render the movie again."


def library(path: Path) -> ModuleType:
    """Return PyAV.

    Raises:
        BadInput: it is not installed; the hint has the line that extracts the frames of `path`.
    """
    try:
        import av
    except ImportError as error:
        stem = path.stem.rstrip("._-") or "frame"
        target = path.with_name(f"{stem}.%04d.png")
        line = f"ffmpeg -i {shlex.quote(str(path))} -fps_mode passthrough -pix_fmt rgb48be {shlex.quote(str(target))}"
        raise BadInput(
            f"{path} is a movie, and PyAV, which reads movies, is not installed",
            f"Install it with `python install movies`, or extract the frames first: {line}",
        ) from error
    return av


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what PyAV raises while a movie is opened or read into an error that names the movie."""
    av = library(path)
    try:
        yield
    except av.error.PermissionError as error:
        raise NotPermitted(f"{path} may not be read", "Check the file's permissions.") from error
    except (av.error.FFmpegError, UnicodeError, ValueError) as error:
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from error


def unreadable(path: Path, reason: str) -> BadInput:
    """Return the error for a movie that cannot be read."""
    return BadInput(f"cannot read {path}: {reason}", _HINT)


def opened(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a movie; return it and its stream of pictures, which has not begun to decode.

    Raises:
        BadInput: PyAV is not installed, the file is not a movie, has no pictures, or they are of a kind or size that is
            not read.
        NotPermitted: the file may not be read.
    """
    av = library(path)
    with reading(path):
        container = av.open(name_for_libraries(path), format=_DEMUXERS[path.suffix.lower()], options=dict(_OPTIONS))
    try:
        stream = _pictures(path, container)
    except BaseException:
        container.close()
        raise
    return container, stream


def one_a_packet(stream: VideoStream) -> bool:
    """Whether each packet of a stream is exactly one picture, so that packets need only be counted."""
    return stream.codec_context.name in _ONE_A_PACKET


def _pictures(path: Path, container: InputContainer) -> VideoStream:
    """Return the first stream of pictures that is no cover art, ready to decode."""
    av = library(path)
    found = [one for one in container.streams.video if not one.disposition & av.stream.Disposition.attached_pic]
    if not found:
        raise unreadable(path, "it has no pictures")
    stream = found[0]
    if stream.codec_context is None:
        raise unreadable(path, "its pictures are coded in a way that is not known")
    name, width, height = stream.codec_context.name, stream.codec_context.width, stream.codec_context.height
    if name not in DECODERS:
        raise BadInput(
            f"cannot read {path}: pictures coded as {name} are not read",
            "Convert the movie first, for example to ProRes: ffmpeg -i IN -c:v prores_ks OUT.mov",
        )
    if width * height > limits.MAX_PIXELS or max(width, height) > limits.MAX_SIDE:
        raise unreadable(
            path, f"it says it is {width}x{height} pixels, more than the {limits.MAX_PIXELS} that are read"
        )
    # An error must belong to the packet that was given last, and be told: several pictures at a time would be decoded
    # later, and threads within a picture of H.265 lose it.
    stream.thread_type = "SLICE" if name in INTRA_ONLY else "NONE"
    stream.codec_context.options = dict(_DECODING)
    return stream
