from pathlib import Path

from videomama_client import messages
from videomama_client.setting_spec import CHOICE, NUMBER, YES_NO, SettingSpec, specs_of
from videomama_client.settings import MatteSettings
from videomama_server.cli.settings_tables import tables

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "settings.md"


def reported(*states):
    return messages.EnginesReported("q", list(specs_of(MatteSettings)), list(states))


def test_the_tables_are_printed_of_what_the_server_has(videomama, server):
    said = videomama("engines", "--markdown", "--no-start", "--connection-file", server.connection_file)
    assert said.code == 0
    assert PAGE.read_text().endswith(said.out)


def test_an_engine_of_another_package_has_a_table_as_its_options_are_set():
    own = [
        SettingSpec("strength", NUMBER, None, "How a|b mix.", 0, 1, unit="stops"),
        SettingSpec("look", CHOICE, "soft", "Which way.", choices=("soft", "hard")),
        SettingSpec("invert", YES_NO, False, "Turn it round."),
    ]
    text = tables(reported(messages.EngineState("own", own), messages.EngineState("broken", message="it is broken")))
    assert text.split("## `own`\n")[1].splitlines()[3:] == [
        "| `--set strength=` | number from 0 to 1 stops | `auto` | How a\\|b mix. |",
        "| `--set look=` | `soft` `hard` | `soft` | Which way. |",
        "| `--set invert=` | given or not | no | Turn it round. |",
    ]
    assert "broken" not in text
