"""Reads clips in the layouts that they are published in, in our own and in plain folders; finds out which one it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from videomama_client.errors import BadInput, NotPermitted

from videomama_server.datasets.clip import PICTURES, Broken, Data, GroundTruthClip, Read, numbered, numbered_if_there
from videomama_server.datasets.davis import Davis
from videomama_server.datasets.detection import Layout, detect, folders
from videomama_server.datasets.subjects import with_subjects
from videomama_server.media import sequences
from videomama_server.synthetic.suite import FACTS, read_clip

_OWN_OF_HIM = frozenset({"fgr", "pha", "xmem"})
_DEPTH = 3  # folders above a clip's: the data set's, its resolution's and its part's


class Suite:
    """The clips that `videomama synthesize` makes, each in a folder of its own with a clip.json."""

    name = "suite"
    expects = f"suite: a folder per clip with {FACTS}, as `videomama synthesize` makes it"

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`."""
        inside = [folder] if (folder / FACTS).is_file() else folders(folder)
        if not any((clip / FACTS).is_file() for clip in inside):
            return {}
        begun = [clip for clip in inside if (clip / FACTS).is_file() or any(clip.glob("plate.*.exr"))]
        return {clip.name: partial(self._read, clip) for clip in begun}

    @staticmethod
    def _read(folder: Path) -> GroundTruthClip:
        clip = read_clip(folder)
        plate, alpha, mask, foreground = (
            sequences.find(sequences.parse(clip.pattern(what))) for what in ("plate", "alpha", "mask", "foreground")
        )
        return GroundTruthClip(
            folder.name, clip.spec.kind, "suite", clip.pattern("plate"), plate, alpha, mask, foreground
        )


class RvmLayout:
    """The layout of the RobustVideoMatting evaluation: each clip is a folder of folders.

    `pha` has the exact alphas, `com` or `har` the plates, `fgr` the foregrounds. A folder `mask` with a picture for
    every frame is our own addition: the published data have none, or one for the first frame only. So is `sam2`, and
    any other folder, for masks that a tracker made.
    """

    name = "videomatte"
    data = "VideoMatte"
    plate = "com"
    expects = "videomatte: videomatte_1920x1080/videomatte_motion/0000/{com,pha,fgr}/0000.png"
    _other: str | None = "har"  # with this it is another data set's
    _own = frozenset({"com", "har", "pha", "fgr", "mask"})

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`; `folder` is the data set's, or any below it down to one clip's."""
        found = [clip for clip in self._clips(folder, _DEPTH) if not (self._other and (clip / self._other).is_dir())]
        if not any((clip / self.plate).is_dir() and (clip / "pha").is_dir() for clip in found):
            return {}
        return {_below(folder, clip): partial(self._read, clip) for clip in found}

    def _clips(self, folder: Path, depth: int) -> Iterator[Path]:
        if any((folder / part).is_dir() for part in (self.plate, "pha")):
            yield folder
        elif depth:
            for inside in folders(folder):
                yield from self._clips(inside, depth - 1)

    def _read(self, folder: Path) -> GroundTruthClip:
        pattern, plate = numbered(folder / self.plate)
        _, truth = numbered(folder / "pha")
        mask, foreground = (numbered_if_there(folder / part) for part in ("mask", "fgr"))
        made = {one.name: numbered(one)[1] for one in folders(folder) if one.name not in self._own and _is_one(one)}
        return GroundTruthClip(
            folder.name, folder.absolute().parent.name, self.data, pattern, plate, truth, mask, foreground, made=made
        )


class YouTubeMatte(RvmLayout):
    """MatAnyone's data set: as RobustVideoMatting's, but the plates are the harmonised composites."""

    name = "youtubematte"
    data = "YouTubeMatte"
    plate = "har"
    expects = "youtubematte: youtubematte_1920x1080/youtubematte_motion/0000/{har,pha,fgr}/0000.png"
    _other = None


class VHim60:
    """MaGGIe's video data set: several people in a clip, each with alphas and masks of their own.

    Each of them is a clip here. The masks lie beside `pha` in a folder of the same shape, `xmem` as published; where
    that is missing, any only other one is taken. Further folders of that shape are masks that trackers made.
    """

    name = "v-him60"
    expects = "v-him60: comp_hard/{fgr/00000/00000.jpg, pha/00000/00000/00.png, xmem/00000/00000/00.png}"

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`; `folder` is the data set's, or that of one of its levels."""
        levels = [folder] if _is_level(folder) else [inside for inside in folders(folder) if _is_level(inside)]
        found: dict[str, Read] = {}
        for level in levels:
            for video in folders(level / "pha"):
                for subject in sorted({path.name for path in video.glob("*/*.png")}):
                    name = f"{'' if level == folder else level.name + '/'}{video.name}/{Path(subject).stem}"
                    found[name] = partial(self._read, level, video.name, subject)
        return found

    @staticmethod
    def _read(level: Path, video: str, subject: str) -> GroundTruthClip:
        pattern, plate = numbered(level / "fgr" / video)
        masks = _masks_beside(level)
        truth, mask = (_of_subject(kind / video, subject) if kind else None for kind in (level / "pha", masks))
        made = {one.name: _of_subject(one / video, subject) for one in folders(level) if one.name not in _OWN_OF_HIM}
        return GroundTruthClip(
            f"{video}/{Path(subject).stem}",
            level.absolute().name,
            "V-HIM60",
            pattern,
            plate,
            truth or {},
            mask or None,
            made={name: files for name, files in made.items() if files},
        )


class Footage:
    """Plain folders: plate, mask and the alphas of other tools side by side, for footage without exact alpha.

    What a sequence is called says what it is: `plate`, `mask`, `truth` for exact alphas if there are some, and any
    other name is a tool's. Each is a folder of its own, or named so before the frame number.
    """

    name = "footage"
    _own = frozenset({"plate", "mask"})
    expects = "footage: SHOT/{plate,mask,TOOL}/NAME.1001.exr, or SHOT/{plate,mask,TOOL}.1001.exr; TOOL may be left out"

    def find(self, folder: Path) -> dict[str, Read]:
        """See `Layout.find`; `folder` is a shot, or holds shots."""
        own = self._places(folder).keys()
        shots = {one: self._places(one).keys() for one in ([folder] if own >= self._own else folders(folder))}
        if not any(names >= self._own for names in shots.values()):
            return {}
        begun = [one for one, names in shots.items() if names & self._own]
        return {one.absolute().name: partial(self._read, one) for one in begun}

    def _read(self, folder: Path) -> GroundTruthClip:
        places = self._places(folder)
        for role in sorted(self._own - places.keys(), reverse=True):
            raise BadInput(f"{folder} has no {role}", f"Put its frames into {folder / role}.")
        found = {name: _sequence(place) for name, place in places.items()}
        files = {name: of for name, (_, of) in found.items()}
        others = {name: of for name, of in files.items() if name not in {*self._own, "truth"}}
        name, pattern = folder.absolute().name, found["plate"][0]
        return GroundTruthClip(
            name, name, self.name, pattern, files["plate"], files.get("truth"), files["mask"], others=others
        )

    @staticmethod
    def _places(folder: Path) -> dict[str, Path]:
        """Return by name where each sequence of a shot lies: its folder, or the pattern of its files."""
        inside = {path.name: path for path in folders(folder) if sequences.listed(path, PICTURES)}
        files = sequences.listed(folder, PICTURES)
        return inside | {one.head.rstrip("._-"): folder / one.pattern for one in files if one.is_sequence}


LAYOUTS: dict[str, Layout[GroundTruthClip]] = {
    layout.name: layout for layout in (Suite(), YouTubeMatte(), RvmLayout(), VHim60(), Davis(), Footage())
}


def read_data(folder: Path, layout: str = "") -> Data:
    """Read the clips below a folder, in the layout of that name, or in the first that fits.

    Raises:
        BadInput: no clip in any layout, or not in the one that is named; or `groups.csv` there cannot be meant.
        NotPermitted: the folder may not be listed.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder", "Name a folder of clips.")
    name, readers = detect(folder, LAYOUTS, layout)
    return with_subjects(_all_read(folder, name, readers))


def _all_read(folder: Path, layout: str, readers: Mapping[str, Read]) -> Data:
    read = [_tried(name, reader) for name, reader in readers.items()]
    clips = [one for one in read if isinstance(one, GroundTruthClip)]
    return Data(folder, layout, clips, [one for one in read if isinstance(one, Broken)])


def _tried(name: str, read: Read) -> GroundTruthClip | Broken:
    try:
        return replace(read(), name=name)
    except (BadInput, NotPermitted) as error:
        return Broken(name, error)


def _is_one(folder: Path) -> bool:
    """Whether a folder holds one sequence of pictures."""
    return len(sequences.listed(folder, PICTURES)) == 1


def _below(folder: Path, clip: Path) -> str:
    return clip.relative_to(folder).as_posix() if clip != folder else clip.absolute().name


def _is_level(folder: Path) -> bool:
    return (folder / "fgr").is_dir() and any((folder / "pha").glob("*/*/*.png"))


def _masks_beside(level: Path) -> Path | None:
    others = [path for path in folders(level) if path.name not in ("fgr", "pha")]
    named = [path for path in others if path.name == "xmem"]
    return (named or others)[0] if named or len(others) == 1 else None


def _of_subject(video: Path, subject: str) -> dict[int, Path]:
    """Return the files of one subject, which lie in a folder per frame."""
    frames = [frame for frame in folders(video) if frame.name.isdecimal()]
    return {int(frame.name): frame / subject for frame in frames if (frame / subject).is_file()}


def _sequence(place: Path) -> tuple[str, dict[int, Path]]:
    """Return pattern and files of a sequence: the only one in a folder, or that of a pattern."""
    if place.is_dir():
        return numbered(place)
    pattern = sequences.parse(str(place))
    return pattern.text, sequences.find(pattern)
