"""What an engine is: the small Protocol between engines and the pipeline that feeds them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from videomama_client.engine_options import settled
from videomama_client.engine_settings import EngineSettings, OutlineSettings
from videomama_client.errors import BadInput
from videomama_client.mask_presets import PRESETS, ROUGH
from videomama_client.setting_spec import SettingSpec, specs_of
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.stages import MATTING

from videomama_server.arrays import FloatArray
from videomama_server.config import Config
from videomama_server.media.color import Lookup

PROTOCOL = (
    1  # version of `EngineKind` and of what is loaded: raised when an engine that was written for them must be changed
)


def _no_room() -> bool:
    return False


def _nothing_held(device: str) -> int:  # noqa: ARG001
    return 0


class FrameRefused(BadInput):
    """An engine cannot prepare a frame for a reason that others of the job may share: the job then names all of them.

    The message is true of one frame and of several.
    """


class DeviceLost(RuntimeError):
    """The device cannot be used any more by this process: the worker ends, and the next one takes its jobs up."""


@dataclass(frozen=True)
class RegionRule:
    """How an engine likes the region of interest that is found from the masks.

    Attributes:
        padding_share: of the region's side, added on every side.
        padding_pixels: added at least, in pixels of a plate 1920 wide.
        reach: how far outside the mask's outline the engine looks for soft edges, in pixels of a plate 1920 wide;
            what the mask is grown by comes on top.
        multiple: of pixels that the region is rounded out to.
        minimum_gain: share of the plate that the region must spare; if it does not, the whole plate is taken.
        fixed: one rectangle for the whole job even where no region is asked for.
        whole: the engine sees the whole plate, whatever region is asked for.
    """

    padding_share: float = 0.1  # what a tracker's mask commonly leaves out (hair, motion blur)
    padding_pixels: float = 48.0  # the default trimap (dilate 40) and room for its filters
    reach: float = PRESETS[ROUGH].trimap_dilate
    multiple: int = 8
    minimum_gain: float = 0.0
    fixed: bool = False
    whole: bool = False


def _untold(done: int, total: int) -> None:
    """Tell nobody: there is no job that waits."""


@dataclass(frozen=True)
class EngineConfig:
    """What the server's config says to engines: where things are, and how much of the machine may be used.

    Attributes:
        weights: folder of the weights, or a file, in any published layout.
        folded_dir: folder that weights are kept in once they are made ready.
        device, dtype: what to run on and compute in; `auto` leaves it to the engine.
        max_vram_gb: memory of the device that may be used; 0 for all that is free.
        compile: whether networks are compiled: `auto`, `on`, `off`.
        make_room: has another engine, the least recently used that holds something, let go of it; returns whether
            there was one. To be called where memory is short, before less is made of a job. For the job's own thread.
        others_hold: returns the bytes that other engines hold of a device, such as `cuda:0`.
        tell_loading: takes how many bytes of how many are loaded of the weights, for the person who waits. May be
            called from any thread.
    """

    weights: Path
    folded_dir: Path
    device: str = "auto"
    dtype: str = "auto"
    max_vram_gb: float = 0.0
    compile: str = "auto"
    make_room: Callable[[], bool] = field(default=_no_room, compare=False, repr=False)
    others_hold: Callable[[str], int] = field(default=_nothing_held, compare=False, repr=False)
    tell_loading: Callable[[int, int], None] = field(default=_untold, compare=False, repr=False)

    @classmethod
    def of(cls, config: Config) -> EngineConfig:
        """Return what the server's config says to engines."""
        return cls(
            weights=config.weights,
            folded_dir=config.folded_dir,
            device=config.device,
            dtype=config.dtype,
            max_vram_gb=config.max_vram_gb,
            compile=config.compile,
        )


@dataclass
class EngineFrame:
    """One frame of the region of interest, as engines see it.

    Attributes:
        number: absolute frame number.
        mask: (H, W) float32, 0..1, finite.
        full_size: (height, width) in pixels of the whole plate, the measure that radii scale with.
        load_plate: makes `plate`; called at most once, and only by engines that look at the plate.
        plate_key, mask_key: say what the pixels are: equal keys, equal pixels; empty where that is not known.
        as_read: (H, W, 3) float32: the plate before its conversion; None where only `load_plate` has it.
        lookup: the conversion, for an engine that does it on its device; None where `load_plate` has to.
    """

    number: int
    mask: FloatArray
    full_size: tuple[int, int]
    load_plate: Callable[[], FloatArray]
    plate_key: str = ""
    mask_key: str = ""
    as_read: FloatArray | None = None
    lookup: Lookup | None = None

    @cached_property
    def plate(self) -> FloatArray:
        """(H, W, 3) float32, 0..1, finite: the plate, display-referred (sRGB)."""
        return self.load_plate()


@dataclass(frozen=True)
class WindowShape:
    """How many frames an engine sees at once, and how many of them neighbouring windows share.

    Attributes:
        length, overlap: in frames.
        context: estimates are completed in groups, the frames at home in one window, with so many frames before and
            after them to look at; None where each frame is completed on its own.
    """

    length: int
    overlap: int
    context: int | None = None


class EngineKind(Protocol):
    """What an engine says of itself before it is made, as class methods that need no weights.

    An engine whose module is light is one class, which answers for itself and makes itself; see `PlainEngine`.
    """

    name: ClassVar[str]
    protocol: ClassVar[int]  # the `PROTOCOL` that it was written for

    @classmethod
    def runs_well(cls, config: EngineConfig) -> bool:
        """Whether `auto` may mean this engine on this machine; what takes long to find out is asked last."""
        ...

    @classmethod
    def identity(cls, config: EngineConfig) -> Hashable:
        """Return what a loaded engine stays the right one for; weights that were replaced change it.

        Raises:
            WeightsError: there are no weights where the engine needs some.
            ModuleNotFoundError: a package that it needs is not installed.
        """
        ...

    @classmethod
    def shape(cls, settings: MatteSettings) -> WindowShape:
        """Return the shape of windows where the settings ask for none."""
        ...

    @classmethod
    def options(cls) -> tuple[SettingSpec, ...]:
        """Return the settings of its own, beside those of `MatteSettings`; jobs that ask for others are refused."""
        ...

    @classmethod
    def load(cls, config: EngineConfig) -> Loaded:
        """Make the engine.

        Raises:
            WeightsError: its weights are missing or wrong.
            BadInput: the config names a device or number format that is not there.
            ModuleNotFoundError: a package that it needs is not installed.
        """
        ...


def has_setting(engine: object, *names: str) -> bool:
    """Whether an engine, by its kind or itself, has settings of these names; one without `options` has none."""
    options: Callable[[], Sequence[SettingSpec]] = getattr(engine, "options", tuple)
    return set(names) <= {spec.name for spec in options()}


def moves_outlines(engine: object) -> bool:
    """Whether an engine has the settings of `OutlineSettings`, whose numbers the pipeline decides for it."""
    return has_setting(engine, *(spec.name for spec in specs_of(OutlineSettings)))


def role_of(engine: object) -> str:
    """Return which part in a chain of stages an engine plays, by its kind or itself: its attribute `role`.

    Without one it is `MATTING`.
    """
    return str(getattr(engine, "role", MATTING))


def needs_device(engine: object) -> bool:
    """Whether an engine holds memory of a device that others of a job may need, by its kind or itself.

    It does where it has an attribute of this name that is true.
    """
    return bool(getattr(engine, "needs_device", False))


def fits(engine: object, settings: Resolved) -> bool:
    """Whether an engine that `needs_device` can compute now, beside what other engines hold, if it can tell.

    It tells by a method of this name, which is asked before each window. One without it fits only where no other engine
    holds anything.
    """
    tell: Callable[[Resolved], bool] | None = getattr(engine, "fits", None)
    return tell is not None and tell(settings)


def give_back_memory(engine: object) -> None:
    """Have an engine return memory of a device that it keeps and does not use, if it has a method of this name."""
    give_back = getattr(engine, "give_back_memory", None)
    if give_back is not None:
        give_back()


def licence_of(engine: object, settings: MatteSettings) -> str:
    """Return the licence of the weights that an engine makes alphas with, in a few words; empty where it says none.

    It says one where it has a method `licence`, which is given the settings of the job.
    """
    said = getattr(engine, "licence", None)
    return str(said(settings)) if said is not None else ""


class Loaded(Protocol):
    """What all engines have once they are loaded, those of windows (`Engine`) and those with a memory (`sequential`).

    `shape`, `rule` and `resolve` are asked once per job.
    """

    @property
    def name(self) -> str:
        """The name that jobs ask for."""
        ...

    fingerprint: str  # changes whenever the same input would give other pixels

    def shape(self, settings: MatteSettings) -> WindowShape:
        """Return the shape of windows where the settings ask for none."""
        ...

    def rule(self, settings: MatteSettings) -> RegionRule:
        """Return how the region of interest is found."""
        ...

    def resolve(self, settings: MatteSettings, size: tuple[int, int]) -> Resolved:
        """Return the settings with all decided that changes pixels; options that change none have their defaults.

        Args:
            settings: with window and overlap decided, and the three numbers of `OutlineSettings` where it has them.
            size: (height, width) in pixels of the region of interest.

        Raises:
            BadInput: settings that this engine does not have or cannot follow.
            OutOfMemory: nothing of this size can be computed here.
        """
        ...

    def describe(self, settings: Resolved) -> str:
        """Say in one line what a job with these settings runs on and how; empty when there is nothing to say."""
        ...

    def usage(self) -> EngineUsage | None:
        """Return what the engine holds of a device; None for an engine that holds nothing worth telling."""
        ...

    def release(self) -> None:
        """Free what the engine holds; it may be used again."""
        ...


class Engine(Loaded, Protocol):
    """A way of computing alpha.

    `prepare` is called once per frame, by several threads at a time and also while the engine computes, and its result
    reused by every window that holds the frame; it depends on that frame and the settings alone. `refine` is called
    once per window; the pipeline cross-fades what overlapping windows estimate of a frame. `complete` turns the
    cross-faded estimates into alphas, or what `finish` makes alphas of, which several threads do while the engine
    computes on. All are deterministic, and none may depend on which frames a job asked for.
    """

    def prepare(self, frame: EngineFrame, settings: Resolved) -> Any:
        """Return what `refine` and `complete` need of one frame."""
        ...

    def refine(self, prepared: Sequence[Any], settings: Resolved) -> FloatArray:
        """Return a float32 array (T, ...): what the T consecutive frames of one window are estimated to be."""
        ...

    def complete(
        self, estimates: Sequence[FloatArray], prepared: Sequence[Any], wanted: Sequence[int], settings: Resolved
    ) -> list[FloatArray]:
        """Return what `finish` takes, float32 arrays, at the positions `wanted` of consecutive frames.

        Args:
            estimates: cross-faded; of one frame, or of a group where the engine asks for context.
            prepared: of the same frames.
            wanted: positions in them.
            settings: of the job.
        """
        ...

    def finish(self, completed: FloatArray, prepared: Any, settings: Resolved) -> FloatArray:
        """Return the alpha (H, W), float32, 0..1, of one frame: all that needs no device. For any thread.

        Args:
            completed: what `complete` returned for the frame.
            prepared: of the same frame.
            settings: of the job.
        """
        ...


@dataclass(frozen=True)
class EngineUsage:
    """What an engine holds.

    Attributes:
        device: such as `cuda:0 NVIDIA L4`; the first word tells devices apart.
        dtype: of the arithmetic.
        resident_bytes: of the weights that stay on the device.
        peak_bytes: the most that was in use at once; None where that cannot be known.
    """

    device: str
    dtype: str
    resident_bytes: int
    peak_bytes: int | None


class LoadedDefaults(ABC):
    """What most engines of either kind have in common: nothing to decide, nothing held."""

    name: ClassVar[str]
    protocol: ClassVar[int]
    fingerprint: str
    window: WindowShape
    record: ClassVar[type[EngineSettings]] = EngineSettings

    def __init__(self, config: EngineConfig | None = None) -> None:  # noqa: B027  (a default)
        """Need nothing of the config."""

    @classmethod
    def runs_well(cls, config: EngineConfig) -> bool:  # noqa: ARG003
        """Return True: it runs anywhere."""
        return True

    @classmethod
    def identity(cls, config: EngineConfig) -> Hashable:  # noqa: ARG003
        """Return the name: it has no weights that could be replaced."""
        return cls.name

    @classmethod
    def shape(cls, settings: MatteSettings) -> WindowShape:  # noqa: ARG003
        """Return the engine's own shape, whatever the settings."""
        return cls.window

    @classmethod
    def options(cls) -> tuple[SettingSpec, ...]:
        """Return what is known of the settings in its record."""
        return specs_of(cls.record)

    @classmethod
    def load(cls, config: EngineConfig) -> Self:
        """Make one of this class."""
        return cls(config)

    def rule(self, settings: MatteSettings) -> RegionRule:  # noqa: ARG002
        """Return the common rule."""
        return RegionRule()

    def resolve(self, settings: MatteSettings, size: tuple[int, int]) -> Resolved:  # noqa: ARG002
        """Return the settings, without options at their defaults; an option that it does not have is refused."""
        asked = settled(self.name, self.options(), settings.engine_options)
        return Resolved(replace(settings, engine_options=asked))

    def describe(self, settings: Resolved) -> str:  # noqa: ARG002
        """Return nothing: it runs anywhere, and always in the same way."""
        return ""

    def usage(self) -> EngineUsage | None:
        """Return None: what it holds is small."""
        return None

    def release(self) -> None:  # noqa: B027  (a default)
        """Hold nothing, free nothing."""


class PlainEngine(LoadedDefaults):
    """What most engines have in common: nothing to decide, estimates that are alphas, nothing held.

    A subclass gives `name`, `protocol`, `fingerprint`, `window`, `prepare` and `refine`, and `record` where it has
    settings of its own. It is its own `EngineKind`.
    """

    @abstractmethod
    def prepare(self, frame: EngineFrame, settings: Resolved) -> Any:
        """Return what `refine` needs of one frame."""

    @abstractmethod
    def refine(self, prepared: Sequence[Any], settings: Resolved) -> FloatArray:
        """Return the alphas (T, H, W), float32, 0..1, of the T consecutive frames of one window."""

    def complete(
        self,
        estimates: Sequence[FloatArray],
        prepared: Sequence[Any],  # noqa: ARG002
        wanted: Sequence[int],
        settings: Resolved,  # noqa: ARG002
    ) -> list[FloatArray]:
        """Return the estimates: they are alphas."""
        return [estimates[position] for position in wanted]

    def finish(self, completed: FloatArray, prepared: Any, settings: Resolved) -> FloatArray:  # noqa: ARG002
        """Return what was completed: it is an alpha."""
        return completed
