"""What is told of a job; how a job comes to these states is tested with the book of jobs."""

from dataclasses import replace

import pytest
from videomama_client import messages
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_client.messages import (
    FrameDone,
    MatteDone,
    MatteFailed,
    MattePlanned,
    Phase,
    PhaseChanged,
    SideFrameDone,
    SideResult,
    StageBegun,
    StageFrameDone,
    Submitter,
)
from videomama_client.objects import MaskObject
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server.serving.job_state import queue_phase
from videomama_server.serving.queue_order import jobs_before

REQUEST = messages.SubmitMatte(
    "r", "/p.####.exr", "/m.####.exr", "/o.####.exr", MatteSettings(), frame_ranges="1-9",
    submitter=Submitter("ann", "ws", "nuke", "/home/ann"),
)  # fmt: skip


def begun(book, request=REQUEST, frames=3):
    job = book.add(b"client", request)
    book.note_begun(job.id)
    book.note(MattePlanned(job.id, "classic", [0, 0, 8, 8], frames, "/o.####.exr", warnings=["little space"]))
    return job


def test_a_job_tells_what_was_asked_for_and_by_whom(book):
    job = book.add(b"client", REQUEST)
    told = book.report_of(job)
    assert (told.mask, told.out, told.frame_ranges, told.submitter) == (
        REQUEST.mask, REQUEST.out, REQUEST.frame_ranges, REQUEST.submitter,
    )  # fmt: skip
    assert told.submitted_at == job.submitted_at > 1.5e9
    assert told.begun_at is told.ended_at is None


def test_jobs_tell_how_many_go_first_batch_jobs_after_interactive_ones(book):
    farm = book.add(b"farm", replace(REQUEST, priority="batch"))
    artist = book.add(b"artist", REQUEST)
    other = book.add(b"farm", replace(REQUEST, priority="batch"))
    assert [book.report_of(job).jobs_before for job in (artist, farm, other)] == [0, 1, 2]
    assert {state.job: state.jobs_before for state in book.report()} == {artist.id: 0, farm.id: 1, other.id: 2}
    assert [jobs_before(job, book.running()) for job in (artist, farm, other)] == [0, 1, 2]
    book.set_priority(other, "interactive")
    assert [jobs_before(job, book.running()) for job in (artist, farm, other)] == [0, 2, 1]
    assert [job.id for job in book.queue()] == [artist.id, other.id, farm.id]
    book.note(MatteFailed.by(artist.id, BadInput("no")))
    assert book.report_of(artist).jobs_before is jobs_before(artist, book.running()) is None


def test_rate_and_time_left_follow_from_the_alphas_that_are_computed(book):
    job = begun(book, frames=10)
    for number in (1, 2, 3):
        book.note(FrameDone(job.id, number, True, "/o"))
    assert book.report_of(job).frame_rate is None  # cached ones say nothing of the engine
    for number in (4, 5):
        book.note(FrameDone(job.id, number, False, "/o"))
    told = book.report_of(job)
    assert (told.stage_done, told.stage_frame_count) == (5, 10)
    assert told.seconds_left == pytest.approx(5 / told.frame_rate)


def test_of_several_stages_the_counts_are_those_of_the_one_at_work(book):
    job = begun(book, replace(REQUEST, then=(Stage("adjust"),)))
    book.note(StageBegun(job.id, 0, "classic", 3))
    for number in (1, 2):
        book.note(StageFrameDone(job.id, 0, number, False))
    told = book.report_of(job)
    assert (told.stage_index, told.stage_count, told.stage_engine) == (0, 2, "classic")
    assert (told.stage_done, told.stage_frame_count, told.done) == (2, 3, 0)
    assert told.frame_rate is not None
    book.note(StageBegun(job.id, 1, "adjust", 3))
    book.note(FrameDone(job.id, 1, False, "/o"))
    told = book.report_of(job)
    assert (told.stage_index, told.stage_engine, told.stage_done) == (1, "adjust", 1)
    assert told.frame_rate is None


def test_of_several_objects_the_one_at_work_is_named(book):
    pair = (MaskObject("hero", "h"), MaskObject("dog", "d", stages=(Stage("classic"), Stage("adjust"))))
    job = begun(book, replace(REQUEST, mask="", objects=pair))
    assert book.report_of(job).stage_object == "hero"
    book.note(StageBegun(job.id, 1, "adjust", 3, "dog"))
    book.note(StageFrameDone(job.id, 1, 1, False, "dog"))
    told = book.report_of(job)
    assert (told.stage_object, told.stage_index, told.stage_count, told.stage_done) == ("dog", 1, 2, 1)


def test_a_phase_is_told_until_the_job_ends_and_side_results_are_one(book):
    job = begun(book, replace(REQUEST, side_results=(SideResult("foreground", "/fg.####.exr"),)), 1)
    phase = Phase("computing", subject="1-1")
    book.note(PhaseChanged(job.id, phase))
    assert book.report_of(job).phase == phase
    book.note(FrameDone(job.id, 1, False, "/o"))
    assert book.report_of(job).phase == Phase("side-results", 0, 1, "foreground")
    book.note(SideFrameDone(job.id, "foreground", 1, False, "/fg"))
    book.note(MatteDone(job.id, 1, 1, 0, 1.0, "classic", [0, 0, 8, 8]))
    assert book.report_of(job).phase is None


def test_a_job_that_ended_keeps_its_times_rate_warnings_and_error(book):
    job = begun(book, frames=1)
    book.note(FrameDone(job.id, 1, False, "/o"))
    book.note(MatteDone(job.id, 1, 1, 0, 1.0, "classic", [0, 0, 8, 8], ["little space", "one more"]))
    told = book.report_of(job)
    assert told.warnings == ["little space", "one more"]
    assert told.submitted_at <= told.begun_at <= told.ended_at
    assert told.frame_rate == pytest.approx(1 / (told.ended_at - told.begun_at))
    other = begun(book)
    book.note(
        MatteFailed.by(other.id, BadInput("broken", "Render it again.", role="mask", frame=7, file="/m.0007.exr"))
    )
    told = book.report_of(other)
    assert (told.code, told.message, told.hint, told.frame, told.file) == (
        "bad-input", "broken", "Render it again.", 7, "/m.0007.exr",
    )  # fmt: skip
    assert told.frame_rate is told.seconds_left is None


@pytest.mark.parametrize("inline", [False, True])
def test_a_job_that_the_server_left_is_interrupted_and_can_be_resumed_unless_it_is_inline(book, inline):
    job = begun(book, replace(REQUEST, inline=inline))
    assert not book.report_of(job).resumable
    book.note(MatteFailed.by(job.id, ServerUnreachable("the server was ended")))
    told = book.report_of(job)
    assert (told.state, told.inline, told.resumable) == ("interrupted", inline, not inline)


def test_what_a_job_waits_for_is_the_queue_then_the_engine_process():
    assert queue_phase(2, engine_ready=False) == queue_phase(2, engine_ready=True) == Phase("queued", 2)
    assert queue_phase(0, engine_ready=False) == Phase("starting")
    assert queue_phase(0, engine_ready=True) is None


def test_words_are_cut_and_more_than_fifty_warnings_left_out(book):
    job = begun(book)
    job.warnings = ["w" * 600] * 60
    told = book.report_of(job)
    assert (len(told.warnings), len(told.warnings[0])) == (50, 500)
    book.note(MatteFailed(job.id, "bad-input", "m" * 600, "h" * 600))
    told = book.report_of(job)
    assert (len(told.message), len(told.hint)) == (500, 500)


def test_a_job_that_makes_side_results_is_in_that_phase(book):
    job = begun(book, replace(REQUEST, side_results=(messages.SideResult("foreground", "/f.####.exr", ""),)), frames=1)
    assert book.report_of(job).phase is None
    book.note(messages.FrameDone(job.id, 1, False, "/o.1.exr"))
    told = book.report_of(job)
    assert (told.phase, told.side) == (messages.Phase("side-results", 0, 1, "foreground"), "foreground 0 of 1")


def test_a_job_that_has_ended_has_the_rate_of_the_time_since_it_began(book):
    job = begun(book)
    for number in (1, 2):
        book.note(messages.FrameDone(job.id, number, False, f"/o.{number}.exr"))
    job.started -= 10
    job.submitted_at -= 10
    job.begun_at -= 6
    book.note(MatteFailed.by(job.id, BadInput("no")))
    assert book.report_of(job).frame_rate == pytest.approx(2 / 6, rel=0.05)


def test_time_is_left_for_the_alphas_that_the_stage_at_work_lacks(book):
    job = book.add(b"client", replace(REQUEST, then=(Stage("two"),)))

    def told():
        job.pace.marks.clear()
        job.pace.marks.extend([0.0, 1.0, 2.0])  # an alpha a second
        found = book.report_of(job)
        return found.seconds_left, found.stage_index, found.stage_engine

    assert told() == (None, 0, "")
    book.note(MattePlanned(job.id, "one", [0, 0, 8, 8], 5, "/o.####.exr", stages=["one", "two"]))
    assert told() == (5, 0, "one")
    book.note(StageBegun(job.id, 0, "one", 4))
    book.note(StageFrameDone(job.id, 0, 1001, False))
    assert told() == (3, 0, "one")
    book.note(StageBegun(job.id, 1, "two", 3))
    for number in (1001, 1002):
        book.note(FrameDone(job.id, number, False, f"/o.{number}.exr"))
    assert told() == (1, 1, "two")
