"""The real programs are stood in for by scripts of the tests, found on a PATH of their own."""

import sys

import pytest
from videomama_client.errors import BadInput, Cancelled
from videomama_server.cli import notify as notifying_module
from videomama_server.cli.notify import _command, notify, notifying


@pytest.fixture
def desktop(tmp_path, monkeypatch):
    """Put a `notify-send` on the PATH that writes its words down: `desktop("echo broken >&2; exit 3")`."""
    if sys.platform != "linux":
        pytest.skip("the stand-in is a shell script under the name of Linux's program")
    said = tmp_path / "said"

    def make(then="exit 0"):
        program = tmp_path / "notify-send"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {said}\n{then}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        return said

    return make


@pytest.fixture
def every_job_is_long(monkeypatch):
    monkeypatch.setattr(notifying_module, "LONG_S", 0.0)


def test_a_long_job_that_is_done_is_notified(desktop, every_job_is_long, capsys):
    said = desktop()
    with notifying(True, "alpha.####.exr"):
        pass
    words = said.read_text().splitlines()
    assert words[-2:] == ["VideoMaMa: alpha.####.exr is done", "It took 0 s."]
    assert capsys.readouterr().err == ""


def test_a_job_that_failed_is_notified_with_its_reason_and_raises(desktop, every_job_is_long):
    said = desktop()
    with pytest.raises(BadInput), notifying(True, "a.exr"):
        raise BadInput('$(reboot); `x` -- "mask" frame 7')
    assert said.read_text().splitlines()[-2:] == ["VideoMaMa: a.exr failed", '$(reboot); `x` -- "mask" frame 7']


@pytest.mark.parametrize("wanted", [True, False])
def test_short_jobs_and_cancelled_ones_and_what_nobody_asked_for_are_not_notified(desktop, monkeypatch, wanted):
    said = desktop()
    with notifying(True, "a.exr"):
        pass
    monkeypatch.setattr(notifying_module, "LONG_S", 0.0)
    with pytest.raises(Cancelled), notifying(wanted, "a.exr"):
        raise Cancelled("cancelled")
    with notifying(False, "a.exr"):
        pass
    assert not said.exists()


def test_where_the_program_is_missing_or_fails_a_note_says_why(
    desktop, every_job_is_long, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with notifying(True, "a.exr"):
        pass
    assert capsys.readouterr().err == "Note: the desktop could not be notified: notify-send is not installed\n"
    desktop("echo no session bus >&2; exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert notify("t", "x") == "no session bus"


def test_a_program_that_hangs_is_given_up(desktop, monkeypatch):
    desktop("sleep 30")
    monkeypatch.setattr(notifying_module, "_ANSWER_S", 0.2)
    assert "no answer within" in notify("t", "x")


@pytest.mark.parametrize(
    ("platform", "program"), [("linux", "notify-send"), ("darwin", "osascript"), ("win32", "powershell")]
)
def test_on_every_system_the_words_are_arguments_and_no_part_of_a_script(monkeypatch, platform, program):
    monkeypatch.setattr(sys, "platform", platform)
    title, text = 'it\'s "done"; rm -rf', "$(x)"
    command = _command(title, text)
    assert command[0] == program
    assert command[-2:] == [title, text]
    assert not any(title in word or text in word for word in command[:-2])
