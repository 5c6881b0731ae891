"""Tests for what the panel's threads have found out."""

import threading

import pytest


@pytest.fixture
def known(nuke):
    from videomama_nuke.panel.known import Known

    return Known()


def test_what_is_found_out_replaces_the_snapshot_and_changes_none_that_was_given(known):
    before = known.shot
    known.update(problem="the server is gone")
    assert (before.problem, known.shot.problem) == ("", "the server is gone")


def test_a_command_that_is_under_way_is_not_begun_again_and_another_is(known):
    assert known.begin("Pruning the cache")
    assert not known.begin("Pruning the cache")
    assert known.begin("Clearing the cache")
    assert known.shot.busy == ("Pruning the cache", "Clearing the cache")


def test_a_command_that_is_over_is_told_by_number_and_may_be_begun_again(known):
    for number in (1, 2):
        assert known.begin("Pruning the cache")
        known.finish("Pruning the cache", lambda: "Nothing had to go.")
        notice = known.shot.notice
        assert (notice.number, notice.text, notice.bad) == (number, "Nothing had to go.", False)
        assert known.shot.busy == ()


def test_a_command_that_fails_is_told_with_its_remedy(known):
    from videomama_client.errors import BadInput

    def fail():
        raise BadInput("a job uses it", "Wait for it.")

    known.begin("Clearing the cache")
    known.finish("Clearing the cache", fail)
    notice = known.shot.notice
    assert (notice.text, notice.hint, notice.bad) == ("a job uses it", "Wait for it.", True)
    assert known.shot.busy == ()


def test_of_many_threads_that_begin_one_command_one_may(known):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(known.begin("Stopping"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 15 + [True]
