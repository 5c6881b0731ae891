from dataclasses import replace

import pytest
from videomama_client.job_records import JobState, Phase, Submitter
from videomama_server.cli import job_lines

JOB = JobState(
    "0123456789abcdef", "", "/shots/sh010/plate.####.exr", "batch", "running", "classic", 40, 12, 10, 5.0,
    phase=Phase("computing", subject="1013-1016"), frame_rate=2.0, seconds_left=14.2,
    submitter=Submitter("ann", "ws", "nuke"),
)  # fmt: skip


def test_a_job_is_told_in_one_line():
    assert job_lines.line(JOB) == (
        "01234567 sh010/plate.####.exr: running, batch, 12/40, computing 1013-1016, 2.0 f/s, 0:14 left, ann@ws, nuke"
    )


def test_what_is_not_known_is_left_out():
    waiting = replace(JOB, label="shot", state="waiting", frame_count=None, done=0, frame_rate=None, seconds_left=None)
    bare = replace(waiting, submitter=None, phase=Phase("queued", 2))
    assert job_lines.line(bare) == "01234567 shot: waiting, batch, waiting behind 2 jobs"
    assert job_lines.frames(replace(bare, done=3)) == "3"


def test_a_job_that_ended_says_why_and_what_was_flagged():
    assert job_lines.doing(replace(JOB, state="failed", message="mask frame 7: broken")) == "mask frame 7: broken"
    assert job_lines.doing(replace(JOB, state="done", flags="hole on 7")) == "QC: hole on 7"
    assert job_lines.doing(replace(JOB, state="done")) == ""


def test_the_stage_stands_before_what_is_being_done():
    assert job_lines.doing(replace(JOB, stage="1 of 2, sam2")) == "stage 1 of 2, sam2, computing 1013-1016"


@pytest.mark.parametrize(("rate", "words"), [(None, ""), (0.25, "4.0 s/f"), (1.0, "1.0 f/s"), (12.34, "12.3 f/s")])
def test_slow_rates_are_told_as_seconds_for_a_frame(rate, words):
    assert job_lines.rate(replace(JOB, frame_rate=rate)) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (0, "0:00"), (59.6, "1:00"), (11102, "3:05:02"), (-4, "0:00")]
)
def test_spans_are_told_like_a_clock(seconds, words):
    assert job_lines.span(seconds) == words
