from dataclasses import dataclass, replace
from typing import Optional

import pytest
from videomama_client import wire
from videomama_client.errors import BadInput, ProtocolError
from videomama_client.setting_spec import (
    CHOICE,
    NUMBER,
    TEXT,
    WHOLE_NUMBER,
    YES_NO,
    Range,
    SettingSpec,
    check,
    parsed,
    setting,
    specs_of,
)


@dataclass(frozen=True)
class Own:
    strength: float = setting(0.5, "How much.", within=Range(0, 1, "stops"))
    passes: int = setting(2, "How often.", within=Range(low=1))
    length: Optional[int] = setting(None, "How long.")
    kind: str = setting("soft", "Which way.", choices=("soft", "hard"))
    note: str = setting("", "What to write.", in_key=False)
    invert: bool = setting(False, "Turn it round.")
    made: int = 3  # no setting


@dataclass(frozen=True)
class Told:
    specs: tuple[SettingSpec, ...]


STRENGTH, PASSES, LENGTH, KIND, NOTE, INVERT = specs_of(Own)


def test_the_settings_of_a_dataclass_are_known_in_order():
    assert specs_of(Own) == (
        SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1, (), "stops"),
        SettingSpec("passes", WHOLE_NUMBER, 2, "How often.", 1),
        SettingSpec("length", WHOLE_NUMBER, None, "How long."),
        SettingSpec("kind", CHOICE, "soft", "Which way.", choices=("soft", "hard")),
        SettingSpec("note", TEXT, "", "What to write."),
        SettingSpec("invert", YES_NO, False, "Turn it round."),
    )
    assert Own() == Own(0.5, 2, None, "soft", "", False, 3)


def test_what_a_person_reads_names_the_unit():
    assert STRENGTH.explanation == "How much. Unit: stops."
    assert KIND.explanation == "Which way."
    assert NOTE.explanation == "What to write."
    assert SettingSpec("mask_slack", NUMBER, 0.0, "").option == "--mask-slack"


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        (STRENGTH, 0),
        (STRENGTH, 1.0),
        (PASSES, 1),
        (PASSES, 2**63 - 1),
        (LENGTH, None),
        (LENGTH, -(2**63) + 1),
        (KIND, "hard"),
        (NOTE, ""),
        (INVERT, True),
        (replace(STRENGTH, low=None, high=None), -1e300),
    ],
)
def test_a_value_within_its_bounds_is_right(spec, value):
    check(spec, value, "--set x")


@pytest.mark.parametrize(
    ("spec", "value", "message", "hint"),
    [
        (STRENGTH, 1.5, "x 1.5 is out of range", "Choose 0 to 1."),
        (STRENGTH, -0.1, "x -0.1 is out of range", "Choose 0 to 1."),
        (STRENGTH, float("nan"), "x nan is out of range", "Choose 0 to 1."),
        (STRENGTH, "much", "x must be a number, not 'much'", "Give x a number."),
        (STRENGTH, True, "x must be a number, not True", "Give x a number."),
        (STRENGTH, None, "x must be a number, not None", "Give x a number."),
        (replace(STRENGTH, low=None), 2, "x 2 is out of range", "Choose 1 or less."),
        (replace(STRENGTH, low=None, high=None), float("inf"), "x inf is out of range", "Choose a smaller number."),
        (replace(STRENGTH, high=None), 10**400, "x so large is out of range", "Choose 0 or more."),
        (PASSES, 0, "x 0 is out of range", "Choose 1 or more."),
        (PASSES, 2**63, "x 9.22337e+18 is out of range", "Choose 1 or more."),
        (PASSES, 2 * 10**300, "x so large is out of range", "Choose 1 or more."),
        (PASSES, 10**400, "x so large is out of range", "Choose 1 or more."),
        (LENGTH, -(2**63), "x -9.22337e+18 is out of range", "Choose a smaller number."),
        (PASSES, 2.0, "x must be a whole number, not 2.0", "Give x a whole number."),
        (PASSES, False, "x must be a whole number, not False", "Give x a whole number."),
        (KIND, "sotf", "unknown x 'sotf'", "Did you mean soft? There are: soft, hard."),
        (KIND, 1, "x must be text, not 1", "Give x text."),
        (NOTE, 1, "x must be text, not 1", "Give x text."),
        (INVERT, 1, "x must be yes or no, not 1", "Give x yes or no."),
        (INVERT, "yes", "x must be yes or no, not 'yes'", "Give x yes or no."),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_can(spec, value, message, hint):
    with pytest.raises(BadInput) as caught:
        check(spec, value, "x")
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        (STRENGTH, "0.25", 0.25),
        (STRENGTH, "1", 1.0),
        (PASSES, "12", 12),
        (KIND, "hard", "hard"),
        (NOTE, "a = b", "a = b"),
        (INVERT, "Yes", True),
        (INVERT, "on", True),
        (INVERT, "0", False),
        (INVERT, "false", False),
    ],
)
def test_a_text_is_read_by_the_kind_of_its_setting(spec, text, value):
    read = parsed(spec, text, "x")
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("spec", "text", "message"),
    [
        (STRENGTH, "much", "x must be a number, not 'much'"),
        (STRENGTH, "", "x must be a number, not ''"),
        (STRENGTH, "nan", "x nan is out of range"),
        (STRENGTH, "2", "x 2 is out of range"),
        (PASSES, "1.5", "x must be a whole number, not '1.5'"),
        (PASSES, "0", "x 0 is out of range"),
        (KIND, "sharp", "unknown x 'sharp'"),
        (INVERT, "maybe", "x must be yes or no, not 'maybe'"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(spec, text, message):
    with pytest.raises(BadInput) as caught:
        parsed(spec, text, "x")
    assert caught.value.message == message
    assert caught.value.hint


def test_a_setting_is_the_same_after_the_wire():
    message = Told((*specs_of(Own), SettingSpec("seed", WHOLE_NUMBER, 42, "Random.", 0, 2**63 - 1)))
    assert wire.decode(wire.encode(message), {"Told": Told}) == message


def test_a_setting_on_the_wire_has_a_value_for_its_default():
    packed = wire.encode(Told((replace(NOTE, default=("a", "b")),)))
    with pytest.raises(ProtocolError) as caught:
        wire.decode(packed, {"Told": Told})
    assert caught.value.message == "SettingSpec.default must be bool or int or float or str, not list"


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        (WHOLE_NUMBER, 2**63 - 1, True),
        (WHOLE_NUMBER, 2**63, False),
        (WHOLE_NUMBER, -(2**63) + 1, True),
        (NUMBER, 1.7e308, True),
        (NUMBER, float("inf"), False),
        (NUMBER, float("nan"), False),
        (NUMBER, 10**400, False),
        (NUMBER, True, False),
        (WHOLE_NUMBER, 1.0, False),
        (YES_NO, True, True),
        (YES_NO, 1, False),
        (TEXT, 1, False),
    ],
)
def test_a_value_is_of_its_kind_and_fits_into_a_message(kind, value, fits):
    spec = SettingSpec("strength", kind, None, "Help.")
    if fits:
        check(spec, value, "--strength")
        return
    with pytest.raises(BadInput) as raised:
        check(spec, value, "--strength")
    assert raised.value.message.startswith("--strength ")


@pytest.mark.parametrize(
    ("low", "high", "hint"),
    [
        (None, None, "Choose a smaller number."),
        (1, None, "Choose 1 or more."),
        (None, 5, "Choose 5 or less."),
        (1, 5, "Choose 1 to 5."),
    ],
)
def test_bounds_are_included_and_the_hint_names_them(low, high, hint):
    spec = SettingSpec("strength", NUMBER, 1.0, "Help.", low, high)
    for bound in (low, high):
        if bound is not None:
            check(spec, bound, "--strength")
            with pytest.raises(BadInput) as raised:
                check(spec, bound + (-0.5 if bound == low else 0.5), "--strength")
            assert raised.value.hint == hint
    with pytest.raises(BadInput) as raised:
        check(spec, 10**400, "--strength")
    assert (raised.value.message, raised.value.hint) == ("--strength so large is out of range", hint)
    assert check(SettingSpec("s", NUMBER, None, "Help."), None, "--s") is None
    with pytest.raises(BadInput):
        check(spec, None, "--strength")


@pytest.mark.parametrize(
    ("text", "value"), [("Yes", True), (" on ", True), ("1", True), ("TRUE", True), ("off", False), ("0", False)]
)
def test_yes_and_no_have_several_words(text, value):
    assert parsed(SettingSpec("s", YES_NO, False, "Help."), text, "--s") is value


def test_units_stand_behind_the_help():
    spec = SettingSpec("mask_slack", NUMBER, None, "Help.", unit="pixels")
    assert (spec.option, spec.explanation) == ("--mask-slack", "Help. Unit: pixels.")
    assert SettingSpec("s", NUMBER, None, "Help.").explanation == "Help."


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(setting) == {"in_key": True}
