"""What a clip is to an evaluation: plates, exact alphas where they are known, and what else there is, by frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from videomama_client.errors import BadInput, VideoMaMaError

from videomama_server.media import sequences

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".exr", ".tif", ".tiff", ".dpx"})

Files = Mapping[int, Path]


@dataclass(frozen=True)
class GroundTruthClip:
    """A clip, mostly with its truth; all but `made` has the same frames, all equally far apart.

    Attributes:
        name: unique in an evaluation; words divided by slashes.
        group: what it is averaged with: the kind of a generated clip, the part of a data set.
        data: name of the data set.
        pattern: of the plates.
        plate: their files.
        truth: exact alphas; None where nobody knows them, and then there are masks.
        mask: that came with the data, if any did.
        foreground: exact colour, not multiplied by alpha, if it is known.
        others: alphas that other tools made, by the tool's name.
        made: masks that trackers made beforehand, by the name of what made them, such as `sam2`.
        colour: of the subject in exact alphas that are pictures of colours; as `MatteSettings.mask_colour`.
        subject: what is seen, such as people, animals or things, where the data says so.
    """

    name: str
    group: str
    data: str
    pattern: str
    plate: Files
    truth: Files | None
    mask: Files | None = None
    foreground: Files | None = None
    others: Mapping[str, Files] = field(default_factory=dict)
    made: Mapping[str, Files] = field(default_factory=dict)
    colour: str = ""
    subject: str = ""

    def __post_init__(self) -> None:
        numbers = self.numbers
        gaps = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
        if not sequences.even_step(numbers):
            raise BadInput(f"missing: frames {sequences.format_range(gaps)}", "Copy the clip again.")
        own = (("alpha", self.truth), ("mask", self.mask), ("foreground", self.foreground))
        for role, files in (*own, *self.others.items()):
            apart = sorted(set(numbers) ^ set(files)) if files is not None else []
            if apart:
                listed = sequences.format_range(apart)
                raise BadInput(f"plate and {role} do not share frames {listed}", "Copy the clip again.")

    @property
    def reference(self) -> Files:
        """What alphas are compared with: the truth, or the masks where there is none."""
        files = self.mask if self.truth is None else self.truth
        assert files is not None  # a clip has one of them
        return files

    @property
    def numbers(self) -> list[int]:
        """The frame numbers, ascending."""
        return sorted(self.plate)


@dataclass(frozen=True)
class Broken:
    """A clip that cannot be read, and why."""

    name: str
    error: VideoMaMaError


@dataclass(frozen=True)
class Data:
    """What was found in one folder: the clips that can be read, and those that cannot."""

    folder: Path
    layout: str
    clips: list[GroundTruthClip]
    broken: list[Broken]


Read = Callable[[], GroundTruthClip]


def numbered(folder: Path) -> tuple[str, dict[int, Path]]:
    """Return the pattern and the files of the only sequence in a folder; raises `BadInput` for none or several."""
    pattern = sequences.in_folder(folder, PICTURES)
    return pattern.text, sequences.find(pattern)


def numbered_if_there(folder: Path) -> dict[int, Path] | None:
    """Return the files of the only sequence in a folder, or None where there is no such folder."""
    return numbered(folder)[1] if folder.is_dir() else None
