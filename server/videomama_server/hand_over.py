"""Hands plates and hole masks over to another program, which writes clean plates of the same names."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput
from videomama_client.wording import choices, counted

from videomama_server.media import sequences

_TOKEN = re.compile(r"\{([a-z_]+)\}")
_ERROR_STREAM = 2  # standard output is for results


@dataclass(frozen=True)
class HandOver:
    """A program that removes a subject, and what it is given.

    Attributes:
        words: the program and its arguments, with tokens such as `{plate}`; no shell reads them.
        plate, hole_masks: patterns of what it reads, absolute.
        folder: that its clean plates go to, under the names of the plates.
    """

    words: tuple[str, ...]
    plate: str
    hole_masks: str
    folder: Path

    @property
    def output(self) -> sequences.Pattern:
        """Where the clean plates go: the names of the plates in another folder."""
        return sequences.parse(str(self.folder / sequences.parse(self.plate).name))

    def check(self) -> None:
        """Raise what would keep the program from being run, before any work; the folder is made.

        Raises:
            BadInput: an unknown token, or clean plates that would replace the plates.
            NotPermitted: the folder cannot be made.
        """
        self._filled([1])
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.folder.samefile(sequences.parse(self.plate).folder):
                raise BadInput(f"the clean plates would replace the plates in {self.folder}", "Choose another folder.")
        except OSError as error:
            raise disk_error(error) from error

    def run(self, wanted: Sequence[int]) -> None:
        """Run the program and see that every frame is there; what it prints goes to the error stream.

        Args:
            wanted: the frames, ascending.

        Raises:
            BadInput: it cannot be started, fails, or leaves frames out.
        """
        words, output = self._filled(wanted), self.output
        older = {frame: _state(output.path(frame)) for frame in wanted}
        try:
            ended = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=_ERROR_STREAM, check=False)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BadInput(
                f"cannot run {words[0]}: {reason}", "Give --then-run a program that is installed."
            ) from error
        if ended.returncode:
            how = f"code {ended.returncode}" if ended.returncode > 0 else f"signal {-ended.returncode}"
            raise BadInput(
                f"{words[0]} ended with {how}", "See what it printed above. The alphas and hole masks are kept."
            )
        absent = [frame for frame in wanted if _state(output.path(frame)) in (None, older[frame])]
        if absent:
            raise BadInput(
                f"{words[0]} wrote no clean plates for {counted(len(absent), 'frame')}: "
                f"{sequences.format_range(absent)}",
                f"Have it write {output.text}, under the names of the plates.",
                frame=absent[0],
            )

    def _filled(self, wanted: Sequence[int]) -> list[str]:
        output, plate, holes = self.output, sequences.parse(self.plate), sequences.parse(self.hole_masks)
        tokens: Mapping[str, str] = {
            "plate": str(plate.folder / plate.name),
            "hole_masks": str(holes.folder / holes.name),
            "output": str(output.folder / output.name),
            "plate_folder": str(plate.folder),
            "hole_masks_folder": str(holes.folder),
            "output_folder": str(output.folder),
            "frames": sequences.whole_range(wanted).replace(" ", ""),
            "first": str(wanted[0]),
            "last": str(wanted[-1]),
            "python": sys.executable,
        }

        def fill(found: re.Match[str]) -> str:
            if found[1] not in tokens:
                raise BadInput(f"--then-run: unknown token {found[0]}", choices(found[1], tokens))
            return tokens[found[1]]

        return [_TOKEN.sub(fill, word) for word in self.words]


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what tells one content of a file from a later one; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
