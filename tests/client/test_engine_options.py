import pytest
from videomama_client.engine_options import EngineOption, check_names, read, settled, specs_known, values
from videomama_client.engine_settings import ClassicSettings, VideoMaMaSettings
from videomama_client.errors import BadInput
from videomama_client.setting_spec import CHOICE, NUMBER, TEXT, WHOLE_NUMBER, YES_NO, SettingSpec, specs_of
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
        ("look=sharp", "engine grain: unknown look 'sharp'", "There are: soft, hard."),
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
        (options(look="sharp"), "engine grain: unknown look 'sharp'"),
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
        settled("passthrough", (), options(strength=1))
    assert caught.value.message == "the engine passthrough has no option 'strength'"
    assert caught.value.hint == "This engine has no options of its own; leave it out."


@pytest.mark.parametrize(
    ("engine", "name", "message", "hint"),
    [
        (
            "videomama",
            "mask_slack",
            "--mask-slack is a setting of classic; the engine videomama has no such option",
            "Leave it out, or choose --engine classic.",
        ),
        (
            "classic",
            "seed",
            "--seed is a setting of videomama; the engine classic has no such option",
            "Leave it out, or choose --engine videomama.",
        ),
        (
            "passthrough",
            "quality",
            "--quality is a setting of videomama and classic; the engine passthrough has no such option",
            "Leave it out, or choose --engine videomama.",
        ),
        ("classic", "mask_slak", "the engine classic has no option 'mask_slak'", "Did you mean mask_slack?"),
        ("auto", "mask_slak", "no engine that auto may take has an option 'mask_slak'", "Did you mean mask_slack?"),
        ("auto", "strength", "no engine that auto may take has an option 'strength'", "Name the engine with --engine"),
    ],
)
def test_an_option_that_does_nothing_for_the_engine_is_refused_by_name(engine, name, message, hint):
    for ask in (
        lambda: settled(engine, specs_known(engine), options(**{name: 1})),
        lambda: check_names(engine, specs_known(engine), [name]),
        lambda: read(engine, specs_known(engine), [f"{name}=1"]),
        lambda: MatteSettings.of(engine=engine, **{name: 1}).check(),
    ):
        with pytest.raises(BadInput) as caught:
            ask()
        assert caught.value.message == message
        assert hint in caught.value.hint


def test_an_engine_of_another_package_does_not_have_the_settings_of_ours():
    with pytest.raises(BadInput, match="--seed is a setting of videomama; the engine grain has no such option"):
        settled("grain", SPECS, options(seed=1))


def test_values_for_our_engines_are_named_as_on_the_command_line():
    with pytest.raises(BadInput) as caught:
        settled("classic", specs_known("classic"), options(mask_slack=300.0))
    assert caught.value.message == "--mask-slack 300 is out of range"


def test_the_options_of_our_engines_are_known_and_those_of_others_are_not():
    assert specs_known("classic") == specs_of(ClassicSettings)
    assert specs_known("passthrough") == ()
    assert specs_known("grain") is None
    both = {*specs_of(ClassicSettings), *specs_of(VideoMaMaSettings)}
    assert len(specs_known("auto")) == len(both)
    assert set(specs_known("auto")) == both


def test_an_engine_sees_every_option_with_what_was_asked_for():
    seen = {"strength": 0.5, "passes": 4, "look": "soft", "note": "", "invert": False}
    assert values(SPECS, options(passes=4)) == seen
    assert MatteSettings(engine_options=options(passes=4)).options_of(SPECS) == seen
