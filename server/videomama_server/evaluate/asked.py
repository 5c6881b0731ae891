"""What an evaluation is asked for: which engines with which settings, which masks, which measures."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from videomama_client.engine_options import check_names, settled, specs_known
from videomama_client.engine_settings import AUTO, engines_with
from videomama_client.errors import BadInput, VideoMaMaError
from videomama_client.prompts import MASK as KEY_MASK
from videomama_client.setting_spec import SettingSpec, Value, parsed, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.wording import choices

from videomama_server import engines, metrics
from videomama_server.config import Config
from videomama_server.engines.base import EngineConfig
from videomama_server.synthetic import degrade

GIVEN = "given"  # the masks that came with the data
FIRST, EVERY, GUIDANCE = "first", "every", "guidance"
MASK = "mask"  # stands where an engine's name does, for the masks themselves
FLICKER = "flicker"
ALWAYS = ("mad", "mse", "grad", "conn", "dtssd", "mad_t", "messddt", FLICKER)
SHAPE = ("j", "f")
JF = "jf"  # the mean of both
FOREGROUND = ("foreground_mad", "foreground_mse")
BLIND = (*metrics.WITHOUT_TRUTH, FLICKER)  # of a clip without exact alpha
CONN_PIXELS = 1920 * 1080  # of a picture; CONN of a larger one is taken only when it is asked for
_NOT_TO_SET = frozenset({"engine", "plate_layer", "mask_channel", "view", "mask_colour"})
_WEIGHTS = "weights"
_LONGEST = 80  # letters of the name of an engine's folder
_SHARED = {spec.name: spec for spec in specs_of(MatteSettings)}


@dataclass(frozen=True)
class AskedEngine:
    """An engine with settings.

    Attributes:
        name: as the person wrote it.
        settings: that go to the server.
        signature: differs where the alphas may.
        own: names of the settings that the person gave.
    """

    name: str
    settings: MatteSettings
    signature: str
    own: frozenset[str] = frozenset()

    @property
    def slug(self) -> str:
        """Name of its folder, on any system."""
        plain = "".join(letter if letter.isalnum() or letter in "-_.," else "-" for letter in self.name)
        if _WEIGHTS not in self.own:
            return plain
        return f"{plain[:_LONGEST]}-{zlib.crc32(self.name.encode()):08x}"  # paths are long, and may look alike as words

    def guided(self, guidance: str) -> AskedEngine:
        """Return it guided by `first` or `every` mask, where it has that choice and the person left it open."""
        has_choice = any(spec.name == GUIDANCE for spec in specs_known(self.settings.engine) or ())
        if not guidance or not has_choice or GUIDANCE in self.own:
            return self
        return replace(self, settings=self.settings.with_options(**{GUIDANCE: guidance}))


@dataclass(frozen=True)
class Maker:
    """An engine that follows the mask of the first frame.

    Attributes:
        name: of the engine; also of the masks beside the data that it need not make.
        signature: differs where its masks may; empty where it cannot run here.
        missing: why it cannot; None where it can.
    """

    name: str
    signature: str
    missing: VideoMaMaError | None = None


@dataclass(frozen=True)
class AskedMasks:
    """Masks of one kind; without `degradation` and `maker` those of the data.

    Attributes:
        name: as the person wrote it.
        degradation: of the exact alpha.
        maker: of masks that follow that of the first frame.
        guidance: what engines with a choice of it are guided by: `first` or `every` mask; empty leaves it to them.
    """

    name: str
    degradation: degrade.Degradation | None = None
    maker: Maker | None = None
    guidance: str = ""


@dataclass(frozen=True)
class MeasureChoice:
    """Which measures are taken.

    Attributes:
        conn: whether CONN is; None for pictures up to `CONN_PIXELS`.
        shape: whether J and F are.
        foreground: whether foreground colour is made and measured, where its truth is known.
        only: these and no others, whatever else is chosen; empty for all.
        inner: the first and the last frame of a clip do not count, as in DAVIS.

    A clip without exact alpha gets those of `BLIND`, whatever is asked for.
    """

    conn: bool | None = None
    shape: bool = False
    foreground: bool = False
    only: tuple[str, ...] = ()
    inner: bool = False

    @property
    def decides(self) -> dict[str, Any]:
        """What of it decides figures; what is left at its default is not named, so that earlier results stay valid."""
        later = {"only": self.only, "inner": self.inner}
        chosen = {"conn": self.conn, "shape": self.shape, "foreground": self.foreground}
        return chosen | {name: value for name, value in later.items() if value}

    def of(self, pixels: int, has_foreground: bool) -> tuple[str, ...]:
        """Return the names of the measures for pictures of so many pixels."""
        conn = pixels <= CONN_PIXELS if self.conn is None else self.conn
        if self.only:
            return tuple(name for name in self.only if conn or name != "conn")
        taken = tuple(name for name in ALWAYS if conn or name != "conn")
        return taken + SHAPE * self.shape + FOREGROUND * (self.foreground and has_foreground)


MEASURES = (*ALWAYS, JF, *SHAPE, *FOREGROUND, *metrics.WITHOUT_TRUTH)
assert set(MEASURES) <= {*metrics.MEASURES, *BLIND, JF}


def parse_engine(text: str, config: Config) -> AskedEngine:
    """Read `classic`, `classic:fast` or `videomama:canvas=1024x576,feedback=1`.

    Raises:
        BadInput: the engine or a setting is unknown, or a value is not valid.
        WeightsError: the engine's weights are not there.
    """
    engine, _, words = text.partition(":")
    said = [_word(word) for word in filter(None, words.split(","))]
    engine_config = _with_weights(EngineConfig.of(config), engine, dict(said))
    resolved = engines.resolve(engine, engine_config)
    own = {spec.name: spec for spec in specs_known(engine) or engines.options(resolved)}
    hidden = _NOT_TO_SET | ({_WEIGHTS} if engine == AUTO else set())
    specs = {name: spec for name, spec in (_SHARED | own).items() if name not in hidden}
    asked: dict[str, Value | None] = {}
    for name, value in said:
        _check_known(text, engine, own, specs, name)
        asked[name] = _value(text, specs[name], value)
    if asked.get(_WEIGHTS):
        asked[_WEIGHTS] = str(engine_config.weights)
    settings = MatteSettings.of(engine=engine, **asked)
    settings = replace(settings, engine_options=settled(engine, own.values(), settings.engine_options))
    settings.check()
    return AskedEngine(text, settings, engines.signature(resolved, engine_config), frozenset(asked))


def _word(word: str) -> tuple[str, str]:
    """Return name and value of a setting; a value alone is a quality."""
    name, is_set, value = word.partition("=")
    return (name, value) if is_set else ("quality", name)


def _with_weights(told: EngineConfig, engine: str, said: Mapping[str, str]) -> EngineConfig:
    """Return what the engine is told where it has weights of its own, such as those of a training.

    The folder is absolute: the server has another working folder.
    """
    named = said.get(_WEIGHTS)
    return replace(told, weights=Path(named).absolute()) if named and engine != AUTO else told


def parse_masks(text: str, seed: int = 0, config: Config | None = None) -> AskedMasks:
    """Read `given`, a degradation as `degrade.parse` does, or masks that an engine makes, `sam2` or `sam2+first`.

    Args:
        text: to read.
        seed: of a degradation.
        config: says where the weights of such an engine are.

    Raises:
        BadInput: there is no such degradation, nor such an engine.
    """
    if text == GIVEN:
        return AskedMasks(text)
    engine, _, first = text.partition("+")
    if engine in degrade.SHAPES or not _follows(engine) or first not in ("", FIRST):
        return AskedMasks(text, degrade.parse(text, seed))
    return AskedMasks(text, maker=_maker(engine, EngineConfig.of(config or Config())), guidance=first)


def _follows(engine: str) -> bool:
    """Whether an engine makes masks of a key mask, plug-ins too."""
    return engine in engines.names() and engines.role(engine) == "maker" and KEY_MASK in engines.takes(engine)


def _maker(name: str, config: EngineConfig) -> Maker:
    try:
        return Maker(name, engines.signature(engines.resolve(name, config), config))
    except VideoMaMaError as error:  # masks of that name may lie beside the data
        return Maker(name, "", error)


def without_twins(asked: Sequence[Any]) -> list[Any]:
    """Return what is asked for in order, each once by name."""
    return list({one.name: one for one in asked}.values())


def _check_known(
    text: str, engine: str, own: Mapping[str, SettingSpec], specs: Mapping[str, SettingSpec], name: str
) -> None:
    """Raise `BadInput` for what is not a setting of the engine, or not to be set here."""
    if name in specs:
        return
    if name not in own and engines_with(name):
        check_names(engine, own.values(), [name])
    raise BadInput(f"{text!r} sets {name!r}, which is not a setting", choices(name, specs))


def _value(text: str, spec: SettingSpec, value: str) -> Value | None:
    """Return a value, or None where `auto` leaves it open."""
    if value == "auto" and spec.default is None:
        return None
    try:
        return parsed(spec, value, spec.name)
    except BadInput as error:
        raise BadInput(f"{text!r}: {error.message}", error.hint) from error
