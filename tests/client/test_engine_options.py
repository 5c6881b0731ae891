import pytest
from videomama_client.engine_options import EngineOption, read, settled, values
from videomama_client.errors import BadInput
from videomama_client.setting_spec import CHOICE, NUMBER, TEXT, WHOLE_NUMBER, YES_NO, SettingSpec
from videomama_client.settings import MatteSettings

SPECS = (
    SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1),
    SettingSpec("passes", WHOLE_NUMBER, 2, "How often.", 1, 9),
    SettingSpec("look", CHOICE, "soft", "Which way.", choices=("soft", "hard")),
    SettingSpec("note", TEXT, "", "What to write."),
    SettingSpec("invert", YES_NO, False, "Turn it round."),
)


def options(**asked):
    return tuple(EngineOption(name, value) for name, value in asked.items())


def test_words_are_read_by_the_specs_of_the_engine():
    words = ["strength=0.25", "passes=3", "look=hard", "note=a=b", "invert=yes"]
    assert read("grain", SPECS, words) == options(strength=0.25, passes=3, look="hard", note="a=b", invert=True)
    assert read("grain", SPECS, ["note="]) == options(note="")


@pytest.mark.parametrize(
    ("word", "message", "hint"),
    [
        ("strength", "--set strength has no value", "Write NAME=VALUE, such as strength=0.5."),
        ("", "--set '' has no value", "Write NAME=VALUE, such as strength=0.5."),
        ("=1", "the engine grain has no option ''", "There are: strength"),
        ("strenght=1", "the engine grain has no option 'strenght'", "Did you mean strength?"),
        ("strength=2", "engine grain: strength 2 is out of range", "Choose 0 to 1."),
        ("strength=nan", "engine grain: strength nan is out of range", "Choose 0 to 1."),
        ("strength=", "engine grain: strength must be a number, not ''", "Give strength a number."),
        ("passes=1.5", "engine grain: passes must be a whole number, not '1.5'", "Give passes a whole number."),
        ("look=sharp", "engine grain: no look is called 'sharp'", "There are: soft, hard."),
        ("invert=perhaps", "engine grain: invert must be yes or no, not 'perhaps'", "Give invert yes or no."),
    ],
)
def test_a_word_that_cannot_be_is_refused_with_option_and_engine(word, message, hint):
    with pytest.raises(BadInput) as caught:
        read("grain", SPECS, [word])
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_only_options_that_are_not_at_their_defaults_stay_in_one_order():
    asked = options(passes=3, note="", look="hard", strength=1, invert=False)
    assert settled("grain", SPECS, asked) == options(look="hard", passes=3, strength=1.0)
    assert type(settled("grain", SPECS, options(strength=1))[0].value) is float
    assert settled("grain", SPECS, ()) == ()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (options(colour=1), "the engine grain has no option 'colour'"),
        (options(strength=1.5), "engine grain: strength 1.5 is out of range"),
        (options(strength=True), "engine grain: strength must be a number, not True"),
        (options(passes="3"), "engine grain: passes must be a whole number, not '3'"),
        (options(look="sharp"), "engine grain: no look is called 'sharp'"),
        (options(note=3), "engine grain: note must be text, not 3"),
        (options(invert=1), "engine grain: invert must be yes or no, not 1"),
        (options(passes=3) + options(passes=3), "engine grain: the option passes is set twice"),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_option_and_engine(asked, message):
    with pytest.raises(BadInput) as caught:
        settled("grain", SPECS, asked)
    assert caught.value.message == message
    assert caught.value.hint


def test_an_engine_without_options_says_so():
    with pytest.raises(BadInput) as caught:
        settled("classic", (), options(strength=1))
    assert caught.value.message == "the engine classic has no option 'strength'"
    assert caught.value.hint == "This engine has no options of its own; leave --set out."


def test_an_engine_sees_every_option_with_what_was_asked_for():
    seen = {"strength": 0.5, "passes": 4, "look": "soft", "note": "", "invert": False}
    assert values(SPECS, options(passes=4)) == seen
    assert MatteSettings(engine_options=options(passes=4)).options_of(SPECS) == seen
