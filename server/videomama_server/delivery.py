"""Puts a finished entry where and how the person asked for it: by hard link, by copy, or converted."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import BadInput, NotPermitted

from videomama_server.frames import WRITABLE, read_mask, write_picture
from videomama_server.replacing import replacing, sweep, writing_in
from videomama_server.sequences import Pattern

DEFAULT_DTYPE = {".exr": "float", ".png": "uint16", ".tif": "float", ".tiff": "float", ".dpx": "uint16"}


@dataclass(frozen=True)
class Delivery:
    """How alphas leave the cache.

    Attributes:
        pattern: where the numbered files go.
        layer: EXR layer the alpha is put in; empty for the main one.
        dtype: `half`, `float` or `uint16`; empty for the format's best.
    """

    pattern: Pattern
    layer: str = ""
    dtype: str = ""

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
            probe = folder / f".videomama-{uuid.uuid4().hex}"
            probe.touch()
            probe.unlink()
            sweep(folder)
        except OSError as error:
            raise NotPermitted(
                f"cannot write in {folder}: {error.strerror}", "Choose another output folder, or mend its permissions."
            ) from error

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
        if target.suffix.lower() == ".exr" and self._dtype == "float" and not self.layer:
            _link(entry, target)
        else:
            picture = read_mask(entry, "A")
            name = (f"{self.layer}.A" if self.layer else "A") if target.suffix.lower() == ".exr" else "Y"
            with replacing(target, durable=True) as temporary:
                write_picture(temporary, picture.pixels, (name,), self._dtype, picture.geometry)
        return target

    @property
    def _dtype(self) -> str:
        return self.dtype or DEFAULT_DTYPE.get(self.pattern.suffix.lower(), "float")


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _link(entry: Path, target: Path) -> None:
    if target.exists() and (target.samefile(entry) or _copied_before(entry, target)):
        return
    try:
        with replacing(target) as temporary:  # what is linked is durable already
            os.link(entry, temporary)
    except FileNotFoundError:  # the entry, or the folder
        raise
    except OSError:  # another disk, or a file system without links
        with replacing(target, durable=True) as temporary:
            shutil.copy2(entry, temporary)


def _copied_before(entry: Path, target: Path) -> bool:
    """Whether `target` is an earlier copy: copies keep the entry's size and time of making."""
    here, there = entry.stat(), target.stat()
    return (here.st_size, here.st_mtime_ns) == (there.st_size, there.st_mtime_ns)
