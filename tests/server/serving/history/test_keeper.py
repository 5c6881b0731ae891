"""The thread that writes the history: what it is given arrives, and what goes wrong there stays there."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import replace

import pytest
from videomama_client.errors import BadInput
from videomama_client.job_records import JobState, LogLine
from videomama_server.serving.history import file
from videomama_server.serving.history.keeper import Keeper
from videomama_server.serving.history.rows import Page, Rows

WAIT_S = 60


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.sqlite"


@pytest.fixture
def keeper(path):
    made = Keeper(path)
    yield made
    made.close()


def state_of(**changes):
    made = JobState(uuid.uuid4().hex, "shot", "/p", "batch", "running", "classic", 4, 2, 2, 1.0)
    return replace(made, **changes)


def page(keeper):
    return keeper.ask(lambda rows: rows.page("", [], None, 100), Page([])).result(WAIT_S).jobs


def test_what_is_entered_before_a_question_is_in_its_answer_and_in_the_file(keeper, path):
    state = state_of()
    keeper.put(state)
    keeper.note(state.job, LogLine(1.0, "begun"))
    assert page(keeper) == [state]
    assert keeper.ask(lambda rows: rows.lines(state.job, 9), []).result(WAIT_S) == [LogLine(1.0, "begun")]
    keeper.close()
    assert Rows(file.opened(path)).page("", [], None, 9).jobs == [state]


def test_a_history_that_nobody_used_has_no_file(keeper, path):
    keeper.close()
    assert not path.exists()


def test_what_an_earlier_server_left_is_interrupted_and_what_this_one_enters_is_not(path):
    first, done = state_of(), state_of(state="done")
    earlier = Keeper(path)
    earlier.put(first)
    earlier.put(done)
    earlier.close()
    later, own = Keeper(path), state_of()
    later.put(own)
    assert [(state.job, state.state) for state in page(later)] == [
        (own.job, "running"), (done.job, "done"), (first.job, "interrupted"),
    ]  # fmt: skip
    later.close()


def test_a_disk_that_takes_nothing_is_told_and_what_was_to_be_written_waits(keeper, path, caplog):
    path.mkdir()  # no file can be opened there
    state = state_of()
    keeper.put(state)
    assert page(keeper) == []
    assert str(path) in keeper.trouble
    assert page(keeper) == []
    assert caplog.text.count("cannot be written") == 1  # told once
    path.rmdir()
    assert page(keeper) == [state]
    assert keeper.trouble == ""


def test_a_write_that_fails_leaves_no_half_of_it(keeper, path):
    keeper.put(state_of())
    assert len(page(keeper)) == 1
    with sqlite3.connect(path) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON words BEGIN SELECT raise(ABORT, 'the disk is full'); END")
    keeper.put(state_of())
    assert len(page(keeper)) == 1
    assert "the disk is full" in keeper.trouble
    with sqlite3.connect(path) as other:
        other.execute("DROP TRIGGER full")
    other.close()
    assert len(page(keeper)) == 2


def test_an_error_of_a_question_is_raised_where_it_was_asked_and_the_next_one_is_answered(keeper):
    def refuses(rows):
        raise BadInput("several jobs begin so")

    with pytest.raises(BadInput, match="several"):
        keeper.ask(refuses, None).result(WAIT_S)
    assert page(keeper) == []


def test_a_slow_disk_holds_nobody_up(keeper):
    going = threading.Event()
    slow = keeper.ask(lambda rows: going.wait(WAIT_S), False)
    keeper.put(state_of())
    assert not slow.done()  # which the disk would have been waited for
    going.set()
    assert slow.result(WAIT_S)


WRITER = """
import sys, uuid
from pathlib import Path
from videomama_client.job_records import JobState, LogLine
from videomama_server.serving.history.keeper import Keeper
keeper = Keeper(Path(sys.argv[1]))
number = 0
while True:
    job = uuid.uuid4().hex
    for state in ("waiting", "running", "done"):
        keeper.put(JobState(job, "shot " * 40, "/p" * 40, "batch", state, "classic", 4, 2, 2, 1.0))
        keeper.note(job, LogLine(1.0, state * 20))
    number += 1
    if number % 20 == 0:
        keeper.ask(lambda rows: 0, 0).result()
        print(number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_server_that_is_killed_while_it_writes_leaves_a_whole_history(path, journal, monkeypatch):
    script = (
        WRITER
        if journal == "wal"
        else f"from videomama_server.serving.history import file\nfile.is_local = lambda _: False\n{WRITER}"
    )
    known = 0
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.05)
        os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()
        process.stdout.close()
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (count,) = connection.execute("SELECT count(*) FROM jobs").fetchone()
        assert count >= known + 20  # what was answered is there
        (orphans,) = connection.execute(
            "SELECT count(*) FROM words WHERE number NOT IN (SELECT number FROM jobs)"
        ).fetchone()
        assert orphans == 0
        known = count
        connection.close()
    assert not path.with_name(f"{path.name}.damaged").exists()


def test_a_question_that_the_file_cannot_answer_has_its_other_answer_and_is_told(keeper, caplog):
    keeper.put(state_of())
    assert len(page(keeper)) == 1

    def asks(rows):
        raise sqlite3.DatabaseError("the image is malformed")

    assert keeper.ask(asks, "nothing").result(WAIT_S) == "nothing"
    assert "cannot be read: the image is malformed" in caplog.text
    assert (len(page(keeper)), keeper.trouble) == (1, "")


def test_old_jobs_are_pruned_after_every_five_hundred_writes(keeper, monkeypatch):
    pruned = []
    monkeypatch.setattr(Rows, "prune", lambda rows: pruned.append(rows))
    state = state_of()
    for _ in range(498):
        keeper.put(state)
    page(keeper)
    assert pruned == []  # the first write notes what an earlier server has left
    keeper.put(state)
    page(keeper)
    assert len(pruned) == 1
    for _ in range(499):
        keeper.put(state)
    page(keeper)
    assert len(pruned) == 1
