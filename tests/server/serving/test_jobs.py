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
    ObjectDone,
    ObjectPlanned,
    Phase,
    PhaseChanged,
    QcFlag,
    SideDone,
    SideFrameDone,
    SideResult,
    StageBegun,
    StageDone,
    StageFrameDone,
    SubmitMatte,
)
from videomama_client.objects import MaskObject
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server import pipe
from videomama_server.serving import jobs
from videomama_server.serving.announced import digest_of
from videomama_server.serving.blame import DEATHS_WITHOUT_PROGRESS
from videomama_server.serving.job_state import one_line
from videomama_server.serving.jobs import REMEMBERED, run_message
from videomama_server.serving.lateness import unsent

REQUEST = SubmitMatte("r", "/shots/plate.####.exr", "/shots/mask.####.exr", "/out/a.####.exr", MatteSettings())


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
    assert job.done == {1001: {"": "/out/a.1001.exr"}}
    assert book.note(FrameWanted(job.id, "plate", 1)) == FrameWanted(job.id, "plate", 1)


def test_no_kind_of_event_is_without_a_handler(book):
    assert set(book._event_handlers) == set(JOB_EVENTS)


def test_frames_of_every_stage_are_passed_on_once_and_counted_over_all_workers(book):
    job = book.add(b"client", replace(REQUEST, then=(Stage("two"),)))
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


def several(book, out="/out/a.####.exr"):
    """Return a job of two objects that is planned."""
    pair = (MaskObject("hero", "h", mask_digests=["d1"]), MaskObject("dog", "d", mask_digests=["d2"]))
    request = replace(REQUEST, mask="", out=out, objects=pair, inline=True, inline_frame_numbers=[7])
    job = book.add(b"client", replace(request, plate_digests=["p"]))
    told = [ObjectPlanned(name, "one", out, stages=["one"]) for name in ("hero", "dog")]
    book.note(replace(planned(job), stages=["one"], objects=told))
    return job


def objects_done(job, cached):
    told = [ObjectDone(name, 0, cached, "one", stages=[StageDone("one", 0, cached)]) for name in ("hero", "dog")]
    return replace(done(job), objects=told, stages=told[0].stages)


def test_alphas_of_layers_are_counted_over_all_workers(book):
    job = several(book)
    for name in ("hero", "dog"):
        book.note(StageFrameDone(job.id, 0, 1001, False, name))
    book.after_death()  # before the file of the frame was written
    for name in ("hero", "dog"):
        assert book.note(StageFrameDone(job.id, 0, 1001, True, name)) is None
    assert (job.done_count, job.computed) == (0, 0)
    assert book.note(FrameDone(job.id, 1001, True, "/out/a.1001.exr")) is not None
    assert (job.done_count, job.computed) == (1, 1)
    result = book.note(objects_done(job, 1))
    assert [(one.name, one.computed, one.cached) for one in result.objects] == [("hero", 1, 0), ("dog", 1, 0)]
    assert (result.computed, result.stages) == (1, [StageDone("one", 1, 0)])


def test_a_frame_with_files_of_its_own_is_done_when_each_object_has_one(book):
    job = several(book, "/out/{object}.####.exr")
    assert book.note(FrameDone(job.id, 1001, True, "/out/hero.1001.exr", "hero")) is not None
    assert (job.done_count, job.computed) == (0, 0)
    assert book.note(FrameDone(job.id, 1001, True, "/out/hero.1001.exr", "hero")) is None
    book.note(FrameDone(job.id, 1001, False, "/out/dog.1001.exr", "dog"))
    assert (job.done_count, job.computed) == (1, 1)
    assert job.done[1001]["dog"] == "/out/dog.1001.exr"
    result = book.note(objects_done(job, 1))
    assert [(one.computed, one.cached) for one in result.objects] == [(0, 1), (1, 0)]


def test_frames_of_each_object_are_announced_and_waited_for_apart(book):
    job = several(book)
    assert (digest_of(job.request, "mask", 7, "hero"), digest_of(job.request, "mask", 7, "dog")) == ("d1", "d2")
    assert (digest_of(job.request, "plate", 7), digest_of(job.request, "plate", 7, "hero")) == ("p", None)
    assert (digest_of(job.request, "mask", 7), digest_of(job.request, "mask", 7, "cat")) == (None, None)
    book.note(FrameWanted(job.id, "mask", 7, "dog"))
    time.sleep(0.01)
    assert unsent(book.jobs(), 0.001) == (job, "object dog: mask", 7)
    book.note(objects_done(job, 1))
    assert [one.mask_digests for one in job.request.objects] == [[], []]


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


def test_a_job_that_was_cancelled_ends_with_the_worker_that_may_not_have_heard_of_it(book, job):
    other = book.add(b"client", REQUEST)
    book.note_begun(job.id)
    job.cancelled = True
    for _ in range(DEATHS_WITHOUT_PROGRESS - 1):  # of which the other job is not guilty
        again, ended = book.after_death()
    assert again == [other]
    assert [(event.job, event.code) for event in ended] == [(job.id, "cancelled")]
    assert (job.state, other.blame.deaths) == (CANCELLED, 0)


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
    waiting = book.report_of(job)
    assert (waiting.job, waiting.label, waiting.plate) == (job.id, "", REQUEST.plate)
    assert (waiting.priority, waiting.state, waiting.engine, waiting.frame_count) == (
        "interactive",
        WAITING,
        None,
        None,
    )
    book.note_begun(job.id)
    assert book.report_of(job).state == RUNNING
    book.note(planned(job))
    book.note(frame(job, 1))
    book.note(frame(job, 2, cached=True))
    running = book.report_of(job)
    assert (running.state, running.engine, running.frame_count) == (RUNNING, "classic", 3)
    assert (running.done, running.computed, running.message) == (2, 1, "")
    book.note(done(job))
    assert book.report_of(job).state == DONE


def test_a_planned_job_runs_even_if_nobody_said_that_it_was_begun(book, job):
    book.note(planned(job))
    assert job.state == RUNNING


def test_a_restarted_job_goes_on_running(book, job):
    book.note_begun(job.id)
    book.after_death()
    assert job.state == RUNNING


def test_a_failure_is_reported_in_one_line_and_a_cancel_is_none(book, job):
    book.note(MatteFailed(job.id, "bad-input", "line one\nline two " + "x" * 1000, "hint"))
    reported = book.report_of(job)
    assert reported.state == FAILED
    assert reported.message.startswith("line one line two xxx")
    assert len(reported.message) == 500
    other = book.add(b"client", REQUEST)
    book.note(MatteFailed(other.id, "cancelled", "the job was cancelled", ""))
    assert (book.report_of(other).state, book.report_of(other).message) == (CANCELLED, "")


def test_a_failure_over_a_frame_is_reported_with_it(book, job):
    book.note(MatteFailed(job.id, "bad-input", "mask frame 7: broken", "hint", "mask", 7, "/mask.0007.exr"))
    assert (book.report_of(job).role, book.report_of(job).frame) == ("mask", 7)


def test_a_job_that_was_given_up_is_reported_as_failed(book, job):
    for _ in range(2):
        book.note_begun(job.id)
        book.after_death()
    assert book.report_of(job).state == FAILED
    assert "died twice" in book.report_of(job).message


def test_seconds_stop_at_the_end(book, job):
    time.sleep(0.01)
    assert book.report_of(job).seconds >= 0.01
    book.note(failed(job))
    at_end = book.report_of(job).seconds
    time.sleep(0.02)
    assert book.report_of(job).seconds == at_end


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
    assert digest_of(job.request, "plate", 1) == "p"
    book.note(failed(job))
    assert digest_of(job.request, "plate", 1) is None
    assert job.request.plate == REQUEST.plate


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\tb\nc", "a b c"), ("  a\x00\x1b[31m ", "a[31m"), ("abcdefgh", "abcde"), ("abcd efg", "abcd"), ("", "")],
)
def test_texts_of_clients_are_shown_on_one_line(text, shown):
    assert one_line(text, 5) == shown


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(jobs.Job) == {"turn": 0, "begun": False, "cancelled": False}


def test_two_hundred_jobs_are_remembered_and_five_thousand_may_wait(book):
    """docs/security.md names the latter."""
    assert (jobs.REMEMBERED, jobs.MOST_AT_ONCE) == (200, 5000)


def test_flags_are_cut_to_two_hundred_letters(book, job):
    flags = [QcFlag("spill", [number * 10], number, "why") for number in range(1, 90)]
    book.note(replace(done(job), flags=flags))
    assert len(book.report_of(job).flags) == 200


def with_colour(book):
    asked = (SideResult("foreground", "/out/fg.####.exr"),)
    return book.add(b"client", replace(REQUEST, side_results=asked))


def colour(job, number, cached=False):
    return SideFrameDone(job.id, "foreground", number, cached, f"/out/fg.{number}.exr")


def test_side_results_are_news_once_and_counted_over_all_workers(book):
    job = with_colour(book)
    book.note(planned(job, 2))
    assert book.report_of(job).side == ""
    for event in (frame(job, 1), colour(job, 1), frame(job, 2)):
        assert book.note(event) is event
    assert book.report_of(job).side == "foreground 1 of 2"
    book.note_begun(job.id)
    book.after_death()
    assert book.note(colour(job, 1, cached=True)) is None
    assert book.note(colour(job, 2)) is not None
    assert book.report_of(job).side == ""
    told = book.note(replace(done(job, 2), side_results=[SideDone("foreground", 1, 1)]))
    assert told.side_results == [SideDone("foreground", 2, 0)]


def test_a_side_result_counts_as_progress_between_two_deaths(book):
    job = with_colour(book)
    book.note(planned(job, 5))
    for number in range(1, 5):
        book.note_begun(job.id)
        book.note(colour(job, number))
        _, ended = book.after_death()
        assert ended == []


def test_a_job_that_was_resumed_and_ended_twice_is_forgotten_once(book):
    for _ in range(2):
        book.note(failed(book.add(b"", REQUEST, known="the same")))
    for _ in range(REMEMBERED):
        book.note(failed(book.add(b"client", REQUEST)))
    assert book.find("the same") is None


def alphas_counted(job):
    """How many computed alphas the pace of a job counts; its first mark is when the stage began."""
    return len(job.pace.marks) - 1


def test_the_pace_counts_alphas_that_are_computed_and_begins_again_with_a_stage(book):
    job = book.add(b"client", replace(REQUEST, then=(Stage("two"),)))
    book.note(replace(planned(job), stages=["one", "two"]))
    assert alphas_counted(job) == 0
    for number, cached, counted in ((1, False, 1), (2, True, 1), (3, False, 2)):
        book.note(StageFrameDone(job.id, 0, number, cached))
        assert alphas_counted(job) == counted
    book.note(StageBegun(job.id, 1, "two", 3))
    assert alphas_counted(job) == 0
    for number, cached, counted in ((1, False, 1), (2, True, 1), (2, False, 1), (3, False, 2)):
        book.note(frame(job, number, cached))
        assert alphas_counted(job) == counted


def test_the_pace_of_layers_counts_each_alpha_and_not_their_common_file(book):
    job = several(book)
    for name in ("hero", "dog"):
        book.note(StageFrameDone(job.id, 0, 1001, False, name))
    book.note(FrameDone(job.id, 1001, False, "/out/a.1001.exr"))
    assert alphas_counted(job) == 2


def test_a_phase_is_news_when_it_differs_and_computing_begins_the_pace_again(book, job):
    book.note(planned(job))
    job.pace.marks[0] -= 60
    loading = PhaseChanged(job.id, Phase("loading", 1, 2))
    assert (book.note(loading), book.note(loading)) == (loading, None)
    assert job.pace.marks[0] < time.monotonic() - 59
    computing = PhaseChanged(job.id, Phase("computing"))
    assert (book.note(computing), job.phase) == (computing, computing.phase)
    assert job.pace.marks[0] > time.monotonic() - 59


def test_a_job_begins_once_however_often_the_worker_takes_it_up(book, job):
    assert (book.note_begun("nobody's"), job.begun) == (False, False)
    assert (book.note_begun(job.id), job.begun) == (True, True)
    at = job.begun_at
    assert (book.note_begun(job.id), job.begun_at) == (False, at)


def test_jobs_are_found_by_the_beginning_of_their_ids(book):
    for known in ("abc1", "abc2", "b"):
        book.add(b"client", REQUEST, known)
    assert [job.id for job in book.resembling("abc")] == ["abc1", "abc2"]
    assert book.resembling("c") == []


def test_the_jobs_there_are_include_those_that_ended(book, job):
    other = book.add(b"client", REQUEST)
    book.note(failed(job))
    assert (book.jobs(), book.running()) == ([job, other], [other])
