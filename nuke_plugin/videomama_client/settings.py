"""The settings of a job: all that changes the pixels of an alpha, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NewType, Optional

from videomama_client.engine_options import EngineOption, settled, specs_known, values
from videomama_client.engine_settings import PIXELS, records_of
from videomama_client.errors import BadInput
from videomama_client.setting_spec import Range, SettingSpec, Value, check, setting, settings_in, specs_of

LONGEST_WINDOW = 256  # frames


@dataclass(frozen=True)
class MatteSettings:
    """All that changes pixels. Part of the request, and of the key of every cache entry.

    The fields are what all engines share; each says what it is for and what it can be: see `setting_spec.specs_of`.
    What an engine has of its own is in `engine_options`. For engines of this project `engine_settings` has a record of
    it, which reads it with types: `ClassicSettings.of(settings)`.
    """

    engine: str = setting("auto", "Engine that computes the alpha. auto takes the best that this machine can run.")
    window: Optional[int] = setting(
        None,
        "How much of the clip the engine sees at once. The default is the engine's own.",
        within=Range(1, LONGEST_WINDOW, "frames"),
    )
    overlap: Optional[int] = setting(
        None,
        "How much of the clip neighbouring windows share. The default is the engine's own.",
        within=Range(0, LONGEST_WINDOW // 2, "frames"),
    )
    roi: str = setting(
        "auto", "Region of interest: auto, off, or x,y,w,h in pixels from the plate's upper left corner, y down."
    )
    plate_layer: str = setting("", "Layer that holds the plate's R, G and B; by default the main one.", in_key=False)
    mask_channel: str = setting(
        "", "Channel that holds the mask; by default A, else the only channel, else R.", in_key=False
    )
    view: str = setting(
        "",
        "View of stereo files, such as left; %V and %v in patterns stand for it and its first letter.",
        in_key=False,
    )
    mask_colour: str = setting(
        "",
        "In a mask of colours, those that are subject, such as '#800000 #008000' or '128,0,0; 0,128,0'; "
        "by default all but black. --mask-channel then names their layer.",
        in_key=False,
    )
    colorspace: str = setting(
        "auto",
        "The plate's OpenColorIO colour space. auto is what the file declares, "
        "else linear Rec.709 for float pixels and sRGB for integer ones.",
    )
    exposure: float = setting(
        0.0,
        "Exposure added before the engine sees the plate, for very dark or bright shots. "
        "The plate itself stays as it is.",
        within=Range(-32, 32, "stops"),
    )
    mask_grow: float = setting(
        0.0,
        "Grow the mask, or shrink it where negative, before anything else.",
        within=Range(-200, 200, PIXELS),
    )
    mask_close_holes: float = setting(
        0.0, "Close holes and gaps of the mask up to this wide, before it grows.", within=Range(0, 200, PIXELS)
    )
    engine_options: tuple[EngineOption, ...] = ()

    @classmethod
    def of(cls, /, **values: Any) -> MatteSettings:
        """Make settings from values by name: fields, and for every other name an option of the engine.

        Example:
            >>> MatteSettings.of(engine="classic", mask_slack=3.0).option("mask_slack")
            3.0

        An option that is None is left to the engine. Nothing is checked; see `check`.
        """
        fields = {spec.name for spec in specs_of(cls)} | {"engine_options"}
        options = {name: values.pop(name) for name in list(values) if name not in fields}
        return cls(**values).with_options(**options)

    def check(self) -> None:
        """Raise `BadInput` for a value that cannot be used, or an option that the engine does not have.

        Of an engine of another package only the server knows its options.
        """
        for spec in specs_of(MatteSettings):
            check(spec, getattr(self, spec.name), spec.option)
        parse_colours(self.mask_colour)
        self.without_defaults()
        for record in records_of(self.engine):
            record.of(self).check()

    def plain(self) -> dict[str, Any]:
        """Return all values by name, as JSON can hold them.

        `engine_options` is there only where there are some: what was written before there were any stays the same.

        Example:
            >>> MatteSettings("classic").plain()["roi"]
            'auto'
        """
        plain = {spec.name: getattr(self, spec.name) for spec in specs_of(MatteSettings)}
        if self.engine_options:
            plain["engine_options"] = {option.name: option.value for option in self.engine_options}
        return plain

    def key_fields(self) -> dict[str, Any]:
        """Return the values that are part of the key of a cache entry, by name.

        Which file channels were read is in the digests of what was read.
        """
        beside = {known.name for known in settings_in(self) if not known.metadata["in_key"]}
        return {name: value for name, value in self.plain().items() if name not in beside}

    def option(self, name: str) -> Optional[Value]:
        """Return the value that an option of the engine was given; None where it was given none."""
        return next((option.value for option in self.engine_options if option.name == name), None)

    def with_options(self, /, **values: Optional[Value]) -> MatteSettings:
        """Return the settings with other values of some options of the engine; None leaves one to the engine.

        Example:
            >>> MatteSettings("classic").with_options(mask_slack=3.0).option("mask_slack")
            3.0
        """
        kept = tuple(option for option in self.engine_options if option.name not in values)
        given = tuple(EngineOption(name, value) for name, value in values.items() if value is not None)
        return replace(self, engine_options=tuple(sorted((*kept, *given), key=lambda option: option.name)))

    def without_defaults(self) -> MatteSettings:
        """Return the settings without options at their defaults, where the engine is one of this project, or `auto`.

        Raises:
            BadInput: the engine does not have one of the options, or it cannot take that value.
        """
        known = specs_known(self.engine)
        if known is None:
            return self
        return replace(self, engine_options=settled(self.engine, known, self.engine_options))

    def options_of(self, specs: Iterable[SettingSpec]) -> dict[str, Optional[Value]]:
        """Return the value of each of an engine's own options by name: what was asked for, else its default."""
        return values(specs, self.engine_options)


Resolved = NewType("Resolved", MatteSettings)
"""Settings of one job in which an engine has decided all that was left open: nothing in them is `auto` or None.

Only an engine's `resolve` makes them, so that raw ones never get into a computation or a key.
"""


def parse_colours(text: str) -> tuple[tuple[int, int, int], ...]:
    """Read colours such as ``#800000 #008000`` or ``128,0,0; 0,128,0`` as red, green and blue, 0..255 each.

    Raises:
        BadInput: not colours.
    """
    return tuple(_colour(word) for word in re.split(r"[;\s]+|,(?=#)", re.sub(r",\s+", ",", text)) if word)


def _colour(word: str) -> tuple[int, int, int]:
    if re.fullmatch(r"#[0-9a-fA-F]{6}", word):
        red, green, blue = bytes.fromhex(word[1:])
        return red, green, blue
    numbers = [int(number) for number in word.split(",")] if re.fullmatch(r"\d{1,3}(,\d{1,3}){2}", word) else [256]
    if max(numbers) > 255:
        raise BadInput(
            f"mask colour {word!r} is not a colour", "Write it as #800000 or 128,0,0; separate several by spaces."
        )
    return numbers[0], numbers[1], numbers[2]
