"""The jobs of a server that runs, and those that one has left."""

from contextlib import contextmanager

import pytest
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_client.job_records import JobState, LogLine
from videomama_server.cli.known_jobs import Asked, Kept, known_jobs
from videomama_server.serving.history import file
from videomama_server.serving.history.rows import Rows

IDS = {state: state[0] * 32 for state in ("done", "failed", "running")}


@pytest.fixture
def left(tmp_path):
    """The connection file of a server that was killed with a job, after one that was done and one that failed."""
    path = tmp_path / "connection.json"
    connection = file.opened(path.with_suffix(".history.sqlite"))
    rows = Rows(connection)
    for state, job in IDS.items():
        rows.put(JobState(job, f"the {state}", "/p", "batch", state, "classic", 4, 2, 2, 1.0), None, None)
    rows.note(IDS["running"], LogLine(1.0, "begun"))
    connection.close()
    return path


def test_without_a_server_the_history_is_read_and_what_ran_is_interrupted(left):
    with known_jobs(left) as source:
        assert isinstance(source, Kept)
        found = source.listing("", (), 10)
        assert found.left == []
        assert [(job.job, job.state) for job in found.ended] == [
            (IDS["running"], "interrupted"), (IDS["failed"], "failed"), (IDS["done"], "done"),
        ]  # fmt: skip
        assert found.notes == ("No server runs here.",)
        assert [line.text for line in source.log("rrrrrr", 9)] == ["begun"]
        with pytest.raises(BadInput, match="unknown job x"):
            source.log("x", 9)


@pytest.mark.parametrize(
    ("search", "states", "found"),
    [
        ("failed", (), ["failed"]),
        ("", ("done",), ["done"]),
        ("", ("interrupted",), ["running"]),
        ("", ("done", "interrupted"), ["running", "done"]),
        ("", ("waiting",), []),
    ],
)
def test_without_a_server_jobs_are_found_by_words_and_state(left, search, states, found):
    with known_jobs(left) as source:
        assert [job.job for job in source.listing(search, states, 10).ended] == [IDS[state] for state in found]


def test_reading_changes_nothing(left):
    for _ in range(2):
        with known_jobs(left) as source:
            assert source.listing("", (), 10).ended[0].state == "interrupted"
    connection = file.opened(left.with_suffix(".history.sqlite"))
    assert connection.execute("SELECT count(*) FROM jobs WHERE state = 'running'").fetchone() == (1,)
    connection.close()


def test_where_no_server_ever_ran_there_is_nothing(tmp_path):
    with pytest.raises(ServerUnreachable), known_jobs(tmp_path / "connection.json"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_history_that_cannot_be_read_says_so(left):
    path = left.with_suffix(".history.sqlite")
    path.unlink()
    file.opened(path).execute("PRAGMA user_version = 999")
    with pytest.raises(BadInput, match="is of version 999"), known_jobs(left):
        pass


@contextmanager
def asked(server):
    with known_jobs(server.connection_file) as source:
        assert isinstance(source, Asked)
        yield source


def test_a_server_tells_its_jobs_those_that_are_left_in_their_order(server, make_clip, make_long_clip):
    with server.client() as client, asked(server) as source:
        done = client.submit(make_clip(count=1).order(label="quick"))
        list(client.events(done))
        slow = make_long_clip(count=200)
        batch, first = (client.submit(slow.order(priority=level, label="slow")) for level in ("batch", "interactive"))
        found = source.listing("", (), 10)
        assert [job.job for job in found.left] == [first, batch]
        assert found.ended[0].job == done
        assert [job.job for job in source.listing("slow", (), 10).left] == [first, batch]
        assert source.listing("", ("done",), 10).left == []
        assert source.listing("", ("waiting", "running"), 10).ended == []
        assert [line.text for line in source.log(done[:8], 9)][-1].startswith("done: 1 frame")
        many = [client.submit(slow.order(priority="batch")) for _ in range(60)]
        assert [job.job for job in source.listing("", (), 1).left] == [first, batch, *many]
        for job in (*reversed(many), batch, first):
            client.cancel(job)
