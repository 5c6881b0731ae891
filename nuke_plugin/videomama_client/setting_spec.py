"""What is known of one setting: its kind, default, bounds, choices and help, the same for code, clients and wire."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any, Optional, TypeVar, Union, cast, get_args, get_type_hints

from videomama_client.errors import BadInput
from videomama_client.wording import choices as choices_hint

NUMBER = "number"
WHOLE_NUMBER = "whole number"
TEXT = "text"
CHOICE = "choice"
YES_NO = "yes/no"
Number = Union[int, float]
Value = Union[bool, int, float, str]

_KINDS: dict[Any, str] = {bool: YES_NO, int: WHOLE_NUMBER, float: NUMBER, str: TEXT}
_TYPES: dict[str, tuple[type, ...]] = {
    NUMBER: (int, float),
    WHOLE_NUMBER: (int,),
    TEXT: (str,),
    CHOICE: (str,),
    YES_NO: (bool,),
}
_WANTED = {NUMBER: "a number", WHOLE_NUMBER: "a whole number", TEXT: "text", CHOICE: "text", YES_NO: "yes or no"}
_LARGEST = {NUMBER: sys.float_info.max, WHOLE_NUMBER: 2**63 - 1}  # that a message can hold
_YES = ("yes", "true", "on", "1")
_NO = ("no", "false", "off", "0")
_LARGEST_SHOWN = 10**300  # above, Python has no float of it
T = TypeVar("T")


@dataclass(frozen=True)
class SettingSpec:
    """One setting as code and clients know it; also a record inside `EnginesReported`.

    Fields:
        name: of the field, or of an engine's own option.
        kind: `number`, `whole number`, `text`, `choice` or `yes/no`.
        default: None where the engine or the server decides.
        help: sentences for a person, without unit, bounds and default.
        low, high: of a number, both included; None for no bound.
        choices: the values of a choice; empty for all other kinds.
        unit: of a number, such as `frames`; empty for none.
    """

    name: str
    kind: str
    default: Optional[Value]
    help: str
    low: Optional[Number] = None
    high: Optional[Number] = None
    choices: tuple[str, ...] = ()
    unit: str = ""

    @property
    def option(self) -> str:
        """The command line's option for it, such as `--mask-threshold`."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def explanation(self) -> str:
        """The help with the unit, as the command line and Nuke show it."""
        return f"{self.help} Unit: {self.unit}." if self.unit else self.help


@dataclass(frozen=True)
class Range:
    """The numbers that a setting can take: `low` and `high` included, None for no bound, in a unit."""

    low: Optional[Number] = None
    high: Optional[Number] = None
    unit: str = ""


def setting(
    default: T,
    help: str,  # noqa: A002 - what it is called everywhere
    *,
    within: Range = Range(),
    choices: tuple[str, ...] = (),
    in_key: bool = True,
) -> T:
    """Return a dataclass field that is a setting.

    Args:
        default: its value where nobody says otherwise.
        help: sentences for a person, without unit, bounds and default.
        within: of a number.
        choices: of a text that is one of these.
        in_key: whether the value itself is part of the key of a cache entry.
    """
    metadata = {"help": help, "within": within, "choices": choices, "in_key": in_key}
    return field(default=default, metadata=metadata)


def settings_in(kind: Any) -> Iterator[Field[Any]]:
    """Yield the fields of a dataclass that are settings, in order."""
    return (known for known in fields(kind) if "help" in known.metadata)


def specs_of(kind: type) -> tuple[SettingSpec, ...]:
    """Return what is known of the settings of a dataclass whose fields are made by `setting`, in order."""
    return _specs_of(kind)


@cache
def _specs_of(kind: type) -> tuple[SettingSpec, ...]:
    hints = get_type_hints(kind)
    return tuple(_spec(known, hints[known.name]) for known in settings_in(kind))


def _spec(known: Field[Any], hint: Any) -> SettingSpec:
    plain = next(_KINDS[part] for part in (hint, *get_args(hint)) if part in _KINDS)
    said, within = known.metadata, known.metadata["within"]
    return SettingSpec(
        name=known.name,
        kind=CHOICE if said["choices"] else plain,
        default=cast("Any", known.default),
        help=said["help"],
        low=within.low,
        high=within.high,
        choices=said["choices"],
        unit=within.unit,
    )


def check(spec: SettingSpec, value: object, written: str) -> None:
    """Raise `BadInput` for a value that the setting cannot take.

    Args:
        spec: of the setting.
        value: None is right where the default is None.
        written: the setting's name as the person knows it, such as `--mask-threshold`.
    """
    if value is None and spec.default is None:
        return
    if not isinstance(value, _TYPES[spec.kind]) or (isinstance(value, bool) and spec.kind != YES_NO):
        raise _wrong_kind(spec, value, written)
    if spec.kind == CHOICE and value not in spec.choices:
        raise BadInput(f"unknown {written.lstrip('-')} {value!r}", choices_hint(str(value), spec.choices))
    if spec.kind in (NUMBER, WHOLE_NUMBER):
        _check_bounds(spec, cast("Number", value), written)


def parsed(spec: SettingSpec, text: str, written: str) -> Value:
    """Return the value that a text stands for, such as `0.5`, `yes` or `soft`.

    Args:
        spec: of the setting.
        text: as the person wrote it.
        written: the setting's name as the person knows it.

    Raises:
        BadInput: a value that the setting cannot take.
    """
    value = _read(spec, text, written)
    check(spec, value, written)
    return value


def yes_or_no(text: str) -> Optional[bool]:
    """Return what a word such as `yes` or `off` says; None for any other text."""
    word = text.strip().casefold()
    return word in _YES if word in _YES + _NO else None


def _read(spec: SettingSpec, text: str, written: str) -> Value:
    try:
        if spec.kind == NUMBER:
            return float(text)
        if spec.kind == WHOLE_NUMBER:
            return int(text)
    except ValueError:
        raise _wrong_kind(spec, text, written) from None
    if spec.kind != YES_NO:
        return text
    answer = yes_or_no(text)
    if answer is None:
        raise _wrong_kind(spec, text, written)
    return answer


def _wrong_kind(spec: SettingSpec, value: object, written: str) -> BadInput:
    wanted = _WANTED[spec.kind]
    return BadInput(f"{written} must be {wanted}, not {value!r}", f"Give {written} {wanted}.")


def _check_bounds(spec: SettingSpec, value: Number, written: str) -> None:
    low, high = spec.low, spec.high
    above, below = low is None or value >= low, high is None or value <= high
    if above and below and abs(value) <= _LARGEST[spec.kind]:  # false for NaN and infinity
        return
    shown = f"{value:g}" if isinstance(value, float) or abs(value) < _LARGEST_SHOWN else "so large"
    raise BadInput(f"{written} {shown} is out of range", _bounds_hint(low, high))


def _bounds_hint(low: Optional[Number], high: Optional[Number]) -> str:
    if low is None and high is None:
        return "Choose a smaller number."
    if high is None:
        return f"Choose {low:g} or more."
    return f"Choose {high:g} or less." if low is None else f"Choose {low:g} to {high:g}."
