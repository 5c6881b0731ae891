import logging

import pytest
from videomama_client.errors import BadInput, Cancelled
from videomama_client.messages import (
    FrameDone,
    MatteDone,
    MatteFailed,
    MattePlanned,
    QcFlag,
    StageBegun,
    SubmitMatte,
    Submitter,
)
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server.serving import job_log

REQUEST = SubmitMatte(
    "r", "/p.####.exr", "/m.####.exr", "/o.####.exr", MatteSettings(), then=(Stage("adjust"),),
    submitter=Submitter("ann", "ws", "nuke", "/home/ann"), label="shot\n010",
)  # fmt: skip


@pytest.fixture
def job(book):
    return book.add(b"client", REQUEST)


def texts(lines):
    return [line.text for line in lines]


def test_a_submission_names_who_from_where_and_the_output(job):
    said = job_log.submitted(job, again=False)
    assert said.text == "submitted by ann@ws with nuke from /home/ann: interactive, shot 010 to /o.####.exr"
    assert said.at > 1.5e9
    assert job_log.submitted(job, again=True).text == "resumed: interactive, shot 010 to /o.####.exr"


def test_a_plan_and_its_warnings_are_lines(job):
    event = MattePlanned(job.id, "classic", [1, 2, 3, 4], 40, "/o", "on the CPU", ["little space"])
    lines = job_log.of(job, event)
    assert texts(lines) == ["planned: 40 frames by classic (on the CPU), region 1,2,3,4", "little space"]
    assert [line.level for line in lines] == ["info", "warning"]


def test_a_stage_and_a_result_with_its_flags_are_lines(job):
    assert texts(job_log.of(job, StageBegun(job.id, 0, "classic", 40))) == ["stage 1 of 2, classic begins: 40 alphas"]
    flag = QcFlag("hole", [7, 8], 7, "the alpha has a hole")
    event = MatteDone(job.id, 40, 30, 10, 12.34, "classic", [0, 0, 8, 8], flags=[flag])
    assert texts(job_log.of(job, event)) == [
        "QC: hole on 7-8: the alpha has a hole",
        "done: 40 frames (30 computed, 10 cached) in 12.3 s by classic",
    ]


def test_a_failure_is_an_error_with_its_code_and_hint(book, job):
    event = book.note(MatteFailed.by(job.id, BadInput("mask frame 7: broken", "Render it again.")))
    (line,) = job_log.of(job, event)
    assert (line.text, line.level) == ("failed (bad-input): mask frame 7: broken. Render it again.", "error")


def test_a_cancel_is_no_error(book, job):
    event = book.note(MatteFailed.by(job.id, Cancelled("the job was cancelled")))
    (line,) = job_log.of(job, event)
    assert (line.text, line.level) == ("cancelled: the job was cancelled", "warning")


def test_single_frames_are_no_lines(job):
    assert job_log.of(job, FrameDone(job.id, 1, False, "/o")) == []


def test_every_line_is_in_the_servers_log_too_and_forges_none(job, caplog):
    with caplog.at_level(logging.INFO):
        job_log.line(job, "a name\nof two lines", "warning")
    (record,) = caplog.records
    assert record.getMessage() == f"job {job.id[:8]}: a name of two lines"
    assert record.levelname == "WARNING"


def test_of_very_many_warnings_twenty_are_lines(job):
    event = MattePlanned(job.id, "classic", [0, 0, 8, 8], 1, "/o", warnings=[f"warning {n}" for n in range(50)])
    assert len(job_log.of(job, event)) == 21
