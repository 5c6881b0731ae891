import pytest
from click.testing import CliRunner
from videomama_client import messages
from videomama_client.engine_options import EngineOption
from videomama_client.engine_settings import engines_with
from videomama_client.errors import BadInput
from videomama_client.setting_spec import NUMBER, SettingSpec, specs_of
from videomama_client.settings import MatteSettings
from videomama_server.cli.settings_options import (
    OWN_SPECS,
    CommandWithSettings,
    settings_from,
    settings_options,
    with_options,
)

STATES = [
    messages.EngineState("classic"),
    messages.EngineState("own", [SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1)]),
    messages.EngineState("broken", message="it is broken", hint="Install it again."),
]


class Reporting:
    """A client whose server has these engines; it counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def engines(self):
        self.asked += 1
        return messages.EnginesReported("q", [], STATES)


def test_values_are_read_by_what_the_server_says_of_the_engine():
    settings = with_options(Reporting(), MatteSettings(engine="own", exposure=1.0), ["strength=0.25"])
    assert settings == MatteSettings("own", exposure=1.0, engine_options=(EngineOption("strength", 0.25),))


def test_a_job_without_such_options_asks_nothing():
    client = Reporting()
    assert with_options(client, MatteSettings("own"), []) == MatteSettings("own")
    assert client.asked == 0


@pytest.mark.parametrize(
    ("engine", "word", "message", "hint"),
    [
        ("own", "strength=7", "engine own: strength 7 is out of range", "Choose 0 to 1."),
        ("own", "width=7", "the engine own has no option 'width'", "There are: strength."),
        ("own", "strength", "--set strength has no value", "NAME=VALUE"),
        ("classic", "strength=1", "the engine classic has no option 'strength'", "There are: quality"),
        ("passthrough", "strength=1", "the engine passthrough has no option 'strength'", "no options of its own"),
        ("auto", "strength=1", "no engine that auto may take has an option 'strength'", "Name the engine"),
        ("own", "seed=1", "--seed is a setting of videomama; the engine own has no such option", "Leave it out"),
        ("own2", "strength=1", "unknown engine 'own2'", "Did you mean own?"),
        ("broken", "strength=1", "it is broken", "Install it again."),
    ],
)
def test_what_the_engine_cannot_do_is_refused_with_what_it_can(engine, word, message, hint):
    with pytest.raises(BadInput) as caught:
        with_options(Reporting(), MatteSettings(engine), [word])
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_options_of_our_engines_are_read_without_asking_the_server():
    client = Reporting()
    settings = with_options(client, MatteSettings.of(engine="classic", mask_slack=3.0), ["quality=fast"])
    assert settings == MatteSettings.of(engine="classic", mask_slack=3.0, quality="fast")
    assert with_options(client, MatteSettings(), ["seed=7"]) == MatteSettings.of(seed=7)
    assert client.asked == 0


def test_an_option_that_is_given_in_both_ways_is_refused():
    with pytest.raises(BadInput, match="--quality is set twice"):
        with_options(Reporting(), MatteSettings.of(engine="classic", quality="fast"), ["quality=high"])


def test_a_setting_of_ours_is_an_option_of_another_packages_engine_that_has_it():
    states = [messages.EngineState("own", [SettingSpec("mask_threshold", NUMBER, 0.5, "Where.", 0, 1)])]
    client = Reporting()
    client.engines = lambda: messages.EnginesReported("q", [], states)
    asked = MatteSettings.of(engine="own", mask_threshold=0.25)
    assert with_options(client, asked, []) == asked
    with pytest.raises(BadInput, match="--seed is a setting of videomama; the engine own has no such option"):
        with_options(client, MatteSettings.of(engine="own", seed=1), [])


def test_a_real_server_says_that_its_engine_has_no_such_option(videomama, server, make_clip):
    clip = make_clip(count=1)
    said = videomama(*clip.flags("--set", "strength=1", "--connection-file", server.connection_file))
    assert said.code == 2
    assert "the engine passthrough has no option 'strength'" in said.err
    assert not clip.alpha_file(1001).exists()


def tried(*words):
    """Run a command with these words; return its result and the settings that it was given."""
    found = []
    callback = lambda **flags: found.append(settings_from(flags))  # noqa: E731
    command = settings_options(CommandWithSettings("try", params=[], callback=callback))
    return CliRunner().invoke(command, words), found


def test_numbers_are_read_as_what_they_are_and_auto_is_left_open():
    result, found = tried("--mask-slack", "auto", "--trimap-erode", "2.5", "--seed", "3")
    assert result.exit_code == 0, result.output
    assert found == [MatteSettings.of(trimap_erode=2.5, seed=3)]


def test_what_is_not_given_is_no_request_to_the_engine():
    assert tried("--engine", "passthrough")[1] == [MatteSettings("passthrough")]
    assert tried("--engine", "own", "--soft-mask")[1] == [MatteSettings.of(engine="own", soft_mask=True)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--engine", "videomama", "--mask-slack", "3"), "--mask-slack is a setting of classic"),
        (("--engine", "videomama", "--mask-slack", "auto"), "--mask-slack is a setting of classic"),
        (("--engine", "classic", "--seed", "42"), "--seed is a setting of videomama"),
        (("--engine", "classic", "--soft-mask"), "--soft-mask is a setting of videomama"),
    ],
    ids=str,
)
def test_a_setting_that_does_nothing_for_the_engine_is_refused_even_at_its_default(words, said):
    result, found = tried(*words)
    assert found == []
    assert said in result.exception.message


def test_the_help_lists_the_settings_of_an_engine_under_its_name():
    text = tried("--help-all")[0].output
    parts = dict(part.split(":\n", 1) for part in text.split("\n\n")[1:])
    for spec in specs_of(MatteSettings):
        assert f"{spec.option} " in parts["Options"]
    for name, spec in OWN_SPECS.items():
        owners = engines_with(name)
        heading = f"Settings of the engine{'s' if len(owners) > 1 else ''} {' and '.join(owners)}"
        assert f"  {spec.option} " in parts[heading]
        assert f"  {spec.option} " not in parts["Options"]
    assert "[default: 42]" in parts["Settings of the engine videomama"]
