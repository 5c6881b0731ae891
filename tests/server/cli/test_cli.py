"""The command line as a whole: its help, its exit codes, and a config that is wrong, whatever the command."""

import errno
import json
import os
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete
from videomama_client import __version__
from videomama_client.errors import BadInput, Cancelled
from videomama_server import cli
from videomama_server.cli.usage import WrongUse


def run_process(*words: object, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "videomama_server", *map(str, words)]
    return subprocess.run(command, capture_output=True, timeout=60, **options)


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_help_lists_every_command(videomama, words):
    said = videomama(*words)
    assert said.code == 0
    assert all(f"  {name} " in said.out for name in cli._COMMANDS)


def test_help_imports_no_command_and_nothing_that_takes_long():
    said_at_exit = "atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    asked = f"import atexit, sys\nfrom videomama_server import cli\n{said_at_exit}\ncli.main()"
    ran = subprocess.run([sys.executable, "-c", asked, "--help"], capture_output=True, text=True, timeout=60)
    assert "Usage: " in ran.stdout
    imported = set(ran.stderr.split())
    assert "videomama_server.cli" in imported
    assert not imported & {"numpy", "cv2", "OpenImageIO", "PyOpenColorIO", "scipy", "zmq", "rich", "torch"}
    assert {name for name in imported if name.startswith("videomama_server.cli.")} == {"videomama_server.cli.usage"}


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_a_command_is_listed_with_the_first_sentence_of_its_docstring(name):
    with click.Context(cli.videomama) as context:
        listed = cli.videomama.get_command(context, name)
        called = cli.videomama.resolve_command(context, [name])[1]
    assert called.callback
    assert listed.help == called.get_short_help_str(sys.maxsize) != ""


def test_completion_offers_commands_in_their_order_and_options_of_the_one_that_is_called():
    complete = ShellComplete(cli.videomama, {}, "videomama", "_VIDEOMAMA_COMPLETE")
    assert [item.value for item in complete.get_completions([], "")] == list(cli._COMMANDS)
    assert [(item.value, item.help) for item in complete.get_completions([], "sta")] == [
        ("status", "Show the state of the server and its jobs.")
    ]
    assert "--plate" in [item.value for item in complete.get_completions(["matte"], "--p")]
    assert [item.value for item in complete.get_completions(["cache"], "st")] == ["stat"]


@pytest.mark.parametrize("command", cli._COMMANDS)
def test_every_command_has_help(videomama, command):
    said = videomama(command, "--help")
    assert said.code == 0
    assert said.out.startswith("Usage: ")
    assert "--help" in said.out


def test_version(videomama):
    said = videomama("--version")
    assert (said.code, said.out) == (0, f"videomama, version {__version__}\n")


def test_no_command_shows_the_help(videomama):
    said = videomama()
    assert "Usage: " in said.out + said.err
    assert said.code in (0, 2)


@pytest.mark.parametrize("words", [["nonsense"], ["matte", "--nonsense"], ["cache", "nonsense"], ["status", "extra"]])
def test_words_that_are_no_command_are_a_usage_error(videomama, words):
    said = videomama(*words)
    assert said.code == 2
    assert "Usage: " in said.err
    assert words[-1] in said.err


def test_the_module_and_its_exit_code_as_a_process(tmp_path):
    assert run_process("--version").stdout.decode().strip().endswith(__version__)
    failed = run_process("status", "--connection-file", tmp_path / "none.json")
    assert failed.returncode == 1
    assert b"Error: no server runs here" in failed.stderr
    assert b"videomama serve" in failed.stderr


def test_a_broken_config_file_is_reported(videomama, monkeypatch, tmp_path):
    (tmp_path / "config.toml").write_text("port = [")
    monkeypatch.setenv("VIDEOMAMA_CONFIG", str(tmp_path / "config.toml"))
    said = videomama("cache", "stat")
    assert said.code == 1
    assert str(tmp_path / "config.toml") in said.err


def test_a_bad_environment_variable_is_reported(videomama, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_PORT", "harbour")
    said = videomama("status")
    assert said.code == 1
    assert "$VIDEOMAMA_PORT" in said.err


def test_an_error_as_json_has_every_field_and_none_for_what_is_not_known():
    bare = {"code": "bad-input", "message": "odd", "hint": None, "role": None, "frame": None, "file": None}
    assert cli.as_fields(BadInput("odd", "")) == bare
    placed = cli.as_fields(BadInput("odd", "Do this.").at("mask", 0))
    assert placed == {**bare, "message": placed["message"], "hint": "Do this.", "role": "mask", "frame": 0}


def test_a_command_that_almost_exists_is_guessed(videomama):
    said = videomama("mattte")
    assert (said.code, "No such command 'mattte'. Did you mean matte?" in said.err) == (2, True)
    assert "No such command 'xyzzy'.\n" in videomama("xyzzy").err


ERRORS = [
    (Cancelled("stopped"), 130, "Cancelled. What was finished is kept.\n", "cancelled"),
    (KeyboardInterrupt(), 130, "Cancelled. What was finished is kept.\n", "cancelled"),
    (click.Abort(), 130, "Cancelled. What was finished is kept.\n", "cancelled"),
    (WrongUse("odd words", "Use others."), 2, "Error: odd words\nUse others.\n", "usage"),
    (BadInput("odd pixels", "Use others."), 1, "Error: odd pixels\nUse others.\n", "bad-input"),
    (BadInput("odd pixels", ""), 1, "Error: odd pixels\n", "bad-input"),
    (
        RuntimeError("odd"),
        1,
        "Error: RuntimeError: odd\nThis is a fault of videomama: report it.\n",
        "internal",
    ),
    (OSError("odd"), 1, "Error: OSError: odd\nThis is a fault of videomama: report it.\n", "internal"),
]


@pytest.mark.parametrize(("error", "code", "text", "kind"), ERRORS, ids=lambda value: type(value).__name__)
def test_every_error_of_a_command_becomes_a_message_or_an_object_and_an_exit_code(
    videomama, monkeypatch, error, code, text, kind
):
    def fail(**_):
        raise error

    monkeypatch.setattr(cli.videomama, "main", fail)
    said = videomama("status")
    assert (said.code, said.out, said.err) == (code, "", text)
    told = videomama("status", "--json")
    assert (told.code, told.err, json.loads(told.out)["code"]) == (code, "", kind)
    assert videomama("status", "--", "--json").out == ""


def test_an_error_of_a_file_names_it_and_is_no_fault_of_ours(videomama, monkeypatch):
    def fail(**_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/shots/a.exr")

    monkeypatch.setattr(cli.videomama, "main", fail)
    said = videomama("status")
    assert (said.code, "/shots/a.exr" in said.err, "fault of videomama" in said.err) == (1, True, False)


def test_a_wrong_command_line_is_an_object_with_the_way_to_its_help(videomama):
    told = json.loads(videomama("status", "--json", "--nonsense").out)
    assert (told["code"], told["hint"]) == ("usage", "Try 'videomama status --help' for help.")
    assert "--nonsense" in told["message"]


def test_an_error_of_one_object_names_it():
    assert cli.as_fields(BadInput("odd", ""))["frame"] is None
    error = BadInput("odd", "")
    error.object = "hero"
    assert cli.as_fields(error)["object"] == "hero"
