import os
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest
from videomama_server.cli.bar import Bar, frames_bar

WORK = """
    import time
    from rich.progress import TaskProgressColumn
    from videomama_server.cli.bar import Bar, frames_bar

    with Bar(TaskProgressColumn()) as bar:
        task = bar.shown.add_task("[b] of work", total=4)
        bar.shown.update(task, completed=2)
        bar.say("a [sentence] above")
"""


def test_without_a_terminal_there_is_no_bar_and_sentences_are_lines(capsys):
    with Bar() as bar:
        assert bar.shown is None
        bar.say("a [sentence]")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "a [sentence]\n")


def test_without_a_terminal_a_bar_of_frames_prints_its_last_state(capsys):
    with frames_bar("[b] of frames", 3) as tell:
        tell(1001)
        tell(1002)
    said = capsys.readouterr()
    assert said.out == ""
    assert "[b] of frames" in said.err
    assert "2/3" in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are those of POSIX")
def test_in_a_terminal_a_bar_is_shown_and_names_are_no_markup():
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-c", textwrap.dedent(WORK)]
    with subprocess.Popen(command, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        with suppress(OSError):  # all have let go of the other end
            while True:
                said += os.read(ours, 4096)
        assert process.wait(60) == 0
    os.close(ours)
    shown = said.decode()
    assert "[b] of work" in shown
    assert "50%" in shown
    assert "a [sentence] above" in shown


def test_a_bar_in_a_terminal_is_there_while_the_command_works_and_takes_sentences(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Bar() as bar:
        assert bar.shown.live.is_started
        bar.say("a [sentence]")
    assert not bar.shown.live.is_started
    assert "a [sentence]" in capsys.readouterr().err
