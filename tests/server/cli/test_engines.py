import json

import pytest
from videomama_client import messages
from videomama_client.engine_settings import RECORDS, engines_with, own_specs
from videomama_client.setting_spec import CHOICE, NUMBER, WHOLE_NUMBER, YES_NO, SettingSpec, specs_of
from videomama_client.settings import MatteSettings
from videomama_server.cli.engines import _listed

OWN = (
    SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1, unit="stops"),
    SettingSpec("passes", WHOLE_NUMBER, 2, "How often.", low=1),
    SettingSpec("look", CHOICE, "soft", "Which way.", choices=("soft", "hard")),
    SettingSpec("invert", YES_NO, False, "Turn it round."),
)


@pytest.fixture
def ours(videomama, server):
    """Run the command for the shared server."""
    return lambda *words: videomama(*words, "--connection-file", server.connection_file)


def sections(text):
    """The lines of each section by its heading, joined."""
    parts = [part.partition(":\n") for part in text.split("\n\n") if part.strip()]
    return {heading: " ".join(body.split()) for heading, _, body in parts}


def test_every_engine_is_listed_with_the_settings_that_it_reads(ours):
    said = ours("engines", "--no-start")
    assert said.code == 0
    listed = sections(said.out)
    engines = ["videomama", "classic", "vitmatte (refiner)", "mematte (refiner)", "adjust (adjustment)", "passthrough"]
    engines += [
        "held (maker of masks from key masks)",
        "sam2 (maker of masks from clicks, boxes, key masks)",
        "sam3 (maker of masks from clicks, boxes, words, key masks)",
        "sam2matte (alphas too from clicks, boxes, key masks)",
    ]
    assert list(listed) == ["Settings for every engine", *engines]
    found = {heading.partition(" (")[0]: heading for heading in listed}
    headings = dict.fromkeys(specs_of(MatteSettings), ("Settings for every engine",))
    headings |= {spec: engines_with(spec.name) for spec in own_specs().values()}
    for spec, engines in headings.items():
        for heading in (found[engine] for engine in engines):
            assert f"{spec.option} " in listed[heading]
            assert spec.help in listed[heading]
    assert "--mask-slack" not in listed["videomama"]
    assert "[from 0 to 200 pixels of a plate 1920 wide]" in listed["classic"]
    assert "[from 0.001 to 1; default: 0.5]" in listed["classic"]
    assert "--quality high|fast" in listed["classic"]
    assert "[from -100 to 100 pixels of a plate 1920 wide; default: 0.0]" in listed["adjust (adjustment)"]
    assert listed["passthrough"] == "No settings of its own."


def test_the_list_is_one_json_object(ours):
    told = json.loads(ours("engines", "--json").out)
    assert [engine["name"] for engine in told["engines"]] == list(RECORDS)
    assert {spec["name"]: spec["default"] for spec in told["settings"]} == {
        spec.name: spec.default for spec in specs_of(MatteSettings)
    }
    assert told.keys() == {"settings", "engines"}


def test_options_of_an_engines_own_are_listed_as_they_are_set():
    told = messages.EnginesReported("q", [], [messages.EngineState("own", list(OWN))])
    assert sections(_listed(told))["own"] == (
        "--set strength=NUMBER How much. [from 0 to 1 stops; default: 0.5] "
        "--set passes=INTEGER How often. [from 1; default: 2] "
        "--set look=soft|hard Which way. [default: soft] "
        "--set invert=yes|no Turn it round."
    )


def test_an_engine_that_is_not_for_matting_is_listed_with_its_role():
    told = messages.EnginesReported("q", [], [messages.EngineState("own", list(OWN), role="refiner")])
    assert list(sections(_listed(told))) == ["Settings for every engine", "own (refiner)"]


def test_an_engine_that_cannot_be_used_is_listed_with_the_reason():
    told = messages.EnginesReported("q", [], [messages.EngineState("own", [], "it is broken", "Install it again.")])
    assert sections(_listed(told))["own"] == "it is broken. Install it again."


def test_without_a_server_none_is_started_if_that_is_asked(videomama, tmp_path):
    said = videomama("engines", "--no-start", "--connection-file", tmp_path / "none.json")
    assert said.code == 1
    assert "no server" in said.err
