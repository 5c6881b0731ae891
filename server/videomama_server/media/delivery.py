"""Puts a finished entry where and how the person asked for it: as a file of its own, by hard link, or converted.

An entry is an alpha, or what was made of one, such as the foreground's colour: see `Content`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.whole_files import hidden_name, replacing

from videomama_server.files import disk_space, file_copies
from videomama_server.files.access import name_for_libraries
from videomama_server.files.disk_space import Need
from videomama_server.files.replacing import sweep, writing_in
from videomama_server.media.frames import read_mask, read_plate, write_picture
from videomama_server.media.sequences import Pattern

COMPRESSIONS = ("zip", "zips", "piz", "dwaa", "none")  # of EXR files; all but dwaa keep every value
_MOST_LEVEL = 500


@dataclass(frozen=True)
class Content:
    """What delivered files hold.

    Attributes:
        name: for people.
        channels: of an entry.
        dtypes: pixel types by the ending of the file's name, the one that is taken by default first.
        stored: pixel type of the entries; empty where they have the one that was asked for.
        because: why no other format will do, for people; empty where that needs no words.
    """

    name: str
    channels: tuple[str, ...]
    dtypes: Mapping[str, tuple[str, ...]]
    stored: str = "float"
    because: str = ""


ALPHA = Content(  # never cut to 8 bits
    "alphas",
    ("A",),
    {
        ".exr": ("float", "half"),
        ".png": ("uint16",),
        ".tif": ("float", "half", "uint16"),
        ".tiff": ("float", "half", "uint16"),
        ".dpx": ("uint16",),
    },
)
COLOUR = Content(  # scene values do not fit into whole numbers
    "foreground colour",
    ("R", "G", "B"),
    {".exr": ("half", "float"), ".tif": ("float", "half"), ".tiff": ("float", "half")},
    stored="",
    because="it is scene-linear",
)


@dataclass(frozen=True)
class Delivery:
    """How alphas, or other results, leave the cache.

    Attributes:
        pattern: where the numbered files go.
        layer: EXR layer the alpha is put in; empty for the main one.
        dtype: `half`, `float` or `uint16`; empty for the format's best.
        link: whether a file may be a hard link to its entry, and so share its bytes.
        entries: folder that entries come from; None where it is not known.
        published: called with each file that is up to date, and whether it was written now.
        content: what the files hold.
        attributes: strings for the header of what is converted; an entry has its own.
        layers: EXR layers of which a file holds an alpha each; empty for one alpha a file.
        compression: of EXR files, as in `COMPRESSIONS`, `dwaa` perhaps with its level: `dwaa:45`; empty for that of
            the entries, which is `zip`.
    """

    pattern: Pattern
    layer: str = ""
    dtype: str = ""
    link: bool = False
    entries: Path | None = None
    published: Callable[[Path, bool], None] | None = None
    content: Content = ALPHA
    attributes: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    compression: str = ""

    def saying(self, attributes: Mapping[str, str]) -> Delivery:
        """Return the same with strings for the header."""
        return replace(self, attributes=attributes)

    @property
    def pixel_type(self) -> str:
        """The pixel type that is written: what was asked for, else the format's own."""
        return self.dtype or self._dtypes[0]

    def check(self) -> None:
        """Raise before any work when the files could not be written.

        Raises:
            BadInput: the format cannot hold the dtype, or no library writes under such a name.
            NotPermitted: the folder cannot be made or written.
        """
        self.check_format()
        folder = self.pattern.folder
        if self._converted:  # others are copied
            name_for_libraries(self.pattern.path(0))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / hidden_name()
            probe.touch()
            probe.unlink()
            sweep(folder)
        except OSError as error:
            reason, hint = f"cannot write in {folder}: {error.strerror}", "Choose another folder, or make it writable."
            raise NotPermitted(reason, hint, file=str(folder)) from error

    def check_format(self) -> None:
        """Raise `BadInput` for a format that cannot hold what was asked for."""
        suffix, out, content = self.pattern.suffix.lower(), self.pattern.text, self.content
        if not self._dtypes:
            because = f": {content.because}" if content.because else ""
            raise BadInput(
                f"cannot write {content.name} to {out}", f"Use {', '.join(sorted(content.dtypes))}{because}."
            )
        if self.pixel_type not in self._dtypes:
            what = f"{content.name} cannot be" if content.because else f"{suffix} cannot hold"
            raise BadInput(f"{what} {self.dtype} ({out})", f"Choose {' or '.join(self._dtypes)}.")
        if self.layers and suffix != ".exr":
            hint = "Write .exr, or a file for each object: put {object} into the output's name."
            raise BadInput(f"{suffix} has no layers for the objects ({out})", hint)
        if self.compression:
            check_compression(self.compression)
        if self.compression and suffix != ".exr":
            raise BadInput(f"{suffix} has no choice of compression ({out})", "Write .exr, or leave --compression out.")
        if self.layer and suffix != ".exr":
            raise BadInput(f"{suffix} has no layers ({out})", "Write .exr, or leave the layer out.")

    @property
    def _dtypes(self) -> tuple[str, ...]:
        return self.content.dtypes.get(self.pattern.suffix.lower(), ())

    def need(self, frames: Collection[int], size: tuple[int, int]) -> Need:
        """Return what the files of these frames take; those that have a file already need no more.

        Args:
            frames: that are wanted.
            size: width and height of the plate.
        """
        count = len({self.pattern.path(frame).name for frame in frames}.difference(_names(self.pattern.folder)))
        count *= max(1, len(self.layers))
        return disk_space.needed(self.pattern.suffix, self.pixel_type, size, count, len(self.content.channels))

    def takes_no_space(self) -> bool:
        """Whether files share their blocks with the entries."""
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

    def deliver_layers(self, entries: Mapping[str, Path], frame: int) -> Path:
        """Write the entries of several objects, by layer, as one file under their frame number, and return it.

        It appears whole, with all layers, or not at all. The plain alpha is not there: whose would it be?

        Raises:
            FileNotFoundError: an entry is gone.
            OSError, NotPermitted: the disk is full or failing.
        """
        target = self.pattern.path(frame)

        def write() -> Path:
            pictures = [read_mask(entry, "A") for entry in entries.values()]
            pixels = np.concatenate([picture.pixels for picture in pictures], axis=2)
            names = [f"{layer}.A" for layer in entries]
            with replacing(target, durable=True) as temporary:
                write_picture(temporary, pixels, names, self.pixel_type, pictures[0].geometry, self._header)
            if self.published:
                self.published(target, True)
            return target

        return writing_in(target.parent, write, _make_folder)

    def _deliver(self, entry: Path, target: Path) -> Path:
        write = self._convert if self._converted else _link if self.link else _copy
        written = write(entry, target)
        if self.published:
            self.published(target, written)
        return target

    @property
    def _converted(self) -> bool:
        same_pixels = self.pixel_type == (self.content.stored or self.pixel_type)
        return (
            self.pattern.suffix.lower() != ".exr"
            or not same_pixels
            or bool(self.layer or self.layers or self.compression)
        )

    @property
    def _header(self) -> Mapping[str, str]:
        """The strings of the header, and how OpenImageIO is to compress what comes after it."""
        return {**self.attributes, "compression": self.compression} if self.compression else self.attributes

    def _convert(self, entry: Path, target: Path) -> bool:
        names = self.content.channels
        picture = read_plate(entry) if len(names) > 1 else read_mask(entry, *names)
        if len(names) == 1 and target.suffix.lower() != ".exr":
            names = ("Y",)
        elif self.layer:
            names = tuple(f"{self.layer}.{name}" for name in names)
        with replacing(target, durable=True) as temporary:
            write_picture(temporary, picture.pixels, names, self.pixel_type, picture.geometry, self._header)
        return True


def check_compression(text: str) -> None:
    """Raise `BadInput` unless a text names a compression of EXR files, as `dwaa:45`."""
    name, _, level = text.partition(":")
    levelled = name == "dwaa" and level.isdecimal() and 0 < int(level) <= _MOST_LEVEL
    if name not in COMPRESSIONS or (":" in text and not levelled):
        known = ", ".join(COMPRESSIONS)
        raise BadInput(
            f"{text!r} is not a valid compression",
            f"Take {known}. dwaa may have a level after it, from 1 (nearly exact) to {_MOST_LEVEL}: dwaa:45.",
        )


def check_space(deliveries: Iterable[Delivery], frames: Collection[int], size: tuple[int, int]) -> str:
    """Return a warning where a disk may be too full for all that is delivered to it; empty where all have space.

    Args:
        deliveries: of one job.
        frames: that are wanted.
        size: width and height of the plate.

    Raises:
        NotPermitted: not even empty pictures would fit.
    """
    disks: dict[object, list[Delivery]] = {}
    for one in deliveries:
        disks.setdefault(_device(one.pattern.folder), []).append(one)
    return "; ".join(filter(None, (_too_full(together, frames, size) for together in disks.values())))


def _too_full(deliveries: list[Delivery], frames: Collection[int], size: tuple[int, int]) -> str:
    folder = deliveries[0].pattern.folder
    needs = [one.need(frames, size) for one in deliveries]
    free = disk_space.free(folder)
    if free is None or free >= reduce(add, needs).usual:
        return ""
    taking = [need for one, need in zip(deliveries, needs, strict=True) if not one.takes_no_space()]
    return disk_space.check_space(folder, free, reduce(add, taking)) if taking else ""


def _device(folder: Path) -> object:
    """Return what stands for the disk of a folder: the folder itself where the disk does not say."""
    try:
        return folder.stat().st_dev
    except OSError:
        return folder


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
