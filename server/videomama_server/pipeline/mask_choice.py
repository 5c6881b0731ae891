"""Decides once per job how good its masks are: as asked for, or by a few frames at fixed places of the clip.

The places depend on the clip alone, never on the frames wanted, so that a part of a clip is refined like the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from videomama_client.engine_settings import MASK_THRESHOLD, OutlineSettings
from videomama_client.mask_presets import GOOD, ROUGH, is_open, outline_of, with_outline
from videomama_client.messages import MaskTaken
from videomama_client.settings import MatteSettings

from videomama_server.arrays import REFERENCE_SIDE
from videomama_server.media import sequences
from videomama_server.media.color import DisplayTransform
from videomama_server.media.geometry import Rect
from videomama_server.pipeline import mask_fit, morphology
from videomama_server.pipeline.mask_fit import Fit, Verdict
from videomama_server.pipeline.reader import LoadedFrame, Reader

_LOOKED_AT = 5  # frames of a clip
_WORTH_SAYING = 5.0  # pixels at 1920 wide that masks are too large or too small, and
_SEEN = 2  # of the plate: less is within the error of a small one


@dataclass(frozen=True)
class Choice:
    """What was decided.

    Attributes:
        settings: of the job, with the three numbers around the outline for an engine that has them.
        taken: the same for the client; None for an engine that has no use for them.
        warnings: for the person.
    """

    settings: MatteSettings
    taken: MaskTaken | None
    warnings: Sequence[str] = ()


def frames_to_look_at(settings: MatteSettings, moves: bool, clip: Sequence[int]) -> list[int]:
    """Return the frames that decide; none where the settings leave nothing open.

    Args:
        settings: of the job.
        moves: whether the engine moves outlines: another one leaves nothing open.
        clip: the frames that exist, ascending.
    """
    return fixed_places(clip) if is_asked(settings, moves) else []


def is_asked(settings: MatteSettings, moves: bool) -> bool:
    """Whether frames are looked at; arguments as of `frames_to_look_at`."""
    return moves and is_open(OutlineSettings.of(settings))


def leading(makers: Sequence[bool]) -> int:
    """Return how many makers of masks a job begins with; `makers` says of each stage whether it is one."""
    return next((count for count, is_maker in enumerate(makers) if not is_maker), len(makers))


def looked_at(makers: Sequence[bool], settings: Sequence[MatteSettings], moves: Sequence[bool]) -> int | None:
    """Return which stage's alphas are looked at for how good the masks of the next are; None where none is.

    It is the last of the makers that a job begins with, where the next stage leaves the question open.

    Args:
        makers: whether each stage makes masks.
        settings: of each stage.
        moves: whether the engine of each moves outlines.
    """
    after = leading(makers)
    if not 0 < after < len(makers) or not is_asked(settings[after], moves[after]):
        return None
    return after - 1


def threshold_of(settings: MatteSettings) -> float:
    """Return the value from which a mask's pixel counts as subject where the pipeline looks at masks.

    It is the setting of the engine, and a half for an engine that cuts no masks.
    """
    named = settings.option("mask_threshold")
    return float(named) if isinstance(named, (int, float)) else MASK_THRESHOLD


def fixed_places(clip: Sequence[int]) -> list[int]:
    """Return the frames of a clip, ascending, that decide for all of it."""
    count = min(_LOOKED_AT, len(clip))
    return [clip[(2 * index + 1) * len(clip) // (2 * count)] for index in range(count)]


@dataclass(frozen=True)
class Looking:
    """What is needed to look at a frame.

    Attributes:
        settings: of the job.
        reader: of its frames.
        display: the display window that all plates have.
        transform: makes a plate display-referred.
    """

    settings: MatteSettings
    reader: Reader
    display: Rect
    transform: DisplayTransform

    def fit(self, frame: int) -> Fit | None:
        """Return what a frame says of its mask, from the memo where it knows; None where there is no outline.

        Raises:
            BadInput: a picture cannot be read, or does not fit the others.
        """
        settings = self.settings
        shaped = (threshold_of(settings), settings.mask_close_holes, settings.mask_grow)
        what = f"mask fit {mask_fit.VERSION} {self.transform.fingerprint} {shaped}"
        numbers = self.reader.measured(frame, what, self._numbers, self.display)
        return Fit(*numbers) if len(numbers) == mask_fit.NUMBERS else None

    def _numbers(self, loaded: LoadedFrame) -> list[float]:
        settings = self.settings
        long_side = max(self.display.w, self.display.h)
        mask = morphology.shaped(loaded.mask, settings.mask_close_holes, settings.mask_grow, long_side)
        subject = mask >= threshold_of(settings)
        if subject.all() or not subject.any():
            return []
        fit = mask_fit.fit_of(self.transform(loaded.plate), subject)
        return list(astuple(fit)) if fit else []


def as_asked(settings: MatteSettings, moves: bool) -> Choice:
    """Return the choice that needs no look: by a preset, by given numbers, or none, as the engine moves no outline."""
    if not moves:
        return Choice(settings, None)
    quality = OutlineSettings.of(settings).mask_quality
    named = "" if quality == "auto" else quality
    decided = with_outline(settings, named or ROUGH)
    return Choice(decided, _taken(decided, named, 0.0))


def of_alphas(settings: MatteSettings, moves: bool) -> MatteSettings:
    """Return the settings of a stage whose masks are alphas of the stage before, with the three numbers.

    Alphas are GOOD masks; nobody has to be asked.
    """
    if moves and OutlineSettings.of(settings).mask_quality == "auto":
        settings = settings.with_options(mask_quality=GOOD)
    return as_asked(settings, moves).settings


def judged(looking: Looking, fits: Mapping[int, Fit | None], missing: Sequence[int]) -> Choice:
    """Return the choice that follows from a look.

    Args:
        looking: at the frames.
        fits: what each of them said.
        missing: those that would have been looked at, and are not there.
    """
    verdict = mask_fit.judged([fit for fit in fits.values() if fit])
    decided = with_outline(looking.settings, ROUGH if verdict.quality == mask_fit.UNSURE else verdict.quality)
    warnings = [*_doubts(verdict, looking), *_incomplete(fits, missing)]
    return Choice(decided, _taken(decided, verdict.quality, verdict.offset), warnings)


def _taken(settings: MatteSettings, quality: str, offset: float) -> MaskTaken:
    return MaskTaken(quality=quality, offset=offset, **vars(outline_of(OutlineSettings.of(settings))))


def _doubts(verdict: Verdict, looking: Looking) -> list[str]:
    """Return what a person should know; nothing of plates so small that it makes no difference."""
    if max(looking.display.w, looking.display.h) < mask_fit.LEAST_SIDE:
        return []
    if verdict.quality == mask_fit.UNSURE:
        return [
            "the plate does not say how good the mask is, so it was taken as rough; "
            "choose --mask-quality exact, good, fair or rough"
        ]
    pixels = round(abs(verdict.offset) * max(looking.display.w, looking.display.h) / REFERENCE_SIDE)
    if abs(verdict.offset) < _WORTH_SAYING or pixels < _SEEN:
        return []
    side = "large" if verdict.offset > 0 else "small"
    grow = looking.settings.mask_grow - verdict.offset
    return [f"the mask is about {pixels} px too {side}; check it, or correct it with --mask-grow {grow:.0f}"]


def _incomplete(fits: Mapping[int, Fit | None], missing: Sequence[int]) -> list[str]:
    if not missing:
        return []
    left = f"it was judged by frames {sequences.format_range(fits)}" if fits else "it was taken as rough"
    return [
        f"frames {sequences.format_range(missing)} are needed to judge how good the mask is, and are missing; "
        f"{left}. Choose --mask-quality to be sure of the same alphas later"
    ]
