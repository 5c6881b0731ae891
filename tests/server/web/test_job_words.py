"""How a job is worded."""

from videomama_client.job_records import COMPUTING, SIDE_RESULTS, JobState, Phase
from videomama_server.web import job_words


def job(**changes):
    plain = {
        "job": "0" * 32,
        "label": "",
        "plate": "/shots/a/plate.####.exr",
        "priority": "batch",
        "state": "running",
        "engine": "classic",
        "frame_count": 10,
        "done": 4,
        "computed": 4,
        "seconds": 3.0,
    }
    return JobState(**{**plain, **changes})


def test_what_is_done_stands_with_its_stage():
    phase = Phase(COMPUTING, subject="1001-1008")
    assert job_words.doing(job(phase=phase, stage="2 of 2, adjust")) == "stage 2 of 2, adjust, computing 1001-1008"
    assert job_words.doing(job(state="done")) == ""


def test_how_far_side_results_are_stands_there_once():
    phase = Phase(SIDE_RESULTS, 3, 10, "foreground")
    assert job_words.doing(job(phase=phase, side="foreground 3 of 10")) == "classic, foreground: 3 of 10"


def test_rates_are_of_what_is_readable():
    assert job_words.rate(job(frame_rate=2.0)) == "2.0 frames/s"
    assert job_words.rate(job(frame_rate=0.25)) == "4.0 s/frame"
    assert job_words.rate(job()) == ""


def test_progress_is_that_of_the_stage_while_it_works():
    assert job_words.done(job(stage_done=1, stage_frame_count=20)) == (1, 20)
    assert job_words.done(job(state="done", stage_done=1, stage_frame_count=20)) == (4, 10)
    assert job_words.done(job(frame_count=None)) is None
