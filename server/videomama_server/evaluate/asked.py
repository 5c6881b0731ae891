"""What an evaluation is asked for: which engines with which settings, which masks, which measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from videomama_client.engine_options import check_names, settled, specs_known
from videomama_client.engine_settings import engines_with
from videomama_client.errors import BadInput
from videomama_client.setting_spec import SettingSpec, Value, parsed, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.wording import choices

from videomama_server import engines, metrics
from videomama_server.config import Config
from videomama_server.engines.base import EngineConfig
from videomama_server.synthetic import degrade

GIVEN = "given"  # the masks that came with the data
MASK = "mask"  # stands where an engine's name does, for the masks themselves
FLICKER = "flicker"
ALWAYS = ("mad", "mse", "grad", "conn", "dtssd", "mad_t", "messddt", FLICKER)
SHAPE = ("j", "f")
FOREGROUND = ("foreground_mad", "foreground_mse")
BLIND = (*metrics.WITHOUT_TRUTH, FLICKER)  # of a clip without exact alpha
CONN_PIXELS = 1920 * 1080  # of a picture; CONN of a larger one is taken only when it is asked for
_NOT_TO_SET = frozenset({"engine", "plate_layer", "mask_channel", "view", "mask_colour", "weights"})
_SHARED = {spec.name: spec for spec in specs_of(MatteSettings)}


@dataclass(frozen=True)
class AskedEngine:
    """An engine with settings.

    Attributes:
        name: as the person wrote it.
        settings: that go to the server.
        signature: differs where the alphas may.
    """

    name: str
    settings: MatteSettings
    signature: str

    @property
    def slug(self) -> str:
        """Name of its folder, on any system."""
        return "".join(letter if letter.isalnum() or letter in "-_.," else "-" for letter in self.name)


@dataclass(frozen=True)
class AskedMasks:
    """Masks of one kind: `degradation` of the exact alpha, None for those of the data."""

    name: str
    degradation: degrade.Degradation | None


@dataclass(frozen=True)
class MeasureChoice:
    """Which measures are taken.

    Attributes:
        conn: whether CONN is; None for pictures up to `CONN_PIXELS`.
        shape: whether J and F are.
        foreground: whether foreground colour is made and measured, where its truth is known.

    A clip without exact alpha gets those of `BLIND`, whatever is asked for.
    """

    conn: bool | None = None
    shape: bool = False
    foreground: bool = False

    def of(self, pixels: int, has_foreground: bool) -> tuple[str, ...]:
        """Return the names of the measures for pictures of so many pixels."""
        conn = pixels <= CONN_PIXELS if self.conn is None else self.conn
        taken = tuple(name for name in ALWAYS if conn or name != "conn")
        return taken + SHAPE * self.shape + FOREGROUND * (self.foreground and has_foreground)


MEASURES = (*ALWAYS, *SHAPE, *FOREGROUND, *metrics.WITHOUT_TRUTH)
assert set(MEASURES) <= {*metrics.MEASURES, *BLIND}


def parse_engine(text: str, config: Config) -> AskedEngine:
    """Read `classic`, `classic:fast` or `videomama:canvas=1024x576,feedback=1`.

    Raises:
        BadInput: there is no such engine or setting, or its value makes no sense.
        WeightsError: the engine's weights are not there.
    """
    engine, _, words = text.partition(":")
    engine_config = EngineConfig.of(config)
    resolved = engines.resolve(engine, engine_config)
    own = {spec.name: spec for spec in specs_known(engine) or engines.options(resolved)}
    specs = {name: spec for name, spec in (_SHARED | own).items() if name not in _NOT_TO_SET}
    asked: dict[str, Value | None] = {}
    for word in filter(None, words.split(",")):
        name, is_set, value = word.partition("=")
        name, value = (name, value) if is_set else ("quality", name)
        _check_known(text, engine, own, specs, name)
        asked[name] = _value(text, specs[name], value)
    settings = MatteSettings.of(engine=engine, **asked)
    settings = replace(settings, engine_options=settled(engine, own.values(), settings.engine_options))
    settings.check()
    return AskedEngine(text, settings, engines.signature(resolved, engine_config))


def parse_masks(text: str, seed: int = 0) -> AskedMasks:
    """Read `given`, or a degradation as `degrade.parse` does.

    Raises:
        BadInput: there is no such degradation.
    """
    return AskedMasks(text, None if text == GIVEN else degrade.parse(text, seed))


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
