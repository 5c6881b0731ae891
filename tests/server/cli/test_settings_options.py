import click
import pytest
from click.testing import CliRunner
from videomama_client import messages
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.setting_spec import NUMBER, SettingSpec
from videomama_client.settings import MatteSettings
from videomama_server.cli.settings_options import settings_from, settings_options, with_options

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
    settings = with_options(Reporting(), MatteSettings("own", seed=7), ["strength=0.25"])
    assert settings == MatteSettings("own", seed=7, engine_options=(EngineOption("strength", 0.25),))


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
        ("classic", "strength=1", "the engine classic has no option 'strength'", "no options of its own"),
        ("own2", "strength=1", "no engine is called 'own2'", "Did you mean own?"),
        ("broken", "strength=1", "it is broken", "Install it again."),
    ],
)
def test_what_the_engine_cannot_do_is_refused_with_what_it_can(engine, word, message, hint):
    with pytest.raises(BadInput) as caught:
        with_options(Reporting(), MatteSettings(engine), [word])
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_an_option_needs_an_engine_that_is_named(videomama, make_clip):
    named = [word for word in make_clip(count=1).flags() if word not in ("--engine", "passthrough")]
    said = videomama(*named, "--set", "strength=1")
    assert said.code == 1
    assert "--set strength=1 is for one engine, and none is named" in said.err
    assert "--engine" in said.err


def test_a_real_server_says_that_its_engine_has_no_such_option(videomama, server, make_clip):
    clip = make_clip(count=1)
    said = videomama(*clip.flags("--set", "strength=1", "--connection-file", server.connection_file))
    assert said.code == 1
    assert "the engine passthrough has no option 'strength'" in said.err
    assert not clip.alpha_file(1001).exists()


def test_numbers_are_read_as_what_they_are_and_auto_is_left_open():
    found = []
    command = click.Command("try", params=[], callback=lambda **flags: found.append(settings_from(flags)))
    tried = CliRunner().invoke(
        settings_options(command), ["--mask-slack", "auto", "--trimap-erode", "2.5", "--seed", "3"]
    )
    assert tried.exit_code == 0, tried.output
    (settings,) = found
    assert (settings.mask_slack, settings.trimap_erode, settings.trimap_dilate) == (None, 2.5, None)
    assert settings.seed == 3
