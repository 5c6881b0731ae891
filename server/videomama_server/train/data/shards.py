"""Reads pictures out of tar files where they lie: an index in memory says where each member begins.

A shard is a plain .tar file, as WebDataset has them, with folders of frames or pictures that belong together by their
names. A `ShardPath` stands for a member or a folder in it, so that what finds clips in folders finds them here as well.
"""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput, VideoMaMaError

if sys.platform == "win32":
    from pathlib import WindowsPath as _Path
else:
    from pathlib import PosixPath as _Path

SUFFIX = ".tar"
_BLOCK = tarfile.BLOCKSIZE
_COPY = "Copy or make the shard again."


@dataclass(frozen=True)
class Member:
    """Where the bytes of a member lie in its shard, and what the shard was when it was indexed.

    Attributes:
        shard: the tar file.
        begin, size: in bytes.
        stamp: size and time of change of the tar file.
    """

    shard: Path
    begin: int
    size: int
    stamp: tuple[int, int]

    def read(self, name: str) -> bytes:
        """Return the bytes of the member; `name` is for errors.

        Raises:
            BadInput: the shard was changed since it was indexed.
            NotPermitted: it cannot be read.
        """
        try:
            with self.shard.open("rb") as file:
                changed = _stamp(file.fileno()) != self.stamp
                file.seek(self.begin)
                content = file.read(self.size)
        except OSError as error:
            raise disk_error(error) from error
        if changed or len(content) != self.size:
            raise BadInput(f"{self.shard} was changed while {name} in it was needed", "Start the training again.")
        return content


@dataclass
class _Folder:
    """A folder in a shard: members and further folders by name."""

    inside: dict[str, Member | _Folder] = field(default_factory=dict)


class ShardPath(_Path):
    """The path of a shard with that of a member, or of a folder, in it.

    Its text is the two of them together, such as `set-0001.tar/clip/plate/0001.png`. It lists and finds what is in the
    shard, and nothing on the disk.

    Attributes:
        node: what it stands for; None where the shard has nothing of that name.
    """

    node: Member | _Folder | None = None

    @classmethod
    def of(cls, path: str, node: Member | _Folder | None) -> ShardPath:
        """Return the path of a node."""
        made = cls(path)
        made.node = node
        return made

    def __reduce__(self) -> Any:
        """Keep the node in a copy for another process."""
        return ShardPath.of, (str(self), self.node)

    def __truediv__(self, name: Any) -> ShardPath:
        """Return what lies at `name`, a path with slashes, below this folder."""
        node: Member | _Folder | None = self.node
        for part in Path(name).parts:
            node = node.inside.get(part) if isinstance(node, _Folder) else None
        return ShardPath.of(f"{self}/{name}", node)

    def is_dir(self, **_: Any) -> bool:
        """Whether it is a folder in the shard, or the shard itself."""
        return isinstance(self.node, _Folder)

    def is_file(self, **_: Any) -> bool:
        """Whether it is a member."""
        return isinstance(self.node, Member)

    def iterdir(self) -> Iterator[ShardPath]:  # type: ignore[override]
        """Yield what is in the folder."""
        assert isinstance(self.node, _Folder)
        return (ShardPath.of(f"{self}/{name}", node) for name, node in self.node.inside.items())


def is_shard(path: Path) -> bool:
    """Whether a path is that of a tar file, or inside one that was opened."""
    return isinstance(path, ShardPath) or (path.suffix.lower() == SUFFIX and not path.is_dir())


def open_shard(path: Path) -> ShardPath:
    """Index a tar file; only its headers are read.

    Raises:
        BadInput: it is not there, compressed, damaged or cut off, or has a member that cannot be read in place.
        NotPermitted: it cannot be read.
    """
    root = _Folder()
    try:
        with path.open("rb") as file:
            stamp = _stamp(file.fileno())
            for name, begin, size in _listed(path, file):
                _put(root, path, name, Member(path, begin, size, stamp))
    except FileNotFoundError as error:
        raise BadInput(f"{path} is not there", "Check the name of the shard.") from error
    except OSError as error:
        raise disk_error(error) from error
    return ShardPath.of(str(path), root)


@contextmanager
def on_disk(path: Path) -> Iterator[Path]:
    """Lend the path of a file that libraries can open: a member of a shard is copied to a temporary one meanwhile.

    An error that names the copy names the member instead.
    """
    if not isinstance(path, ShardPath) or not isinstance(path.node, Member):
        yield path
        return
    content = path.node.read(path.name)
    handle, name = tempfile.mkstemp(path.suffix, "videomama-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield Path(name)
    except VideoMaMaError as error:
        raise type(error)(error.message.replace(name, str(path)), error.hint, file=str(path)) from error
    finally:
        Path(name).unlink()


def _stamp(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_size, found.st_mtime_ns


def _listed(path: Path, file: Any) -> Iterator[tuple[str, int, int]]:
    """Yield name, first byte and size of every member that is to be seen; check that the tar file is whole."""
    end = 0
    places: dict[str, tuple[int, int]] = {}
    for info in _headers(path, file):
        end = info.offset_data + _padded(info.size if info.isreg() else 0)
        if info.name in places:
            raise BadInput(f"{path} has {info.name} twice", _COPY)
        if not info.isdir():
            places[info.name] = _place(path, info, places)
    file.seek(end)
    if file.read(_BLOCK) != bytes(_BLOCK):
        raise _not_whole(path, next(reversed(places), ""), "its end is missing")
    return ((name, *place) for name, place in places.items() if not _is_hidden(name))


def _headers(path: Path, file: Any) -> Iterator[tarfile.TarInfo]:
    last = ""
    try:
        for info in tarfile.open(fileobj=file, mode="r:"):  # noqa: SIM115 - the file is closed by who opened it
            last = info.name
            yield info
    except tarfile.TarError as error:
        raise _not_whole(path, last, str(error)) from error


def _place(path: Path, info: tarfile.TarInfo, before: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Return first byte and size of a member; a hard link has those of the member that it is to."""
    if info.isreg() and not info.issparse():
        return info.offset_data, info.size
    if info.islnk() and info.linkname in before:
        return before[info.linkname]
    raise BadInput(
        f"{info.name} in {path} is a link or no usual file, which is not read in place",
        "Make the shard with tar --dereference.",
    )


def _is_hidden(name: str) -> bool:
    """Whether a member lies where nobody looks, such as what macOS puts beside each file of an archive."""
    return any(part.startswith(".") for part in PurePosixPath(name).parts)


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _not_whole(path: Path, last: str, reason: str) -> BadInput:
    if not last:
        hint = "Shards are not compressed. Unpack it with gunzip, or copy it again."
        return BadInput(f"{path} is not a plain tar file: {reason}", hint)
    return BadInput(f"{path} is cut off or damaged at or after {last}: {reason}", _COPY)


def _put(root: _Folder, path: Path, name: str, member: Member) -> None:
    *above, own = (part for part in PurePosixPath(name).parts if part != "/")
    folder = root
    for part in above:
        inner = folder.inside.setdefault(part, _Folder())
        if not isinstance(inner, _Folder):
            raise BadInput(f"{path} has {part} both as a picture and as a folder", _COPY)
        folder = inner
    if own in folder.inside:
        raise BadInput(f"{path} has {own} both as a picture and as a folder", _COPY)
    folder.inside[own] = member
