"""What commands share that run many jobs."""

from pathlib import Path

from videomama_client.prompts import MASK, Prompt
from videomama_client.settings import MatteSettings
from videomama_server.many_jobs import LastingClient, OneByOne, job_of
from videomama_server.submission import Submission


class Connection:
    def __init__(self):
        self.closed = 0

    def close(self):
        self.closed += 1


def test_a_client_is_connected_when_it_is_needed_and_again_after_it_was_dropped():
    made = []

    def connect():
        made.append(Connection())
        return made[-1]

    client = LastingClient(connect)
    client.drop()
    assert made == []
    assert client.get() is client.get() is made[0]
    client.drop()
    client.drop()
    assert [one.closed for one in made] == [1]
    assert client.get() is made[1]
    assert made[1].closed == 0


def test_a_job_that_nobody_waits_for_follows_its_key_masks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = MatteSettings(engine="sam2")
    found = job_of("p.####.exr", Path("o.####.exr"), settings, [3, 4, 6], {3: Path("key.3.png")})
    assert found == Submission(
        str(tmp_path / "p.####.exr"),
        "",
        str(tmp_path / "o.####.exr"),
        settings,
        "3-4, 6",
        priority="batch",
        prompts=(Prompt(MASK, 3, file=str(tmp_path / "key.3.png")),),
        no_job_file=True,
    )
    assert job_of("/p.####.exr", Path("/o.####.exr"), settings, [1]).prompts == ()


def test_units_are_done_in_turn_with_one_client_that_is_closed_at_the_end():
    made, seen = [], []

    def connect():
        made.append(Connection())
        return made[-1]

    def work(unit, client, listener):
        seen.append((unit, client.get(), listener))
        return unit * 2

    assert list(OneByOne(connect).do(work, [1, 2], "listener")) == [(0, 2), (1, 4)]
    assert seen == [(1, made[0], "listener"), (2, made[0], "listener")]
    assert [one.closed for one in made] == [1]
