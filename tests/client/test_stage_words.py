"""Stages in words."""

import pytest
from videomama_client import messages
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.setting_spec import NUMBER, TEXT, SettingSpec
from videomama_client.stage_words import read, read_at, with_types, words_of
from videomama_client.stages import Stage

OPTIONS = [SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1), SettingSpec("title", TEXT, "", "What.")]
STATES = [messages.EngineState("classic"), messages.EngineState("own", OPTIONS)]


class Reporting:
    """A client whose server has these engines."""

    def engines(self):
        return messages.EnginesReported("q", [], STATES)


def stages(*texts):
    return tuple(read_at(Reporting(), words_of(text), number) for number, text in enumerate(texts, 2))


def test_a_stage_is_an_engine_with_its_windows_and_options():
    assert stages("classic") == (Stage("classic"),)
    first, second = stages("own strength=0.25 window=8", "classic overlap=2")
    assert first == Stage("own", (EngineOption("strength", 0.25),), 8, None)
    assert second == Stage("classic", (), None, 2)


def test_values_may_hold_commas_colons_and_in_quotes_spaces():
    assert stages("own title=a,b:c=d") == (Stage("own", (EngineOption("title", "a,b:c=d"),)),)
    assert stages("own title='a b' strength=1") == (
        Stage("own", (EngineOption("strength", 1.0), EngineOption("title", "a b"))),
    )
    assert stages(r"own title=C:\shots\a") == (Stage("own", (EngineOption("title", r"C:\shots\a"),)),)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("", "names no engine", "such as classic"),
        ("window=8", "names no engine", "such as classic"),
        ("own strength", "'strength' has no value", "NAME=VALUE"),
        ("own title='a", "a quote that is not closed", "NAME=VALUE"),
        ("auto strength=1", "names none", "in place of auto"),
        ("classic window=many", "stage 2, classic: window must be a whole number", "whole number"),
        ("classic window=0", "stage 2, classic: window 0 is out of range", "1 to"),
        ("own strength=7", "stage 2, own: engine own: strength 7 is out of range", "0 to 1"),
        ("classic strength=1", "stage 2, classic: the engine classic has no option 'strength'", "There are"),
        ("classic seed=1", "stage 2, classic: --seed is a setting of videomama", "Leave it out"),
        ("passthrough strength=1", "stage 2, passthrough: the engine passthrough has no option", "leave it out"),
        ("nobody strength=1", "stage 2, nobody: unknown engine 'nobody'", "There are"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(text, said, hint):
    with pytest.raises(BadInput) as refused:
        stages(text)
    assert said in refused.value.message
    assert hint in refused.value.hint


class Silent:
    """A client whose server must not be asked."""

    def engines(self):
        raise AssertionError("the server was asked")


@pytest.mark.parametrize("text", ["classic", "adjust grow=2 feather=1", "auto window=8", "own", "own window=8"])
def test_of_an_engine_that_is_known_or_without_options_no_server_is_asked(text):
    stage = read_at(Silent(), words_of(text), 2)
    assert with_types(Silent(), stage, 2) == stage


def test_without_a_server_the_options_of_another_engine_stay_text_until_it_reports_them():
    text = read(words_of("own title='a b' strength=0.25 window=8"), None)
    assert text == Stage("own", (EngineOption("strength", "0.25"), EngineOption("title", "a b")), 8, None)
    assert with_types(Reporting(), text, 2) == Stage(
        "own", (EngineOption("strength", 0.25), EngineOption("title", "a b")), 8, None
    )
    wrong = read(words_of("own strength=7"), None)
    with pytest.raises(BadInput, match="stage 3, own: engine own: strength 7 is out of range"):
        with_types(Reporting(), wrong, 3)


def test_an_option_at_its_default_is_left_out():
    assert stages("adjust grow=0 white=1") == (Stage("adjust"),)
