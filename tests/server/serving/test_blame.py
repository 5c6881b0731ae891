import time

import pytest
from videomama_client.errors import InternalError
from videomama_server.serving.blame import DEATHS_WITHOUT_PROGRESS, Blame


@pytest.fixture
def blame():
    return Blame()


def died(blame, *names, done=0):
    """Have the worker die while it reads files."""
    blame.note_files(names)
    blame.note_death(done)
    blame.forget_files()


def test_a_job_without_a_death_is_not_given_up(blame):
    assert blame.verdict() is None


def test_a_job_is_given_up_after_its_last_death_without_progress(blame):
    for _ in range(DEATHS_WITHOUT_PROGRESS):
        assert blame.verdict() is None
        died(blame)
    assert type(blame.verdict()) is InternalError
    assert blame.verdict().message == "the engine died twice after 0 frames of this job"


def test_progress_between_deaths_makes_up_for_them(blame):
    for done in range(5):
        died(blame, done=done)
        assert (blame.deaths, blame.verdict()) == (1, None)
    died(blame, done=4)
    assert blame.verdict().message == "the engine died twice after 4 frames of this job"


def test_files_that_were_read_at_each_death_are_suspected(blame):
    died(blame, "a", "b", "c")
    died(blame, "b", "c", "d")
    assert blame.suspects == ["b", "c"]
    assert blame.verdict().message.endswith(", while it read b; c")


def test_after_progress_only_later_reads_are_suspected(blame):
    died(blame, "a")
    died(blame, "b", done=1)
    assert blame.suspects == ["b"]
    died(blame, "a", done=1)
    assert blame.suspects == []
    assert "while it read" not in blame.verdict().message


def test_of_many_suspects_four_are_named(blame):
    names = [f"file {number}" for number in range(9)]
    for _ in range(DEATHS_WITHOUT_PROGRESS):
        died(blame, *names)
    assert blame.verdict().message.endswith("while it read file 0; file 1; file 2; file 3")


def test_a_file_is_read_since_it_was_first_named(blame):
    blame.note_files(["a"])
    since = blame.files["a"]
    time.sleep(0.01)
    blame.note_files(["a", "b"])
    assert blame.files["a"] == since
    assert blame.files["b"] > since
    blame.note_files(["b"])
    assert set(blame.files) == {"b"}
    blame.note_files(["a", "b"])
    assert blame.files["a"] > blame.files["b"]
    blame.forget_files()
    assert blame.files == {}


def test_jobs_share_no_blame(blame):
    died(blame, "a")
    assert Blame() == Blame(files={}, suspects=[], deaths=0, done_at_death=-1)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Blame) == {"deaths": 0, "done_at_death": -1}
