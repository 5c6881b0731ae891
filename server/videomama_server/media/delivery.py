"""Puts a finished entry where and how the person asked for it: as a file of its own, by hard link, or converted."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import BadInput, NotPermitted
from videomama_client.whole_files import hidden_name, replacing

from videomama_server.files import disk_space, file_copies
from videomama_server.files.replacing import sweep, writing_in
from videomama_server.media.frames import WRITABLE, read_mask, write_picture
from videomama_server.media.sequences import Pattern

DEFAULT_DTYPE = {".exr": "float", ".png": "uint16", ".tif": "float", ".tiff": "float", ".dpx": "uint16"}


@dataclass(frozen=True)
class Delivery:
    """How alphas leave the cache.

    Attributes:
        pattern: where the numbered files go.
        layer: EXR layer the alpha is put in; empty for the main one.
        dtype: `half`, `float` or `uint16`; empty for the format's best.
        link: whether a file may be a hard link to its entry, and so share its bytes.
        entries: folder that entries come from; None where it is not known.
        published: called with each file that is up to date, and whether it was written now.
    """

    pattern: Pattern
    layer: str = ""
    dtype: str = ""
    link: bool = False
    entries: Path | None = None
    published: Callable[[Path, bool], None] | None = None

    def check(self) -> None:
        """Raise before any work when the files could not be written.

        Raises:
            BadInput: the format cannot hold the dtype.
            NotPermitted: the folder cannot be made or written.
        """
        self._check_format()
        folder = self.pattern.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / hidden_name()
            probe.touch()
            probe.unlink()
            sweep(folder)
        except OSError as error:
            reason, hint = f"cannot write in {folder}: {error.strerror}", "Choose another folder, or make it writable."
            raise NotPermitted(reason, hint, file=str(folder)) from error

    def _check_format(self) -> None:
        """Raise `BadInput` for a format that cannot hold what was asked for; an alpha is never cut to 8 bits."""
        suffix, out = self.pattern.suffix.lower(), self.pattern.text
        dtypes = [dtype for dtype in WRITABLE.get(suffix, ()) if dtype != "uint8"]
        if not dtypes:
            raise BadInput(f"cannot write alphas to {out}", f"Use {', '.join(sorted(WRITABLE))}.")
        if self._dtype not in dtypes:
            raise BadInput(f"{suffix} cannot hold {self._dtype} ({out})", f"It holds {' or '.join(dtypes)}.")
        if self.layer and suffix != ".exr":
            raise BadInput(f"{suffix} has no layers ({out})", "Write .exr, or leave the layer out.")

    def check_space(self, frames: Collection[int], size: tuple[int, int]) -> str:
        """Return a warning where the disk may be too full for the alphas; empty where it has space.

        Frames that have a file already need no more, and neither do files that share their blocks with the entries.

        Args:
            frames: that are wanted.
            size: width and height of the plate.

        Raises:
            NotPermitted: not even empty alphas would fit.
        """
        folder = self.pattern.folder
        count = len({self.pattern.path(frame).name for frame in frames}.difference(_names(folder)))
        need = disk_space.needed(self.pattern.suffix, self._dtype, size, count)
        free = disk_space.free(folder)
        if free is None or free >= need.usual or self._takes_no_space():
            return ""
        return disk_space.check_space(folder, free, need)

    def _takes_no_space(self) -> bool:
        folder, entries = self.pattern.folder, self.entries
        if entries is None or self._converted:
            return False
        return (self.link and _on_one_disk(entries, folder)) or file_copies.can_clone(entries, folder)

    def deliver(self, entry: Path, frame: int) -> Path:
        """Publish one entry under its frame number and return the file; an up-to-date one is left alone.

        Raises:
            FileNotFoundError: the entry is gone.
            OSError, NotPermitted: the disk is full or failing.
        """
        target = self.pattern.path(frame)
        # Another process may sweep the folder away while it is empty.
        return writing_in(target.parent, lambda: self._deliver(entry, target), _make_folder)

    def _deliver(self, entry: Path, target: Path) -> Path:
        write = self._convert if self._converted else _link if self.link else _copy
        written = write(entry, target)
        if self.published:
            self.published(target, written)
        return target

    @property
    def _converted(self) -> bool:
        return self.pattern.suffix.lower() != ".exr" or self._dtype != "float" or bool(self.layer)

    def _convert(self, entry: Path, target: Path) -> bool:
        picture = read_mask(entry, "A")
        name = (f"{self.layer}.A" if self.layer else "A") if target.suffix.lower() == ".exr" else "Y"
        with replacing(target, durable=True) as temporary:
            write_picture(temporary, picture.pixels, (name,), self._dtype, picture.geometry)
        return True

    @property
    def _dtype(self) -> str:
        return self.dtype or DEFAULT_DTYPE.get(self.pattern.suffix.lower(), "float")


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:  # another process swept it away; it is made again when a file comes
        return []


def _on_one_disk(folder: Path, other: Path) -> bool:
    try:
        return folder.stat().st_dev == other.stat().st_dev
    except OSError:
        return False


def _copy(entry: Path, target: Path) -> bool:
    """Make `target` a file of its own with the entry's bytes; return whether it had to be written.

    Its time is that of now: a host that shows another alpha under this name may look for a newer file, and the entry
    may be older than what it replaces.
    """
    if file_copies.is_own_copy(target, entry):
        return False
    with replacing(target, durable=True) as temporary:
        file_copies.copy(entry, temporary)
    return True


def _link(entry: Path, target: Path) -> bool:
    """Make `target` a hard link to the entry, or else a copy; return whether it had to be made."""
    if _is_link(target, entry):
        return False
    try:
        with replacing(target) as temporary:  # what is linked is durable already
            os.link(entry, temporary)
    except FileNotFoundError:  # the entry, or the folder
        raise
    except OSError:  # another disk, or a file system without links
        return _copy(entry, target)
    with suppress(OSError):  # renaming does nothing where another job has put the same link there meanwhile
        temporary.unlink()
    return True


def _is_link(target: Path, entry: Path) -> bool:
    try:
        return os.path.samestat(target.lstat(), entry.lstat())
    except OSError:
        return False
