r"""The grammar of the names of numbered files.

The place of the number is written as one of

- `####`: as many digits as there are hashes; a single `#` reads any number of digits and writes four,
- `@@@@`: one digit for each (Hiero, RV); a single `@` counts only where no letter or digit follows it,
- `%04d`, and `%d` for numbers without padding,
- `$F4`, and `$F` for numbers without padding (Houdini).

The last of these in the file's name is the number, and what stands before or after it is taken as it is:
`alpha1####.exr`, `sh010-####.exr`, `shot@2x.####.exr`. Two that cannot be anything else (`####` and `%04d`) are an
error. Folders may have any name.

Frames may be named directly before the number, as `plate.1001-1040####.exr`, but only after a dot or at the beginning
of the name, and in full: a first and a last frame, then perhaps `x2`, then perhaps more after commas. So `sh010-####`
and `plate.1001####` name no frames.

A name without a number's place is a single picture. A number between two dots is its frame (`plate.1001.exr`); any
other counts as frame 1.

A name with the ending of a movie is a movie, whatever numbers it has in it: `plate.mov`. After it may stand the number
of its first frame: `plate.mov@1001`.
"""

from __future__ import annotations

import ntpath
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePath

from videomama_client.errors import BadInput

from videomama_server.media.movie_frame import MOVIES as READABLE_MOVIES
from videomama_server.media.sequences.ranges import parse_range

ANY_PADDING = "#"
_WRITTEN_DIGITS = 4  # of a pattern that reads any padding
_MOST_DIGITS = 32
_LARGEST = 10**15  # frame; a larger number is a part of the name
_NUMBER = re.compile(r"#+|@@+|@(?![0-9A-Za-z])|%[0-9]*d|\$F[0-9]?(?![0-9A-Za-z])")
_RANGE = re.compile(r"(?:^|(?<=\.))-?[0-9]+--?[0-9]+(?:x[0-9]+)?(?:,-?[0-9]+(?:--?[0-9]+(?:x[0-9]+)?)?)*$")
_NUMBERED = re.compile(r"(.+\.)(-(?=0*[1-9])[0-9]+|[0-9]+)(\D*\.\D*)", re.DOTALL)
_VIEW = re.compile(r"%V|%v(?![0-9A-Za-z])")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # letters that would end a line, or steer a terminal
_MOVIE = re.compile(rf"(.+)({'|'.join(map(re.escape, sorted(READABLE_MOVIES)))})(?:@(-?[0-9]{{1,15}}))?", re.I | re.S)
_HOW = "Write it as plate.####.exr."


@dataclass(frozen=True)
class Pattern:
    """Where the frames of a sequence lie: folder, name around the number, digits, and a range if it names one.

    Attributes:
        text: as it was written.
        folder: of the files.
        head, tail: of the name, before and after the number; `tail` has the ending.
        digits: least digits of a number, its sign counted; 0 for a single picture without a number.
        frames: that the pattern names; None for all.
        any_padding: whether numbers of any number of digits are read.
        single: whether this is the path of one picture.
    """

    text: str
    folder: Path
    head: str
    digits: int
    tail: str
    frames: tuple[int, ...] | None = None
    any_padding: bool = False
    single: bool = False

    @property
    def suffix(self) -> str:
        """The ending with its dot, as in `.exr`; empty for none."""
        return PurePath(f"_{self.tail}").suffix

    @property
    def is_movie(self) -> bool:
        """Whether this is one movie, with all frames in it; `frames` is then its first alone, where it is named."""
        return not self.single and not self.digits

    @property
    def name(self) -> str:
        """The file name as a pattern that writes the same names: `plate.####.exr`, `plate.%d.exr`, `still.exr`."""
        if self.single:
            return self.path(1).name
        number = "%d" if self.digits == 1 else "#" * self.digits
        return f"{self.head}{number}{self.tail}"

    @property
    def first(self) -> int:
        """The first frame that the pattern names, else 1."""
        return self.frames[0] if self.frames else 1

    def path(self, frame: int) -> Path:
        """Return the file of one frame; of a single picture always the same."""
        frame = self.first if self.single else frame
        number = str(frame).zfill(self.digits) if self.digits else ""  # the sign counts as a digit, as in Nuke
        return self.folder / f"{self.head}{number}{self.tail}"

    def number(self, name: str) -> int | None:
        """Return the frame that a file of this name holds, or None for the name of another file.

        Of the frame -2, four digits are `-002` as Nuke writes it, or `-0002` as other tools do. The latter is read
        only after a separator: `plate-0002` beside `plate####` is frame 2 of another sequence.
        """
        text = name[len(self.head) : len(name) - len(self.tail)]
        if name != f"{self.head}{text}{self.tail}" or not re.fullmatch(r"-?[0-9]{1,40}", text):
            return None
        frame = int(text)
        if abs(frame) > _LARGEST:
            return None
        if text == str(frame).zfill(self.digits):
            return frame
        if not text.startswith("-"):
            return frame if self.any_padding else None
        hyphen = self.head[-1:].isalnum() or frame == 0
        padded = self.any_padding or text == f"-{-frame:0{self.digits}d}"
        return frame if padded and not hyphen else None


def parse(text: str) -> Pattern:
    """Read a pattern, in the grammar of this module, or the path of one picture.

    Raises:
        BadInput: not a file name, or no pattern that can be understood.

    Example:
        >>> parse("/shots/plate.####.exr").path(1001).name
        'plate.1001.exr'
    """
    folder, name = _split(text)
    if not name or _UNSEEN.search(text) or not _encodes(text):
        raise BadInput(f"{text!r} is not a file name", "Give a path such as plate.####.exr.")
    movie = _MOVIE.fullmatch(name)
    token = _number_in(text, movie[1] if movie else name)
    if movie is not None and token is None:
        return Pattern(text, folder, movie[1], 0, movie[2], (int(movie[3]),) if movie[3] else None)
    if token is None:
        return _single(text, folder, name)
    head, frames = _frames_in(name[: token.start()])
    any_padding = token[0] == ANY_PADDING
    return Pattern(text, folder, head, _digits(text, token[0]), name[token.end() :], frames, any_padding)


def with_view(text: str, view: str) -> str:
    """Return a pattern with `%V` replaced by the view's name and `%v` by its first letter, as Nuke does.

    `%v` counts only where no letter or digit follows: `50%value` stays as it is.

    Args:
        text: a pattern, with its folders.
        view: such as `left`; empty for none.

    Raises:
        BadInput: there is a view to fill in, and none was given.

    Example:
        >>> with_view("plate_%V.####.exr", "left")
        'plate_left.####.exr'
    """
    found = _VIEW.search(text)
    if found and not view:
        raise BadInput(f"{text} has {found[0]} in it, and no view was given", "Name one, such as --view left.")
    return _VIEW.sub(lambda match: view if match[0] == "%V" else view[:1], text)


def with_first(text: str, first: int | None) -> str:
    """Return a pattern with the number of its first frame where it is a movie; any other as it is.

    Args:
        text: a pattern, with its folders.
        first: number of the first frame; None for what the movie says.

    Example:
        >>> with_first("plate.mov", 1001)
        'plate.mov@1001'
    """
    if first is None or not text:
        return text
    movie = parse(text)
    return str(movie.folder / f"{movie.name}@{first}") if movie.is_movie else text


def _single(text: str, folder: Path, name: str) -> Pattern:
    """Return the pattern of one picture: a number between two dots is its frame."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered is None or abs(int(numbered[2][:_MOST_DIGITS])) > _LARGEST:
        pure = PurePath(name)
        return Pattern(text, folder, pure.stem, 0, pure.suffix, single=True)
    head, number, tail = numbered.groups()
    return Pattern(text, folder, head, len(number), tail, (int(number),), single=True)


def _split(text: str) -> tuple[Path, str]:
    """Return folder and name; a Windows path is taken apart on any system."""
    path = Path(text)
    before, windows = (Path(), text) if _WINDOWS.match(text) else (path.parent, path.name)
    if _WINDOWS.match(windows):  # perhaps after the folder that a command line put before it
        folder, name = ntpath.split(windows)
        return before / folder, name
    return path.parent, path.name


def _number_in(text: str, name: str) -> re.Match[str] | None:
    """Return the place of the number; raises `BadInput` where there are two."""
    tokens = list(_NUMBER.finditer(name))
    if not tokens:
        return None
    last = tokens[-1]
    for other in tokens[:-1]:
        if _is_unmistakable(other[0]) or other.end() == last.start():
            raise BadInput(f"{text} has two places for a number, {other[0]} and {last[0]}", "Leave one of them.")
    return last


def _is_unmistakable(token: str) -> bool:
    return len(token) > 1 and token not in ("%d", "$F")


def _digits(text: str, token: str) -> int:
    if token == ANY_PADDING:
        return _WRITTEN_DIGITS
    if token[0] in "#@":
        digits = len(token)
    else:
        width = token[1:-1] if token[0] == "%" else token[2:]
        if token[0] == "%" and width and not width.startswith("0"):
            raise BadInput(f"{text} pads its numbers with blanks ({token})", f"Write %0{width}d.")
        digits = max(1, int(width[:9] or 1))
    if digits > _MOST_DIGITS:
        raise BadInput(f"{text} has numbers of more than {_MOST_DIGITS} digits", _HOW)
    return digits


def _frames_in(head: str) -> tuple[str, tuple[int, ...] | None]:
    """Return the head without the frames that it names, and the frames; None where it names none."""
    named = _RANGE.search(head)
    if named is None:
        return head, None
    return head[: named.start()], tuple(parse_range(named[0]))


def _encodes(text: str) -> bool:
    """Whether a file can have this name."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True
