"""Movies that `videomama matte` makes of a finished job: the alpha itself, and one to look at."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from videomama_client import messages
from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput

from videomama_server.cli.bar import progress
from videomama_server.cli.job_options import with_all
from videomama_server.media import sequences
from videomama_server.submission import Submission

if TYPE_CHECKING:
    from videomama_server.arrays import FloatArray
    from videomama_server.media.frames import Picture, Seen
    from videomama_server.media.movies.writing import MovieStyle

Command = Callable[..., Any]
STRAIGHT, GREY = "straight", "grey"
COMP, ALPHA, SIDE = "comp", "alpha", "side-by-side"
MOVIE_FLAGS = ("alpha_movie", "preview_movie", "preview_shows", "fps")
_USUAL_RATE = 24
_SQUARE, _SHADES = 32, (0.55, 0.4)  # of the board behind a comp, as shown
_OPTIONS = (
    click.option(
        "--alpha-movie",
        type=click.Choice([STRAIGHT, GREY]),
        default=STRAIGHT,
        help="What --out alpha.mov holds: the plate's colour and the alpha, or the alpha as grey.",
    ),
    click.option("--preview-movie", default="", metavar="FILE", help="Write a movie to look at too: .mp4 or .mov."),
    click.option(
        "--preview-shows",
        type=click.Choice([COMP, ALPHA, SIDE]),
        default=COMP,
        help="What --preview-movie shows: the subject over a board, the alpha, or plate and comp side by side.",
    ),
    click.option(
        "--fps", type=float, help="Frames a second of movies that are written; by default the plate's, else 24."
    ),
)


@dataclass(frozen=True)
class MoviesWanted:
    """Which movies are to be made.

    Attributes:
        alpha: of the alpha; None for none.
        kind: what it holds.
        preview: to look at; None for none.
        shows: what that shows.
        fps: frames a second; None for the plate's.
    """

    alpha: Path | None
    kind: str
    preview: Path | None
    shows: str
    fps: float | None

    def beside(self) -> dict[str, Any]:
        """Return the options that ask for them, by name, as a job file has them."""
        asked = {"alpha-movie": self.kind if self.alpha else "", "preview-movie": str(self.preview or "")}
        asked["preview-shows"] = self.shows if self.preview else ""
        found: dict[str, Any] = {name: text for name, text in asked.items() if text}
        return {**found, "fps": self.fps} if self.fps is not None and found else found

    def files(self) -> list[str]:
        """Return the names of the movies."""
        return [str(path) for path in (self.alpha, self.preview) if path]


def movie_options(command: Command) -> Command:
    """Add the options of movies to a command; see `movies_wanted`."""
    return with_all(_OPTIONS, command)


def movies_wanted(flags: Mapping[str, Any], out: str) -> MoviesWanted:
    """Return what is wanted.

    Args:
        flags: of the command, those that `MOVIE_FLAGS` names.
        out: where the alphas go.

    Raises:
        BadInput: an ending that is not written, a rate that is not one, or PyAV is not installed.
    """
    kind, preview, shows, fps = (flags[name] for name in MOVIE_FLAGS)
    alpha = Path(out) if out and sequences.parse(out).is_movie else None
    wanted = MoviesWanted(alpha, kind, Path(preview).absolute() if preview else None, shows, fps)
    if fps is not None and not 1 <= fps <= 1000:
        raise BadInput(f"--fps {fps:g} is not a valid rate", "Give frames a second, such as 23.976.")
    if not wanted.files():
        return wanted
    from videomama_server.media.movies import writing  # numpy takes long to import

    for path, lossy in ((wanted.alpha, False), (wanted.preview, True)):
        if path is not None:
            writing.check(path, lossy)
    return wanted


@contextmanager
def making_movies(order: Submission, wanted: MoviesWanted) -> Iterator[Submission]:
    """Give the job whose alphas movies are made of: they go into a folder of their own where only the movie is wanted.

    Raises:
        BadInput: several alphas are made, or a movie would replace one that is read.
        NotPermitted: the movie's folder cannot be written.
    """
    if not wanted.files():
        yield order
        return
    _check(order, wanted)
    if wanted.alpha is None:
        yield order
        return
    try:
        wanted.alpha.parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=".videomama-movie-", dir=wanted.alpha.parent)
    except OSError as error:
        raise disk_error(error) from error
    try:
        yield replace(order, out=str(Path(folder) / "alpha.####.exr"), delivered=order.out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_movies(order: Submission, wanted: MoviesWanted, done: messages.MatteDone) -> None:
    """Make the movies of a finished job whose alphas lie in files.

    Raises:
        BadInput: a plate or an alpha cannot be read.
        NotPermitted: the disk is full.
    """
    if not wanted.files():
        return
    shots = _Shots(order, wanted, done)
    try:
        if wanted.alpha is not None:
            shots.write(wanted.alpha, shots.straight if wanted.kind == STRAIGHT else shots.grey, False)
        if wanted.preview is not None:
            shots.write(wanted.preview, {COMP: shots.comp, ALPHA: shots.grey, SIDE: shots.side}[wanted.shows], True)
    except OSError as error:
        raise disk_error(error) from error


def _check(order: Submission, wanted: MoviesWanted) -> None:
    if order.objects:
        raise BadInput("a movie is made of one alpha, and the job has objects", "Write .exr, or one object at a time.")
    read = [sequences.parse(text) for text in (order.plate, order.mask) if text]
    for path in wanted.files():
        if any(one.is_movie and one.path(1).resolve() == Path(path).resolve() for one in read):
            raise BadInput(f"the movie {path} would replace one that is read", "Choose another name.")
    if wanted.alpha is not None and order.layer:
        raise BadInput("a movie has no layers", "Leave --layer out, or write .exr.")


class _Shots:
    """The pictures that movies of a job are made of, frame by frame."""

    def __init__(self, order: Submission, wanted: MoviesWanted, done: messages.MatteDone) -> None:
        from videomama_server.media import color

        self._order = order
        self._wanted = wanted
        self._plates = sequences.find(sequences.parse(order.plate), "plate")
        self._alphas = sequences.parse(order.out)
        self._to_display = color.display_transform(done.colorspace, order.settings.exposure)

    def write(self, path: Path, picture: Callable[[int, bool], FloatArray], lossy: bool) -> None:
        """Write one movie; `picture` gives each frame's."""
        from videomama_server.media.movies import writing

        numbers = self._order.wanted()
        with writing.writing(path, self._style(numbers[0], lossy)) as movie, progress() as shown:
            for number in shown.track(numbers, description=path.name):
                movie.write(picture(number, lossy))

    def straight(self, number: int, lossy: bool) -> FloatArray:
        """Return the plate's colour with the alpha beside it."""
        import numpy as np

        return np.concatenate([self._colour(number, lossy), self._alpha(number)[..., None]], axis=2)

    def grey(self, number: int, _lossy: bool) -> FloatArray:
        """Return the alpha as grey."""
        import numpy as np

        return np.repeat(self._alpha(number)[..., None], 3, axis=2)

    def comp(self, number: int, lossy: bool) -> FloatArray:
        """Return the subject over a board."""
        import numpy as np

        from videomama_server.media.contact_sheet import checkerboard

        colour, alpha = self._colour(number, lossy), self._alpha(number)[..., None]
        board = checkerboard((alpha.shape[0], alpha.shape[1]), _SQUARE, shades=_SHADES)
        return np.asarray(colour * alpha + board * (1 - alpha), np.float32)

    def side(self, number: int, lossy: bool) -> FloatArray:
        """Return the plate, and the comp to its right."""
        import numpy as np

        return np.concatenate([self._colour(number, lossy), self.comp(number, lossy)], axis=1)

    def _colour(self, number: int, as_shown: bool) -> FloatArray:
        """Return a plate's colour: values of video as they are, others and all to look at as a screen shows them."""
        plate = self._plate(number)
        return plate.pixels if not as_shown and _keeps(plate) else self._to_display(plate.pixels)

    def _plate(self, number: int) -> Picture:
        from videomama_server.media import frames

        settings = self._order.settings
        return frames.shown(frames.read_plate(self._plates[number], settings.plate_layer, settings.view))

    def _alpha(self, number: int) -> FloatArray:
        from videomama_server.media import frames

        return frames.shown(frames.read_mask(self._alphas.path(number), "A")).pixels[..., 0]

    def _style(self, first: int, lossy: bool) -> MovieStyle:
        from videomama_server.media import frames
        from videomama_server.media.movie_frame import in_movie
        from videomama_server.media.movies import index_store
        from videomama_server.media.movies.writing import MovieStyle

        settings = self._order.settings
        plate = frames.probe_plate(self._plates[first], settings.plate_layer, settings.view)
        rate = Fraction(_USUAL_RATE)
        style = MovieStyle(rate, first, plate.geometry.pixel_aspect, lossy)
        picture = in_movie(self._plates[first])
        if picture is not None:
            _, index = index_store.index_of(picture)
            style = replace(style, rate=index.rate)
            if not lossy and _keeps(plate) and self._wanted.kind == STRAIGHT and plate.declared.words:
                style = replace(style, look=index.look)
        if self._wanted.fps is not None:
            style = replace(style, rate=_exact_rate(self._wanted.fps))
        return style


def _keeps(plate: Picture | Seen) -> bool:
    """Whether a plate's values are video's own, and go into a movie as they are."""
    return not plate.is_float


def _exact_rate(fps: float) -> Fraction:
    """Return the rate that a number stands for: 23.976 is 24000/1001."""
    whole = round(fps)
    broadcast = Fraction(whole * 1000, 1001)
    return broadcast if abs(float(broadcast) - fps) < 0.005 else Fraction(fps).limit_denominator(1000)
