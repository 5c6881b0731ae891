import time
from dataclasses import replace

import pytest
from videomama_client.errors import BadInput, InternalError
from videomama_client.messages import (
    CANCELLED,
    DONE,
    FAILED,
    JOB_EVENTS,
    RUNNING,
    WAITING,
    FrameDone,
    FrameWanted,
    MatteDone,
    MatteFailed,
    MattePlanned,
    QcFlag,
    StageBegun,
    StageDone,
    StageFrameDone,
    SubmitMatte,
)
from videomama_client.settings import MatteSettings
from videomama_server import pipe
from videomama_server.serving import jobs
from videomama_server.serving.blame import DEATHS_WITHOUT_PROGRESS
from videomama_server.serving.jobs import REMEMBERED, JobBook, one_line, run_message

REQUEST = SubmitMatte("r", "/shots/plate.####.exr", "/shots/mask.####.exr", "/out/a.####.exr", MatteSettings())


@pytest.fixture
def book():
    return JobBook()


@pytest.fixture
def job(book):
    return book.add(b"client", REQUEST)


def planned(job, frames=3):
    return MattePlanned(job.id, "classic", [0, 0, 64, 48], frames, "/out/a.####.exr")


def frame(job, number, cached=False):
    return FrameDone(job.id, number, cached, f"/out/a.{number}.exr")


def done(job, frames=3):
    return MatteDone(job.id, frames, frames, 0, 0.5, "classic", [0, 0, 64, 48], ["a warning"])


def failed(job):
    return MatteFailed(job.id, "bad-input", "message", "hint")


def test_jobs_have_ids_of_their_own_and_are_found_by_them(book):
    one, other = book.add(b"client", REQUEST), book.add(b"client", REQUEST)
    assert one.id != other.id
    assert book.find(other.id) is other
    assert book.find("nobody") is None
    assert book.running() == [one, other]


def test_every_event_is_passed_on_and_entered(book, job):
    assert book.note(planned(job)) == planned(job)
    assert book.note(frame(job, 1001)) == frame(job, 1001)
    assert job.done == {1001: "/out/a.1001.exr"}
    assert book.note(FrameWanted(job.id, "plate", 1)) == FrameWanted(job.id, "plate", 1)


def test_no_kind_of_event_is_without_a_handler(book):
    assert set(book._event_handlers) == set(JOB_EVENTS)


def test_frames_of_every_stage_are_passed_on_once_and_counted_over_all_workers(book, job):
    book.note(replace(planned(job), stages=["one", "two"]))
    begun = StageBegun(job.id, 0, "one", 3)
    assert book.note(begun) == begun
    assert book.report()[0].stage == "1 of 2, one"
    kept = StageFrameDone(job.id, 0, 1001, False)
    assert book.note(kept) == kept
    book.after_death()
    assert book.note(replace(kept, cached=True)) is None  # the next worker finds it
    book.note(frame(job, 1001))
    stages = [StageDone("one", 0, 1), StageDone("two", 1, 2)]
    result = book.note(replace(done(job), stages=stages))
    assert result.stages == [StageDone("one", 1, 0), StageDone("two", 1, 2)]


def test_a_job_that_gets_on_in_an_earlier_stage_is_not_given_up(book, job):
    book.note_begun(job.id)
    for number in range(2 * DEATHS_WITHOUT_PROGRESS):
        book.note(StageFrameDone(job.id, 0, number, False))
        assert book.after_death() == ([job], [])
        book.note_begun(job.id)
    assert book.after_death()[1][0].code == InternalError.code


def test_a_job_of_one_stage_tells_of_none(book, job):
    book.note(planned(job))
    assert book.report()[0].stage == ""


def test_the_result_counts_what_was_computed_and_takes_its_time(book, job):
    book.note(planned(job))
    for number in (1, 2, 3):
        book.note(frame(job, number, cached=number == 2))
    result = book.note(done(job))
    assert (result.frame_count, result.computed, result.cached) == (3, 2, 1)
    assert 0 <= result.seconds < 10
    assert result.warnings == ["a warning"]
    assert book.running() == []
    assert book.finished == 1


def test_events_of_unknown_and_ended_jobs_are_dropped(book, job):
    book.note(failed(job))
    assert book.note(frame(job, 1)) is None
    assert book.note(done(job)) is None
    assert book.note(FrameDone("nobody", 1, False, "/a")) is None
    assert job.done == {}


def test_a_failure_ends_the_job(book, job):
    assert book.note(failed(job)) == failed(job)
    assert job.ended
    assert book.finished == 1


def test_after_a_death_every_running_job_runs_again(book, job):
    other = book.add(b"client", REQUEST)
    book.note_begun(job.id)
    assert book.after_death() == ([job, other], [])


def test_a_job_that_kills_the_worker_twice_without_a_frame_is_given_up(book, job):
    other = book.add(b"client", REQUEST)
    for _ in range(2):
        book.note_begun(other.id)
        again, given_up = book.after_death()
    assert again == [job]
    (event,) = given_up
    assert event.job == other.id
    assert event.hint
    assert type(event.error) is InternalError
    assert other.ended
    assert not job.ended


def test_a_job_that_was_given_up_names_the_files_that_were_read_at_each_death(book, job):
    for files in (["plate frame 1 (/a)", "plate frame 2 (/b)"], ["plate frame 2 (/b)", "mask frame 3 (/c)"]):
        book.note_begun(job.id)
        book.note_files(job.id, ["plate frame 0 (/z)"])  # read well
        book.note_files(job.id, files)
        _, given_up = book.after_death()
    assert given_up[0].message == "the engine died twice after 0 frames of this job, while it read plate frame 2 (/b)"
    assert "again" in given_up[0].hint


def test_files_that_were_read_at_a_death_before_the_job_got_on_are_not_suspected(book, job):
    for number, files in enumerate((["plate frame 1 (/a)"], ["plate frame 2 (/b)"], [])):
        book.note_begun(job.id)
        book.note_files(job.id, files)
        _, given_up = book.after_death()
        if number == 0:
            book.note(frame(job, 1))
    assert given_up[0].message == "the engine died twice after 1 frame of this job"


def test_files_of_a_job_that_is_not_known_are_nobodys(book, job):
    book.note_files("nobody", ["plate frame 1 (/a)"])
    assert job.blame.files == {}


def test_the_file_that_has_been_read_the_longest_is_overdue(book, job):
    begun = time.monotonic()
    book.note_files(job.id, ["plate frame 1 (/a)"])
    time.sleep(0.02)
    book.note_files(job.id, ["plate frame 1 (/a)", "mask frame 1 (/b)"])
    assert book.overdue(0.01, begun) == (job, "plate frame 1 (/a)")
    assert book.overdue(60.0, begun) is None
    assert book.overdue(0.0, begun) is None  # no limit
    assert book.overdue(0.01, time.monotonic()) is None  # an earlier worker's
    book.note_files(job.id, ["mask frame 1 (/b)"])
    assert book.overdue(0.5, begun) is None


def test_a_job_that_was_cancelled_ends_with_the_worker_that_may_not_have_heard_of_it(book, job):
    other = book.add(b"client", REQUEST)
    book.note_begun(job.id)
    job.cancelled = True
    for _ in range(DEATHS_WITHOUT_PROGRESS - 1):  # of which the other job is not guilty
        again, ended = book.after_death()
    assert again == [other]
    assert [(event.job, event.code) for event in ended] == [(job.id, "cancelled")]
    assert (job.state, other.blame.deaths) == (CANCELLED, 0)


def test_a_frame_that_is_asked_for_again_has_been_waited_for_since_the_first_time(book, job):
    book.note(FrameWanted(job.id, "plate", 1))
    time.sleep(0.05)
    book.after_death()
    book.note(FrameWanted(job.id, "mask", 1))
    assert isinstance(book.note(FrameWanted(job.id, "plate", 1)), FrameWanted)  # the client hears of it again
    assert book.unsent(0.04) == (job, "plate", 1)
    assert book.unsent(60.0) is None
    assert book.unsent(0.0) is None  # no limit
    book.note(failed(job))
    assert book.unsent(0.001) is None


def test_a_worker_that_is_ended_for_a_file_is_no_running_jobs_doing(book, job):
    for _ in range(3):
        book.note_begun(job.id)
        book.ignore_next_death()
        assert book.after_death() == ([job], [])
    book.note_begun(job.id)
    book.after_death()
    assert job.blame.deaths == 1


def test_a_job_that_gets_on_between_two_deaths_is_not_given_up(book, job):
    for number in range(5):
        book.note_begun(job.id)
        assert book.after_death() == ([job], [])
        book.note(frame(job, number))


def test_a_death_before_any_job_was_begun_is_laid_to_the_oldest(book, job):
    book.add(b"client", REQUEST)
    book.after_death()
    assert job.blame.deaths == 1


def test_a_death_after_the_begun_job_ended_is_laid_to_one_that_runs(book, job):
    other = book.add(b"client", REQUEST)
    book.note_begun(job.id)
    book.note(done(job))
    book.after_death()
    assert (job.blame.deaths, other.blame.deaths) == (0, 1)


def test_a_death_without_jobs_is_nobodys_doing(book):
    assert book.after_death() == ([], [])


def test_a_restarted_job_tells_nothing_twice(book, job):
    book.note(planned(job))
    book.note(frame(job, 1))
    book.note_begun(job.id)
    book.after_death()
    assert book.note(planned(job)) is None
    assert book.note(frame(job, 1, cached=True)) is None
    assert book.note(frame(job, 2)) == frame(job, 2)
    assert book.note(done(job, 2)).computed == 2


def test_ended_jobs_are_forgotten_after_a_while_running_ones_never(book, job):
    ended = [book.add(b"client", REQUEST) for _ in range(REMEMBERED + 5)]
    for one in ended:
        book.note(failed(one))
    assert book.find(job.id) is job
    assert [book.find(one.id) is None for one in ended] == [True] * 5 + [False] * REMEMBERED
    assert book.finished == REMEMBERED + 5


def test_a_job_describes_itself(book, job):
    assert job.describe() == f"{job.id[:8]} interactive 0 frames /shots/plate.####.exr"
    book.note(planned(job))
    book.note(frame(job, 1))
    assert "1 of 3 frames" in job.describe()


def test_a_job_describes_itself_by_its_label_where_it_has_one(book):
    job = book.add(b"client", replace(REQUEST, label="shot010.nk VideoMaMa1"))
    assert job.describe() == f"{job.id[:8]} interactive 0 frames shot010.nk VideoMaMa1"


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("shot 010 caf\N{LATIN SMALL LETTER E WITH ACUTE}", "shot 010 caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("one\r\ntwo\tthree\x85four", "one  two three four"),
        ("\x1b[31mred\x00\x07\x7f", "[31mred"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}exr\udce9", "exr"),
        (" \n ", ""),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_label_is_one_line_of_what_can_be_shown(book, label, shown):
    assert book.add(b"client", replace(REQUEST, label=label)).label == shown


def test_a_job_reports_how_far_it_is(book, job):
    waiting = job.report()
    assert (waiting.job, waiting.label, waiting.plate) == (job.id, "", REQUEST.plate)
    assert (waiting.priority, waiting.state, waiting.engine, waiting.frame_count) == (
        "interactive",
        WAITING,
        None,
        None,
    )
    book.note_begun(job.id)
    assert job.report().state == RUNNING
    book.note(planned(job))
    book.note(frame(job, 1))
    book.note(frame(job, 2, cached=True))
    running = job.report()
    assert (running.state, running.engine, running.frame_count) == (RUNNING, "classic", 3)
    assert (running.done, running.computed, running.message) == (2, 1, "")
    book.note(done(job))
    assert job.report().state == DONE


def test_a_planned_job_runs_even_if_nobody_said_that_it_was_begun(book, job):
    book.note(planned(job))
    assert job.state == RUNNING


def test_a_restarted_job_goes_on_running(book, job):
    book.note_begun(job.id)
    book.after_death()
    assert job.state == RUNNING


def test_a_failure_is_reported_in_one_line_and_a_cancel_is_none(book, job):
    book.note(MatteFailed(job.id, "bad-input", "line one\nline two " + "x" * 1000, "hint"))
    reported = job.report()
    assert reported.state == FAILED
    assert reported.message.startswith("line one line two xxx")
    assert len(reported.message) == 500
    other = book.add(b"client", REQUEST)
    book.note(MatteFailed(other.id, "cancelled", "the job was cancelled", ""))
    assert (other.report().state, other.report().message) == (CANCELLED, "")


def test_a_failure_over_a_frame_is_reported_with_it(book, job):
    book.note(MatteFailed(job.id, "bad-input", "mask frame 7: broken", "hint", "mask", 7, "/mask.0007.exr"))
    assert (job.report().role, job.report().frame) == ("mask", 7)


def test_a_job_that_was_given_up_is_reported_as_failed(book, job):
    for _ in range(2):
        book.note_begun(job.id)
        book.after_death()
    assert job.report().state == FAILED
    assert "died twice" in job.report().message


def test_seconds_stop_at_the_end(book, job):
    time.sleep(0.01)
    assert job.report().seconds >= 0.01
    book.note(failed(job))
    at_end = job.report().seconds
    time.sleep(0.02)
    assert job.report().seconds == at_end


def test_jobs_are_reported_newest_first(book, job):
    later = [book.add(b"client", REQUEST) for _ in range(3)]
    book.note_begun(job.id)
    book.note(failed(later[1]))
    assert [state.job for state in book.report()] == [one.id for one in (*reversed(later), job)]


def test_of_too_many_jobs_those_that_run_and_wait_are_reported(book, job):
    book.note_begun(job.id)
    waiting = book.add(b"client", REQUEST)
    for _ in range(150):
        book.note(failed(book.add(b"client", REQUEST)))
    reported = book.report()
    assert len(reported) == 100
    assert [state.job for state in reported[-2:]] == [waiting.id, job.id]
    for _ in range(150):
        book.add(b"client", REQUEST)
    reported = book.report()
    assert len(reported) == 100
    assert [state.job for state in reported if state.state == RUNNING] == [job.id]
    assert {state.state for state in reported} == {RUNNING, WAITING}


def test_the_worker_is_told_all_it_needs(book, job):
    job.spool = "/cache/spool/x"
    assert run_message(job) == pipe.RunJob(job.id, "/cache/spool/x", REQUEST)


def test_a_job_that_is_done_names_its_flags_in_one_line(book, job):
    flags = [QcFlag("flicker", [1007, 1008, 1009], 1008, "why"), QcFlag("hole", [1012, 1014], 1012, "why")]
    told = book.note(replace(done(job), judged=3, flags=flags))
    assert (told.judged, told.flags) == (3, flags)
    assert book.report()[0].flags == "flicker on 1007-1009; hole on 1012, 1014"
    other = book.add(b"client", REQUEST)
    book.note(replace(done(other), flags=[QcFlag("spill", list(range(1, 4000, 2)), 1, "why")] * 9))
    assert len(book.report()[0].flags) <= 200


def test_a_job_that_was_overtaken_by_hundreds_is_still_known_when_it_ends(book, job):
    for _ in range(REMEMBERED + 5):
        book.note(failed(book.add(b"other", REQUEST)))
    book.note(done(job))
    assert book.find(job.id) is job


def test_clients_take_turns(book):
    greedy = [book.add(b"greedy", REQUEST) for _ in range(3)]
    late = [book.add(b"late", REQUEST) for _ in range(2)]
    assert [job.turn for job in greedy + late] == [0, 1, 2, 0, 1]
    book.note(done(greedy[0]))
    book.note(done(late[0]))
    assert book.add(b"third", REQUEST).turn == 1  # it is not served before those whose turn it is
    assert book.add(b"third", replace(REQUEST, priority="batch")).turn == 0
    assert run_message(greedy[2]).turn == 2


def test_more_jobs_than_may_wait_are_refused(book, job, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_AT_ONCE", 3)
    for _ in range(2):
        book.add(b"client", REQUEST)
    with pytest.raises(BadInput, match="3 jobs wait or run"):
        book.add(b"client", REQUEST)
    book.note(done(job))
    book.add(b"client", REQUEST)


def test_an_ended_job_lets_go_of_its_digests(book):
    inline = replace(REQUEST, inline=True, inline_frame_numbers=[1], plate_digests=["p"], mask_digests=["m"])
    job = book.add(b"client", inline)
    assert job.announced("plate", 1) == "p"
    book.note(failed(job))
    assert job.announced("plate", 1) is None
    assert job.request.plate == REQUEST.plate


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\tb\nc", "a b c"), ("  a\x00\x1b[31m ", "a[31m"), ("abcdefgh", "abcde"), ("abcd efg", "abcd"), ("", "")],
)
def test_texts_of_clients_are_shown_on_one_line(text, shown):
    assert one_line(text, 5) == shown


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(jobs.Job) == {"turn": 0, "begun": False, "cancelled": False, "computed": 0}
