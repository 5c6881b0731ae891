"""What is shown of a transfer where there is no terminal; with one, test_command.py runs it in a real one."""

from videomama_server.cli.transfer import Transfer


def test_a_line_for_each_tenth_of_a_file(capsys):
    with Transfer() as transfer:
        for done in range(0, 50_000_001, 100_000):
            transfer("unet/model", done, 50_000_000)
        transfer.say("half of it")
        transfer("vae/model", 2_000_000, 2_000_000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11 + 1 + 1
    assert lines[0] == "unet/model: 0 of 50 MB"
    assert lines[10] == "unet/model: 50 of 50 MB"
    assert lines[11:] == ["half of it", "vae/model: 2 of 2 MB"]


def test_small_and_empty_files_are_not_shown(capsys):
    with Transfer() as transfer:
        transfer("config.json", 500, 500)
        transfer("empty", 0, 0)
    assert capsys.readouterr().err == ""


def test_in_a_terminal_the_bar_holds_a_task_for_each_file_and_goes_on_after_a_question(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Transfer() as transfer:
        transfer("unet/model", 0, 50_000_000)
        transfer("unet/model", 20_000_000, 50_000_000)
        with transfer.paused():
            assert not transfer.shown.live.is_started
        assert transfer.shown.live.is_started
        transfer("vae/model", 1_000_000, 1_000_000)
        told = [(task.description, task.completed, task.total) for task in transfer.shown.tasks]
    assert told == [("unet/model", 20_000_000, 50_000_000), ("vae/model", 1_000_000, 1_000_000)]
    assert not transfer.shown.live.is_started
