"""What an evaluation is asked for: which engines with which settings, which masks, which measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from videomama_client.errors import BadInput
from videomama_client.settings import QUALITIES, MatteSettings
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
CONN_PIXELS = 1920 * 1080  # of a picture; CONN of a larger one is taken only when it is asked for
_NOT_TO_SET = frozenset({"engine", "plate_layer", "mask_channel", "view", "mask_colour", "weights"})
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


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
    """

    conn: bool | None = None
    shape: bool = False
    foreground: bool = False

    def of(self, pixels: int, has_foreground: bool) -> tuple[str, ...]:
        """Return the names of the measures for pictures of so many pixels."""
        conn = pixels <= CONN_PIXELS if self.conn is None else self.conn
        taken = tuple(name for name in ALWAYS if conn or name != "conn")
        return taken + SHAPE * self.shape + FOREGROUND * (self.foreground and has_foreground)


MEASURES = (*ALWAYS, *SHAPE, *FOREGROUND)
assert set(MEASURES) <= {*metrics.MEASURES, FLICKER}


def parse_engine(text: str, config: Config) -> AskedEngine:
    """Read `classic`, `classic:fast` or `videomama:canvas=1024x576,feedback=1`.

    Raises:
        BadInput: there is no such engine or setting, or its value makes no sense.
        WeightsError: the engine's weights are not there.
    """
    engine, _, words = text.partition(":")
    settings = MatteSettings(engine=engine)
    for word in filter(None, words.split(",")):
        name, is_set, value = word.partition("=")
        name, value = (name, value) if is_set else ("quality", name)
        settings = replace(settings, **{name: _value(text, name, value)})
    settings.check()
    return AskedEngine(text, settings, _signature(engine, config))


def parse_masks(text: str, seed: int = 0) -> AskedMasks:
    """Read `given`, or a degradation as `degrade.parse` does.

    Raises:
        BadInput: there is no such degradation.
    """
    return AskedMasks(text, None if text == GIVEN else degrade.parse(text, seed))


def without_twins(asked: Sequence[Any]) -> list[Any]:
    """Return what is asked for in order, each once by name."""
    return list({one.name: one for one in asked}.values())


def _value(text: str, name: str, value: str) -> Any:
    kinds = {known.name: str(known.type) for known in fields(MatteSettings) if known.name not in _NOT_TO_SET}
    if name not in kinds:
        raise BadInput(f"{text!r} sets {name!r}, which is not a setting", choices(name, kinds))
    if name == "quality" and value not in QUALITIES:
        raise BadInput(f"{text!r}: {value!r} is not a valid quality", choices(value, QUALITIES))
    try:
        if kinds[name] == "bool":
            return (_YES + _NO).index(value.lower()) < len(_YES)
        return {"int": int, "Optional[int]": int, "float": float, "str": str}[kinds[name]](value)
    except ValueError as error:
        raise BadInput(f"{text!r} sets {name} to {value!r}, which it cannot be", f"It is {kinds[name]}.") from error


def _signature(engine: str, config: Config) -> str:
    engine_config = EngineConfig.of(config)
    return engines.signature(engines.resolve(engine, engine_config), engine_config)
